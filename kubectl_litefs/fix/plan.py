"""The plan: everything that will be done, to which objects, proven by what. Pure, and stable while nothing changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .case import Case, uid, version
from .options import FixOptions
from .refusals import Refusal, standing

STRATEGIES = ("pod", "scale", "in-place")
BACKUPS = ("export", "snapshot", "retain-pv", "none")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that changes something. `body` is sent as it stands here."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """One database of the target beside the primary's; positions are None where there is none."""

    name: str
    target: str
    primary: str | None
    verdict: str
    """`contained` (equal position), or in words why that is not proven."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Ids are Kubernetes uids unless they say `cluster`. `floor` maps a database to the primary's txid at plan time."""

    server: str
    context: str | None
    cluster_name: str | None
    namespace: str
    pod: str
    pod_uid: str
    pod_version: str
    container: str
    port: int
    set_name: str
    set_uid: str
    set_version: str
    replicas: int
    generation: int
    claim: str
    claim_uid: str
    claim_version: str
    volume: str
    capacity: str
    storage_class: str
    target_cluster_id: str
    primary: str
    primary_uid: str
    primary_cluster_id: str
    others: tuple[tuple[str, str, str], ...]
    """(pod, uid, cluster id) of every other pod."""
    databases: tuple[Held, ...]
    floor: Mapping[str, int]
    strategy: str
    backup: str
    backup_dir: str
    disable_eviction: bool
    accepted: tuple[Refusal, ...]
    warnings: tuple[str, ...]
    calls: tuple[Call, ...]
    grace: float

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
            "target": {"pod": self.pod, "uid": self.pod_uid, "container": self.container, "port": self.port, "clusterID": self.target_cluster_id},
            "statefulSet": {"name": self.set_name, "uid": self.set_uid, "replicas": self.replicas, "generation": self.generation},
            "claim": {"name": self.claim, "uid": self.claim_uid, "volume": self.volume, "capacity": self.capacity, "storageClass": self.storage_class},
            "primary": {"pod": self.primary, "uid": self.primary_uid, "clusterID": self.primary_cluster_id},
            "otherPods": [{"pod": p, "uid": u, "clusterID": i} for p, u, i in self.others],
            "databases": [{"name": d.name, "target": d.target, "primary": d.primary, "verdict": d.verdict} for d in self.databases],
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
        for what in ("server", "namespace", "pod", "pod_uid", "set_uid", "claim_uid", "target_cluster_id", "primary", "primary_uid", "primary_cluster_id", "replicas", "generation", "others"):
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


def core(namespace: str, plural: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}/{name}"


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


def compared(case: Case) -> tuple[Held, ...]:
    """The target's databases against the primary's. Txids of two ids are no one history."""
    found = []
    for mine in case.target.with_data:
        theirs = case.primary.database(mine.name) if case.primary else None
        if theirs is None:
            verdict = "only here: not on the primary"
        elif theirs.position == mine.position:
            verdict = "contained"
        else:
            verdict = "not proven to be in the primary's: two ids are two histories"
        found.append(Held(mine.name, mine.position, theirs.position if theirs else None, verdict))
    return tuple(found)


