"""`kubectl litefs render`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..exitcodes import ExitCode
from ..gather.selection import KINDS
from ..model.cluster import Facts
from ..model.origin import GapReason
from . import values
from .options import Command, cluster_options, exit_codes, given, kind_and_names, target, verbosity
from .output import ProgressLine, emit, screen
from .params import Duration, GivenPath, Word, one_bundle
from .reports import tell

FROM_FILES = ("files", "dump")
UNREAD = (GapReason.UNPARSED, GapReason.FORBIDDEN)


@click.command("render", cls=Command, codes=exit_codes((0, 2, 3, 70, 130)))
@click.argument("names", nargs=-1, metavar="[POD | KIND/NAME]...", shell_complete=values.workloads)
@click.option("--from", "bundle", multiple=True, callback=one_bundle, type=GivenPath(path_type=Path), metavar="PATH", help="Read what was saved (a bundle, a dump, a folder of kubectl get files), no cluster.")
@click.option("-f", "--filename", "files", multiple=True, type=GivenPath(), metavar="PATH...", help="Read files, as lint does (- for standard input), no cluster; a word that is no file is a POD.")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--all", "show_all", is_flag=True, help="Show keys with their default value, too.")
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
    files: tuple[str, ...],
    output: str,
    show_all: bool,
    color: str,
    timeout: float,
    verbosity: int,
    **_: object,
) -> int:
    """The litefs.yml that each pod really runs with, every value with where it is from.

    Variables are expanded as LiteFS does it; what LiteFS said of itself wins over the file; what cannot be seen (a
    Secret, the image's ENV) is said to be unknown, never guessed. Reads only.
    """
    from .. import app

    facts = _facts(ctx, names, bundle, files)
    unread = _unread(facts)
    tell(unread)
    shown = app.settings(facts)
    from ..render import config, document

    if output == "text":
        show = screen(color)
        emit(config.text(shown, width=show.width, color=show.color, everything=show_all or verbosity > 0))
    else:
        emit(document(config.tree(shown), output))
    return int(ExitCode.OK if not unread and any(one.settings for _, pods in shown for one in pods) else ExitCode.COULD_NOT_LOOK)


def _facts(ctx: click.Context, words: tuple[str, ...], bundle: Path | None, files: tuple[str, ...]) -> Facts:
    """From wherever the flags say."""
    from .. import app

    if files and bundle is not None:
        raise click.UsageError("-f and --from exclude each other: -f reads files from before there is a cluster, --from what was saved of one", ctx)
    if files:
        return _of_files(ctx, files, words)
    names = kind_and_names(words)
    if bundle is not None:
        if typed := given(ctx):
            raise click.UsageError(f"--from reads what was saved, so {', '.join(typed)} cannot apply: give one or the other", ctx)
        return app.facts_saved(bundle, names)
    wanted = target(ctx, names)
    from .live import SystemClock, connected

    observer = ProgressLine()
    with connected(ctx, observer) as kube:
        return app.facts_live(kube, wanted, SystemClock(), observer)


def _unread(facts: Facts) -> tuple[str, ...]:
    """The files that could not be read, with the reason."""
    gaps = [(g.what.removeprefix("files/"), g.detail) for g in facts.gaps if facts.source in FROM_FILES and g.why in UNREAD]
    return tuple(f"could not read {detail if what in detail else f'{what}: {detail}'}" for what, detail in gaps)


def _of_files(ctx: click.Context, files: tuple[str, ...], words: tuple[str, ...]) -> Facts:
    """A word that is a file is read as well: a shell writes them so for `-f *.yaml`. Every other one is a pod or a set."""
    if typed := given(ctx):
        raise click.UsageError(f"-f reads files, so {', '.join(typed)} cannot apply: give one or the other", ctx)
    from .. import app
    from .live import SystemClock

    paths = [w for w in words if _is_path(w)]
    names = kind_and_names(tuple(w for w in words if w not in paths))
    return app.facts_files((*files, *paths), lambda: sys.stdin.buffer, SystemClock(), names)


def _is_path(word: str) -> bool:
    """Whether it is there, or can be nothing but a path: not KIND/NAME, nor FILE#SERVICE of a compose file."""
    if word == "-" or os.path.lexists(word):
        return True
    kind, slash, _ = word.partition("/")
    return bool(slash) and "#" not in word and kind.lower().split(".")[0] not in KINDS
