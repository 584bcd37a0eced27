"""The faults of a cluster, one named test each; numbers as in docs/reliability.md. Each asserts what was sent, the exit
code, and what the cluster holds in the end."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.sqlite_file import MAGIC
from kubectl_litefs.fix.work import Interrupted
from kubectl_litefs.ports import Answer

from ..harness import APP, CLUSTER_ID, NS
from .conftest import Fix
from .sim import STRANGER, Sent, Sim

ONE, CLAIM = f"{APP}-1", f"litefs-data-{APP}-1"
Said = KubeError | BaseException | Answer | None


def api(status: int | None, reason: str = "", message: str = "", wait: float | None = None) -> KubeError:
    return KubeError(message or reason, status=status, reason=reason, retry_after=wait)


def times(number: int, match: Callable[[Sent], bool], said: Said) -> Callable[[Sim, Sent], Said]:
    """The first `number` requests that match get this answer."""
    left = [number]

    def hook(sim: Sim, sent: Sent) -> Said:
        if left[0] > 0 and match(sent):
            left[0] -= 1
            return said
        return None

    return hook


def deletes_claim(sent: Sent) -> bool:
    return sent.method == "DELETE" and sent.path.endswith(CLAIM)


def evicts(sent: Sent) -> bool:
    return sent.path.endswith("/eviction")


def lists(plural: str) -> Callable[[Sent], bool]:
    return lambda sent: sent.method == "GET" and sent.path.endswith(f"/{plural}")


READS = ["pods", "persistentvolumeclaims", "statefulsets"]


@pytest.mark.parametrize("plural", READS)
def test_01_a_429_is_waited_for_as_told(fix: Fix, plural: str) -> None:
    sim = Sim()
    sim.before.append(times(2, lists(plural), api(429, "TooManyRequests", wait=7)))
    assert int(fix(sim).code) == 0
    assert sim.clock.slept.count(7) == 2


@pytest.mark.parametrize("plural", READS)
def test_01_a_429_for_ever_ends_at_the_time_limit(fix: Fix, plural: str) -> None:
    sim = Sim()
    sim.before.append(times(9999, lists(plural), api(429, "TooManyRequests", wait=20)))
    assert int(fix(sim, timeout=100).code) == 9
    assert not [s for s in sim.sent if s.changes] and sum(sim.clock.slept) <= 120


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("plural", READS)
def test_02_a_5xx_on_a_read_is_tried_again_and_then_ends_without_a_write(fix: Fix, plural: str, status: int) -> None:
    sim = Sim()
    sim.before.append(times(3, lists(plural), api(status, "InternalError")))
    assert int(fix(sim).code) == 0
    sim = Sim()
    sim.before.append(times(9999, lists(plural), api(status, "InternalError")))
    assert int(fix(sim).code) == 9
    assert not [s for s in sim.sent if s.changes] and len([s for s in sim.sent if lists(plural)(s)]) < 10


@pytest.mark.parametrize("reason", ["Timeout", "Unreachable", "TLS"])
def test_03_a_server_that_cannot_be_reached_is_said_at_once(fix: Fix, reason: str) -> None:
    sim = Sim()
    sim.before.append(times(9999, lambda sent: True, api(None, reason, f"cannot reach {sim.server}")))
    outcome = fix(sim)
    assert int(outcome.code) == 3 and sim.server in outcome.message and sum(sim.clock.slept) < 15


def test_04_a_token_that_expires_midway(fix: Fix) -> None:
    """The session renews it once (tests/kube); here the renewal has failed."""
    sim = Sim()
    sim.before.append(times(1, lambda s: s.path.endswith("/leases"), api(401, "Unauthorized")))
    assert int(fix(sim).code) == 9 and not sim.changes
    sim = Sim()
    sim.before.append(times(9999, evicts, api(401, "Unauthorized")))
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "--resume" in str(outcome.hint)


def test_05_a_403_that_the_review_did_not_foresee(fix: Fix) -> None:
    sim = Sim()
    refused = KubeError("denied by policy", status=403, reason="Forbidden", verb="delete", resource="persistentvolumeclaims")
    sim.before.append(times(9999, deletes_claim, refused))
    outcome = fix(sim)
    assert int(outcome.code) == 3 and "delete persistentvolumeclaims" in outcome.message
    assert "deletionTimestamp" not in sim.claim(1)["metadata"]
    sim = Sim()
    sim.before.append(times(9999, evicts, KubeError("denied", status=403, reason="Forbidden", verb="create", resource="pods/eviction")))
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "create pods/eviction" in outcome.message and "--resume" in str(outcome.hint)


def test_07_the_delete_happened_and_its_answer_was_lost(fix: Fix) -> None:
    sim = Sim()
    sim.after.append(times(1, deletes_claim, api(None, "Timeout", "no answer")))
    assert int(fix(sim).code) == 0
    assert sim.changes.count(f"DELETE persistentvolumeclaims/{CLAIM}") == 1


def test_08_the_delete_did_not_happen_and_its_answer_was_lost(fix: Fix) -> None:
    sim = Sim()
    sim.before.append(times(1, deletes_claim, api(None, "Timeout", "no answer")))
    assert int(fix(sim).code) == 0
    bodies = [s.body for s in sim.sent if deletes_claim(s)]
    assert len(bodies) == 2 and {b["preconditions"]["uid"] for b in bodies if b} == {f"uid-persistentvolumeclaim-{CLAIM}"}


def test_09_a_new_resource_version_is_looked_at_and_taken_three_times_at_most(fix: Fix) -> None:
    def resizer(sim: Sim, sent: Sent) -> Said:
        if deletes_claim(sent):
            sim.touch("persistentvolumeclaims", CLAIM)
        return None

    sim = Sim()
    sim.before.append(times(2, deletes_claim, None))
    once = [True]

    def first_only(sim: Sim, sent: Sent) -> Said:
        if deletes_claim(sent) and once:
            once.clear()
            sim.touch("persistentvolumeclaims", CLAIM)
        return None

    sim.before.append(first_only)
    assert int(fix(sim).code) == 0
    sim = Sim()
    sim.before.append(resizer)
    assert int(fix(sim).code) == 6
    assert len([s for s in sim.sent if deletes_claim(s)]) == 4 and "deletionTimestamp" not in sim.claim(1)["metadata"]


def test_10_a_claim_that_was_swapped_is_not_deleted(fix: Fix) -> None:
    sim = Sim()

    def swap(sim: Sim, sent: Sent) -> Said:
        if deletes_claim(sent):
            sim.volumes["another"] = sim.volumes[sim.claim(1)["metadata"]["uid"]]
            sim.claim(1)["metadata"]["uid"] = "another"
        return None

    sim.before.append(swap)
    outcome = fix(sim)
    assert int(outcome.code) == 6 and "another" in outcome.message
    assert "deletionTimestamp" not in sim.claim(1)["metadata"]


@pytest.mark.parametrize("said", [api(None, "Timeout"), api(404, "NotFound"), api(409, "Conflict")])
def test_13_a_pod_that_is_gone_already_is_gone(fix: Fix, said: KubeError) -> None:
    sim = Sim()

    def gone(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            del sim.objects["pods", ONE]
            return said
        return None

    sim.before.append(gone)
    assert int(fix(sim).code) == 0


def test_14_a_budget_that_never_allows_it(fix: Fix) -> None:
    sim = Sim()
    sim.before.append(times(9999, evicts, api(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")))
    outcome = fix(sim, timeout=120)
    assert int(outcome.code) == 10 and "ARMED" in outcome.message and "--disable-eviction" in str(outcome.hint)
    assert ("pods", ONE) in sim.objects and any("budget" in w for w in fix.heard.waits("pod"))
    assert int(fix(sim, resume=True, disable_eviction=True).code) == 0, "as the hint says"


def test_15_two_budgets(fix: Fix) -> None:
    sim = Sim()
    sim.before.append(times(9999, evicts, api(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")))
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "more than one PodDisruptionBudget" in outcome.message and "--disable-eviction" in str(outcome.hint)


def test_16_a_foreign_finalizer_is_named_and_never_stripped(fix: Fix) -> None:
    sim = Sim()
    sim.claim(1)["metadata"]["finalizers"].append("snapshot.storage.kubernetes.io/pvc-as-source-protection")
    outcome = fix(sim, timeout=200)
    assert int(outcome.code) == 10 and "snapshot.storage.kubernetes.io" in outcome.message
    assert sim.claim(1)["metadata"]["finalizers"] == ["snapshot.storage.kubernetes.io/pvc-as-source-protection"]
    assert not [s for s in sim.sent if s.method == "PATCH"]


def test_17_a_used_claim_without_its_protection_stops_before_the_pod(fix: Fix) -> None:
    sim = Sim()
    sim.claim(1)["metadata"]["finalizers"] = ["example.com/other"]
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "kubernetes.io/pvc-protection" in outcome.message
    assert not [s for s in sim.sent if evicts(s)]


def test_18_a_pending_pod_without_a_claim_is_deleted_once(fix: Fix) -> None:
    sim = Sim()

    def orphan(sim: Sim, sent: Sent) -> Said:
        """An older controller: it made the pod while the old claim ended, and looks at it no more."""
        if evicts(sent):
            sim.controller_up = False
        if not sim.controller_up and ("pods", ONE) not in sim.objects and ("persistentvolumeclaims", CLAIM) not in sim.objects:
            spec = dict(sim.pod(2)["spec"])
            sim.put("pods", {"kind": "Pod", "metadata": {"name": ONE, "namespace": NS, "x-born": sim.clock.seconds, "uid": "orphan"}, "spec": spec, "status": {"phase": "Pending", "conditions": []}})
        if sent.method == "DELETE" and sent.path.endswith(f"/pods/{ONE}"):
            sim.pod(1)["spec"]["terminationGracePeriodSeconds"] = 0
            sim.controller_up = True
        return None

    sim.before.append(orphan)
    assert int(fix(sim).code) == 0
    removed = [s for s in sim.sent if s.method == "DELETE" and s.path.endswith(f"/pods/{ONE}")]
    assert len(removed) == 1 and removed[0].body is not None and removed[0].body["preconditions"] == {"uid": "orphan"}


def test_19_a_lower_ordinal_that_turns_not_ready_is_named_and_resume_ends_well(fix: Fix) -> None:
    sim = Sim()

    def turns(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            sim.pod(0)["status"]["conditions"][0]["status"] = "False"
        return None

    sim.before.append(turns)
    outcome = fix(sim, timeout=200)
    assert int(outcome.code) == 10 and "ordinal 0 (abaci-app-0) is not Ready" in outcome.message
    sim.pod(0)["status"]["conditions"][0]["status"] = "True"
    assert int(fix(sim, resume=True).code) == 0


def test_20_no_controller(fix: Fix) -> None:
    sim = Sim()
    sim.controller_up = False
    outcome = fix(sim, timeout=200)
    assert int(outcome.code) == 10 and "no controller activity" in outcome.message
    assert sim.changes == [f"DELETE persistentvolumeclaims/{CLAIM}", f"POST pods/{ONE}/eviction"]


def test_21_a_pending_claim_is_no_error_while_it_may_still_be_bound(fix: Fix) -> None:
    sim = Sim()
    sim.provisioner_up = False
    sim.before.append(lambda s, sent: setattr(s, "provisioner_up", s.clock.seconds > 100))
    assert int(fix(sim).code) == 0
    assert any("the new claim is Pending" in w for w in fix.heard.waits("wait"))


@pytest.mark.parametrize("message", ["exceeded quota: storage", "storageclass.storage.k8s.io \"gone\" not found", "no capacity in zone a"])
def test_22_a_volume_that_cannot_be_made_is_told_in_the_events_words(fix: Fix, message: str) -> None:
    sim = Sim()
    sim.provisioner_up = False
    sim.before.append(lambda s, sent: s.event("PersistentVolumeClaim", CLAIM, "ProvisioningFailed", message) if evicts(sent) else None)
    outcome = fix(sim, timeout=200)
    assert int(outcome.code) == 10 and message in outcome.message
    assert (Path(outcome.backup) / "db-0001.sqlite").exists()


def test_23_a_new_volume_that_is_too_small_is_named(fix: Fix) -> None:
    sim = Sim()
    sim.join_after = 1e9

    def full(sim: Sim, sent: Sent) -> Said:
        if sent.path.endswith(f"{ONE}/log") and sim.pod(1)["metadata"]["uid"] != f"uid-pod-{ONE}":
            return Answer(200, {}, b"level=INFO msg=\"write ltx: no space left on device\"\n")
        return None

    sim.before.append(full)
    outcome = fix(sim, timeout=200)
    assert int(outcome.code) == 11 and "no space left on device" in outcome.message and "1Gi" in outcome.message


def test_24_a_node_that_is_lost_after_the_claim_is_told_and_nothing_forced(fix: Fix) -> None:
    sim = Sim()

    def lose(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            sim.lost_nodes.add("node-1")
            sim.objects["nodes", "node-1"]["status"]["conditions"][0]["status"] = "Unknown"
        return None

    sim.before.append(lose)
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "node-1 is NotReady" in outcome.message
    assert not [s for s in sim.sent if "/leases" not in s.path and "gracePeriodSeconds" in json.dumps(s.body)]


def test_25_a_long_grace_period_is_waited_for_with_a_countdown(fix: Fix) -> None:
    sim = Sim()
    sim.pod(1)["spec"]["terminationGracePeriodSeconds"] = 300
    assert int(fix(sim).code) == 0
    told = [w for w in fix.heard.waits("wait") if "ignores SIGTERM" in w]
    assert len(set(told)) > 50 and sum(sim.clock.slept) > 300


@pytest.mark.parametrize("said", [api(410, "Expired"), api(None, "Unreachable", "EOF"), api(None, "Timeout"), Answer(200, {}, b'{"metadata": {'), Answer(200, {}, b'{"type": "BOOKMARK"}')], ids=["410", "eof", "hang", "half", "bookmark"])
def test_26_a_look_that_fails_while_waiting_is_made_again(fix: Fix, said: Said) -> None:
    sim = Sim()
    armed: list[bool] = []

    def later(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            armed.append(True)
        if armed and sent.method == "GET" and sent.path.endswith((f"pods/{ONE}", CLAIM)) and len(armed) < 6:
            armed.append(True)
            return said if not (isinstance(said, KubeError) and said.status == 410) else api(503, "Expired")
        return None

    sim.before.append(later)
    assert int(fix(sim).code) == 0


def test_27_an_old_pod_that_looks_new_is_told_by_its_uid(fix: Fix) -> None:
    """A stale cache shows the old pod as Running and Ready: only another uid counts."""
    sim = Sim()
    old = json.loads(json.dumps(sim.pod(1)))
    seen: list[int] = []

    def stale(sim: Sim, sent: Sent) -> Said:
        gone = ("pods", ONE) not in sim.objects
        if gone and sent.method == "GET" and sent.path.endswith(f"/pods/{ONE}") and len(seen) < 3:
            seen.append(1)
            return Answer(200, {}, json.dumps(old).encode())
        return None

    sim.before.append(stale)
    assert int(fix(sim).code) == 0
    assert sim.pod(1)["metadata"]["uid"] != old["metadata"]["uid"]


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_32_another_machines_clock_does_not_free_its_lock(fix: Fix, skew: int) -> None:
    """Its holder renews it: that it looks an hour old (or young) here says nothing."""
    from datetime import timedelta

    from ..harness import NOW

    sim = Sim()
    count = [0]

    def renewing(sim: Sim, sent: Sent) -> Said:
        if sent.path.endswith(f"/leases/litefs-fix-{APP}") and sent.method == "GET":
            count[0] += 1
            at = NOW + timedelta(seconds=skew + sim.clock.seconds // 15 * 15)
            sim.objects["leases", f"litefs-fix-{APP}"]["spec"]["renewTime"] = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        return None

    at = (NOW + timedelta(seconds=skew)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    sim.put("leases", {"metadata": {"name": f"litefs-fix-{APP}", "namespace": NS}, "spec": {"holderIdentity": "eve@else#1", "leaseDurationSeconds": 60, "renewTime": at}})
    sim.before.append(renewing)
    assert int(fix(sim, break_lock=True).code) == 5
    assert count[0] > 1 and not sim.changes


def test_31_a_lock_that_is_stolen_before_the_claim_stops_it(fix: Fix) -> None:
    sim = Sim()

    def thief(sim: Sim, sent: Sent) -> Said:
        if "/export" in sent.path:
            sim.objects["leases", f"litefs-fix-{APP}"]["spec"]["holderIdentity"] = "eve@else#1"
            sim.touch("leases", f"litefs-fix-{APP}")
        return None

    sim.before.append(thief)
    outcome = fix(sim)
    assert int(outcome.code) == 9 and "eve@else" in outcome.message
    assert not sim.changes and ("leases", f"litefs-fix-{APP}") in sim.objects


def test_31_a_lock_that_is_lost_after_the_claim_is_a_warning(fix: Fix) -> None:
    sim = Sim()
    sim.before.append(lambda s, sent: s.objects.pop(("leases", f"litefs-fix-{APP}"), None) and None if evicts(sent) else None)
    sim.join_after = 60
    outcome = fix(sim)
    assert int(outcome.code) == 0 and any("is gone" in w for w in outcome.warnings)


@pytest.mark.parametrize("other", [ONE, f"{APP}-2"])
def test_30_of_two_runs_in_one_set_one_is_locked_out(fix: Fix, other: str) -> None:
    sim = Sim()
    sim.volume_of(f"{APP}-2").cluster_id = "LFSC00000000000000F6"  # an ex-primary, too
    sim.claim(2)["metadata"]["creationTimestamp"] = sim.claim(1)["metadata"]["creationTimestamp"]
    inner: list[int] = []

    def second(key: str, state: str) -> None:
        if (key, state) == ("backup", "done") and not inner:
            inner.append(int(Fix(fix.home)(sim, pod=other, primary_is_right=CLUSTER_ID).code))

    fix.heard.on_step = second
    assert int(fix(sim).code) == 0 and inner == [5]
    assert len([s for s in sim.sent if s.method == "DELETE" and "/persistentvolumeclaims/" in s.path]) == 1


def test_33_replicas_that_somebody_sets_back_end_strategy_scale_without_a_loss(fix: Fix) -> None:
    sim = Sim()

    def argo(sim: Sim, sent: Sent) -> Said:
        owner = sim.objects["statefulsets", APP]
        if sent.method == "GET" and sent.path.endswith(f"/statefulsets/{APP}") and owner["spec"]["replicas"] == 1:
            owner["spec"]["replicas"] = 3
        return None

    sim.before.append(argo)
    outcome = fix(sim, strategy="scale")
    assert int(outcome.code) == 9 and "somebody set the replicas to 3" in outcome.message
    assert not [s for s in sim.sent if deletes_claim(s)] and sim.objects["statefulsets", APP]["spec"]["replicas"] == 3


def test_34_a_set_that_grows_meanwhile_is_left_to_grow(fix: Fix) -> None:
    sim = Sim()

    def hpa(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            sim.objects["statefulsets", APP]["spec"]["replicas"] = 4
        return None

    sim.before.append(hpa)
    outcome = fix(sim)
    assert int(outcome.code) == 0 and any("4 replicas now" in w for w in outcome.warnings)
    assert not [s for s in sim.sent if s.method == "PATCH"]


def test_35_a_template_that_changed_since_the_plan(fix: Fix) -> None:
    sim = Sim()

    def apply(sim: Sim, sent: Sent) -> Said:
        if sent.path.endswith("/leases") and sent.method == "POST":
            owner = sim.objects["statefulsets", APP]
            owner["metadata"]["generation"] = owner["status"]["observedGeneration"] = 2
        return None

    sim.before.append(apply)
    outcome = fix(sim)
    assert int(outcome.code) == 6 and "generation was 1, now it is 2" in outcome.message and not sim.changes


def test_36_a_primary_that_is_away_at_the_gate_and_after_it(fix: Fix) -> None:
    down = (503, {}, b'{"reason": "ServiceUnavailable", "message": "connection refused"}')
    sim = Sim()
    sim.before.append(lambda s, sent: s.infos.update({f"{APP}-0": lambda path: down}) if "/export" in sent.path else None)
    assert int(fix(sim).code) == 9 and not sim.changes
    sim = Sim()
    sim.join_after = 30
    sim.infos[f"{APP}-0"] = lambda path: down if any(evicts(s) for s in sim.sent) and sim.clock.seconds < 80 else None
    assert int(fix(sim).code) == 0


@pytest.mark.parametrize("moment", ["lock", "export", "claim"])
def test_37_a_target_that_becomes_primary(fix: Fix, moment: str) -> None:
    sim = Sim()
    lead = json.dumps({"clusterID": STRANGER, "isPrimary": True, "candidate": True, "path": "/var/lib/litefs"}).encode()

    def failover(sim: Sim, sent: Sent) -> Said:
        at = {"lock": sent.path.endswith("/leases"), "export": "/export" in sent.path, "claim": deletes_claim(sent)}[moment]
        if at:
            sim.infos[ONE] = lambda path: lead if path == "info" else None
        return None

    sim.before.append(failover)
    outcome = fix(sim)
    if moment == "claim":
        assert int(outcome.code) == 10 and outcome.message.startswith("ARMED: do not delete, drain or restart abaci-app-1")
    else:
        assert int(outcome.code) == 4 and "deletionTimestamp" not in sim.claim(1)["metadata"]
    assert not [s for s in sim.sent if evicts(s)]


@pytest.mark.parametrize("nodes", [2, 3])
def test_38_a_wrong_primary_costs_nothing(fix: Fix, nodes: int) -> None:
    sim = Sim(replicas=nodes)
    for n in range(1, nodes):
        sim.volume_of(f"{APP}-{n}").cluster_id = STRANGER
    sim.claim(0)["metadata"]["creationTimestamp"] = "2026-11-23T12:29:00Z"
    outcome = fix(sim)
    assert int(outcome.code) == 4 and {r.id for r in outcome.refusals} & {"R4", "R5"}
    assert not [s for s in sim.sent if s.changes]


def test_40_ids_that_change_between_two_looks(fix: Fix) -> None:
    sim = Sim()
    flip = [0]

    def info(path: str) -> Any:
        if path != "info":
            return None
        flip[0] += 1
        cluster = STRANGER if flip[0] % 2 else "LFSC00000000000000D4"
        return json.dumps({"clusterID": cluster, "isPrimary": False, "candidate": False, "path": "/var/lib/litefs"}).encode()

    sim.infos[ONE] = info
    outcome = fix(sim)
    assert int(outcome.code) == 4 and "R9" in {r.id for r in outcome.refusals}


HOSTILE = {
    "html": b"<html>hello</html>",
    "nan": b'{"clusterID": NaN, "isPrimary": false}',
    "missing": b'{"isPrimary": false}',
    "large": b'{"clusterID": "' + b"x" * 2_000_000 + b'", "isPrimary": false, "path": "/"}',
    "array": b"[1, 2]",
    "empty": b"",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("pod", [f"{APP}-0", ONE])
def test_41_an_answer_that_is_no_info_proves_nothing(fix: Fix, pod: str, body: bytes) -> None:
    sim = Sim()
    sim.infos[pod] = lambda path: body if path == "info" else None
    outcome = fix(sim)
    assert int(outcome.code) == 4 and not sim.changes


@pytest.mark.parametrize(("status", "words"), [(503, "connection refused"), (400, "address not allowed")])
def test_42_a_target_that_does_not_answer_may_go_with_its_volume_kept(fix: Fix, status: int, words: str) -> None:
    sim = Sim()
    sim.infos[ONE] = lambda path: (status, {}, json.dumps({"reason": "x", "message": words}).encode()) if sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}" else None
    outcome = fix(sim)
    assert int(outcome.code) == 4 and any("--backup=retain-pv" in r.instead for r in outcome.refusals)


def test_42_with_its_volume_kept_a_silent_target_is_replaced(fix: Fix) -> None:
    """Its log proves the mismatch; nothing can be exported, so the volume itself is the backup."""
    down = (503, {}, b'{"reason": "ServiceUnavailable", "message": "connection refused"}')
    sim = Sim()
    keeps_volume(sim)
    sim.infos[ONE] = lambda path: down if sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}" else None
    outcome = fix(sim, backup="retain-pv")
    assert int(outcome.code) == 0, outcome
    assert outcome.plan is not None and outcome.plan.target_cluster_id == STRANGER and outcome.backup == f"volume pv-{ONE}"
    sim = Sim()
    keeps_volume(sim)
    sim.infos[ONE] = lambda path: down
    sim.logs.pop(sim.pod(1)["metadata"]["uid"])
    assert int(fix(sim, backup="retain-pv").code) in (0, 4) and not sim.changes, "without a log there is no proof at all"


def truncated(sim: Sim) -> None:
    sim.exports = lambda pod, name, data: data[: len(data) // 2] + b"pebble: closed\n"


def page_wrong(sim: Sim) -> None:
    sim.exports = lambda pod, name, data: data[:-1] + bytes([data[-1] ^ 1])


def no_pages(sim: Sim) -> None:
    sim.exports = lambda pod, name, data: MAGIC + (512).to_bytes(2, "big") + bytes(82)


def moving(sim: Sim) -> None:
    def move(pod: str, name: str, data: bytes) -> bytes:
        db = sim.volume_of(pod).databases[name]
        sim.volume_of(pod).databases[name] = dataclasses.replace(db, txid=db.txid + 1)
        return data

    sim.exports = move


@pytest.mark.parametrize("break_it", [truncated, page_wrong, no_pages, moving])
def test_43_an_export_that_is_not_whole_ends_it_before_the_claim(fix: Fix, break_it: Callable[[Sim], None]) -> None:
    sim = Sim()
    break_it(sim)
    outcome = fix(sim)
    assert int(outcome.code) == 7 and not sim.changes
    assert not list(fix.home.rglob("*.sqlite")) and not list(fix.home.rglob("*.part"))
    assert len([s for s in sim.sent if "/export" in s.path]) == 3, "tried three times"
    assert ("leases", f"litefs-fix-{APP}") not in sim.objects


def test_43_an_export_that_breaks_once_is_made_again(fix: Fix) -> None:
    sim = Sim()
    sim.after.append(times(1, lambda s: "/export" in s.path, api(None, "Unreachable", "connection reset")))
    assert int(fix(sim).code) == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_44_a_disk_that_cannot_hold_it(fix: Fix, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    sim = Sim()
    real = os.write

    def write(file: int, data: Any) -> int:
        if bytes(data[:16]) == MAGIC:
            raise OSError(number, os.strerror(number))
        return real(file, data)

    monkeypatch.setattr("kubectl_litefs.fix.export.os.write", write)
    outcome = fix(sim)
    assert int(outcome.code) == 7 and os.strerror(number) in outcome.message
    assert not sim.changes and not list(fix.home.rglob("db-*.sqlite"))


def test_44_too_little_room_is_seen_before_it_is_filled(fix: Fix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_litefs.fix.export.shutil.disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))  # type: ignore[attr-defined]
    sim = Sim()
    outcome = fix(sim)
    assert int(outcome.code) == 7 and "5 bytes free" in outcome.message and not sim.changes


def test_44_a_backup_folder_that_vanishes(fix: Fix) -> None:
    sim = Sim()
    sim.before.append(lambda s, sent: shutil.rmtree(fix.home / "backups") if "/export" in sent.path and (fix.home / "backups").exists() else None)
    assert int(fix(sim).code) == 7 and not sim.changes


def old_data(sim: Sim) -> None:
    sim.infos[ONE] = lambda path: None if sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}" or path != "debug/vars" else b'{"store": {"dbs": {"db": {"name": "db", "txid": "0000000000000002", "checksum": "00"}}}}'


def wrong_id(sim: Sim) -> None:
    sim.infos[ONE] = lambda path: None if sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}" or path != "info" else b'{"clusterID": "LFSC00000000000000E5", "isPrimary": false, "candidate": false, "path": "/d"}'


def missing(sim: Sim) -> None:
    sim.infos[ONE] = lambda path: None if sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}" or path != "debug/vars" else b'{"store": {"dbs": {}}}'


def frozen(sim: Sim) -> None:
    """It copied once and then stands still while the primary writes on."""
    base = sim.volume_of(f"{APP}-0").databases["db"]

    def vars_of(name: str) -> Callable[[str], Any]:
        def said(path: str) -> Any:
            if path != "debug/vars" or sim.pod(1)["metadata"]["uid"] == f"uid-pod-{ONE}":
                return None
            moves = int(sim.clock.seconds) if name != ONE else 0
            return json.dumps({"store": {"dbs": {"db": {"name": "db", "txid": f"{base.txid + moves:016x}", "checksum": base.checksum if not moves else f"{moves:016x}"}}}}).encode()

        return said

    sim.infos[ONE], sim.infos[f"{APP}-0"] = vars_of(ONE), vars_of(f"{APP}-0")


@pytest.mark.parametrize("break_it", [old_data, wrong_id, missing, frozen])
def test_45_ready_is_no_proof(fix: Fix, break_it: Callable[[Sim], None]) -> None:
    sim = Sim()
    break_it(sim)
    outcome = fix(sim, timeout=300)
    assert int(outcome.code) == 11, outcome
    assert sim.pod(1)["status"]["conditions"][0]["status"] == "True"


def test_46_a_pod_that_comes_back_as_a_primary_of_its_own(fix: Fix) -> None:
    sim = Sim()
    sim.fresh_leads = True
    outcome = fix(sim)
    assert int(outcome.code) == 11 and "lease.candidate" in outcome.message and "LFSC00000000000000C3" in outcome.message


def test_47_a_set_of_the_same_name_is_not_the_same_set(fix: Fix) -> None:
    sim = Sim()

    def recreate(sim: Sim, sent: Sent) -> Said:
        if sent.path.endswith("/leases") and sent.method == "POST":
            sim.objects["statefulsets", APP]["metadata"]["uid"] = "namesake"
            for n in range(3):
                sim.pod(n)["metadata"]["ownerReferences"][0]["uid"] = "namesake"
        return None

    sim.before.append(recreate)
    assert int(fix(sim).code) == 6 and not sim.changes


def test_48_a_namespace_that_goes_after_the_claim(fix: Fix) -> None:
    sim = Sim()

    def drop(sim: Sim, sent: Sent) -> Said:
        if evicts(sent):
            sim.controller_up = False
            for key in [k for k in sim.objects if k[0] in ("pods", "persistentvolumeclaims", "statefulsets")]:
                del sim.objects[key]
        return None

    sim.before.append(drop)
    assert int(fix(sim, timeout=120).code) == 10


def keeps_volume(sim: Sim) -> None:
    claim = sim.claim(1)
    sim.objects["persistentvolumes", f"pv-{ONE}"]["spec"]["claimRef"] = {"namespace": NS, "name": CLAIM, "uid": claim["metadata"]["uid"]}


def test_49_a_volume_is_kept_and_looked_at_again_at_the_gate(fix: Fix) -> None:
    sim = Sim()
    keeps_volume(sim)
    outcome = fix(sim, backup="retain-pv")
    assert int(outcome.code) == 0 and sim.objects["persistentvolumes", f"pv-{ONE}"]["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    sim = Sim()
    keeps_volume(sim)
    seen = [0]

    def revert(sim: Sim, sent: Sent) -> Said:
        if sent.method == "GET" and sent.path.endswith(f"persistentvolumes/pv-{ONE}"):
            seen[0] += 1
            if seen[0] == 2:
                sim.objects["persistentvolumes", f"pv-{ONE}"]["spec"]["persistentVolumeReclaimPolicy"] = "Delete"
        return None

    sim.before.append(revert)
    outcome = fix(sim, backup="retain-pv")
    assert int(outcome.code) == 7 and "deletionTimestamp" not in sim.claim(1)["metadata"]


def test_a_snapshot_is_waited_for_until_it_is_ready(fix: Fix) -> None:
    sim = Sim()

    def snapshotter(sim: Sim, sent: Sent) -> Said:
        for (plural, _), obj in sim.objects.items():
            if plural == "volumesnapshots" and sim.clock.seconds > 40:
                obj["status"]["readyToUse"] = True
        return None

    sim.before.append(snapshotter)
    outcome = fix(sim, backup="snapshot")
    assert int(outcome.code) == 0 and outcome.backup.startswith("VolumeSnapshot litefs-fix-")
    sim = Sim()
    assert int(fix(sim, backup="snapshot", timeout=100).code) == 7 and "deletionTimestamp" not in sim.claim(1)["metadata"]


def test_22_the_old_data_is_in_the_backup_whatever_happens_later(fix: Fix) -> None:
    sim = Sim()
    data = sim.volume_of(ONE).databases["db"].data
    sim.fresh_leads = True
    outcome = fix(sim)
    assert (Path(outcome.backup) / "db-0001.sqlite").read_bytes() == data


def test_a_signal_says_the_state_and_not_its_number(fix: Fix) -> None:
    sim = Sim()
    sim.after.append(times(1, deletes_claim, Interrupted("SIGTERM")))
    outcome = fix(sim)
    assert int(outcome.code) == 10 and "SIGTERM" in outcome.message
    assert CLUSTER_ID != STRANGER and int(fix(sim, resume=True).code) == 0
