"""`--wait`, `--interval`: a gate behind a deployment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from ..model.rule import Severity
from .output import ProgressLine, is_terminal
from .params import NO_LIMIT, Duration

if TYPE_CHECKING:
    from ..model.report import Report
    from ..model.settled import Verdict
    from ..ports import Clock

F = TypeVar("F", bound=Callable[..., Any])

LEAST = 1.0
"""Seconds between two looks, at least: each is some thirty requests."""

_WAIT = click.option("--wait", type=Duration(zero=0.0), metavar="DURATION", help="Judge again until all is well, or what is wrong cannot heal by itself; at most so long; 0: look once.")
_INTERVAL = click.option("--interval", type=Duration(), default="5s", show_default=True, help="With --wait: time between two looks.")


def wait_options(function: F) -> F:
    """`--wait`, `--interval`."""
    return _WAIT(_INTERVAL(function))


def check_wait(ctx: click.Context) -> None:
    """Flags that contradict each other. Raises click.UsageError."""
    flags = ctx.params
    if flags["wait"] is None:
        if ctx.get_parameter_source("interval") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--interval goes with --wait", ctx)
        return
    if flags["bundle"] is not None:
        raise click.UsageError("--wait watches a cluster; a bundle given with --from does not change", ctx)
    if flags["logs"]:
        raise click.UsageError("--wait watches a cluster; log files are of the past", ctx)
    if flags["filenames"]:
        raise click.UsageError("--wait watches a cluster; what -f would make of it is not there yet", ctx)
    if not LEAST <= flags["interval"] < NO_LIMIT:
        raise click.UsageError("--interval wants at least 1s", ctx)


def settled(ctx: click.Context, look: Callable[[], Report], clock: Clock) -> tuple[Report, int | None]:
    """The last report, and the exit code where it is not the report's own. Without --wait one look is all."""
    flags = ctx.params
    if flags["wait"] is None:
        return look(), None
    from ..watching import Patience, settle

    fail_on = None if flags["fail_on"] == "never" else Severity(flags["fail_on"])
    report, seen = settle(look, clock, Patience(flags["wait"], flags["interval"], fail_on, flags["strict"]), _Teller())
    _close(seen)
    return report, int(seen.code)


class _Teller:
    """Says on standard error what is waited for: in place on a terminal, else a line whenever it changes."""

    def __init__(self) -> None:
        self._said = ""
        self._line = ProgressLine()

    def __call__(self, reasons: str, left: float) -> None:
        if is_terminal(sys.stderr):
            self._line.progress(f"waiting, {left:.0f} s left: {reasons}")
        elif reasons != self._said:
            _say(f"waiting, at most {left:.0f} s more: {reasons}")
        self._said = reasons


def _close(seen: Verdict) -> None:
    if seen.waits:
        _say(f"the time is up: {'; '.join(seen.reasons)}")
    elif seen.reasons:
        _say(f"waiting cannot heal this: {'; '.join(seen.reasons)}")


def _say(text: str) -> None:
    from ..render.words import clean

    ProgressLine().progress("")
    print(clean(text), file=sys.stderr, flush=True)
