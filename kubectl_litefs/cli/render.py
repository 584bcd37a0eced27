"""`kubectl litefs render`."""

from __future__ import annotations

from pathlib import Path

import click

from ..exitcodes import MEANINGS, ExitCode
from ..model.cluster import Facts
from . import values
from .options import Command, cluster_options, given, kind_and_names, target, verbosity
from .output import ProgressLine, emit, screen
from .params import Duration, Word


@click.command("render", cls=Command)
@click.argument("names", nargs=-1, metavar="[POD | KIND/NAME]...", shell_complete=values.workloads)
@click.option("--from", "bundle", type=click.Path(path_type=Path), metavar="PATH", help="Read what was saved (a bundle, a dump, a folder of kubectl get files), no cluster.")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--all", "show_all", is_flag=True, help="Show keys with their default value, too.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@click.option("--timeout", type=Duration(), default="15s", show_default=True, help="Limit for the whole run; 0: none.")
@cluster_options
@verbosity
@click.pass_context
def command(
    ctx: click.Context, /, names: tuple[str, ...], bundle: Path | None, output: str, show_all: bool, color: str, timeout: float, verbosity: int, **_: object
) -> int:
    """The litefs.yml that each pod really runs with, every value with where it is from.

    Variables are expanded as LiteFS does it; what LiteFS said of itself wins over the file; what cannot be seen (a
    Secret, the image's ENV) is said to be unknown, never guessed. Reads only.
    """
    from .. import app

    facts = _facts(ctx, kind_and_names(names), bundle)
    shown = app.settings(facts)
    from ..render import config, document

    if output == "text":
        show = screen(color)
        emit(config.text(shown, width=show.width, color=show.color, everything=show_all or verbosity > 0))
    else:
        emit(document(config.tree(shown), output))
    return int(ExitCode.OK if any(one.settings for _, pods in shown for one in pods) else ExitCode.COULD_NOT_LOOK)


command.epilog = "\b\nExit codes:\n" + "\n".join(f"{c:4}  {MEANINGS[ExitCode(c)]}" for c in (0, 2, 3, 70, 130))


def _facts(ctx: click.Context, names: tuple[str, ...], bundle: Path | None) -> Facts:
    """From a cluster or from what was saved; another source of facts has its place here."""
    from .. import app

    if bundle is not None:
        if typed := given(ctx):
            raise click.UsageError(f"--from reads what was saved, so {', '.join(typed)} cannot apply: give one or the other", ctx)
        return app.facts_saved(bundle, names)
    wanted = target(ctx, names)
    from .live import SystemClock, connected

    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        return app.facts_live(kube, wanted, SystemClock(), observer)