def warnings(case: Case, options: FixOptions) -> list[str]:
    """What could not be checked, and what is only likely."""
    said = []
    log = case.target.log
    refused = log.hit("different-cluster-id") if log else None
    if refused is None:
        gap = case.target.gaps.get("log")
        said.append(f"the log of {case.target.name} does not show the refusal ({gap.detail if gap else 'no such line in it'}); /info alone says that the ids differ")
    for plural, what in (("persistentvolumes", "the reclaim policy of the volume"), ("nodes", "whether the node is ready"), ("storageclasses", "whether the storage class exists"), ("poddisruptionbudgets", "whether a disruption budget stands against the eviction")):
        gap = case.cluster.gaps.get(plural)
        if gap is not None:
            said.append(f"cannot check {what}: {gap.detail or gap.why.value}")
    claim = case.claim
    extra = [f for f in (claim.get("metadata.finalizers") or [] if claim else []) if f != "kubernetes.io/pvc-protection"]
    if extra:
        said.append(f"the claim has the finalizer {', '.join(map(str, extra))}: it goes only when its owner lets it")
    volume = case.cluster.find("persistentvolumes", str(claim.get("spec.volumeName", "")), "") if claim else None
    if volume is not None and volume.get("spec.persistentVolumeReclaimPolicy") == "Retain":
        said.append(f"volume {volume.ref.name} is kept after the claim is gone (reclaim policy Retain); delete it yourself when all is well")
    for budget in case.cluster.list("poddisruptionbudgets") or ():
        labels = budget.mapping("spec.selector.matchLabels")
        if labels and all(case.target.obj.labels.get(k) == v for k, v in labels.items()) and budget.get("status.disruptionsAllowed") == 0:
            said.append(f"PodDisruptionBudget {budget.ref.name} allows no disruption now: the eviction will wait for it (--disable-eviction deletes instead)")
    owner = case.set
    if owner is not None and owner.get("spec.persistentVolumeClaimRetentionPolicy.whenScaled") == "Delete":
        said.append("whenScaled=Delete: scaling this set down, as the guide does, would delete the claims of every pod that goes; this plan scales nothing")
    if case.held_nothing:
        said.append(f"{case.target.name} holds no database above txid 0: nothing can be lost with its volume, and there is nothing to back up")
    if options.strategy == "scale" and owner is not None:
        stopped = [p.name for p in case.cluster.pods if p.workload == case.target.workload and (p.ordinal or 0) > (case.target.ordinal or 0)]
        said.append(f"strategy scale also stops {', '.join(stopped)}" if stopped else "strategy scale stops no other pod")
    return said


def calls(case: Case, options: FixOptions) -> tuple[Call, ...]:
    """The requests that change something, in order; the backup and the lock aside."""
    claim, pod, owner = case.claim, case.target.obj, case.set
    assert claim is not None and owner is not None
    delete_claim = Call(f"delete PVC {claim.ref.name}", "DELETE", core(case.namespace, "persistentvolumeclaims", claim.ref.name), delete_options(uid(claim), version(claim)))
    if options.strategy == "scale":
        path = f"/apis/apps/v1/namespaces/{case.namespace}/statefulsets/{owner.ref.name}"
        start, now = int(owner.get("spec.ordinals.start", 0)), int(owner.get("spec.replicas", 1))
        down = (case.target.ordinal or 0) - start
        return (
            Call(f"note the replicas ({now}) in an annotation", "PATCH", path, {"metadata": {"annotations": {"kubectl-litefs/restore-replicas": str(now)}}}),
            Call(f"scale to {down}", "PATCH", path + "/scale", {"spec": {"replicas": down}}),
            delete_claim,
            Call(f"scale back to {now}", "PATCH", path + "/scale", {"spec": {"replicas": now}}),
            Call("remove the annotation", "PATCH", path, {"metadata": {"annotations": {"kubectl-litefs/restore-replicas": None}}}),
        )
    path = core(case.namespace, "pods", pod.ref.name)
    if options.strategy == "in-place":
        file = f"{str(case.target.data_dir).rstrip('/')}/clusterid"
        aside = f"{file}.bak-{case.target_id}"
        rename = Call(f"put {file} aside", "EXEC", path + "/exec", {"container": case.target.container.name, "command": ["mv", "-n", "--", file, aside]})
        return (rename, remove_pod(pod.ref.name, case.namespace, uid(pod), path, options.disable_eviction))
    return (delete_claim, remove_pod(pod.ref.name, case.namespace, uid(pod), path, options.disable_eviction))


def delete_options(claim_uid: str, claim_version: str | None = None) -> dict[str, Any]:
    """A DELETE body. With a body the server ignores the query string, so whatever matters must stand here."""
    preconditions = {"uid": claim_uid} | ({"resourceVersion": claim_version} if claim_version else {})
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}


def remove_pod(name: str, namespace: str, pod_uid: str, path: str, disable_eviction: bool) -> Call:
    if disable_eviction:
        return Call(f"delete pod {name}", "DELETE", path, delete_options(pod_uid))
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": pod_uid}},
    }
    return Call(f"evict pod {name}", "POST", path + "/eviction", body)
