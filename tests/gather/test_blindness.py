"""Each thing that is read, taken away in each way: the report may say less, never better, and says what it did not see."""

from __future__ import annotations

import dataclasses
import itertools
import re
from functools import cache

import pytest

from kubectl_litefs import app
from kubectl_litefs.engine import run_rule
from kubectl_litefs.errors import CouldNotLook, KubeError
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.gather import bundle, live
from kubectl_litefs.gather.kinds import CLUSTER_PREFIX, PREFIX
from kubectl_litefs.model.origin import Gap, GapReason
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.model.target import Target
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render.finding import Look
from kubectl_litefs.render.gaps import gap_lines
from kubectl_litefs.render.paint import plain
from kubectl_litefs.render.text import render
from kubectl_litefs.rules import ALL

from ..harness import Case, load_cases, snapshot
from ..test_recordings import recording
from .fake_kube import FORBIDDEN, FakeKube, Fault, Quiet, StoppedClock, refused, right_of

LISTS = {plural: rf"/{plural}$" for plural in (*PREFIX, *CLUSTER_PREFIX)}
OBJECTS = {"configmaps": "/configmaps/", "leases": "/leases/", "namespaces": "/namespaces/[^/]+$"}
ANSWERS = {"log": "/log$", "info": "/proxy/info", "vars": "/proxy/debug/vars", "metrics": "/proxy/metrics", "pods/proxy": "/proxy/"}
SEEN = {k: v for k, v in (LISTS | OBJECTS | ANSWERS).items() if k != "pods"}
"""What is read -> the requests for it. Without the pods nothing can be judged, and so nothing is."""

TARGET = Target(namespace="abaci")
WORLDS = ("healthy", "two-faults")


def slow(path: str) -> bytes:
    verb, _, resource = right_of(path)
    raise KubeError(f"no whole answer to {path} within 5 s", status=None, reason="Timeout", verb=verb, resource=resource)


def hanging(path: str) -> bytes:
    raise TimeoutError


BROKEN: dict[str, Fault] = {
    "500": refused(500, "InternalError", "etcd is away"),
    "429": refused(429, "TooManyRequests", "later"),
    "slow": slow,
    "hangs": hanging,
    "a proxy's page": lambda path: b"<html>Log in</html>",
    "half an answer": lambda path: b'{"kind": "List", "metadata": {}, "items": [{"metadata": {"name": "abaci',
    "empty": lambda path: b"",
    "another type": lambda path: b"[]",
    "no object": lambda path: b"{}",
    "no list": lambda path: b'{"metadata": {"name": 7}, "items": {"a": 1}}',
    "no objects in it": lambda path: b'{"metadata": 7, "items": ["a", null]}',
    "no page": lambda path: b'{"metadata": [1], "items": []}',
}


@cache
def world(name: str) -> Snapshot:
    return bundle.load(recording(name))


def seen(name: str, pattern: str = "", fault: Fault = FORBIDDEN) -> Snapshot:
    kube = FakeKube(world(name), {pattern: fault} if pattern else {})
    return live.gather(kube, TARGET, StoppedClock(kube.snapshot.taken_at), Quiet())


@cache
def whole(name: str) -> Report:
    return app.judge(seen(name))


def loud(report: Report) -> set[str]:
    return {f.fingerprint for f in report.findings if f.severity is not Severity.INFO}


@pytest.mark.parametrize(("name", "what"), list(itertools.product(WORLDS, SEEN)))
def test_a_right_that_is_missing_never_makes_a_report_better(name: str, what: str) -> None:
    before, blind = whole(name), app.judge(seen(name, SEEN[what]))
    refusals = [g for g in blind.gaps if g.why is GapReason.FORBIDDEN]
    assert refusals and all(g.detail.endswith(")") and "(needs: " in g.detail for g in refusals)
    assert blind.exit_code(strict=True) is not ExitCode.OK
    assert blind.exit_code() in (before.exit_code(), ExitCode.COULD_NOT_LOOK) or before.exit_code() is ExitCode.FINDINGS
    checks = {c.rule: c for c in blind.checks}
    for lost in before.findings:
        if lost.fingerprint not in {f.fingerprint for f in blind.findings}:
            assert checks[lost.rule].status is not Status.PASSED or checks[lost.rule].gaps, lost.message
    assert name != "healthy" or loud(blind) <= loud(before), "not to see is no fault of the cluster"
    text = plain(gap_lines(blind, Look(100, False, True, False, ())))
    needed = {re.search(r"\(needs: (.*)\)", g.detail)[1] for g in refusals}  # type: ignore[index]
    assert all(f"may not {right}" in text for right in needed) and "kubectl litefs rbac diagnose -n abaci" in text, text


