"""`kubectl litefs lint`."""

from __future__ import annotations

import sys

import click
from click.core import ParameterSource

from .custom import asked, custom_options
from .options import Command, exit_codes, verbosity
from .params import GivenPath
from .reports import Outputs, report_options, tell, write


@click.command("lint", cls=Command, codes=exit_codes((0, 1, 2, 3, 70, 130)))
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=GivenPath())
@report_options
@custom_options
@click.option("--fix", is_flag=True, help="Show, as a diff, how files of LiteFS 0.1 to 0.4 become files of 0.5; judges nothing.")
@click.option("--write", "write_files", is_flag=True, help="With --fix: change the files, too.")
@verbosity
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], outputs: Outputs, fix: bool, write_files: bool, **_: object) -> int:
    """Judge files before there is a cluster, with the same rules as diagnose.

    PATH is a file, a directory (walked, without what git ignores), or - for standard input. What a file is, its content
    decides. Files that are named together are one application: a StatefulSet is judged with the ConfigMap and the Service
    beside it. What only a running cluster can tell counts as not seen, never as well.

    \b
      helm template . | kubectl litefs lint -
      kubectl litefs lint deploy/ Dockerfile
      kubectl litefs lint --fix deploy/
    """
    if write_files and not fix:
        raise click.UsageError("--write belongs to --fix", ctx)
    if fix:
        if ctx.get_parameter_source("outputs") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--fix prints a diff: -o has nothing to write", ctx)
        from . import lint_fix

        return lint_fix.run(ctx, paths, write=write_files)
    from .. import app
    from .live import SystemClock

    report = app.lint(paths, lambda: sys.stdin.buffer, SystemClock(), asked(ctx))
    tell(report.notices)
    return write(ctx, report, outputs)
