"""How facts fool a reader: one test for each way, all of them met on real clusters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_litefs import engine
from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.lease import lease_of
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.model.topology import Role, topology
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.rules import ALL

from .harness import LITEFS_YML, URL, snapshot

P0, P1, P2 = "abaci-app-0", "abaci-app-1", "abaci-app-2"
REFUSED = (
    f'level=INFO msg="00000000000000A1: disconnected from primary with error, retrying: connect to primary: '
    f"Post \\\"{URL}/stream\\\": dial tcp 10.244.0.10:20202: connect: connection refused ('{URL}')\"\n"
)


def cluster(**body: Any) -> Cluster:
    (found,) = assemble(snapshot({k.replace("_", "-"): v for k, v in body.items()})).clusters
    return found


def report(**body: Any) -> Report:
    return engine.judge(assemble(snapshot({k.replace("_", "-"): v for k, v in body.items()})), ALL)


def loud(report: Report) -> dict[str, str]:
    return {f.rule: f.severity.value for f in report.findings if f.severity is not Severity.INFO}


def roles(**body: Any) -> dict[str, Role]:
    return {name: link.role for name, link in topology(cluster(**body)).links.items()}


def old_info(snap: Snapshot) -> Snapshot:
    """The same cluster with the /info of LiteFS 0.5.6 and older: `primary` is the boolean."""
    import dataclasses

    def old(path: str, data: bytes) -> bytes:
        info = json.loads(data)
        info["primary"] = info.pop("isPrimary")
        return json.dumps({"id": 1, **info}).encode()

    def changed(item: Item) -> Item:
        data = old(item.path, item.read())
        return Item(item.path, lambda: iter((data,)))

    items = {p: changed(i) if p.endswith("info.json") else i for p, i in snap.items.items()}
    return dataclasses.replace(snap, items=items)


def test_info_has_two_shapes() -> None:
    judged = engine.judge(assemble(old_info(snapshot())), ALL)
    assert loud(judged) == {}
    assert {n: link.role for n, link in judged.clusters[0].topology.links.items()} == {
        P0: Role.PRIMARY, P1: Role.FOLLOWING, P2: Role.FOLLOWING,
    }  # fmt: skip


def test_a_named_primary_does_not_mean_connected() -> None:
    """A hanging dial: /info names the primary, lag is 0, no error line, nothing follows."""
    waiting = f'-300s LiteFS v0.5.14, commit=0\nlevel=INFO msg="Using static primary: primary=false hostname={P0} advertise-url={URL}"\nlevel=INFO msg="waiting to connect to cluster"\n'
    body = dict(
        info={P1: {"clusterID": None, "primary": {"hostname": P0}}}, vars={P1: {}}, logs={P1: waiting},
        metrics={P0: {"litefs_subscriber_count": 1}, P1: {"litefs_lag_seconds": 0}},
    )  # fmt: skip
    assert roles(**body)[P1] is Role.DISCONNECTED
    assert loud(report(**body)) == {"LFS309": "error"}


def test_a_replica_whose_primary_is_young_may_only_be_hanging() -> None:
    young = {"status": {"containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-11-23T12:29:10Z"}}}]}}
    waiting = '-40s LiteFS v0.5.14, commit=0\nlevel=INFO msg="waiting to connect to cluster"\n'
    body = dict(
        pods={P0: young, P1: young}, info={P1: {"clusterID": None}}, vars={P1: {}}, logs={P1: waiting},
        metrics={P0: {"litefs_subscriber_count": 1}},
    )  # fmt: skip
    assert roles(**body)[P1] is Role.CONNECTING
    assert loud(report(**body)) == {"LFS309": "warning"}


def test_the_subscriber_count_can_be_too_high() -> None:
    assert loud(report(metrics={P0: {"litefs_subscriber_count": 7}})) == {}


def test_a_replica_that_hangs_after_it_was_connected_is_not_merely_behind() -> None:
    """Seen after a rolling restart: one replica is back, the other still dials an address that is gone."""
    hanging = dict(vars={P0: {"db": "6/aaaaaaaaaaaaaaaa"}, P2: {"db": "6/aaaaaaaaaaaaaaaa"}}, metrics={P0: {"litefs_subscriber_count": 1}})
    assert roles(**hanging)[P1] is Role.DISCONNECTED and roles(**hanging)[P2] is Role.FOLLOWING
    assert loud(report(**hanging)) == {"LFS309": "error"}
    one_is_down = {**hanging, "info": {P2: None}}
    assert roles(**one_is_down)[P1] is Role.BEHIND, "the one subscriber may well be this one"


def test_lag_zero_proves_nothing() -> None:
    behind = report(vars={P1: {"db": "3"}}, metrics={P1: {"litefs_lag_seconds": 0}, P0: {"litefs_subscriber_count": 0}})
    assert behind.clusters[0].topology.links[P1].role is not Role.FOLLOWING


def test_one_sweep_is_taken_as_it_is_and_the_number_of_sweeps_is_in_no_message() -> None:
    both = {P0: {"isPrimary": True}, P1: {"isPrimary": True, "candidate": True, "primary": {"hostname": P0}}}
    once, twice = report(info=both), report(info=both, sweep1={"info": both})
    assert [f.message for f in once.findings] == [f.message for f in twice.findings]
    assert "LFS103" in loud(once)


def test_two_primaries_in_the_first_sweep_only_are_a_handover() -> None:
    both = {P0: {"isPrimary": True}, P1: {"isPrimary": True}}
    assert "LFS103" not in loud(report(sweep1={"info": both}))


def test_a_write_between_two_looks_is_no_divergence() -> None:
    """The replica is read first: it stands at a position that the primary had a moment ago."""
    moved = dict(vars={P0: {"db": "6/aaaaaaaaaaaaaaaa"}, P1: {"db": "5"}, P2: {"db": "5"}}, sweep1={"vars": {P0: {"db": "5"}}})
    assert loud(report(**moved)) == {}


def test_txid_zero_is_an_empty_shell() -> None:
    assert loud(report(vars={P1: {"db": "5", "junk": "0/0000000000000000"}})) == {}


def test_databases_outside_lease_databases_are_filtered_not_missing() -> None:
    text = LITEFS_YML.replace("  candidate:", "  databases: [db]\n  candidate:")
    # the primary must not filter: this is a reader whose file differs, so only the replica's facts matter
    found = cluster(**{"litefs.yml": text}, vars={P0: {"db": "5", "other": "9"}})
    assert topology(found).links[P1].role is Role.FOLLOWING


def test_unset_is_only_known_where_every_source_is_known() -> None:
    """`${LITEFS_CANDIDATE}` is nowhere in the pod spec, but the image's ENV may set it: the log decides."""
    text = LITEFS_YML.replace("${HOSTNAME == 'abaci-app-0'}", "${LITEFS_CANDIDATE}")
    assert loud(report(**{"litefs.yml": text})) == {}, "the log says primary=false on the replicas"
    unseen = report(**{"litefs.yml": text}, logs=dict.fromkeys((P0, P1, P2)), info=dict.fromkeys((P0, P1, P2)))
    assert not {"LFS205", "LFS207"} & set(loud(unseen)), "nobody knows"
    status = {c.rule: c.status for c in unseen.checks}
    assert status["LFS205"] is Status.SKIPPED


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, P1),
        ({"hostNetwork": True}, "node-1"),
        ({"setHostnameAsFQDN": True}, f"{P1}.abaci-app-headless.abaci.svc.cluster.local"),
        ({"hostname": "other"}, "other"),
        ({"hostname": "x" * 70}, "x" * 63),
    ],
    ids=["plain", "hostNetwork", "setHostnameAsFQDN", "spec.hostname", "cut at 63"],
)
def test_the_host_name_is_the_kernels(spec: dict[str, Any], name: str) -> None:
    pod = cluster(pods={P1: {"spec": spec}}).pod(P1)
    assert pod is not None and pod.host_name == name


