"""The plan of an undo: the directory that a rescue put aside comes back to the primary. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..fix.aim import Aim
from ..fix.calls import Call, core, remove_pod
from ..fix.case import Case
from . import head
from .plan import writers
from .store import Copy
from .swap import Former

FIXED = ("warnings", "versions", "folder", "holds", "before", "calls")
"""What may move on between a plan and its run."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """Everything known before an undo. `former` are the directories that were put aside on the primary's volume, `copies`
    what was ever saved of this set on this machine."""

    case: Case
    former: tuple[Former, ...]
    copies: tuple[Copy, ...]

    @property
    def cluster_id(self) -> str | None:
        """What the replicas have; None where they do not agree."""
        ids = {p.cluster_id for p in self.case.cluster.pods if p is not self.case.target}
        return next(iter(ids)) if len(ids) == 1 else None

    @property
    def runs_the_rescued(self) -> bool:
        """The primary serves what came back; after a stop it may still run on what it had."""
        return self.cluster_id is not None and self.case.target.cluster_id == self.cluster_id


@dataclass(frozen=True, slots=True)
class UndoPlan(Aim):
    """`pod` is the primary, `cluster_id` the replicas', `former_id` that of the directory `aside`, which comes back.

    `holds` are (pod, database, position) of the replicas, which must not go back; `before` (database, position) of the
    former directory, as far as copies of it are known here.
    """

    data_dir: str
    cluster_id: str
    former_id: str
    aside: str
    holds: tuple[tuple[str, str, str], ...]
    before: tuple[tuple[str, str], ...]
    folder: str

    @property
    def keeps_claim(self) -> bool:
        return True

    @property
    def undone(self) -> str:
        """Where the directory goes that the rescue had brought."""
        return "undone-" + self.aside.removeprefix("lost-")

    @property
    def id(self) -> str:
        fixed = {k: v for k, v in self.as_json().items() if k not in FIXED}
        return hashlib.sha256(json.dumps(fixed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            **head.as_json(self, self.data_dir),
            "kind": "RescueUndoPlan",
            "clusterID": self.cluster_id,
            "formerClusterID": self.former_id,
            "comesBack": self.aside,
            "goesAside": self.undone,
            "holds": [{"pod": p, "name": n, "position": x} for p, n, x in self.holds],
            "before": [{"name": n, "position": x} for n, x in self.before],
            "folder": self.folder,
        }

    def document(self) -> dict[str, Any]:
        parts = self.as_json()
        return {"apiVersion": parts.pop("apiVersion"), "kind": parts.pop("kind"), "id": self.id, **parts}


def make_plan(found: Undoing, folder: str) -> UndoPlan:
    """Only where nothing stands against it any more."""
    case = found.case
    (former,) = found.former
    plan = UndoPlan(
        **head.fields(case, case.target),
        strategy="undo",
        warnings=tuple(_warnings(found)),
        calls=(),
        cluster_id=str(found.cluster_id),
        former_id=former.cluster_id,
        aside=former.name,
        holds=tuple((p.name, d.name, d.position) for p in case.cluster.pods if p is not case.target for d in p.with_data),
        before=tuple(_before(found.copies, case.target.name, former.cluster_id)),
        folder=folder,
    )
    pod = core(plan.namespace, "pods", plan.pod)
    swap = Call(f"bring {plan.aside} back; what is in place becomes {plan.undone}", "EXEC", pod + "/exec", {"container": plan.container})
    return dataclasses.replace(plan, calls=(swap, remove_pod(plan.pod, plan.namespace, plan.pod_uid, pod, True)))


def _before(copies: Sequence[Copy], pod: str, former_id: str) -> list[tuple[str, str]]:
    """What the primary had of each database when it was last saved under the former id."""
    mine = [c for c in copies if (c.pod, c.cluster_id) == (pod, former_id) and c.proven]
    newest = {c.database: c for c in sorted(mine, key=lambda c: c.txid)}
    return sorted((n, c.position) for n, c in newest.items())


def _warnings(found: Undoing) -> list[str]:
    name = found.case.target.name
    said = [
        f"afterwards {name} has what it had before the rescue, and the replicas refuse its stream again (LFS102): they keep and serve what they have now",
        f"what was written since the rescue stays on the replicas, in the saved copies and in the directory that goes aside; {name} does not serve it any more",
        writers(found.case.namespace, name, found.case.target.container.name),
    ]
    if found.case.target.databases is None:
        said.append(f"{name} does not say what it holds now; whatever it is stays on its volume")
    return said


def read_plan(document: object) -> UndoPlan | None:
    """A plan read back from a journal or a Lease; None for anything that is not a whole plan of ours."""
    if not isinstance(document, Mapping) or document.get("kind") != "RescueUndoPlan":
        return None
    try:
        plan = _read(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return plan if plan.id == document.get("id") else None


def _read(d: Mapping[str, Any]) -> UndoPlan:
    return UndoPlan(
        **head.read(d),
        strategy="undo",
        cluster_id=str(d["clusterID"]),
        former_id=str(d["formerClusterID"]),
        aside=str(d["comesBack"]),
        holds=tuple((str(h["pod"]), str(h["name"]), str(h["position"])) for h in d["holds"]),
        before=tuple((str(b["name"]), str(b["position"])) for b in d["before"]),
        folder=str(d["folder"]),
    )
