"""`kubectl litefs explain LFS101`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import click

from ..errors import UsageError
from ..model.rule import Rule
from . import values
from .output import emit, screen
from .params import Word


@click.command("explain")
@click.argument("rule", metavar="RULE", shell_complete=values.rules)
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
def command(rule: str, output: str, color: str) -> int:
    """One rule in full: symptom, cause, impact, remedy. RULE is an id (LFS101) or a name (cluster-id-mismatch)."""
    from ..render import rules as render
    from ..rules import ALL

    found = find(rule, ALL)
    if output == "text":
        show = screen(color)
        emit(render.explain(found, ALL, width=min(show.width, 100), color=show.color))
    else:
        from ..render import document

        emit(document(render.rule_tree(found), output))
    return 0


def find(text: str, rules: Sequence[Rule]) -> Rule:
    """The rule of that id or name, case and the letters LFS aside. UsageError with the nearest for any other."""
    wanted = text.strip().lower()
    number = re.fullmatch(r"(?:lfs[-_ ]?)?(\d{3})", wanted)
    wanted = f"lfs{number[1]}" if number else wanted
    for rule in rules:
        if wanted in (rule.id.lower(), rule.name):
            return rule
    names = {name: r for r in rules for name in (r.id.lower(), r.name)}
    near = difflib.get_close_matches(wanted, list(names), 3, 0.5)
    meant = list(dict.fromkeys(f"{names[n].id} ({names[n].name})" for n in near))
    hint = "Did you mean " + " or ".join(meant) + "?" if meant else "`kubectl litefs rules` lists them all."
    raise UsageError("unknown-rule", f"there is no rule {text!r}", hint=hint)