def test_errors_of_a_rollout_do_not_count_once_positions_follow() -> None:
    """A successful reconnect logs nothing: the last line may be an error for ever."""
    assert loud(report(more_log={P1: "-60s " + REFUSED})) == {}


def test_an_error_that_repeats_now_counts() -> None:
    again = "".join(f"-{s}s {REFUSED}" for s in range(30, 0, -1))
    body = dict(more_log={P1: again}, vars={P1: {"db": "4"}}, metrics={P0: {"litefs_subscriber_count": 1}}, info={P1: {"primary": {"hostname": ""}}})
    assert roles(**body)[P1] is Role.DISCONNECTED
    assert loud(report(**body)).get("LFS309") == "error"


def test_the_banner_may_stand_late() -> None:
    late = f'-500s level=INFO msg="Using static primary: primary=false hostname={P0} advertise-url={URL}"\nlevel=INFO msg="connected to cluster, ready"\nLiteFS v0.5.14, commit=0\n'
    pod = cluster(logs={P1: late}).pod(P1)
    assert pod is not None and pod.log is not None
    assert (pod.log.starts, pod.log.version, pod.log.hit("connected") is not None) == (1, "0.5.14", True)


def test_a_variable_from_a_secret_is_unknown_never_unset() -> None:
    secret = {"spec": {"containers": [{"name": "app", "env": [{"name": "LITEFS_CANDIDATE", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}}
    text = LITEFS_YML.replace("${HOSTNAME == 'abaci-app-0'}", "${LITEFS_CANDIDATE}")
    blind = report(**{"litefs.yml": text}, template=secret, logs=dict.fromkeys((P0, P1, P2)), info=dict.fromkeys((P0, P1, P2)))
    assert not {"LFS205", "LFS206", "LFS207"} & set(loud(blind))


def test_pods_that_name_the_same_primary_are_one_cluster_whatever_set_they_are_in() -> None:
    reader = json.loads(json.dumps({
        "metadata": {"labels": {"app": "abaci-app"}, "ownerReferences": [{"kind": "StatefulSet", "name": "abaci-reader", "controller": True}]},
        "spec": {"containers": [{"name": "app", "command": ["litefs", "mount", "-config", "/config/litefs.yml"],
                                 "volumeMounts": [{"name": "config", "mountPath": "/config"}]}],
                 "volumes": [{"name": "config", "configMap": {"name": "abaci-litefs"}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-11-23T12:21:00Z"}}}]},
    }))  # fmt: skip
    sets = [{"kind": "StatefulSet", "name": "abaci-reader", "patch": {"spec": {"replicas": 1}}}]
    found = cluster(pods={"abaci-reader-0": reader}, objects=sets)
    assert [w.name for w in found.workloads] == ["abaci-app", "abaci-reader"]
    assert [p.name for p in found.pods] == [P0, P1, P2, "abaci-reader-0"]


def test_two_sets_of_one_namespace_are_judged_apart() -> None:
    """Same namespace, another primary: neither sees the other's pods."""
    other = json.loads(json.dumps({
        "metadata": {"labels": {"app": "x"}, "ownerReferences": [{"kind": "StatefulSet", "name": "other", "controller": True}]},
        "spec": {"containers": [{"name": "app", "command": ["litefs", "mount"]}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-11-23T12:21:00Z"}}}]},
    }))  # fmt: skip
    url = "http://other-0.other.abaci.svc:20202"
    facts = assemble(snapshot({"pods": {"other-0": other}, "lease-line": {"other-0": f"primary=true hostname=other-0 advertise-url={url}"}}))
    assert [[p.name for p in c.pods] for c in facts.clusters] == [[P0, P1, P2], ["other-0"]]


@pytest.mark.parametrize("command", [["litefs", "version"], ["litefs", "export", "-name", "db", "/tmp/x"]])
def test_a_container_that_merely_has_the_binary_is_no_node(command: list[str]) -> None:
    extra = {"spec": {"initContainers": [{"name": "init", "command": command}], "containers": [{"name": "side", "command": command}]}}
    found = cluster(template=extra)
    assert {p.container.name for p in found.pods} == {"app"}


def test_the_name_litefs_is_no_sign() -> None:
    plain = {"spec": {"containers": [{"name": "app", "image": "litefs/litefs-app:1", "command": ["node", "server.js"], "securityContext": None, "ports": None}]}}
    quiet = dict(template=plain, info=dict.fromkeys((P0, P1, P2)), logs={P0: "-5s hello\n", P1: "", P2: ""})
    assert assemble(snapshot(quiet)).clusters == ()


def test_litefs_is_found_by_its_log_or_its_answer_alone() -> None:
    plain = {"spec": {"containers": [{"name": "app", "command": None, "args": ["node", "server.js"]}]}}
    by_answer = cluster(template=plain, logs={P0: "", P1: "", P2: ""})
    by_log = cluster(template=plain, info=dict.fromkeys((P0, P1, P2)))
    assert len(by_answer.pods) == len(by_log.pods) == 3


def test_the_log_outranks_a_file_that_may_have_changed_since_the_start() -> None:
    text = LITEFS_YML.replace("hostname: abaci-app-0", "hostname: somewhere-else")
    pod = cluster(**{"litefs.yml": text}).pod(P1)
    assert pod is not None
    hostname = lease_of(pod).hostname
    assert hostname is not None and hostname.value == P0 and hostname.observed


def test_pods_on_a_dead_node_are_unknown_not_healthy() -> None:
    dead = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "reason": "NodeNotReady"}], "reason": "NodeLost"}}
    judged = report(pods={P2: dead}, info={P2: None}, logs={P2: None})
    assert judged.clusters[0].topology.links[P2].role in (Role.UNKNOWN, Role.DOWN)
    partial = [c for c in judged.checks if c.rule == "LFS101"]
    assert partial[0].gaps, "a pass over two of three pods says so"
