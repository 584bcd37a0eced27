"""`kubectl litefs bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from . import values
from .given_files import file_options, files_of
from .options import Command, cluster_options, exit_codes, kind_and_names, target, verbosity
from .output import ProgressLine, emit, screen
from .params import Duration, GivenPath


@click.command("bundle", cls=Command, codes=exit_codes((0, 2, 3, 70, 130)))
@click.argument("names", nargs=-1, metavar="[KIND/NAME | POD]...", shell_complete=values.workloads)
@click.option("-o", "--output", "out", type=GivenPath(path_type=Path), required=True, metavar="FILE.tar.gz", help="Where to save it; must not exist yet.")
@file_options
@click.option("--timeout", type=Duration(), default="15s", show_default=True, help="Limit for the whole run; 0: none.")
@cluster_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, names: tuple[str, ...], out: Path, timeout: float, verbosity: int, filenames: tuple[str, ...], recursive: bool, **_: object) -> int:
    """Save what `diagnose` would read, redacted, so that `diagnose --from FILE` says the same later or elsewhere.

    Secrets are never read; values that look like passwords or tokens are taken out as they come in.
    """
    if not out.name.endswith((".tar.gz", ".tgz")):
        raise click.UsageError(f"-o wants a name that ends in .tar.gz, not {out.name!r}", ctx)
    wanted = target(ctx, kind_and_names(names))
    from .. import app
    from ..render.finding import Look
    from ..render.gaps import lines_of
    from ..render.paint import plain
    from ..render.words import clean, count
    from .live import SystemClock, connected

    files = files_of(ctx, filenames, recursive=recursive)
    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        snapshot = app.save_bundle(kube, wanted, SystemClock(), observer, out, files)
    emit(f"{clean(str(out))}: {count(len(snapshot.items), 'file')}, {count(len(snapshot.gaps), 'thing')} not seen")
    unseen = lines_of(snapshot.gaps, snapshot.namespaces, Look(screen().width, False, False, False, ()))
    if unseen:
        emit(plain(unseen))
    emit(f"Read it before you pass it on; then: kubectl litefs diagnose --from {clean(str(out))}")
    return 0
