"""`kubectl litefs rescue`."""

from __future__ import annotations

import click

from .lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "save": ("rescue_save", "Save every database of every pod that answers, checked. Changes nothing."),
    "plan": ("rescue_plan", "Show how the primary's data would be brought back. Changes nothing."),
    "run": ("rescue_run", "Bring the primary's data back from the replicas, and prove it."),
    "undo": ("rescue_undo", "Give the primary back what a rescue by data-dir has put aside."),
}


@click.group(
    "rescue", cls=LazyGroup, table=COMMANDS, epilog="Start with `kubectl litefs rescue save -n NAMESPACE`: it changes nothing; then `rescue plan`."
)
def command() -> None:
    """When the replicas hold the only good copy (LFS102, LFS110): save every copy, bring the primary's data back.

    Until that is done: reset no replica, restart no pod, change no clusterid file.
    """
