"""What would be lost with the target's volume: R6 to R8, R23, R24."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.copies import save_all
from ..model.lost import cleared_lines
from .case import Case
from .options import FixOptions
from .refusals import Guard, Refusal


def databases(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """Two ids are two histories: only an equal txid with an equal checksum proves that the primary has it all."""
    lead = case.primary
    if lead is None or lead.databases is None or not case.mismatch:
        return
    for mine in case.target.with_data:
        theirs = lead.database(mine.name)
        override, granted = f"--accept-loss={mine.name}", mine.name in options.accept_loss
        keep = "The backup keeps it as a file; its rows are in no other database."
        if theirs is None:
            yield Refusal(
                "R6",
                f"database {mine.name} exists only on the target (txid {mine.txid:x}); {lead.name} has none of that name",
                keep,
                override,
                granted,
            )
        elif theirs.txid == 0:
            continue  # R24 speaks of it
        elif mine.txid > theirs.txid:
            yield Refusal(
                "R7",
                f"{mine.name} is ahead on the target: txid {mine.txid:x} > {theirs.txid:x} on {lead.name}",
                keep,
                override,
                granted,
            )
        elif mine.txid == theirs.txid and mine.checksum != theirs.checksum:
            yield Refusal(
                "R8",
                f"{mine.name} diverged at txid {mine.txid:x}: checksum {mine.checksum} on the target != {theirs.checksum} on {lead.name}",
                keep,
                override,
                granted,
            )


def last_copy(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """Whatever the ids say: a primary that lost a database makes every replica that holds it the last copy (LFS110)."""
    lead = case.primary
    if lead is None or case.target in case.primaries:
        return
    cleared = cleared_lines(lead)
    for mine in case.target.with_data:
        theirs = lead.database(mine.name) if lead.databases is not None else None
        empty = theirs is not None and theirs.txid == 0
        dropped = mine.name in cleared and (theirs is None or mine.txid > theirs.txid)
        if empty or dropped:
            has = f"txid {theirs.txid:x}" if theirs is not None else "no such database"
            yield Refusal(
                "R24",
                f"the primary {lead.name} has lost database {mine.name} ({has}) and the target holds it at txid {mine.txid:x}: this replica is the last copy",
                f"Save it at once, before any restart or reset: {save_all(case.cluster)}. Then `kubectl litefs rescue plan` shows the way back (LFS110).",
            )


def backup_possible(case: Case, options: FixOptions) -> Iterator[Refusal]:
    if options.backup == "none" and not case.held_nothing:
        held = [d.name for d in case.target.with_data]
        missing = [n for n in held if n not in options.accept_loss]
        if case.target.databases is None:
            yield Refusal("R23", f"--backup=none, and what {case.target.name} holds could not be seen", "Take a backup.")
        for name in missing:
            yield Refusal(
                "R23",
                f"--backup=none, and database {name} of {case.target.name} would be gone for good",
                "Take a backup, or name each database.",
                f"--accept-loss={name}",
            )
    if options.backup == "export" and case.target.databases is None:
        yield Refusal(
            "R23",
            f"backup impossible: {case.target.name} does not list its databases, so nothing can be exported",
            "Keep the volume itself.",
            "--backup=retain-pv or --backup=snapshot",
        )


GUARDS: tuple[Guard, ...] = (databases, last_copy, backup_possible)
