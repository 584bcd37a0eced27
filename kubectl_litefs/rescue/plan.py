"""The plan of a rescue: which copies go where, by which strategy and why. Pure, and stable while nothing changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..fix.aim import Aim
from ..fix.calls import Call, core, remove_pod
from ..fix.case import uid
from ..fix.refusals import Refusal
from ..model.candidates import claims_alone
from ..model.pod import Pod
from . import head
from .options import RescueOptions
from .situation import Situation

STRATEGIES = ("auto", "data-dir", "import")


@dataclass(frozen=True, slots=True)
class Back:
    """One database that goes back: from which pod, at which position, and what stands there now."""

    name: str
    pod: str
    txid: int
    checksum: str
    primary: str | None

    @property
    def position(self) -> str:
        return f"{self.txid:016x}/{self.checksum}"


@dataclass(frozen=True, slots=True)
class RescuePlan(Aim):
    """`pod` is the primary. `source` is the replica whose directory is copied (strategy `data-dir`, else empty).

    `order` are the replicas that strategy `import` resets afterwards, the best one last (LFS102 only).
    """

    fault: str
    cluster_id: str
    databases: tuple[Back, ...]
    only_primary: tuple[str, ...]
    source: str
    source_uid: str
    source_container: str
    source_dir: str
    data_dir: str
    order: tuple[str, ...]
    why: str
    folder: str
    accepted: tuple[Refusal, ...]

    @property
    def keeps_claim(self) -> bool:
        return True

    @property
    def id_afterwards(self) -> str:
        """The cluster id that the primary has when the data is back: an import keeps the one it has."""
        return self.cluster_id if self.strategy == "data-dir" or self.fault == "LFS110" else self.primary_cluster_id

    @property
    def staging(self) -> str:
        """The directory beside the primary's own, on its volume; its name tells the run."""
        return f"rescue-{self.id[:12]}"

    @property
    def aside(self) -> str:
        """Where the primary's former content goes. `rescue undo` looks for `lost-`: there is no way back to an empty file."""
        return f"{'lost' if self.fault == 'LFS102' else 'empty'}-{self.id[:12]}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What is swapped, in this order: the data goes in before the id."""
        return ("dbs", "clusterid") if self.fault == "LFS102" else tuple(f"dbs/{d.name}" for d in self.databases)

    @property
    def id(self) -> str:
        """The primary's positions, versions, words and files may move on."""
        fixed = self.as_json()
        for key in ("warnings", "versions", "why", "folder", "onlyOnPrimary", "calls"):
            fixed.pop(key, None)
        for database in fixed["databases"]:
            database.pop("primary")
        return hashlib.sha256(json.dumps(fixed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            **head.as_json(self, self.data_dir),
            "kind": "RescuePlan",
            "fault": self.fault,
            "strategy": self.strategy,
            "why": self.why,
            "clusterID": self.cluster_id,
            "source": {"pod": self.source, "uid": self.source_uid, "container": self.source_container, "dataDirectory": self.source_dir} if self.source else None,
            "databases": [{"name": d.name, "pod": d.pod, "position": d.position, "primary": d.primary} for d in self.databases],
            "onlyOnPrimary": list(self.only_primary),
            "resetAfterwards": list(self.order),
            "folder": self.folder,
            "accepted": [{"refusal": r.id, "text": r.text, "by": r.override} for r in self.accepted],
        }

    def document(self) -> dict[str, Any]:
        parts = self.as_json()
        return {"apiVersion": parts.pop("apiVersion"), "kind": parts.pop("kind"), "id": self.id, **parts}


def make_plan(found: Situation, options: RescueOptions, strategy: str, source: Pod | None, why: str, refusals: tuple[Refusal, ...], folder: str) -> RescuePlan:
    """Only for a situation that nothing stands against any more."""
    case = found.case
    lead = case.primary
    assert lead is not None
    plan = RescuePlan(
        **head.fields(case, lead),
        strategy=strategy,
        warnings=tuple(warnings(found, strategy)),
        calls=(),
        fault=found.fault,
        cluster_id=found.cluster_id,
        databases=tuple(Back(w.name, w.copy.pod, w.copy.txid, w.copy.checksum, w.primary) for w in found.wanted),
        only_primary=found.only_primary,
        source=source.name if source else "",
        source_uid=uid(source.obj) if source else "",
        source_container=source.container.name if source else "",
        source_dir=str(source.data_dir) if source else "",
        order=_order(found) if strategy == "import" and found.fault == "LFS102" else (),
        why=why,
        folder=folder,
        accepted=tuple(r for r in refusals if r.granted),
    )
    return dataclasses.replace(plan, calls=tuple(_calls(plan)))


def _order(found: Situation) -> tuple[str, ...]:
    """The replica that most copies come from last: the best is kept the longest."""
    takes = {p.name: sum(w.copy.pod == p.name for w in found.wanted) for p in found.holders}
    return tuple(sorted(takes, key=lambda n: (takes[n], n)))


def _calls(plan: RescuePlan) -> list[Call]:
    """The requests that change something, in order; the lock aside."""
    pod = core(plan.namespace, "pods", plan.pod)
    restart = remove_pod(plan.pod, plan.namespace, plan.pod_uid, pod, True)
    if plan.strategy == "data-dir":
        what = "the data directory" if plan.fault == "LFS102" else " and ".join(plan.parts)
        return [
            Call(f"put {what} of {plan.source} beside {plan.pod}'s, as {plan.staging}", "EXEC", pod + "/exec", {"container": plan.container}),
            Call(f"swap it with the primary's own, which becomes {plan.aside}", "EXEC", pod + "/exec", {"container": plan.container}),
            restart,
        ]
    path = f"/api/v1/namespaces/{plan.namespace}/pods/{plan.pod}:{plan.port}/proxy/import"
    sent = [Call(f"import {d.name} from {d.pod}'s copy", "POST", path, {"name": d.name}) for d in plan.databases]
    resets = [Call(f"reset {name} as fix-cluster-id does: its claim, then its pod", "DELETE", core(plan.namespace, "pods", name), {}) for name in plan.order]
    return [*sent, *(resets if plan.fault == "LFS102" else [restart])]


def warnings(found: Situation, strategy: str) -> list[str]:
    """What is lost from view, and how to stop the writers."""
    lead = found.case.primary
    name, container = (lead.name, lead.container.name) if lead else ("?", "?")
    said = [
        f"what the application writes on {name} from now on is not in the data that comes back. "
        + ("It stays in the directory that is put aside" if strategy == "data-dir" else "It is saved once more just before each import; what is written in the moment between is lost"),
        writers(found.case.namespace, name, container),
    ]
    if found.only_primary:
        said.append(f"only the primary has {', '.join(found.only_primary)}: saved as files, not in the data that comes back")
    if alone := claims_alone(found.case.cluster):
        said.append(f"no pod has the claim {' or '.join(alone)}: a copy on its volume is not saved, and is overwritten when its pod comes back after this")
    if strategy == "import":
        said.append("an import begins a new history: transaction numbers start low, and an import waits for a transaction that holds the lock, however long")
    if strategy == "import" and found.fault == "LFS102":
        said.append("the volumes of the replicas are replaced one by one, the best one last, each only after the primary's data is verified")
    return said


def writers(namespace: str, pod: str, container: str) -> str:
    """How to stop them."""
    return (
        "to stop the writers first, where that is quick: take the application's Service (never the headless one) off the pods, or replace `exec` in "
        f"litefs.yml by `sleep infinity` and delete only pod {pod}, or kubectl -n {namespace} exec {pod} -c {container} -- sh -c 'kill -STOP PID' "
        "(the application's, a child of LiteFS; undo with -CONT)"
    )


def grown_from(now: RescuePlan, older: RescuePlan) -> str:
    """Why this is no later state of the same thing; empty where only the primary has moved on."""
    if now.id == older.id:
        return ""
    for what in ("server", "namespace", "pod", "pod_uid", "set_uid", "fault", "cluster_id", "primary_cluster_id", "replicas", "generation", "strategy", "source", "source_uid"):
        if getattr(older, what) != getattr(now, what):
            return f"{what.replace('_', ' ')} was {getattr(older, what)}, now it is {getattr(now, what)}"
    changed = head.others_changed(older, now)
    if changed:
        return changed
    was, has = {d.name: f"{d.pod} {d.position}" for d in older.databases}, {d.name: f"{d.pod} {d.position}" for d in now.databases}
    return f"the best copies were {was}, now they are {has}" if was != has else "the plan differs"


def read_plan(document: object) -> RescuePlan | None:
    """A plan read back from a journal or a Lease; None for anything that is not a whole plan of ours."""
    if not isinstance(document, Mapping) or document.get("kind") != "RescuePlan":
        return None
    try:
        plan = _read(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return plan if plan.id == document.get("id") else None


def _read(d: Mapping[str, Any]) -> RescuePlan:
    source = d["source"] or {}
    return RescuePlan(
        **head.read(d),
        strategy=str(d["strategy"]), fault=str(d["fault"]), cluster_id=str(d["clusterID"]), databases=tuple(_back(b) for b in d["databases"]),
        only_primary=tuple(str(n) for n in d["onlyOnPrimary"]), source=str(source.get("pod", "")), source_uid=str(source.get("uid", "")),
        source_container=str(source.get("container", "")), source_dir=str(source.get("dataDirectory", "")),
        order=tuple(str(o) for o in d["resetAfterwards"]), why=str(d["why"]), folder=str(d["folder"]),
        accepted=tuple(Refusal(str(a["refusal"]), str(a["text"]), "", str(a["by"]), True) for a in d["accepted"]),
    )  # fmt: skip


def _back(entry: Mapping[str, Any]) -> Back:
    txid, _, checksum = str(entry["position"]).partition("/")
    return Back(str(entry["name"]), str(entry["pod"]), int(txid, 16), checksum, entry["primary"])
