"""R1 to R26: each refuses with both values seen, sends nothing that changes anything, and is lifted by its own flag only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kubectl_litefs.errors import LitefsError

from ..harness import APP, CLUSTER_ID, NOW, NS, stamp
from .conftest import Fix
from .sim import STRANGER, Db, Sim, database

CLAIM = f"litefs-data-{APP}-1"
ZERO, ONE, TWO = f"{APP}-0", f"{APP}-1", f"{APP}-2"
Break = Callable[[Sim], None]


def two_primaries(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: None if path != "info" else b'{"clusterID": "LFSC00000000000000A1", "isPrimary": true, "candidate": true, "path": "/var/lib/litefs"}'


def silent(pod: str) -> Break:
    def change(sim: Sim) -> None:
        sim.infos[pod] = lambda path: (503, {}, b'{"reason": "ServiceUnavailable", "message": "connect: connection refused"}')

    return change


def recreated(sim: Sim) -> None:
    """The primary's volume is the new one."""
    for pod in (ONE, TWO):
        sim.volume_of(pod).cluster_id = STRANGER
    sim.claim(0)["metadata"]["creationTimestamp"] = stamp(NOW - timedelta(minutes=1))


def younger(sim: Sim) -> None:
    sim.claim(0)["metadata"]["creationTimestamp"] = stamp(NOW - timedelta(minutes=4))


def databases(target: dict[str, Db], primary: dict[str, Db]) -> Break:
    def change(sim: Sim) -> None:
        sim.volume_of(ONE).databases = target
        sim.volume_of(ZERO).databases = primary

    return change


def cluster_id(pod: str, value: str) -> Break:
    def change(sim: Sim) -> None:
        sim.volume_of(pod).cluster_id = value
        sim.logs.pop(sim.objects["pods", pod]["metadata"]["uid"])

    return change


def header(sim: Sim) -> None:
    sim.headers[ONE] = "LFSC00000000000000FF"


def edit(plural: str, name: str, path: str, value: Any) -> Break:
    def change(sim: Sim) -> None:
        at = sim.objects[plural, name]
        *parents, last = path.split(".")
        for key in parents:
            at = at[int(key)] if isinstance(at, list) else at.setdefault(key, {})
        at[last] = value

    return change


def followed(sim: Sim) -> None:
    uid = sim.pod(1)["metadata"]["uid"]
    sim.logs[uid].insert(3, sim.logs[uid][0].split(" ")[0] + ' level=INFO msg="connected to cluster, ready"')


def minted(sim: Sim) -> None:
    uid = sim.pod(0)["metadata"]["uid"]
    at = stamp(NOW - timedelta(minutes=1))[:-1] + ".000000000Z"
    sim.logs[uid] = [line for line in sim.logs[uid] if "using existing" not in line]
    sim.logs[uid].append(f'{at} level=INFO msg="set cluster id on \\"static\\" lease \\"{CLUSTER_ID}\\""')


def candidate(sim: Sim) -> None:
    sim.infos[ONE] = lambda path: None if path != "info" else f'{{"clusterID": "{STRANGER}", "isPrimary": false, "candidate": true, "path": "/var/lib/litefs"}}'.encode()


