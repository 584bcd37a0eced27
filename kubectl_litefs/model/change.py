"""What files would change in a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .origin import Evidence, ObjectRef


class Change(str, Enum):
    """What becomes of a finding once the files are applied."""

    NEW = "new"
    """The files bring it."""
    UNCHANGED = "unchanged"
    OPEN = "open"
    """It is there now; whether the files end it, only the pods tell that start with them. It counts."""
    GONE = "gone"
    """The files end it, or end what it follows from."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that a file sets and the cluster has otherwise. `cluster` is None where it has no such field, or no such
    object; then `field` is empty."""

    ref: ObjectRef
    field: str
    cluster: str | None
    file: str
    evidence: Evidence
