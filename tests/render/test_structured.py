"""JSON and YAML: the contract."""

from __future__ import annotations

import json

import yaml

from kubectl_litefs.model.rule import Severity
from kubectl_litefs.render import json as as_json
from kubectl_litefs.render import yaml as as_yaml

from .reports import judged, passes, says

GAP = {"what": "objects/abaci/ingresses.json", "why": "NOT_ASKED", "detail": ""}
REPORT = judged(
    says("LFS101", ["abaci-app-1"], "is \x1b[2J odd", commands=["kubectl get pods"], gotcha=5),
    says("LFS309", ["abaci-app-1"], follows=("LFS101",), severity=Severity.WARNING),
    passes("LFS308", reads=("ingresses",)),
    gaps=[GAP],
)


def test_the_keys_are_the_contract() -> None:
    tree = json.loads(as_json.render(REPORT))
    assert list(tree) == [
        "apiVersion", "kind", "toolVersion", "takenAt", "target", "summary", "clusters", "findings", "checks", "gaps",
    ]  # fmt: skip
    assert (tree["apiVersion"], tree["kind"], tree["takenAt"]) == ("kubectl-litefs/v1", "Report", "2026-11-23T12:30:00Z")
    assert tree["target"] == {"namespaces": ["abaci"], "source": "bundle"}
    assert tree["summary"] == {"error": 1, "warning": 1, "info": 0, "passed": 0, "skipped": 1, "crashed": 0}
    first, second = tree["findings"]
    assert list(first) == [
        "rule", "name", "severity", "subject", "message", "impact", "cause", "evidence", "remediation", "commands",
        "consequenceOf", "gotcha", "docs", "fingerprint",
    ]  # fmt: skip
    assert first["subject"] == {"kind": "Pod", "namespace": "abaci", "name": "abaci-app-1"}
    assert first["evidence"][0]["line"] == 14
    assert (first["consequenceOf"], first["docs"], first["gotcha"]) == (None, "docs/rules/LFS101.md", 5)
    assert second["consequenceOf"] == first["fingerprint"]
    assert tree["checks"][2] == {"rule": "LFS308", "status": "skipped", "gaps": [GAP]}
    assert GAP in tree["gaps"]


def test_the_topology_is_there() -> None:
    (cluster,) = json.loads(as_json.render(REPORT))["clusters"]
    assert cluster["primary"] == "abaci-app-0"
    assert cluster["pods"][1] == {
        "pod": "abaci-app-1", "namespace": "abaci", "role": "following", "clusterID": "LFSC00000000000000A1",
        "databases": [{"name": "db", "txid": "0000000000000005", "checksum": "b078ce8f0f0f0f0f"}],
    }  # fmt: skip


def test_a_pod_that_did_not_answer_has_null_for_what_is_not_known() -> None:
    report = judged(passes("LFS101"), info={"abaci-app-1": None})
    (cluster,) = json.loads(as_json.render(report))["clusters"]
    pod = cluster["pods"][1]
    assert (pod["databases"], pod["clusterID"]) == (None, None)


def test_yaml_is_the_same_tree_without_anchors() -> None:
    written = as_yaml.render(REPORT)
    assert yaml.safe_load(written) == json.loads(as_json.render(REPORT))
    assert "&id" not in written
    assert "\x1b" not in written


def test_json_is_plain_ascii_and_the_same_each_time() -> None:
    written = as_json.render(REPORT)
    assert written.isascii()
    assert "\x1b" not in written
    assert written == as_json.render(REPORT)
