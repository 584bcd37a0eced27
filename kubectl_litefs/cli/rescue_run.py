"""`kubectl litefs rescue run`."""

from __future__ import annotations

import click

from .repair import EXIT_CODES, RepairCommand
from .rescue_flags import carry_out, hide_scope, run_flags


@click.command("run", cls=RepairCommand, codes=EXIT_CODES)
@run_flags
@click.pass_context
def command(ctx: click.Context, /, dry_run: str, **_: object) -> int:
    """Bring the primary's data back from the replicas (LFS102, LFS110), without losing any copy.

    Saves every copy, refuses where the evidence leaves it open which is right, brings the best one back, and proves it on
    the primary, on every replica and by counting rows. Start with `rescue plan`.
    """
    return carry_out(ctx, dry_run=dry_run)


hide_scope(command)
