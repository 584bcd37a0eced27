"""How Kubernetes' DNS reads the host of an advertise-url, and whom it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.dial_faults import through
from kubectl_litefs.model.dns import Name, dials, dotted_port, is_self, led_to, name_of, readings
from kubectl_litefs.model.lease import parse_url
from kubectl_litefs.parse.assemble import assemble

from .harness import LITEFS_YML, URL, snapshot

POD = "abaci-app-0"
SVC = "abaci-app-headless"


def cluster(url: str = URL, **body: Any) -> Cluster:
    lines = {f"abaci-app-{i}": f"primary={str(i == 0).lower()} hostname={POD} advertise-url={url}" for i in range(3)}
    full = {"litefs.yml": LITEFS_YML.replace(URL, url), "lease-line": lines, **body}
    (found,) = assemble(snapshot(full)).clusters
    return found


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("p.s", {Name("p", "s", "here"), Name(None, "p", "s")}),
        ("s", {Name(None, "s", "here")}),
        ("p.s.ns", {Name("p", "s", "ns")}),
        ("s.ns.svc", {Name(None, "s", "ns")}),
        ("p.s.ns.svc", {Name("p", "s", "ns")}),
        ("s.ns.svc.cluster.local", {Name(None, "s", "ns", "cluster.local")}),
        ("p.s.ns.svc.k8s.example.com", {Name("p", "s", "ns", "k8s.example.com")}),
        ("P.S.NS.SVC.Cluster.Local", {Name("p", "s", "ns", "cluster.local")}),
        ("p.s.ns.svc.cluster.local.", {Name("p", "s", "ns", "cluster.local")}),
        ("p.s.", set()),
        ("s.ns.svc.", set()),
        ("10.244.0.7", set()),
        ("::1", set()),
        ("localhost", set()),
        ("db.prod.example.com", set()),
        ("p..s", set()),
    ],
)
def test_readings_of_a_host(host: str, wanted: set[Name]) -> None:
    assert set(readings(host, "here")) == wanted


@pytest.mark.parametrize(
    ("host", "pod", "service"),
    [
        (f"{POD}.{SVC}", POD, SVC),
        (f"{POD}.{SVC}.abaci", POD, SVC),
        (f"{SVC}.abaci", None, SVC),
        (SVC, None, SVC),
        (f"{POD}.gone", POD, "gone"),
        ("gone.abaci", None, "gone"),
    ],
)
def test_the_reading_that_fits_the_cluster_counts(host: str, pod: str | None, service: str) -> None:
    seen = cluster(f"http://{host}:20202")
    (dial,) = dials(seen)
    name = name_of(seen, dial)
    assert name is not None
    assert (name.pod, name.service, name.namespace) == (pod, service, "abaci")


def test_one_url_is_one_dial_and_shows_every_place_that_has_it() -> None:
    (dial,) = dials(cluster())
    assert [p.name for p in dial.pods] == ["abaci-app-0", "abaci-app-1", "abaci-app-2"]
    assert dial.evidence[0].source == "objects/abaci/configmaps.json"
    assert {e.source for e in dial.evidence[1:]} == {f"logs/abaci/abaci-app-{i}/app.log" for i in range(3)}


def test_a_service_leads_to_the_pods_that_it_selects() -> None:
    seen = cluster(f"http://{SVC}:20202")
    (dial,) = dials(seen)
    name = name_of(seen, dial)
    assert name is not None
    assert len(led_to(seen, dial, name)) == 3


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://a.b.20202", "20202"), ("http://a.b:20202", ""), ("http://10.0.0.1", ""), ("http://a.b", "")],
)
def test_a_port_behind_a_dot(url: str, port: str) -> None:
    address = parse_url(url)
    assert address is not None
    assert dotted_port(address) == port


@pytest.mark.parametrize(
    ("host", "itself"),
    [("localhost", True), ("127.0.0.9", True), ("0.0.0.0", True), ("::1", True), ("10.0.0.1", False), ("local", False)],
)
def test_hosts_that_are_each_pod_itself(host: str, itself: bool) -> None:
    assert is_self(host) is itself


@pytest.mark.parametrize(
    ("target", "port", "wanted"),
    [
        (20202, 80, 20202),
        ("litefs", 80, 20202),
        ("20202", 80, 20202),
        (None, 80, 80),
        (20202, 81, None),
        ("other", 80, None),
    ],
)
def test_the_port_behind_a_service(target: object, port: int, wanted: int | None) -> None:
    entry = {"port": 80, "targetPort": target} if target is not None else {"port": 80}
    made = {"kind": "Service", "name": "web", "patch": {"spec": {"clusterIP": "10.0.0.9", "ports": [entry]}}}
    seen = cluster(objects=[made])
    service = seen.find("services", "web")
    assert service is not None
    assert through(service, seen.pods[0], port) == wanted
