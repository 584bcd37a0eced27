"""`kubectl litefs rules`."""

from __future__ import annotations

import click

from .output import emit, is_terminal, screen
from .params import Word


@click.command("rules")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
def command(output: str, color: str) -> int:
    """The table of all rules: id, severity, name, the guide's gotcha, title."""
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
