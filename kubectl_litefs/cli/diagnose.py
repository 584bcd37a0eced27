"""`kubectl litefs diagnose`."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from ..exitcodes import MEANINGS, ExitCode
from ..model.report import Report
from ..model.rule import Severity
from . import values
from .options import Command, cluster_options, given, kind_and_names, kube_flags, target, verbosity
from .output import ProgressLine, emit, screen
from .params import Duration, Word

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"{c:4}  {MEANINGS[ExitCode(c)]}" for c in (0, 1, 2, 3, 70, 130))


@click.command("diagnose", cls=Command)
@click.argument("names", nargs=-1, metavar="[KIND/NAME | POD]...", shell_complete=values.workloads)
@click.option("--from", "bundle", type=click.Path(path_type=Path), metavar="PATH", help="Judge what was saved (a bundle, a cluster-info dump, a support bundle, a folder of kubectl get files), no cluster.")
@click.option("--logs", multiple=True, type=click.Path(), metavar="FILE...", help="Judge log files alone (- for standard input), no cluster.")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--fail-on", type=Word("error", "warning", "info", "never"), default="error", help="Exit 1 from this severity on.")
@click.option("--strict", is_flag=True, help="Exit 3 when anything could not be looked at.")
@click.option("--all", "show_all", is_flag=True, help="Show folded findings in full, too.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@click.option("--timeout", type=Duration(), default="15s", show_default=True, help="Limit for the whole run; 0: none.")
@cluster_options
@verbosity
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    bundle: Path | None,
    logs: tuple[str, ...],
    output: str,
    fail_on: str,
    strict: bool,
    show_all: bool,
    color: str,
    timeout: float,
    verbosity: int,
    **_: object,
) -> int:
    """Look at LiteFS clusters, judge every rule, and say what is wrong and what to do.

    Without names: every LiteFS set of the namespace. With names (abaci-app-1, statefulset/abaci-app): the whole set
    that each belongs to. Reads only: no exec, no Secret, no write.
    """
    report = _report(ctx, names, bundle, logs)
    if output == "text":
        from ..render import text

        show = screen(color)
        emit(
            text.render(
                report,
                width=show.width,
                color=show.color,
                fancy=show.fancy,
                verbose=verbosity > 0,
                show_all=show_all,
                kube_flags=kube_flags(ctx),
            )
        )
    else:
        emit(structured(report, output))
    severity = None if fail_on == "never" else Severity(fail_on)
    return int(report.exit_code(severity, strict))


command.epilog = EXIT_CODES


def structured(report: Report, output: str) -> str:
    """The report as a document, by the renderers' table."""
    from ..render import FORMATS

    rendered: str = importlib.import_module(FORMATS[output]).render(report)
    return rendered


def _report(ctx: click.Context, words: tuple[str, ...], bundle: Path | None, logs: tuple[str, ...]) -> Report:
    """From wherever the flags say."""
    if logs and bundle is not None:
        raise click.UsageError("--from and --logs exclude each other: a bundle has its logs in it", ctx)
    if logs:
        return _from_logs(ctx, (*logs, *words))
    names = kind_and_names(words)
    return _replay(ctx, bundle, names) if bundle is not None else _live(ctx, names)


def _from_logs(ctx: click.Context, files: tuple[str, ...]) -> Report:
    """With --logs, words are further files: a shell writes them so for `--logs *.log`."""
    live_only = [flag for flag in given(ctx) if flag != "--namespace"]
    if live_only:
        raise click.UsageError(f"--logs reads files, so {', '.join(live_only)} cannot apply; -n says whose namespace they are from", ctx)
    from .. import app

    return app.diagnose_logs(files, ctx.params["namespace"] or "", ProgressLine())


def _replay(ctx: click.Context, bundle: Path, names: tuple[str, ...]) -> Report:
    live_only = given(ctx)
    if live_only:
        raise click.UsageError(f"--from reads a saved bundle, so {', '.join(live_only)} cannot apply: give one or the other", ctx)
    from .. import app

    return app.diagnose_bundle(bundle, names)


def _live(ctx: click.Context, names: tuple[str, ...]) -> Report:
    wanted = target(ctx, names)
    from .. import app
    from .live import SystemClock, connected

    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        return app.diagnose_live(kube, wanted, SystemClock(), observer)
