"""The flags of `rescue plan`, `rescue run` and `rescue undo`, and the one way in which all are carried out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import LitefsError
from . import values
from .backup_dir import backup_dir
from .backup_dir import warnings as place_warnings
from .fix_words import DAY
from .options import cluster_options, connection, kind_and_names, verbosity
from .output import emit, screen
from .params import Duration, Word
from .pod_argument import namespace_name, pod_name
from .repair import confirm, document, error_document, show_outcome, signals

if TYPE_CHECKING:
    from ..fix.outcome import Outcome
    from ..render.paint import Line
    from ..rescue.options import RescueOptions
    from ..rescue.plan import RescuePlan
    from ..rescue.undo_plan import UndoPlan

F = TypeVar("F", bound=Callable[..., Any])

_OWN = (
    click.argument("names", nargs=-1, metavar="[STATEFULSET]", shell_complete=values.litefs_sets),
    click.option("--backup-dir", metavar="DIR", help="Where every copy is saved first (default: a folder below ~/.local/state)."),
    click.option("--timeout", type=Duration(), default="15m", show_default=True, help="Limit for the run, from the confirmation on."),
    click.option("--allow-rollout", is_flag=True, help="The pods may come back with a new revision."),
    click.option("--not-managed-by", metavar="KIND/NAME", help="This owner of the StatefulSet does not interfere."),
    click.option("--port", type=click.IntRange(1, 65535), help="LiteFS's HTTP port (default: litefs.yml's, else 20202)."),
    click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format; json and yaml: events on stderr."),
    click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal)."),
)
_WAY = (
    click.option("--strategy", type=Word("auto", "data-dir", "import"), default="auto", help="auto: data-dir where it can be, else import."),
    click.option("--source", metavar="POD", shell_complete=values.litefs_pods, help="Take this replica's copies, where a person must decide."),
    click.option("--allow-smaller-volume", is_flag=True, help="Strategy import: a replica's new volume may be smaller."),
)
_ACT = (
    click.option("--yes", is_flag=True, help="Do not ask; needs --plan."),
    click.option("--plan", metavar="ID", help="Carry out this very plan (the id that a dry run prints), or nothing."),
    click.option("--dry-run", type=Word("none", "client"), default="none", help="Show the plan only. Bare: client."),
    click.option("--resume", is_flag=True, help="Take up a run that was stopped; the cluster decides where."),
    click.option("--break-lock", is_flag=True, help="Take a lock that nobody has renewed for a minute."),
)
_EVICT = (click.option("--disable-eviction", is_flag=True, help="Strategy import: delete replicas instead of evicting them."),)


def plan_flags(function: F) -> F:
    return _flags(function, _OWN, _WAY)


def run_flags(function: F) -> F:
    return _flags(function, _OWN, _WAY, _ACT, _EVICT)


def undo_flags(function: F) -> F:
    return _flags(function, _OWN, _ACT)


def _flags(function: F, *groups: tuple[Callable[[F], F], ...]) -> F:
    for group in reversed(groups[1:]):
        function = _with(function, group)
    return verbosity(_with(cluster_options(function), groups[0]))


def _with(function: F, decorators: tuple[Callable[[F], F], ...]) -> F:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def hide_scope(command: click.Command) -> None:
    """-A and -l are taken to say that one set at a time is meant."""
    for shared in command.params:
        if shared.name in ("all_namespaces", "selector") and isinstance(shared, click.Option):
            shared.hidden = True


def options(ctx: click.Context, *, dry_run: str) -> RescueOptions:
    """The flags, each checked by itself. Raises click.UsageError."""
    from ..rescue.options import RescueOptions

    flags = ctx.params
    names = kind_and_names(tuple(flags["names"]))
    if len(names) > 1:
        raise click.UsageError(f"one set at a time, not {len(names)}", ctx)
    if flags["all_namespaces"]:
        raise click.UsageError("-A: this needs one namespace, -n NAME", ctx)
    if flags["selector"] is not None:
        raise click.UsageError("-l: no selectors, one set at a time", ctx)
    if not 0 < flags["timeout"] < DAY:
        raise click.UsageError("--timeout wants a time above 0 and below 24h, for example 15m", ctx)
    if flags.get("strategy") == "data-dir" and flags.get("disable_eviction"):
        raise click.UsageError("--disable-eviction goes with --strategy=import: data-dir evicts nothing", ctx)
    return RescueOptions(
        pod="",
        namespace=namespace_name(flags["namespace"], ctx),
        strategy=flags.get("strategy", "auto"),
        timeout=flags["timeout"],
        request_timeout=5.0 if flags["request_timeout"] is None else flags["request_timeout"],
        dry_run=dry_run,
        yes=flags.get("yes", False),
        plan_id=flags.get("plan"),
        resume=flags.get("resume", False),
        break_lock=flags.get("break_lock", False),
        allow_rollout=flags["allow_rollout"],
        allow_smaller_volume=flags.get("allow_smaller_volume", False),
        not_managed_by=flags["not_managed_by"],
        disable_eviction=flags.get("disable_eviction", False),
        port=flags["port"],
        name=_set_name(names[0]) if names else None,
        base=backup_dir(flags["backup_dir"], os.environ, ctx, "rescue"),
        source=pod_name(flags["source"], ctx) if flags.get("source") is not None else None,
    )


def _set_name(word: str) -> str:
    """A plain name is a StatefulSet's."""
    return word if "/" in word else f"statefulset/{word}"


def carry_out(ctx: click.Context, *, dry_run: str, undo: bool = False) -> int:
    """Errors as documents where documents are asked for."""
    output = ctx.params["output"]
    try:
        return _run(ctx, options(ctx, dry_run=dry_run), undo)
    except LitefsError as error:
        if output == "text":
            raise
        emit(document(error_document(error, "RescueResult"), output))
        return int(error.exit_code)


def _run(ctx: click.Context, given: RescueOptions, undo: bool) -> int:
    from .. import app
    from ..kube import connect
    from .live import SystemClock
    from .steps import steps

    do: Callable[..., Outcome] = app.rescue_undo if undo else app.rescue_run
    ui = steps(ctx.params["output"], screen(ctx.params["color"]).color)
    try:
        with signals():
            kube = connect.connect_writable(connection(ctx))
            try:
                for warning in place_warnings(given.base):
                    ui.say(warning)
                outcome = do(kube, given, SystemClock(), ui, lambda plan: confirm(ctx, plan, ui.close, given, _plan_lines), os.environ)
            finally:
                kube.close()
    finally:
        ui.close()
    show_outcome(ctx, outcome, _plan_lines)
    return int(outcome.code)


def _plan_lines(plan: RescuePlan | UndoPlan, width: int) -> list[Line]:
    from ..render.rescue_plan import plan_lines

    return plan_lines(plan, width)
