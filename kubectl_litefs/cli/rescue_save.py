"""`kubectl litefs rescue save`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ..errors import LitefsError
from . import values
from .backup_dir import backup_dir
from .backup_dir import warnings as place_warnings
from .options import Command, cluster_options, connection, exit_codes, kind_and_names, kube_flags, target, verbosity
from .output import emit, screen
from .params import Duration, Word
from .repair import document as tree

if TYPE_CHECKING:
    from ..rescue.save import SaveResult

EXIT_CODES = exit_codes(
    (0, 2, 3, 5, 7, 70, 130),
    {
        0: "every database above txid 0 of every pod of the set is saved and checked",
        3: "could not examine: API unreachable, forbidden, no LiteFS found, not one pod answers",
        5: "another save writes into the same folder",
        7: "something was not saved, or there was nothing to save; nothing was changed",
        130: "interrupted: what is saved stays, the same command saves the rest",
    },
)


@click.command("save", cls=Command, codes=EXIT_CODES)
@click.argument("names", nargs=-1, metavar="[STATEFULSET]...", shell_complete=values.workloads)
@click.option("--backup-dir", metavar="DIR", help="Where the files go (default: a folder below ~/.local/state).")
@click.option("--timeout", type=Duration(), default="30m", show_default=True, help="Limit for the run.")
@click.option("--port", type=click.IntRange(1, 65535), help="LiteFS's HTTP port (default: litefs.yml's, else 20202).")
@click.option(
    "-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format; json and yaml: events on stderr."
)
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@cluster_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, names: tuple[str, ...], output: str, **_: object) -> int:
    """Save every database of every pod that answers, at once, and say which copy is the best. Changes nothing.

    Each file is checked: header, length, LiteFS's checksum, SQLite's integrity check. A second run saves what is missing or
    has moved on, and keeps what is there. Works on a healthy cluster, too.
    """
    try:
        result = _run(ctx, kind_and_names(names))
    except LitefsError as error:
        if output == "text":
            raise
        emit(tree(_error(error), output))
        return int(error.exit_code)
    if output == "text":
        _show(ctx, result)
    else:
        from ..render.rescue import document

        emit(tree(document(result), output))
    return int(result.code)


def _run(ctx: click.Context, names: tuple[str, ...]) -> SaveResult:
    import dataclasses

    wanted = dataclasses.replace(target(ctx, names), port=ctx.params["port"])
    base = backup_dir(ctx.params["backup_dir"], os.environ, ctx, "rescue")
    from .. import app
    from ..kube import connect
    from ..rescue.save import SaveOptions
    from .live import SystemClock
    from .steps import steps

    ui = steps(ctx.params["output"], screen(ctx.params["color"]).color)
    try:
        for warning in place_warnings(base):
            ui.say(warning)
        kube = connect.connect(connection(ctx))
        try:
            return app.rescue_save(kube, SaveOptions(wanted, base, ctx.params["timeout"]), SystemClock(), ui)
        finally:
            kube.close()
    finally:
        ui.close()


def _show(ctx: click.Context, result: SaveResult) -> None:
    from ..render.paint import colored, plain
    from ..render.rescue import lines

    show = screen(ctx.params["color"])
    shown = lines(result, show.width, kube_flags(ctx))
    emit(colored(shown) if show.color else plain(shown))


def _error(error: LitefsError) -> dict[str, object]:
    return {
        "apiVersion": "kubectl-litefs/v1",
        "kind": "RescueSave",
        "outcome": error.reference,
        "exitCode": int(error.exit_code),
        "message": error.message,
        "hint": error.hint,
        "sets": [],
    }
