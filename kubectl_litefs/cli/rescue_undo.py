"""`kubectl litefs rescue undo`."""

from __future__ import annotations

import click

from .repair import EXIT_CODES, RepairCommand
from .rescue_flags import carry_out, hide_scope, undo_flags


@click.command("undo", cls=RepairCommand, codes=EXIT_CODES)
@undo_flags
@click.pass_context
def command(ctx: click.Context, /, dry_run: str, **_: object) -> int:
    """Give the primary back the directory that a rescue (data-dir) put aside, as long as no replica has lost anything.

    Nothing is deleted: what the rescue had brought stays beside it on the volume, and on every replica. Start with --dry-run.
    """
    return carry_out(ctx, dry_run=dry_run, undo=True)


hide_scope(command)
