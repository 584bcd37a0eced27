"""`kubectl litefs fix-cluster-id`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..errors import LitefsError
from . import values
from .backup_dir import warnings as place_warnings
from .fix_words import fix_options
from .options import cluster_options, connection, verbosity
from .output import emit, screen
from .params import Duration, Word
from .repair import EXIT_CODES, RepairCommand, confirm, document, error_document, show_outcome, signals

if TYPE_CHECKING:
    from ..fix.options import FixOptions
    from ..fix.plan import Plan
    from ..render.paint import Line


@click.command("fix-cluster-id", cls=RepairCommand, codes=EXIT_CODES)
@click.argument("pods", nargs=-1, metavar="POD", shell_complete=values.litefs_pods)
@click.option(
    "--dry-run",
    type=Word("none", "client", "server"),
    default="none",
    help="Show the plan only; server: the API server tries each request. Bare: client.",
)
@click.option(
    "--strategy",
    type=Word("pod", "scale", "in-place"),
    default="pod",
    help="pod: claim, then pod. scale: the guide's way, guarded. in-place: keep the volume.",
)
@click.option(
    "--backup", type=Word("export", "snapshot", "retain-pv", "none"), default="export", help="What is kept of the old volume."
)
@click.option("--backup-dir", metavar="DIR", help="Where exports go (default: a folder below ~/.local/state).")
@click.option("--timeout", type=Duration(), default="15m", show_default=True, help="Limit for the run, from the confirmation on.")
@click.option("--yes", is_flag=True, help="Do not ask; needs --plan.")
@click.option("--plan", metavar="ID", help="Carry out this very plan (the id that --dry-run prints), or nothing.")
@click.option("--resume", is_flag=True, help="Take up a run that was stopped; the cluster decides where.")
@click.option("--break-lock", is_flag=True, help="Take a lock that nobody has renewed for a minute.")
@click.option("--accept-loss", metavar="DB[,DB]", multiple=True, help="This database may be lost with the volume.")
@click.option("--primary-is-right", metavar="ID", help="The primary's cluster id, where the evidence leaves it open.")
@click.option("--allow-rollout", is_flag=True, help="The pod may come back with a new revision.")
@click.option("--allow-smaller-volume", is_flag=True, help="The new volume may be smaller than the old one.")
@click.option("--not-managed-by", metavar="KIND/NAME", help="This owner of the StatefulSet does not interfere.")
@click.option("--disable-eviction", is_flag=True, help="Delete the pod instead of evicting it: no disruption budget is asked.")
@click.option("--port", type=click.IntRange(1, 65535), help="LiteFS's HTTP port (default: litefs.yml's, else 20202).")
@click.option("-c", "--container", metavar="NAME", help="The container LiteFS must run in.")
@click.option(
    "-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format; json and yaml: events on stderr."
)
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@cluster_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Reset one replica that belongs to another LiteFS cluster, without losing data.

    Proves which side is the stranger, refuses where the evidence says that data would be lost, backs up, deletes exactly
    one claim and one pod by uid, waits, and proves that the replica follows again. Start with --dry-run.
    """
    flags = ctx.params
    try:
        options = fix_options(ctx)
        return _run(ctx, options)
    except LitefsError as error:
        if flags["output"] == "text":
            raise
        emit(document(error_document(error), flags["output"]))
        return int(error.exit_code)


for _shared in command.params:
    if _shared.name in ("all_namespaces", "selector") and isinstance(_shared, click.Option):
        _shared.hidden = True  # taken to say that one target at a time is meant


def _run(ctx: click.Context, options: FixOptions) -> int:
    from .. import app
    from ..kube.connect import connect_writable
    from .live import SystemClock
    from .steps import steps

    output = ctx.params["output"]
    show = screen(ctx.params["color"])
    ui = steps(output, show.color)
    try:
        with signals():
            kube = connect_writable(connection(ctx))
            try:
                for warning in _warnings(ctx, options, kube.server):
                    ui.say(warning)
                outcome = app.fix_cluster_id(
                    kube, options, SystemClock(), ui, lambda plan: confirm(ctx, plan, ui.close, options, _plan_lines), os.environ
                )
            finally:
                kube.close()
    finally:
        ui.close()
    show_outcome(ctx, outcome, _plan_lines)
    return int(outcome.code)


def _warnings(ctx: click.Context, options: FixOptions, server: str) -> Iterator[str]:
    if options.backup_dir is not None:
        yield from place_warnings(options.backup_dir)
    if server.startswith("http://"):
        yield f"{server} is no TLS: credentials are not sent, and whoever listens in can change what is sent"
    if ctx.params["insecure_skip_tls_verify"]:
        yield f"--insecure-skip-tls-verify: whether {server} is the right server is not checked"
    if options.dry_run != "none" and options.yes:
        yield "--dry-run and --yes: the dry run wins, nothing is changed"


def _plan_lines(plan: Plan, width: int) -> list[Line]:
    from ..render.fix import plan_lines

    return plan_lines(plan, width)
