"""`kubectl litefs demo`: the tool at work on recorded clusters."""

from __future__ import annotations

import difflib

import click

from ..demo import DEFAULT, SCENARIOS, path
from ..errors import UsageError
from . import values
from .options import Command, verbosity
from .output import Screen, emit, screen
from .params import Word


@click.command("demo", cls=Command)
@click.argument("scenario", required=False, shell_complete=values.scenarios)
@click.option("--list", "list_only", is_flag=True, help="List the recordings and do nothing else.")
@click.option("-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format.")
@click.option("--all", "show_all", is_flag=True, help="Show folded findings in full, too.")
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@verbosity
def command(scenario: str | None, list_only: bool, output: str, show_all: bool, color: str, verbosity: int) -> int:
    """Diagnose a recorded real cluster, and show what `kubectl get pods` says of it.

    Without SCENARIO: one that looks healthy and is not, then the list of the others. Needs no cluster; always exits 0.
    """
    show = screen(color)
    if list_only:
        emit(_list())
        return 0
    name = scenario or DEFAULT
    if name not in SCENARIOS:
        near = difflib.get_close_matches(name, list(SCENARIOS), 1, 0.4)
        raise UsageError(
            "unknown-scenario",
            f"there is no recording {name!r}" + (f"; did you mean {near[0]}?" if near else ""),
            hint="kubectl litefs demo --list",
        )
    emit(_run(name, output, show, verbose=verbosity > 0, show_all=show_all))
    if scenario is None and output == "text":
        emit("\n" + _list())
    return 0


def _run(name: str, output: str, show: Screen, *, verbose: bool, show_all: bool) -> str:
    from .. import app

    report = app.diagnose_bundle(path(name))
    if output != "text":
        from .diagnose import structured

        return structured(report, output)
    from ..render import text
    from ..render.pods import get_pods

    told = text.render(report, width=show.width, color=show.color, fancy=show.fancy, verbose=verbose, show_all=show_all)
    return (
        f"A recorded cluster, {name}: {SCENARIOS[name]}.\n\n"
        f"What kubectl get pods says:\n\n{get_pods(report)}\nWhat kubectl litefs diagnose says:\n\n{told}"
    )


def _list() -> str:
    width = max(map(len, SCENARIOS))
    rows = "".join(f"  kubectl litefs demo {name.ljust(width)}  {text}\n" for name, text in SCENARIOS.items())
    return "Recorded clusters to look at:\n\n" + rows