def hpa(sim: Sim) -> None:
    sim.put("horizontalpodautoscalers", {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaler", "namespace": NS}, "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": APP}}})


def used_twice(sim: Sim) -> None:
    volumes = [{"name": "x", "persistentVolumeClaim": {"claimName": CLAIM}}]
    sim.put("pods", {"kind": "Pod", "metadata": {"name": "backup-job", "namespace": NS}, "spec": {"containers": [], "volumes": volumes}, "status": {"phase": "Running"}})


def bare(sim: Sim) -> None:
    del sim.pod(1)["metadata"]["ownerReferences"]


def not_ready(sim: Sim) -> None:
    sim.pod(0)["status"]["conditions"][0]["status"] = "False"


def consul(held: str | None) -> Break:
    """Every pod runs with a Consul lease; a log says which id Consul holds."""

    def change(sim: Sim) -> None:
        for n in range(3):
            uid = sim.pod(n)["metadata"]["uid"]
            sim.logs[uid] = [line.split(" ")[0] + " Using Consul to determine primary" if "Using static" in line else line for line in sim.logs[uid]]
            at = sim.logs[uid][0].split(" ")[0]
            sim.logs[uid].insert(1, f'{at} level=INFO msg="Using Consul to determine primary"')
            if held:
                sim.logs[uid].append(f'{at} level=INFO msg="cannot connect, \\"consul\\" lease already initialized with different ID: {held}"')

    return change


A, B = database("a"), database("b", "c")

CASES: list[tuple[str, Break, dict[str, Any], str]] = [
    ("R1", lambda sim: None, {"pod": ZERO}, "isPrimary=true"),
    ("R2", two_primaries, {}, "2 pods report isPrimary=true, want exactly 1"),
    ("R2", lambda sim: setattr(sim, "primary", "none"), {}, "0 pods report isPrimary=true"),
    ("R3", silent(ZERO), {}, f"/info of {ZERO} unreadable .*connection refused"),
    ("R3", silent(ONE), {}, f"/info of {ONE} unreadable"),
    ("R4", recreated, {}, f"2 of 3 pods carry {STRANGER}, only the primary carries {CLUSTER_ID}"),
    ("R4", silent(TWO), {}, f"the vote is incomplete: {TWO} did not answer"),
    ("R5", younger, {}, "created 2026-11-23T12:26:00Z.*created 2026-11-23T12:25:00Z"),
    ("R6", databases({"mine": Db(3, A)}, {"db": Db(7, B)}), {}, "database mine exists only on the target"),
    ("R7", databases({"db": Db(9, A)}, {"db": Db(7, B)}), {}, "txid 9 > 7"),
    ("R8", databases({"db": Db(7, A)}, {"db": Db(7, B)}), {}, "diverged at txid 7: checksum \\w+ on the target != \\w+"),
    ("R9", cluster_id(ONE, "LFSCxyz"), {}, "malformed cluster id 'LFSCxyz'"),
    ("R9", header, {}, f"body {STRANGER}, header LFSC00000000000000FF"),
    ("R10", bare, {}, "not controlled by a StatefulSet"),
    ("R11", edit("statefulsets", APP, "metadata.ownerReferences", [{"kind": "LitefsCluster", "name": "abaci", "uid": "u"}]), {}, "managed by LitefsCluster/abaci"),
    ("R12", edit("statefulsets", APP, "spec.volumeClaimTemplates.0.metadata", {"name": "other"}), {}, "not on a PVC of this StatefulSet"),
    ("R13", used_twice, {}, "used by backup-job"),
    ("R14", not_ready, {}, "ordinal 0 < 1 is not Ready and podManagementPolicy is OrderedReady"),
    ("R15", edit("statefulsets", APP, "status.updateRevision", "r2"), {}, "current revision r1 != update revision r2"),
    ("R16", edit("persistentvolumeclaims", CLAIM, "status.capacity", {"storage": "50Gi"}), {}, "the template asks 1Gi, the PVC has 50Gi"),
    ("R16", edit("statefulsets", APP, "spec.volumeClaimTemplates.0.spec.storageClassName", "gone"), {}, "storage class gone of the template does not exist"),
    ("R17", edit("nodes", "node-1", "status.conditions", [{"type": "Ready", "status": "Unknown"}]), {}, "node node-1 is NotReady"),
    ("R18", edit("statefulsets", APP, "metadata.deletionTimestamp", "2026-11-23T12:29:00Z"), {}, "statefulset/abaci-app is being deleted"),
    ("R19", edit("persistentvolumeclaims", CLAIM, "metadata.deletionTimestamp", "2026-11-23T12:29:00Z"), {}, "already Terminating .*not by this run"),
    ("R20", edit("statefulsets", APP, "spec.persistentVolumeClaimRetentionPolicy.whenScaled", "Delete"), {"strategy": "scale"}, "whenScaled=Delete"),
    ("R21", hpa, {"strategy": "scale"}, "HorizontalPodAutoscaler scaler would revert"),
    ("R21", edit("statefulsets", APP, "metadata.labels", {"argocd.argoproj.io/instance": "abaci"}), {"strategy": "scale"}, "Argo CD"),
    ("R22", consul(STRANGER), {}, f"Consul lease holds {STRANGER}, the target's id"),
    ("R22", consul(None), {}, "which id it holds could not be seen"),
    ("R23", lambda sim: None, {"backup": "none"}, "database db of abaci-app-1 would be gone"),
    ("R23", silent(ONE), {}, "backup impossible"),
    ("R24", databases({"db": Db(4, A)}, {"db": Db(0, A)}), {}, "has lost database db .*this replica is the last copy"),
    ("R25", followed, {}, f"followed this primary under id {STRANGER} in this very run, now the primary has {CLUSTER_ID}"),
    ("R25", minted, {}, "made its id in a run that began long after"),
    ("R26", candidate, {}, "candidate: true.*would make a cluster id of its own"),
]


@pytest.mark.parametrize(("refusal", "break_it", "options", "text"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_refused(fix: Fix, refusal: str, break_it: Break, options: dict[str, Any], text: str) -> None:
    import re

    sim = Sim()
    break_it(sim)
    outcome = fix(sim, **options)
    assert int(outcome.code) == 4, outcome
    mine = [r for r in outcome.refusals if r.id == refusal and re.search(text, r.text)]
    assert mine, [f"{r.id} {r.text}" for r in outcome.refusals]
    assert mine[0].instead
    assert not fix.asked and not [s for s in sim.sent if s.changes]


LIFTED: list[tuple[str, Break, dict[str, Any]]] = [
    ("R4", silent(TWO), {"primary_is_right": CLUSTER_ID}),
    ("R5", younger, {"primary_is_right": CLUSTER_ID}),
    ("R6", databases({"mine": Db(3, A)}, {"db": Db(7, B)}), {"accept_loss": frozenset({"mine"})}),
    ("R7", databases({"db": Db(9, A)}, {"db": Db(7, B)}), {"accept_loss": frozenset({"db"})}),
    ("R8", databases({"db": Db(7, A)}, {"db": Db(7, B)}), {"accept_loss": frozenset({"db"})}),
    ("R11", edit("statefulsets", APP, "metadata.ownerReferences", [{"kind": "LitefsCluster", "name": "abaci", "uid": "u"}]), {"not_managed_by": "LitefsCluster/abaci"}),
    ("R15", edit("statefulsets", APP, "status.updateRevision", "r2"), {"allow_rollout": True}),
    ("R16", edit("persistentvolumeclaims", CLAIM, "status.capacity", {"storage": "50Gi"}), {"allow_smaller_volume": True}),
    ("R23", lambda sim: None, {"backup": "none", "accept_loss": frozenset({"db"})}),
    ("R25", minted, {"primary_is_right": CLUSTER_ID}),
]


@pytest.mark.parametrize(("refusal", "break_it", "options"), LIFTED, ids=[c[0] for c in LIFTED])
def test_its_own_flag_lifts_it_and_the_plan_says_so(fix: Fix, refusal: str, break_it: Break, options: dict[str, Any]) -> None:
    sim = Sim()
    break_it(sim)
    others = {"allow_rollout": True, "allow_smaller_volume": True} if refusal not in ("R15", "R16") else {"primary_is_right": CLUSTER_ID}
    assert int(fix(sim, **({"backup": options["backup"]} if "backup" in options else {}), **others).code) == 4, "another flag must not lift it"
    outcome = fix(sim, dry_run="client", **options)
    assert int(outcome.code) == 0, outcome
    assert outcome.plan is not None and refusal in {r.id for r in outcome.plan.accepted} | ({"R23"} if refusal == "R23" else set())


@pytest.mark.parametrize("refusal", ["R1", "R2", "R9", "R10", "R12", "R13", "R18", "R24"])
def test_nothing_lifts_what_is_never_permitted(fix: Fix, refusal: str) -> None:
    _, break_it, options, _ = next(c for c in CASES if c[0] == refusal)
    sim = Sim()
    break_it(sim)
    everything: dict[str, Any] = {"accept_loss": frozenset({"db"}), "primary_is_right": CLUSTER_ID, "allow_rollout": True, "allow_smaller_volume": True, "not_managed_by": "A/b"}
    try:
        code = int(fix(sim, **{**options, **everything}).code)
    except LitefsError as error:  # a permission that names what is not there is refused, too
        code = int(error.exit_code)
    assert code in (2, 4) and not sim.changes


def test_a_split_vote_is_decided_by_a_person() -> None:
    """Two with the target's id, two with the primary's: a reset that was already done on one replica looks like this."""
    import dataclasses

    from kubectl_litefs.fix.guards_identity import odd_one_out, other_history
    from kubectl_litefs.fix.options import FixOptions
    from kubectl_litefs.fix.survey import survey

    from .conftest import Heard

    sim = Sim()
    case = survey(sim, FixOptions(pod=ONE), sim.clock, Heard(), lambda: 900.0)
    first, second = case.cluster.pods[1], case.cluster.pods[2]
    twin = dataclasses.replace(first, ref=dataclasses.replace(first.ref, name=f"{APP}-3"), ordinal=3)
    cluster = dataclasses.replace(case.cluster, pods=(*case.cluster.pods, twin))
    split = dataclasses.replace(case, cluster=cluster)
    assert second.cluster_id == CLUSTER_ID and twin.cluster_id == STRANGER
    assert not list(odd_one_out(split, FixOptions(pod=ONE)))
    said = list(other_history(split, FixOptions(pod=ONE)))
    assert [r.id for r in said] == ["R4"] and "the vote is split" in said[0].text and not said[0].granted
    assert next(iter(other_history(split, FixOptions(pod=ONE, primary_is_right=CLUSTER_ID)))).granted


def test_a_stranger_without_data_may_go_whatever_the_vote_says(fix: Fix) -> None:
    sim = Sim()
    recreated(sim)
    sim.volume_of(ONE).databases = {}
    assert "R4" not in {r.id for r in fix(sim, dry_run="client").refusals}


def test_all_that_speaks_against_it_is_said_at_once(fix: Fix) -> None:
    sim = Sim()
    recreated(sim)
    not_ready(sim)
    assert {"R4", "R5", "R14"} <= {r.id for r in fix(sim).refusals}