@pytest.mark.parametrize("how", BROKEN)
def test_answers_that_are_none_are_gaps_and_end_nothing(how: str) -> None:
    """All kinds at once: each has its own gap, and what else is there is judged."""
    spoilt = LISTS if how in ("no list", "no objects in it", "no page") else LISTS | OBJECTS  # an object has no items to be wrong
    kube = FakeKube(world("healthy"), {p: BROKEN[how] for what, p in spoilt.items() if what != "pods"})
    got = live.gather(kube, TARGET, StoppedClock(kube.snapshot.taken_at), Quiet())
    assert {g.what.rsplit("/", 1)[-1].removesuffix(".json") for g in got.gaps} == set(spoilt) - {"pods", "leases"}, "of sets that are unseen nobody knows the locks"
    assert {g.why for g in got.gaps} <= {GapReason.UNREACHABLE, GapReason.UNPARSED} and all(g.detail for g in got.gaps)
    report = app.judge(got)
    assert not loud(report) and report.exit_code() is ExitCode.OK
    assert report.exit_code(strict=True) is ExitCode.COULD_NOT_LOOK
    with pytest.raises((CouldNotLook, TimeoutError)):
        seen("healthy", LISTS["pods"], BROKEN[how])


@pytest.mark.parametrize("how", BROKEN)
def test_a_version_that_is_none_costs_only_the_version(how: str) -> None:
    got = seen("healthy", "^/version$", BROKEN[how])
    assert not got.gaps


def test_a_list_too_long_to_be_read_is_no_shorter_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_litefs.gather.objects.MAX_ITEMS", 2)
    more = {"/events$": lambda path: b'{"metadata": {"continue": "on"}, "items": [{}, {}]}'}
    kube = FakeKube(world("healthy"), more)
    (gap,) = live.gather(kube, TARGET, StoppedClock(kube.snapshot.taken_at), Quiet()).gaps
    assert gap.what == "objects/abaci/events.json" and "more than 2 objects" in gap.detail


def test_where_services_are_unseen_nobody_is_told_that_there_is_one() -> None:
    (finding,) = [f for f in app.judge(seen("no-headless-service", "/services$")).findings if f.rule == "LFS303"]
    assert "whether there is a Service abaci-app-headless could not be seen" in finding.message and "works without" not in finding.message


def test_a_configmap_that_is_gone_is_told_apart_from_one_without_the_key() -> None:
    gone = refused(404, "NotFound", 'configmaps "abaci-litefs" not found')
    (finding,) = [f for f in app.judge(seen("healthy", "/configmaps/", gone)).findings if f.rule == "LFS503"]
    assert "there is no ConfigMap abaci-litefs" in finding.message


def test_a_log_without_a_line_is_no_look() -> None:
    report = app.judge(seen("healthy", "/log$", lambda path: b""))
    assert report.exit_code(strict=True) is ExitCode.COULD_NOT_LOOK
    assert {g.detail for g in report.gaps if g.what.startswith("logs/")} == {"it is empty"}


def test_a_bundle_whose_list_holds_no_objects_is_no_shorter_list() -> None:
    saved = seen("healthy")
    spoilt = {p: Item(p, lambda: iter([b'{"items": [null]}'])) if p.endswith("/events.json") else i for p, i in saved.items.items()}
    report = app.judge(dataclasses.replace(saved, items=spoilt))
    assert [g.why for g in report.gaps] == [GapReason.UNPARSED] and report.exit_code(strict=True) is ExitCode.COULD_NOT_LOOK


def without(saved: Snapshot, pattern: str) -> Snapshot:
    """The same look, with everything at these paths forbidden."""
    lost = [p for p in saved.items if re.search(pattern, p)]
    gaps = tuple(Gap(p, GapReason.FORBIDDEN, "Error from server (Forbidden): no (needs: get it)") for p in lost)
    return dataclasses.replace(saved, items={p: i for p, i in saved.items.items() if p not in lost}, gaps=(*saved.gaps, *gaps))


SHOWN = [c for c in load_cases() if c.body.get("show") and not c.body.get("gaps")]
PARTS = ("statefulsets.json", "services.json", "events.json", "persistentvolumeclaims.json", "configmaps.json", "info.json", "vars.json", "[.]log")


@pytest.mark.parametrize("case", SHOWN, ids=[c.id for c in SHOWN])
def test_a_finding_that_goes_with_what_shows_it_leaves_no_check_that_passed(case: Case) -> None:
    saved, rule = snapshot(case.body), next(r for r in ALL if r.id == case.rule)
    for part in PARTS:
        for cluster in assemble(without(saved, part + "$")).clusters:
            result, found = run_rule(rule, cluster)
            assert found or result.gaps or result.status is not Status.PASSED, part


def test_who_lacks_a_right_and_the_end_of_a_reason_stand_in_the_text() -> None:
    """The end of an error tells the most; the name of an account may be long."""
    who = "system:serviceaccount:monitoring:kubectl-litefs"
    refusal = refused(403, "Forbidden", f'nodes is forbidden: User "{who}" cannot list resource "nodes"')
    far = "error trying to reach service: " + "proxy error from 127.0.0.1:9443 while dialing 10.0.0.1:20202, " * 2 + "connection refused"
    kube = FakeKube(world("two-faults"), {"/nodes$": refusal, "abaci-app-1:20202": refused(503, "ServiceUnavailable", far)})
    report = app.judge(live.gather(kube, TARGET, StoppedClock(kube.snapshot.taken_at), Quiet()))
    text = render(report, width=80, color=False, verbose=False, show_all=False)
    told = " ".join(text.split())
    assert f"{who} has not all the rights it needs. This prints what to ask for:" in told
    assert "connection refused" in told
    assert max(len(row) for row in text.partition("\nNot seen\n")[2].splitlines() if not row.startswith("next: ")) <= 80
