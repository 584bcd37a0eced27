"""What diagnose says of real objects on a real API server, and what replacing a volume by hand does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from .accounts import Account, Audit
from .api import ApiError, until
from .conftest import Cli, ControlPlane
from .litefs_set import LitefsSet
from .played import Node
from .reports import diagnosed, errors

NewSet = Callable[..., LitefsSet]


def test_a_healthy_cluster_has_no_error(litefs_set: NewSet, cli: Cli) -> None:
    made = litefs_set("healthy")
    code, report = diagnosed(cli, made.namespace)
    assert errors(report) == []
    assert code == 0
    assert [p["role"] for p in report["clusters"][0]["pods"]] == ["primary", "following", "following"]
    assert not report.get("gaps"), "all of it could be seen"


def test_lfs101_in_a_cluster_id_mismatch(litefs_set: NewSet, cli: Cli) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    code, report = diagnosed(cli, made.namespace)
    assert ("LFS101", "abaci-app-1") in errors(report)
    assert not [x for x in errors(report) if x[0] == "LFS102"]
    assert code == 1
    ids = {p["pod"]: p["clusterID"] for p in report["clusters"][0]["pods"]}
    assert ids["abaci-app-1"] == made.litefs(1).cluster != ids["abaci-app-0"] == ids["abaci-app-2"] == made.litefs(0).cluster


def test_lfs102_where_the_primary_lost_its_volume(litefs_set: NewSet, cli: Cli) -> None:
    made = litefs_set("primary-volume-recreated")
    code, report = diagnosed(cli, made.namespace)
    assert "LFS102" in {rule for rule, _ in errors(report)}
    assert code == 1
    assert len(made.rows(0)) == 1
    assert len(made.rows(1)) == len(made.rows(2)) == 6, "the replicas hold the only good copy"


def test_claim_then_pod_by_uid_brings_a_replica_back(litefs_set: NewSet, cli: Cli, control_plane: ControlPlane) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    assert "only on abaci-app-1" in made.rows(1)
    before = made.uids()
    claim, pod = f"{made.core}/persistentvolumeclaims/{made.claim_name(1)}", f"{made.core}/pods/{made.pod_name(1)}"
    for path in (claim, pod):
        with pytest.raises(ApiError, match=r"409 .*UID in (the )?precondition"):
            control_plane.api.delete(path, uid="00000000-0000-0000-0000-000000000000")
    assert made.uids() == before

    control_plane.api.delete(claim, uid=before[f"persistentvolumeclaims/{made.claim_name(1)}"])
    held = made.claim(1)
    assert held is not None and held["metadata"]["deletionTimestamp"], "the running pod holds its claim"
    control_plane.api.delete(pod, uid=before[f"pods/{made.pod_name(1)}"])
    made.running(1, not_uid=before[f"pods/{made.pod_name(1)}"])
    made.follows(1)

    after = made.uids()
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {f"pods/{made.pod_name(1)}", f"persistentvolumeclaims/{made.claim_name(1)}"}
    assert made.rows(1) == made.rows(0)
    assert made.proxied(1, "/info")["clusterID"] == made.litefs(0).cluster
    assert made.proxied(1, "/debug/vars")["store"]["dbs"]["db"] == made.proxied(0, "/debug/vars")["store"]["dbs"]["db"]
    code, report = diagnosed(cli, made.namespace)
    assert (code, errors(report)) == (0, [])


def test_diagnose_needs_exactly_the_roles_that_rbac_prints(
    litefs_set: NewSet, cli: Cli, account: Callable[..., Account], audit: Audit
) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=2)
    roles = cli("rbac", "diagnose", "-n", made.namespace)
    assert roles.returncode == 0, roles.stderr
    tool = account(made.namespace, roles.stdout)
    code, report = diagnosed(cli, made.namespace, tool)
    assert ("LFS101", "abaci-app-2") in errors(report)
    assert code == 1
    assert not report.get("gaps"), "all of it could be seen"
    seen = audit(tool.user)
    assert not [r for r in seen if r.code in (401, 403)]
    assert not [r for r in seen if r.mutating], "diagnose only reads"
    assert {"/info", "/metrics", "/debug/vars"} <= {m[1] for r in seen if (m := re.search(r":20202/proxy(/[^?]*)", r.uri))}


def test_one_verb_less_is_seen_and_said(litefs_set: NewSet, cli: Cli, account: Callable[..., Account], audit: Audit) -> None:
    made = litefs_set("healthy", ordinals=2)
    roles = cli("rbac", "diagnose", "-n", made.namespace).stdout
    less = roles.replace("resources: [pods/proxy]\n  verbs: [get]", "resources: [pods/proxy]\n  verbs: [create]")
    assert less != roles
    tool = account(made.namespace, less)
    _, report = diagnosed(cli, made.namespace, tool)
    assert any("pods/proxy" in json.dumps(gap) for gap in report["gaps"])
    assert {r.code for r in audit(tool.user) if "/proxy/" in r.uri} == {403}


def test_a_refused_replica_ignores_sigterm_until_its_grace_period_ends(litefs_set: NewSet, control_plane: ControlPlane) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1, grace=3)
    old = made.uids()[f"pods/{made.pod_name(1)}"]
    stuck = made.litefs(1)
    lines = len(stuck.log.lines())
    control_plane.api.delete(f"{made.core}/pods/{made.pod_name(1)}", uid=old)
    until("it goes on being refused", lambda: len(stuck.log.lines()) > lines + 2, 5)
    pod = made.pod(1)
    assert pod is not None and pod["metadata"]["uid"] == old, "still there after SIGTERM"
    made.running(1, not_uid=old)
    made.refused(1)


def test_a_refused_claim_says_so_in_an_event(litefs_set: NewSet, node: Node, control_plane: ControlPlane) -> None:
    made = litefs_set("healthy", wait_for_consumer=True, reclaim="Retain")
    before = made.uids()
    old = made.claim(1)
    assert old is not None
    node.volumes.refuse = "no space left in the pool"
    control_plane.api.delete(f"{made.core}/persistentvolumeclaims/{made.claim_name(1)}")
    control_plane.api.delete(f"{made.core}/pods/{made.pod_name(1)}")

    def told() -> list[str]:
        events = control_plane.api.get(f"{made.core}/events")["items"]
        return [e["message"] for e in events if e["reason"] == "ProvisioningFailed" and e["involvedObject"]["name"] == made.claim_name(1)]

    assert "no space left in the pool" in until("the event is there", told)[0]
    pod = made.pod(1)
    assert pod is not None and pod["status"]["phase"] == "Pending"
    kept = control_plane.api.get(f"/api/v1/persistentvolumes/{old['spec']['volumeName']}")
    assert kept["status"]["phase"] == "Released", "reclaim policy Retain"
    node.volumes.refuse = ""
    made.running(1, not_uid=before[f"pods/{made.pod_name(1)}"])
    made.follows(1)


def test_logs_come_from_the_played_kubelet(litefs_set: NewSet, control_plane: ControlPlane, node: Node) -> None:
    made = litefs_set("healthy", ordinals=2)
    log = f"{made.core}/pods/{made.pod_name(1)}/log"
    assert "connected to cluster, ready" in control_plane.api.text("GET", log)
    tail = control_plane.api.text("GET", log, query={"tailLines": "1", "timestamps": "true"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z waiting for signal or subprocess to exit\n", tail)
    with pytest.raises(ApiError, match="previous terminated container"):
        control_plane.api.text("GET", log, query={"previous": "true"})
    node.restart(made.namespace, made.pod_name(1))
    made.follows(1)
    assert "snapshot received" in control_plane.api.text("GET", log, query={"previous": "true"})
    assert "snapshot received" not in control_plane.api.text("GET", log), "the second run found its data on the volume"
