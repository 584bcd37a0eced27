"""Looking at a cluster: what is asked, what is left alone, and how each fault becomes a named gap."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import yaml

from kubectl_litefs import app, rbac
from kubectl_litefs.errors import CouldNotLook, KubeError, UsageError
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.gather import bundle, live
from kubectl_litefs.gather.selection import matches
from kubectl_litefs.gather.workers import run_all
from kubectl_litefs.model.origin import GapReason
from kubectl_litefs.model.snapshot import Snapshot
from kubectl_litefs.model.target import Target

from ..harness import snapshot
from ..test_recordings import recording
from .fake_kube import FORBIDDEN, UNREACHABLE, FakeKube, Quiet, StoppedClock, refused

TARGET = Target(namespace="abaci")


def look(kube: FakeKube, target: Target = TARGET) -> Snapshot:
    return live.gather(kube, target, StoppedClock(kube.snapshot.taken_at), Quiet())


def healthy(**faults: Any) -> FakeKube:
    return FakeKube(bundle.load(recording("healthy")), faults)


def gaps(seen: Snapshot) -> dict[str, tuple[GapReason, str]]:
    return {g.what: (g.why, g.detail) for g in seen.gaps}


def test_a_healthy_set_costs_few_requests_and_reads_nothing_it_must_not() -> None:
    kube = healthy()
    look(kube)
    print("\n".join(kube.requests))
    assert len(kube.requests) <= 19 + 5 * 3
    assert len(set(kube.requests)) == len(kube.requests), "nothing is asked twice"
    assert not [r for r in kube.requests if "secrets" in r or "exec" in r or r.endswith("/configmaps")]


def test_a_second_look_costs_two_requests_a_pod() -> None:
    kube = FakeKube(snapshot({"vars": {"abaci-app-1": {"db": "4"}}}))
    clock = StoppedClock(kube.snapshot.taken_at)
    seen = live.gather(kube, TARGET, clock, Quiet())
    assert clock.slept == TARGET.second_look
    assert len(kube.requests) <= 19 + 5 * 3 + 2 * 3
    assert "sweeps/1/litefs/abaci/abaci-app-1/vars.json" in seen.items


@pytest.mark.parametrize("name", ["healthy", "cluster-id-mismatch", "all-candidates", "wrong-port"])
def test_no_second_look_where_the_first_is_proof(name: str) -> None:
    kube = FakeKube(bundle.load(recording(name)))
    clock = StoppedClock(kube.snapshot.taken_at)
    live.gather(kube, TARGET, clock, Quiet())
    assert clock.slept == (0 if name != "all-candidates" else clock.slept)


@pytest.mark.parametrize("plural", ["services", "statefulsets", "events", "persistentvolumes", "nodes", "endpointslices"])
def test_a_forbidden_list_is_a_gap_with_the_right_that_is_missing(plural: str) -> None:
    seen = look(healthy(**{f"/{plural}$": FORBIDDEN}))
    (what,) = [g for g in gaps(seen) if g.endswith(f"/{plural}.json")]
    why, detail = gaps(seen)[what]
    assert why is GapReason.FORBIDDEN and "Error from server (Forbidden)" in detail and f"list {plural}" in detail
    assert app.judge(seen).exit_code() is ExitCode.OK, "the other checks go on"


def test_a_forbidden_log_and_proxy_name_their_rights() -> None:
    seen = look(healthy(**{"/log$": FORBIDDEN, "/proxy/": FORBIDDEN}))
    found = gaps(seen)
    assert "get pods/log" in found["logs/abaci/abaci-app-0/app.log"][1]
    assert "get pods/proxy" in found["litefs/abaci/abaci-app-0/info.json"][1]
    assert app.judge(seen).exit_code() is ExitCode.COULD_NOT_LOOK


def test_a_dead_pod_costs_one_question() -> None:
    kube = healthy(**{"abaci-app-1:20202/proxy": UNREACHABLE})
    seen = look(kube)
    assert len([r for r in kube.requests if "abaci-app-1:20202" in r]) == 1
    assert gaps(seen)["litefs/abaci/abaci-app-1/vars.json"][0] is GapReason.UNREACHABLE


def test_pods_that_cannot_be_listed_end_the_run() -> None:
    with pytest.raises(CouldNotLook, match="list pods"):
        look(healthy(**{"/pods$": FORBIDDEN}))
    with pytest.raises(KubeError) as unauthorized:
        look(healthy(**{"/pods$": refused(401, "Unauthorized", "who are you")}))
    assert unauthorized.value.exit_code is ExitCode.COULD_NOT_LOOK


def test_an_unknown_namespace_is_2_and_3_where_nobody_may_know() -> None:
    empty = {"/pods$": lambda path: b'{"items": []}'}
    with pytest.raises(UsageError, match="not found") as unknown:
        look(healthy(**{"/namespaces/abacy$": refused(404, "NotFound", 'namespaces "abacy" not found'), **empty}), Target(namespace="abacy"))
    assert unknown.value.hint and "abaci" in unknown.value.hint
    with pytest.raises(CouldNotLook):
        look(healthy(**{"/namespaces/abacy$": FORBIDDEN, **empty}), Target(namespace="abacy"))


def test_cluster_wide_lists_that_are_forbidden_say_so() -> None:
    with pytest.raises(CouldNotLook, match="all namespaces") as refusal:
        look(healthy(**{"^/api/v1/pods$": FORBIDDEN}), Target(all_namespaces=True))
    assert refusal.value.hint and "-n" in refusal.value.hint


def test_all_namespaces_lists_each_kind_once() -> None:
    kube = healthy()
    seen = look(kube, Target(all_namespaces=True))
    lists = [r for r in kube.requests if "limit=500" in r]
    assert len(lists) == len(set(lists)) == 15 and not [r for r in lists if "/namespaces/" in r]
    assert seen.namespaces == ("abaci",)
    assert app.judge(seen).exit_code() is ExitCode.OK


@pytest.mark.parametrize("target", [TARGET, Target(all_namespaces=True)], ids=["one namespace", "all namespaces"])
def test_the_namespaces_of_litefs_are_read_by_name(target: Target) -> None:
    """Their labels decide what a pod may do; where they may not be read, that is a gap and no pass."""
    kube = FakeKube(bundle.load(recording("claim-terminating")))
    seen = look(kube, target)
    assert [r for r in kube.requests if r.split("?")[0].startswith("/api/v1/namespaces/abaci") and r.count("/") == 4] == ["/api/v1/namespaces/abaci"]
    assert json.loads(seen.items["objects/_cluster/namespaces.json"].read())["items"][0]["metadata"]["name"] == "abaci"
    blind = look(FakeKube(bundle.load(recording("claim-terminating")), {"/namespaces/abaci$": FORBIDDEN}), target)
    why, detail = gaps(blind)["objects/_cluster/namespaces.json"]
    assert why is GapReason.FORBIDDEN and "get namespaces" in detail


def test_long_lists_come_in_pages_and_an_expired_page_starts_again() -> None:
    kube = healthy()
    original, asked = kube.get, []

    def paged(path: str, query: Any = None, **limits: Any) -> bytes:
        if not path.endswith("/pods"):
            return original(path, query, **limits)
        asked.append(query.get("continue"))
        if query.get("continue") == "old":
            raise KubeError("too old", status=410, reason="Expired")
        document = json.loads(original(path, query, **limits))
        at = {None: 0, "1": 1, "2": 2}[query.get("continue")]
        document["items"] = document["items"][at : at + 1]
        document["metadata"]["continue"] = ("old" if len(asked) == 1 else ["1", "2", ""][at]) if at < 2 else ""
        return json.dumps(document).encode()

    kube.get = paged  # type: ignore[method-assign]
    assert len(app.judge(look(kube)).clusters[0].cluster.pods) == 3
    assert asked == [None, "old", None, "1", "2"]


@pytest.mark.parametrize("names", [("statefulset/abaci-app",), ("sts/abaci-app",), ("pod/abaci-app-1",), ("po/abaci-app-1",), ("abaci-app-2",), ("abaci-app",)])
def test_names_select_the_whole_set(names: tuple[str, ...]) -> None:
    seen = look(healthy(), Target(namespace="abaci", names=names))
    assert len(app.judge(seen).clusters[0].cluster.pods) == 3


@pytest.mark.parametrize(("name", "hint"), [("abaci-app-9", "abaci-app-"), ("sts/abaci", "abaci-app"), ("statefulst/abaci-app", "statefulset"), ("service/x", "pod")])
def test_a_typo_never_passes(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        look(healthy(), Target(namespace="abaci", names=(name,)))
    assert refusal.value.hint and hint in refusal.value.hint


@pytest.mark.parametrize(
    ("selector", "holds"),
    [("app=a", True), ("app==a", True), ("app=b", False), ("app!=b", True), ("x!=b", True), ("app in (a, b)", True), ("app notin (a)", False), ("app", True),
     ("!app", False), ("!x", True), ("app=a,tier=db", True), ("app=a,tier!=db", False)],
)  # fmt: skip
def test_selectors_are_kubectls(selector: str, holds: bool) -> None:
    assert matches(selector, {"app": "a", "tier": "db"}) is holds


@pytest.mark.parametrize("selector", ["", "app in", "a b", "=x", "app=a,", "app=a;b=c"])
def test_a_bad_selector_is_refused(selector: str) -> None:
    with pytest.raises(UsageError):
        look(healthy(), Target(namespace="abaci", selector=selector))


def test_a_selector_that_selects_nothing_is_no_pass() -> None:
    with pytest.raises(CouldNotLook, match="no pod"):
        look(healthy(), Target(namespace="abaci", selector="app=other"))


def test_hostile_answers_become_gaps() -> None:
    for body in (b"<html>login</html>", b"\x1b[2J{}", b"[" * 100_000, b'{"clusterID": 7}', b""):
        seen = look(healthy(**{"abaci-app-1:20202/proxy/info": lambda path, body=body: body}))
        report = app.judge(seen)
        assert "litefs/abaci/abaci-app-1/info.json" in {g.what for g in report.gaps}


def test_a_job_that_hangs_costs_the_others_nothing() -> None:
    forever = threading.Event()
    done = run_all({"hangs": forever.wait, **{str(i): (lambda i=i: i) for i in range(100)}}, 0.0)  # type: ignore[dict-item]
    forever.set()
    assert isinstance(done.pop("hangs"), TimeoutError)
    assert done == {str(i): i for i in range(100)}


def allowed_by(text: str) -> Any:
    """An RBAC check that grants exactly what the printed YAML says, and the pairs it was asked for."""
    documents = [d for d in yaml.safe_load_all(text) if d]
    roles = [d for d in documents if d["kind"] in ("Role", "ClusterRole")]
    used: set[tuple[str, str, str]] = set()

    def allowed(verb: str, group: str, resource: str, namespace: str | None) -> bool:
        used.add((verb, group, resource))
        for role in roles:
            if role["kind"] == "Role" and role["metadata"]["namespace"] != namespace:
                continue
            if any(verb in r["verbs"] and group in r["apiGroups"] and resource in r["resources"] for r in role["rules"]):
                return True
        return False

    granted = {(v, g, res) for role in roles for r in role["rules"] for v in r["verbs"] for g in r["apiGroups"] for res in r["resources"]}
    return allowed, used, granted


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_printed_role_is_enough_and_not_more_than_that(everywhere: bool) -> None:
    allowed, used, granted = allowed_by(rbac.role("abaci", all_namespaces=everywhere))
    kube = FakeKube(bundle.load(recording("cluster-id-mismatch")), allowed=allowed)
    seen = look(kube, Target(all_namespaces=True) if everywhere else TARGET)
    assert not [g for g in seen.gaps if g.why is GapReason.FORBIDDEN]
    extra = granted - used - {("list", "", "namespaces"), ("get", "", "namespaces")}
    assert not extra, "a right that is never used"
    assert not {v for v, _, _ in granted} - {"get", "list"}
    assert "secrets" not in {r for _, _, r in granted}
    assert "read every database" in rbac.role("abaci")


@pytest.mark.parametrize("right", rbac.NAMESPACED, ids=lambda r: ",".join(r.resources))
def test_one_right_less_is_named(right: rbac.Right) -> None:
    allowed, _, _ = allowed_by(rbac.role("abaci"))

    def less(verb: str, group: str, resource: str, namespace: str | None) -> bool:
        return not (group == right.group and resource in right.resources) and bool(allowed(verb, group, resource, namespace))

    kube = FakeKube(bundle.load(recording("healthy")), allowed=less)
    if "pods" in right.resources:
        with pytest.raises(CouldNotLook, match="list pods"):
            look(kube)
        return
    told = " ".join(g.detail for g in look(kube).gaps)
    assert all(f"{right.verbs[0]} {r}" in told for r in right.resources)
