"""Somebody's word that a finding is known and accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .origin import ObjectRef

MEMBERS = frozenset({"StatefulSet", "Deployment", "DaemonSet"})
"""Kinds whose word holds for their pods, too."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings of `rule` on what `kind`, `namespace` and `name` say are not to count; an empty part fits everything.

    `by` is where it stands, in words (`--ignore`, `.kubectl-litefs.yaml:3`, `annotation on statefulset/abaci-app`).
    It holds up to and including the day `until`, in UTC. `standing` is True for one that was not typed for this run.
    """

    rule: str
    by: str
    kind: str = ""
    namespace: str = ""
    name: str = ""
    reason: str = ""
    until: date | None = None
    standing: bool = False

    def fits(self, ref: ObjectRef) -> bool:
        return (
            self.kind.lower() in ("", ref.kind.lower())
            and self.namespace in ("", ref.namespace)
            and self.name in ("", ref.name)
        )

    @property
    def subject(self) -> str:
        """`StatefulSet/abaci/abaci-app`; empty where it is for everything."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
