"""`kubectl litefs demo`: the tool at work on recorded clusters."""

from __future__ import annotations

import difflib

import click

from ..demo import DEFAULT, SCENARIOS, path
from ..errors import UsageError
from . import values
from .options import Command, verbosity
from .output import emit, screen
from .reports import Output, Outputs, view_options, write


@click.command("demo", cls=Command)
@click.argument("scenario", required=False, shell_complete=values.scenarios)
@click.option("--list", "list_only", is_flag=True, help="List the recordings and do nothing else.")
@view_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, scenario: str | None, list_only: bool, outputs: Outputs, **_: object) -> int:
    """Diagnose a recorded real cluster, and show what `kubectl get pods` says of it.

    Without SCENARIO: one that looks healthy and is not, then the list of the others. Needs no cluster; always exits 0.
    """
    if list_only:
        emit(_list())
        return 0
    name = DEFAULT if scenario is None else scenario
    if name not in SCENARIOS:
        near = difflib.get_close_matches(name, list(SCENARIOS), 1, 0.4)
        raise UsageError(
            "unknown-scenario",
            f"there is no recording {name!r}" + (f"; did you mean {near[0]}?" if near else ""),
            hint="kubectl litefs demo --list",
        )
    from .. import app

    report = app.diagnose_bundle(path(name))
    shown = any(o == Output("text", None) for o in outputs)
    if shown:
        from ..render.pods import get_pods
        from ..render.words import wrap

        about = "\n".join(wrap(f"A recorded cluster, {name}: {SCENARIOS[name]}.", screen().width))
        emit(f"{about}\n\nWhat kubectl get pods says:\n\n{get_pods(report)}")
        emit("\nWhat kubectl litefs diagnose says:\n\n")
    write(ctx, report, outputs)
    if scenario is None and shown:
        emit("\n" + _list())
    return 0


def _list() -> str:
    """Each with the command that shows it; where that leaves no room, what it is stands below."""
    from ..render.words import wrap

    first = max(map(len, SCENARIOS)) + len("  kubectl litefs demo ")
    width = screen().width
    beside = first + 2 + max(map(len, SCENARIOS.values())) <= width
    rows = []
    for name, text in SCENARIOS.items():
        command = f"  kubectl litefs demo {name}"
        rows += [f"{command.ljust(first)}  {text}"] if beside else [command, *("      " + row for row in wrap(text, width - 6))]
    return "Recorded clusters to look at:\n\n" + "\n".join(rows) + "\n"
