"""Where a fact was seen, and what could not be seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """A Kubernetes object. `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, and where.

    `source` is a bundle path (`litefs/abaci/abaci-app-1/info.json`), live or not. `line` counts from 1 in
    litefs.yml, logs and LiteFS's answers; it is None for objects, whose excerpt begins with the field's path.
    """

    source: str
    line: int | None
    excerpt: str


class GapReason(str, Enum):
    """Why something was not seen."""

    NOT_ASKED = "NOT_ASKED"
    OFFLINE = "OFFLINE"
    FORBIDDEN = "FORBIDDEN"
    UNREACHABLE = "UNREACHABLE"
    UNPARSED = "UNPARSED"
    TRUNCATED = "TRUNCATED"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be looked at: never the same as "there is none".

    `what` is the bundle path it would have had; `detail` is what kubectl prints for the error, with the verb
    and resource in it where a right is missing.
    """

    what: str
    why: GapReason
    detail: str = ""
