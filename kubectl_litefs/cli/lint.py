"""`kubectl litefs lint`."""

from __future__ import annotations

import sys

import click

from ..exitcodes import MEANINGS, ExitCode
from ..model.rule import Severity
from .options import Command, verbosity
from .output import emit, screen
from .params import Word

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"{c:4}  {MEANINGS[ExitCode(c)]}" for c in (0, 1, 2, 3, 70, 130))


@click.command("lint", cls=Command, epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--fail-on", type=Word("error", "warning", "info", "never"), default="error", help="Exit 1 from this severity on.")
@click.option("--strict", is_flag=True, help="Exit 3 when anything that a file could tell was not in the files.")
@click.option("--all", "show_all", is_flag=True, help="Show folded findings in full, too.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@verbosity
def command(paths: tuple[str, ...], output: str, fail_on: str, strict: bool, show_all: bool, color: str, verbosity: int) -> int:
    """Judge files before there is a cluster, with the same rules as diagnose.

    PATH is a file, a directory (walked, without what git ignores), or - for standard input. What a file is, its content
    decides. Files that are named together are one application: a StatefulSet is judged with the ConfigMap and the Service
    beside it. What only a running cluster can tell counts as not seen, never as well.

    \b
      helm template . | kubectl litefs lint -
      kubectl litefs lint deploy/ Dockerfile
    """
    from .. import app
    from .live import SystemClock

    report = app.lint(paths, lambda: sys.stdin.buffer, SystemClock())
    if output == "text":
        from ..render import text

        show = screen(color)
        emit(text.render(report, width=show.width, color=show.color, fancy=show.fancy, verbose=verbosity > 0, show_all=show_all))
    else:
        from .diagnose import structured

        emit(structured(report, output))
    return int(report.exit_code(None if fail_on == "never" else Severity(fail_on), strict))
