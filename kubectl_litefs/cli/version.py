"""`kubectl litefs version`."""

from __future__ import annotations

import platform

import click

from .. import __version__
from .output import emit
from .params import Word


@click.command("version")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of the report and do nothing else.")
def command(output: str, schema: bool) -> int:
    """Versions of the tool, of Python and of the rule table."""
    if schema:
        from ..schema import REPORT

        emit(REPORT.read_text("utf8"))
        return 0
    from ..render.rules import table_version
    from ..rules import ALL

    facts = {"version": __version__, "python": platform.python_version(), "rules": len(ALL), "ruleTable": table_version(ALL)}
    if output == "text":
        emit(f"kubectl-litefs {__version__}\nPython {facts['python']}\n{len(ALL)} rules, table {facts['ruleTable']}")
    else:
        from ..render import document

        emit(document(facts, output))
    return 0
