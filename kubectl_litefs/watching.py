"""`status -w`: look again and again, and outlive a cluster that does not answer for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import LitefsError
from .model.memory import NOTHING, Memory, remember
from .model.report import Report
from .ports import Clock


@dataclass(frozen=True, slots=True)
class Look:
    """The newest report, what is remembered of silent pods, and why the last try gave no report (empty: it did)."""

    report: Report
    memory: Memory
    error: str = ""


def watch(look: Callable[[], Report], clock: Clock, interval: float) -> Iterator[Look]:
    """A look every `interval` seconds, without end. The first must succeed: its errors are raised.

    After that an error ends nothing: the last report comes again, with the error beside it.
    """
    newest = look()
    memory = remember(NOTHING, newest)
    yield Look(newest, memory)
    while True:
        clock.sleep(interval)
        try:
            newest = look()
        except LitefsError as error:
            yield Look(newest, memory, error.message)
        else:
            memory = remember(memory, newest)
            yield Look(newest, memory)
