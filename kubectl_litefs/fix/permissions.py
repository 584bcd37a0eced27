"""A permission names a thing that exists, or it is a typo."""

from __future__ import annotations

from ..errors import UsageError
from .case import Case
from .options import FixOptions


def require_real(case: Case, options: FixOptions) -> None:
    """A permission names a thing that exists, or it is a typo. Raises UsageError."""
    held = {d.name for d in case.target.databases or ()}
    unknown = sorted(options.accept_loss - held)
    if unknown and case.target.databases is not None:
        raise UsageError(
            "unknown-database",
            f"--accept-loss={unknown[0]}: {case.target.name} has no such database",
            hint=f"It has: {', '.join(sorted(held)) or 'none'}",
        )
    right, lead = options.primary_is_right, case.primary
    if right is not None and lead is not None and right != lead.cluster_id:
        whose = f"the id of {case.target.name}, which would be deleted" if right == case.target_id else "not the primary's id"
        raise UsageError(
            "wrong-id", f"--primary-is-right={right}: that is {whose}", hint=f"The primary {lead.name} has {lead.cluster_id}."
        )
