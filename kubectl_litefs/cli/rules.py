"""`kubectl litefs rules`."""

from __future__ import annotations

from pathlib import Path

import click

from ..exitcodes import ExitCode
from .output import emit, is_terminal, screen
from .params import GivenPath, Word


@click.command("rules")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--check", "files", multiple=True, type=GivenPath(path_type=Path), metavar="FILE", help="Check this file of own rules instead; repeatable.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@click.pass_context
def command(ctx: click.Context, /, output: str, files: tuple[Path, ...], color: str) -> int:
    """The table of all rules: id, severity, name, the guide's gotcha, title."""
    if files and output != "text":
        raise click.UsageError("--check prints a line for each mistake: -o has nothing to write", ctx)
    if files:
        return _check(files)
    import sys

    from ..render import rules as render
    from ..rules import ALL

    if output == "text":
        show = screen(color)
        emit(render.table(ALL, width=show.width if is_terminal(sys.stdout) else None, color=show.color))
    else:
        from ..render import document

        emit(document(render.as_tree(ALL), output))
    return 0


def _check(files: tuple[Path, ...]) -> int:
    """Every mistake on a line of its own, `FILE:LINE: what`, as editors read it."""
    from .. import customs
    from ..render.words import clean, count

    custom, problems = customs.own_rules(files)
    if problems:
        emit("\n".join(map(clean, problems)))
        return int(ExitCode.USAGE)
    named = ", ".join(r.id for r in custom.rules)
    emit(clean(f"{count(len(custom.rules), 'rule')}, nothing wrong: {named}"))
    return 0
