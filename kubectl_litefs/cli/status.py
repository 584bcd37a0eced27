"""`kubectl litefs status`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..model.rule import Severity
from . import values
from .custom import ignore_options, suppressions
from .diagnose import CODES
from .options import Command, cluster_options, given, kind_and_names, kube_flags, target, verbosity
from .output import ProgressLine, Screen, emit, is_terminal, screen
from .params import NO_LIMIT, Duration, GivenPath, Word, one_bundle
from .reports import tell

if TYPE_CHECKING:
    from ..model.report import Report
    from ..ports import Clock
    from ..watching import Look

LEAST = 1.0
"""Seconds between two looks: a look is some ten requests and the replicas' logs."""


@click.command("status", cls=Command, codes=CODES)
@click.argument("names", nargs=-1, metavar="[KIND/NAME | POD]...", shell_complete=values.workloads)
@click.option("-w", "--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--interval", type=Duration(), default="5s", show_default=True, help="With -w: time between two looks.")
@click.option("--from", "bundle", multiple=True, callback=one_bundle, type=GivenPath(path_type=Path), metavar="PATH", help="Of a saved bundle (directory or .tar.gz), no cluster.")
@click.option("-o", "--output", type=Word("text", "wide", "json", "yaml"), default="text", help="Output format; wide: whole ids and positions, and volumes.")
@click.option("--fail-on", type=Word("error", "warning", "info", "never"), default="error", help="Exit 1 from this severity on.")
@ignore_options
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@click.option("--timeout", type=Duration(), default="15s", show_default=True, help="Limit for one look; 0: none.")
@cluster_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, names: tuple[str, ...], watch: bool, interval: float, bundle: Path | None, output: str, fail_on: str, **_: object) -> int:
    """One line for each pod: its role, cluster id, position in every database, and whether it follows the primary.

    Without names: every LiteFS set of the namespace. Judges by positions, never by lag, and reads less than diagnose,
    which also says why and what to do. Reads only.
    """
    if watch and bundle is not None:
        raise click.UsageError("-w watches a cluster; a bundle given with --from does not change", ctx)
    if not watch and ctx.get_parameter_source("interval") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--interval goes with -w", ctx)
    if watch and not LEAST <= interval < NO_LIMIT:
        raise click.UsageError("--interval wants at least 1s", ctx)
    names = kind_and_names(names)
    if watch:
        return _watch(ctx, names, interval, output)
    report = _once(ctx, names, bundle)
    tell(report.notices)
    emit(_renderer(ctx, output)(report, {}, ""))
    return int(report.exit_code(None if fail_on == "never" else Severity(fail_on)))


Render = Any
"""(report, memory, error) -> text."""


def _once(ctx: click.Context, names: tuple[str, ...], bundle: Path | None) -> Report:
    from .. import app

    accepted = suppressions(ctx)
    if bundle is not None:
        if live_only := given(ctx):
            raise click.UsageError(f"--from reads a saved bundle, so {', '.join(live_only)} cannot apply: give one or the other", ctx)
        return app.status_bundle(bundle, names, accepted)
    wanted = target(ctx, names)
    from .live import SystemClock, connected

    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        return app.status_live(kube, wanted, SystemClock(), observer, accepted)


def _renderer(ctx: click.Context, output: str, show: Screen | None = None) -> Render:
    """How a look becomes text."""

    def data(report: Report, memory: Any, error: str) -> str:
        from ..render import document
        from ..render.status_tree import status_tree

        return document(status_tree(report, memory, error), output)

    def text(report: Report, memory: Any, error: str) -> str:
        render = importlib.import_module("kubectl_litefs.render.status").render
        on = show or screen(ctx.params["color"])
        told: str = render(
            report, width=on.width, color=on.color, fancy=on.fancy, wide=output == "wide", kube_flags=kube_flags(ctx),
            bundle=str(ctx.params["bundle"] or ""), memory=memory, error=error,
        )  # fmt: skip
        return told

    return data if output in ("json", "yaml") else text


class _Silent:
    """An Observer: while the screen is redrawn, nothing else may write on it."""

    def progress(self, text: str) -> None:
        """Nothing."""


def _watch(ctx: click.Context, names: tuple[str, ...], interval: float, output: str) -> int:
    """Until Ctrl-C, which ends with 130."""
    from .. import app
    from ..watching import watch
    from .live import SystemClock, connected

    wanted, accepted, clock = target(ctx, names), suppressions(ctx), SystemClock()
    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        observer.progress("")

        def look() -> Report:
            return app.status_live(kube, wanted, clock, _Silent(), accepted)

        looks = watch(look, clock, interval)
        if output in ("text", "wide") and is_terminal(sys.stdout):
            _redraw(ctx, looks, output, interval, clock)
        else:
            _append(looks, _renderer(ctx, output), output, clock)
    return 0


def _append(looks: Iterator[Look], render: Render, output: str, clock: Clock) -> None:
    """On a pipe or into a file: a new block only where something has changed. Raises BrokenPipeError when nobody reads."""
    from ..render.status import clock_time

    before: object = None
    for at in looks:
        changed = _essence(at)
        if changed == before:
            continue
        text = render(at.report, at.memory, at.error)
        head = {"json": "", "yaml": "---\n"}.get(output, f"{'' if before is None else chr(10)}--- {clock_time(clock.now())}\n")
        before = changed
        sys.stdout.write(head + text)
        sys.stdout.flush()


def _essence(look: Look) -> object:
    """All that a block shows but the time of the look."""
    from ..render.status_tree import status_tree

    return {key: value for key, value in status_tree(look.report, look.memory, look.error).items() if key != "takenAt"}


def _redraw(ctx: click.Context, looks: Iterator[Look], output: str, interval: float, clock: Clock) -> None:
    """On a terminal: in place, as wide as the terminal is at that moment. The time below says that it still looks."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ..render.status import clock_time

    console = Console(highlight=False, markup=False, emoji=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as area:
        for at in looks:
            text = _renderer(ctx, output)(at.report, at.memory, at.error)
            foot = f"\n{clock_time(clock.now())}, every {interval:g} s, Ctrl-C ends"
            shown = Text.from_ansi(text + foot)
            shown.no_wrap, shown.overflow = output != "wide", "crop"
            area.update(shown, refresh=True)
