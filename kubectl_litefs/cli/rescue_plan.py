"""`kubectl litefs rescue plan`."""

from __future__ import annotations

import click

from .repair import EXIT_CODES, RepairCommand
from .rescue_flags import carry_out, hide_scope, plan_flags


@click.command("plan", cls=RepairCommand, codes=EXIT_CODES)
@plan_flags
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Save every copy, then show how the primary's data would be brought back, and why so. Changes nothing.

    data-dir: the best replica's data directory goes beside the primary's own, is compared and swapped in; no volume is
    replaced. import: over LiteFS's API alone; after LFS102 each replica's volume is replaced afterwards, the best one last.
    """
    return carry_out(ctx, dry_run="client")


hide_scope(command)
