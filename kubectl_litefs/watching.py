"""`status -w` and `diagnose --wait`: look again and again, and outlive a cluster that does not answer for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import CouldNotLook, KubeError, LitefsError
from .model.memory import NOTHING, Memory, remember
from .model.report import Report
from .model.rule import Severity
from .model.settled import Verdict, verdict
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


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long to look, how often (both in seconds), and what is to count as in `Report.exit_code`."""

    seconds: float
    interval: float
    fail_on: Severity | None
    strict: bool


def settle(look: Callable[[], Report], clock: Clock, asked: Patience, tell: Callable[[str, float], None]) -> tuple[Report, Verdict]:
    """Look until all is well, until something is wrong that waiting cannot heal, or until the time is up: the last look
    is made then. `tell` hears what is waited for, and how many seconds are left.

    An error that may pass is waited for, too; it is raised when the time is up, one that cannot pass at once.
    """
    ends = clock.monotonic() + asked.seconds
    found = False
    while True:
        failed: LitefsError | None = None
        try:
            report = look()
        except LitefsError as error:
            if not _may_pass(error, found):
                raise
            failed = error
        else:
            found = True
            seen = verdict(report, asked.fail_on, asked.strict)
            if not seen.waits:
                return report, seen
        left = ends - clock.monotonic()
        if left <= 0:
            if failed is not None:
                raise failed
            return report, seen
        tell(failed.message if failed is not None else "; ".join(seen.reasons), left)
        clock.sleep(min(asked.interval, left))


def _may_pass(error: LitefsError, found: bool) -> bool:
    """What is forbidden stays so. A name that does not exist is a typo, unless it was there before."""
    if error.reference == "forbidden" or (isinstance(error, KubeError) and error.status in (401, 403)):
        return False
    return found or isinstance(error, CouldNotLook)
