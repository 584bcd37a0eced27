"""`kubectl litefs diagnose`."""

from __future__ import annotations

from pathlib import Path

import click

from ..model.custom import Custom
from ..model.report import Report
from ..model.snapshot import Snapshot
from . import values
from .custom import asked, custom_options
from .given_files import file_options, files_of
from .options import Command, cluster_options, exit_codes, given, kind_and_names, target, verbosity
from .output import ProgressLine
from .params import Duration, GivenPath, one_bundle
from .reports import Outputs, report_options, tell, write
from .wait import check_wait, settled, wait_options

CODES = exit_codes((0, 1, 2, 3, 70, 130))


@click.command("diagnose", cls=Command, codes=CODES)
@click.argument("names", nargs=-1, metavar="[KIND/NAME | POD]...", shell_complete=values.workloads)
@click.option("--from", "bundle", multiple=True, callback=one_bundle, type=GivenPath(path_type=Path), metavar="PATH", help="Judge what was saved (a bundle, a cluster-info dump, a support bundle, a folder of kubectl get files), no cluster.")
@click.option("--logs", multiple=True, type=GivenPath(), metavar="FILE...", help="Judge log files alone (- for standard input), no cluster.")
@file_options
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
    logs: tuple[str, ...],
    outputs: Outputs,
    timeout: float,
    filenames: tuple[str, ...],
    recursive: bool,
    **_: object,
) -> int:
    """Look at LiteFS clusters, judge every rule, and say what is wrong and what to do.

    Without names: every LiteFS set of the namespace. With names (abaci-app-1, statefulset/abaci-app): the whole set
    that each belongs to. Reads only: no exec, no Secret, no write. With -f: how they would be after kubectl apply -f,
    and what that changes.
    """
    check_wait(ctx)
    files = files_of(ctx, filenames, recursive=recursive)
    report, waited = _report(ctx, names, bundle, logs, files)
    tell(report.notices)
    code = write(ctx, report, outputs)
    return code if waited is None else waited


def _report(ctx: click.Context, words: tuple[str, ...], bundle: Path | None, logs: tuple[str, ...], files: Snapshot | None) -> tuple[Report, int | None]:
    """From wherever the flags say, and the exit code where --wait says another than the report."""
    if logs and bundle is not None:
        raise click.UsageError("--from and --logs exclude each other: a bundle has its logs in it", ctx)
    if logs and files is not None:
        raise click.UsageError("-f and --logs exclude each other: of logs alone nobody knows what objects there are", ctx)
    custom = asked(ctx)
    if logs:
        return _from_logs(ctx, (*logs, *words), custom), None
    names = kind_and_names(words)
    return (_replay(ctx, bundle, names, custom, files), None) if bundle is not None else _live(ctx, names, custom, files)


def _from_logs(ctx: click.Context, files: tuple[str, ...], custom: Custom) -> Report:
    """With --logs, words are further files: a shell writes them so for `--logs *.log`."""
    live_only = [flag for flag in given(ctx) if flag != "--namespace"]
    if live_only:
        raise click.UsageError(f"--logs reads files, so {', '.join(live_only)} cannot apply; -n says whose namespace they are from", ctx)
    from .. import app

    return app.diagnose_logs(files, ctx.params["namespace"] or "", ProgressLine(), custom)


def _replay(ctx: click.Context, bundle: Path, names: tuple[str, ...], custom: Custom, files: Snapshot | None) -> Report:
    live_only = given(ctx)
    if live_only:
        raise click.UsageError(f"--from reads a saved bundle, so {', '.join(live_only)} cannot apply: give one or the other", ctx)
    from .. import app

    return app.diagnose_bundle(bundle, names, custom, files)


def _live(ctx: click.Context, names: tuple[str, ...], custom: Custom, files: Snapshot | None) -> tuple[Report, int | None]:
    wanted = target(ctx, names)
    from .. import app
    from .live import SystemClock, connected

    observer, clock = ProgressLine(), SystemClock()
    with connected(ctx, observer) as kube:
        return settled(ctx, lambda: app.diagnose_live(kube, wanted, clock, observer, custom, files), clock)
