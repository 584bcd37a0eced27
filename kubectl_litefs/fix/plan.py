"""The plan: everything that will be done, to which objects, proven by what. Pure, and stable while nothing changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .aim import Aim
from .calls import calls
from .case import Case, uid, version
from .options import FixOptions
from .plan_notes import Held, compared, warnings
from .refusals import Refusal, standing

STRATEGIES = ("pod", "scale", "in-place")
BACKUPS = ("export", "snapshot", "retain-pv", "none")


@dataclass(frozen=True, slots=True)
class Plan(Aim):
    """`floor` maps a database to the primary's txid at plan time."""

    volume: str
    capacity: str
    storage_class: str
    target_cluster_id: str
    databases: tuple[Held, ...]
    floor: Mapping[str, int]
    backup: str
    backup_dir: str
    accepted: tuple[Refusal, ...]

    @property
    def keeps_claim(self) -> bool:
        return self.strategy == "in-place"

    @property
    def id(self) -> str:
        """sha256 of what must be the same when it is carried out. Versions and the primary's txids may move on."""
        fixed = self.as_json()
        for key in ("id", "warnings", "versions", "primaryPositions"):
            fixed.pop(key, None)
        for database in fixed["databases"]:
            database.pop("primary")
            database.pop("verdict")
        for call in fixed["calls"]:
            call["body"] = _without_versions(call["body"])
        return hashlib.sha256(json.dumps(fixed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The plan as a document; `id` is not in it yet."""
        return {
            "apiVersion": "kubectl-litefs/v1",
            "kind": "FixPlan",
            "cluster": {"context": self.context, "name": self.cluster_name, "server": self.server, "namespace": self.namespace},
            "target": {
                "pod": self.pod,
                "uid": self.pod_uid,
                "container": self.container,
                "port": self.port,
                "clusterID": self.target_cluster_id,
            },
            "statefulSet": {"name": self.set_name, "uid": self.set_uid, "replicas": self.replicas, "generation": self.generation},
            "claim": {
                "name": self.claim,
                "uid": self.claim_uid,
                "volume": self.volume,
                "capacity": self.capacity,
                "storageClass": self.storage_class,
            },
            "primary": {"pod": self.primary, "uid": self.primary_uid, "clusterID": self.primary_cluster_id},
            "otherPods": [{"pod": p, "uid": u, "clusterID": i} for p, u, i in self.others],
            "databases": [
                {"name": d.name, "target": d.target, "primary": d.primary, "verdict": d.verdict} for d in self.databases
            ],
            "primaryPositions": {n: f"{t:016x}" for n, t in sorted(self.floor.items())},
            "strategy": self.strategy,
            "backup": {"kind": self.backup, "directory": self.backup_dir},
            "accepted": [{"refusal": r.id, "text": r.text, "by": r.override} for r in self.accepted],
            "warnings": list(self.warnings),
            "versions": {"pod": self.pod_version, "claim": self.claim_version, "statefulSet": self.set_version},
            "calls": [{"what": c.what, "method": c.method, "path": c.path, "body": dict(c.body)} for c in self.calls],
            "gracePeriodSeconds": self.grace,
        }

    def grown_from(self, older: Plan) -> str:
        """Why this is no later state of the same thing; empty where only the primary's txids have grown."""
        for what in (
            "server",
            "namespace",
            "pod",
            "pod_uid",
            "set_uid",
            "claim_uid",
            "target_cluster_id",
            "primary",
            "primary_uid",
            "primary_cluster_id",
            "replicas",
            "generation",
            "others",
        ):
            before, now = getattr(older, what), getattr(self, what)
            if before != now:
                return f"{what.replace('_', ' ')} was {_words(before)}, now it is {_words(now)}"
        positions = [{d.name: d.target for d in p.databases} for p in (older, self)]
        if positions[0] != positions[1]:
            return f"the target's databases were {_words(positions[0])}, now they are {_words(positions[1])}"
        for name, txid in older.floor.items():
            if self.floor.get(name, -1) < txid:
                now = f"{self.floor[name]:x}" if name in self.floor else "gone"
                return f"{name} on the primary was at txid {txid:x}, now it is {now}"
        return "" if self.id == older.id else "the plan differs"

    def document(self) -> dict[str, Any]:
        """As printed by `-o json`."""
        head = self.as_json()
        return {"apiVersion": head.pop("apiVersion"), "kind": head.pop("kind"), "id": self.id, **head}


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "none"
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, v)) for v in value) or "none"
    return str(value)


def _without_versions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_versions(v) for k, v in value.items() if k != "resourceVersion"}
    return value


def make_plan(case: Case, options: FixOptions, refusals: tuple[Refusal, ...]) -> Plan:
    """Only for a case that nothing stands against any more. The claim may already be going, where a run is resumed."""
    assert not standing(refusals)
    lead, owner, claim = case.primary, case.set, case.claim
    assert lead is not None and owner is not None and claim is not None
    return Plan(
        server=case.server,
        context=case.context,
        cluster_name=case.cluster_name,
        namespace=case.namespace,
        pod=case.target.name,
        pod_uid=uid(case.target.obj),
        pod_version=version(case.target.obj),
        container=case.target.container.name,
        port=case.target.http_port,
        set_name=owner.ref.name,
        set_uid=uid(owner),
        set_version=version(owner),
        replicas=int(owner.get("spec.replicas", 1)),
        generation=int(owner.get("metadata.generation", 0)),
        claim=claim.ref.name,
        claim_uid=uid(claim),
        claim_version=version(claim),
        volume=str(claim.get("spec.volumeName", "")),
        capacity=str(claim.get("status.capacity.storage", "")),
        storage_class=str(claim.get("spec.storageClassName", "")),
        target_cluster_id=str(case.target_id),
        primary=lead.name,
        primary_uid=uid(lead.obj),
        primary_cluster_id=str(lead.cluster_id),
        others=tuple((p.name, uid(p.obj), p.cluster_id or "") for p in case.others),
        databases=compared(case),
        floor={d.name: d.txid for d in _expected(case)},
        strategy=options.strategy,
        backup=options.backup,
        backup_dir=str(options.backup_dir or ""),
        disable_eviction=options.disable_eviction,
        accepted=tuple(r for r in refusals if r.granted),
        warnings=tuple(warnings(case, options)),
        calls=calls(case, options),
        grace=case.grace,
    )


def _expected(case: Case) -> list[Any]:
    """What the replica must hold afterwards: the primary's databases, those that it filters out aside."""
    wanted = case.target.config.known("lease.databases") if case.target.config else None
    lead = case.primary
    return [d for d in (lead.with_data if lead else ()) if not wanted or d.name in wanted]
