"""`kubectl litefs diff`."""

from __future__ import annotations

from pathlib import Path

import click

from ..model.rule import Severity
from .custom import asked, custom_options
from .options import Command, exit_codes, verbosity
from .output import emit, screen
from .params import GivenPath, Word
from .reports import tell

_INPUT = GivenPath(path_type=Path)


_SAID = {0: "nothing new at or above --fail-on (default error)", 1: "new findings at or above --fail-on; one that was below it, or suppressed, counts as new"}


@click.command("diff", cls=Command, codes=exit_codes((0, 1, 2, 3, 70, 130), _SAID))
@click.argument("a", type=_INPUT, metavar="A")
@click.argument("b", type=_INPUT, metavar="B")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--fail-on", type=Word("error", "warning", "info", "never"), default="error", help="Exit 1 for what is new from this severity on.")
@custom_options
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@verbosity
@click.pass_context
def command(ctx: click.Context, /, a: Path, b: Path, output: str, fail_on: str, **_: object) -> int:
    """Compare A, the older, with B: which findings are new, gone, unchanged, and which B could not look for.

    Each is what `diagnose --from` takes (a bundle, a cluster-info dump, a support bundle, a folder), which is judged now, or a
    report that was saved with -o json. Findings are the same where their fingerprints are. Needs no cluster.
    """
    from .. import sides
    from ..model.comparison import compare

    custom = asked(ctx)
    seen = compare(sides.diff_side(a, custom), sides.diff_side(b, custom))
    tell(seen.warnings)
    if output == "text":
        from ..render.diff import render

        show = screen(ctx.params["color"])
        emit(render(seen, width=show.width, color=show.color))
    else:
        from ..render import document
        from ..render.diff import diff_tree

        emit(document(diff_tree(seen), output))
    return int(seen.exit_code(None if fail_on == "never" else Severity(fail_on)))
