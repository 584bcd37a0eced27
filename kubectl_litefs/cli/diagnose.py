"""`kubectl litefs diagnose`."""

from __future__ import annotations

from pathlib import Path

import click

from ..exitcodes import MEANINGS, ExitCode
from ..model.custom import Custom
from ..model.report import Report
from . import values
from .custom import asked, custom_options
from .options import Command, cluster_options, given, kind_and_names, target, verbosity
from .output import ProgressLine
from .params import Duration
from .reports import Outputs, report_options, tell, write
from .wait import check_wait, settled, wait_options

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"{c:4}  {MEANINGS[ExitCode(c)]}" for c in (0, 1, 2, 3, 70, 130))


@click.command("diagnose", cls=Command)
@click.argument("names", nargs=-1, metavar="[KIND/NAME | POD]...", shell_complete=values.workloads)
@click.option("--from", "bundle", type=click.Path(path_type=Path), metavar="PATH", help="Judge a saved bundle (directory or .tar.gz), no cluster.")
@report_options
@custom_options
@wait_options
@click.option("--timeout", type=Duration(), default="15s", show_default=True, help="Limit for the whole run, with --wait for one look; 0: none.")
@cluster_options
@verbosity
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    bundle: Path | None,
    outputs: Outputs,
    timeout: float,
    **_: object,
) -> int:
    """Look at LiteFS clusters, judge every rule, and say what is wrong and what to do.

    Without names: every LiteFS set of the namespace. With names (abaci-app-1, statefulset/abaci-app): the whole set
    that each belongs to. Reads only: no exec, no Secret, no write.
    """
    check_wait(ctx)
    names = kind_and_names(names)
    custom = asked(ctx)
    report, waited = (_replay(ctx, bundle, names, custom), None) if bundle is not None else _live(ctx, names, custom)
    tell(report.notices)
    code = write(ctx, report, outputs)
    return code if waited is None else waited


command.epilog = EXIT_CODES


def _replay(ctx: click.Context, bundle: Path, names: tuple[str, ...], custom: Custom) -> Report:
    live_only = given(ctx)
    if live_only:
        raise click.UsageError(f"--from reads a saved bundle, so {', '.join(live_only)} cannot apply: give one or the other", ctx)
    from .. import app

    return app.diagnose_bundle(bundle, names, custom)


def _live(ctx: click.Context, names: tuple[str, ...], custom: Custom) -> tuple[Report, int | None]:
    """The report, and the exit code where --wait says another."""
    wanted = target(ctx, names)
    from .. import app
    from .live import SystemClock, connected

    observer, clock = ProgressLine(), SystemClock()
    with connected(ctx, observer) as kube:
        return settled(ctx, lambda: app.diagnose_live(kube, wanted, clock, observer, custom), clock)
