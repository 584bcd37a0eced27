"""NetworkPolicies, read as Kubernetes reads them: what they keep two pods of the healthy cluster from."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.netpol import blocked, dns_blocked, only_pods, selected
from kubectl_litefs.parse.assemble import assemble

from .harness import snapshot

MINE = {"podSelector": {"matchLabels": {"app": "abaci-app"}}}


def cluster(*specs: dict[str, Any], labels: dict[str, str] | None = None) -> Cluster:
    policies = [{"kind": "NetworkPolicy", "name": f"p{i}", "patch": {"spec": s}} for i, s in enumerate(specs)]
    space = {"kind": "Namespace", "name": "abaci", "patch": {"metadata": {"labels": labels or {}}}}
    return assemble(snapshot({"objects": [*policies, space]})).clusters[0]


def way(*specs: dict[str, Any], labels: dict[str, str] | None = None) -> str | None:
    """What stands between replica 1 and the primary: `Ingress`, `Egress`, or nothing."""
    found = cluster(*specs, labels=labels)
    block = blocked(found, found.pods[1], found.pods[0], 20202)
    assert block is None or not block.unsure
    return block.direction if block else None


def ingress(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules), **more}


@pytest.mark.parametrize(
    ("rule", "direction"),
    [
        ({}, None),
        ({"from": []}, None),
        ({"from": [MINE]}, None),
        ({"from": [{"podSelector": {}}], "ports": [{"port": 20202}]}, None),
        ({"from": [MINE], "ports": [{"port": "litefs"}]}, None),
        ({"from": [MINE], "ports": [{"port": 20000, "endPort": 20202}]}, None),
        ({"from": [MINE], "ports": [{"protocol": "TCP"}]}, None),
        ({"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}, None),
        ({"from": [{"namespaceSelector": {}}]}, None),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, **MINE}]}, None),
        ({"from": [MINE], "ports": [{"port": 3000}]}, "Ingress"),
        ({"from": [MINE], "ports": [{"port": 20202, "protocol": "UDP"}]}, "Ingress"),
        ({"from": [MINE], "ports": [{"port": "web"}]}, "Ingress"),
        ({"from": [MINE], "ports": [{"port": 20000, "endPort": 20201}]}, "Ingress"),
        ({"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}, "Ingress"),
        ({"from": [{"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.0.11/32"]}}]}, "Ingress"),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}, "Ingress"),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}]}, "Ingress"),
    ],
)
def test_a_rule_lets_a_replica_in_or_not(rule: dict[str, Any], direction: str | None) -> None:
    assert way(ingress(rule), labels={"team": "a"}) == direction


def test_policies_add_up_and_select_by_labels() -> None:
    assert way(ingress()) == "Ingress"
    assert way(ingress(), ingress({"from": [MINE]})) is None
    assert way(ingress(podSelector={"matchLabels": {"app": "other"}})) is None
    assert way({"podSelector": {}, "policyTypes": ["Egress"]}) == "Egress"
    assert way({"podSelector": {}, "egress": [{}]}) == "Ingress", "without types, a policy with egress closes both ways"
    assert way({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [MINE]}]}) is None


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "app", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["db"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "app", "operator": "Unheard"}, False),
    ],
)
def test_expressions_of_a_selector(expression: dict[str, Any], holds: bool) -> None:
    assert selected({"matchExpressions": [expression]}, {"app": "a"}) is holds


@pytest.mark.parametrize(
    ("rule", "deaf"),
    [
        ({}, False),
        ({"ports": [{"port": 53, "protocol": "UDP"}]}, False),
        ({"ports": [{"port": 5353, "protocol": "UDP"}], "to": [{"namespaceSelector": {}}]}, False),
        ({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, False),
        ({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}, False),
        ({"to": [{"podSelector": {}}]}, True),
        ({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "abaci"}}}]}, True),
        ({"ports": [{"port": 443}]}, True),
    ],
)
def test_whether_dns_may_be_asked(rule: dict[str, Any], deaf: bool) -> None:
    found = cluster({"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]})
    assert bool(dns_blocked(found, found.pods[1])) is deaf


def test_whether_only_pods_come_in() -> None:
    def closed(*specs: dict[str, Any]) -> bool:
        found = cluster(*specs)
        return only_pods(found, found.pods[0], 20202)

    assert not closed()
    assert closed(ingress({"from": [MINE]}))
    assert closed(ingress({"from": [MINE]}), ingress({"ports": [{"port": 3000}]}))
    assert not closed(ingress({"from": [MINE, {"ipBlock": {"cidr": "0.0.0.0/0"}}]}))
    assert not closed(ingress({}))
