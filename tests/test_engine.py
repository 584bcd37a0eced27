"""What the engine adds to rules: containment, linking, order, folding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubectl_litefs import engine
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.model.cluster import Cluster, Facts
from kubectl_litefs.model.origin import Evidence, Gap, GapReason
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Finding, Rule, Severity, Unknown
from kubectl_litefs.parse.assemble import assemble

from .harness import snapshot


def facts(**body: Any) -> Facts:
    return assemble(snapshot(body))


def rule(id: str, check: Callable[[Cluster], Iterable[Finding | Unknown]], **fields: Any) -> Rule:
    words = dict(name=id.lower(), title="t", symptom="s", impact="i", cause="c", fix=("f.",), reads=("spec",))
    return Rule(id=id, check=check, **{**words, "severity": Severity.ERROR, **fields})


CRASHED = rule(engine.CRASHED, lambda c: (), severity=Severity.WARNING)


def says(id: str, on: str = "", **fields: Any) -> Rule:
    """A rule that always fires, on one pod or on the set."""

    def check(cluster: Cluster) -> Iterator[Finding]:
        pod = cluster.pod(on)
        yield it.finding(pod.ref if pod else cluster.subject, "said", Evidence("x", None, "x"))

    it = rule(id, check, **fields)
    return it


def status(report: Report, id: str) -> Status:
    return next(c.status for c in report.checks if c.rule == id)


def test_a_rule_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    def broken(cluster: Cluster) -> Iterator[Finding]:
        raise KeyError("spec")
        yield

    report = engine.judge(facts(), (rule("LFS100", broken), says("LFS101"), CRASHED))
    assert [f.rule for f in report.findings] == ["LFS101", "LFS901"]
    assert "LFS100" in report.findings[1].message and "KeyError" in report.findings[1].message
    assert status(report, "LFS100") is Status.CRASHED
    assert report.summary()["crashed"] == 1


def test_a_crash_alone_is_no_pass() -> None:
    def broken(cluster: Cluster) -> Iterator[Finding]:
        raise ValueError
        yield

    report = engine.judge(facts(), (rule("LFS100", broken), CRASHED))
    assert report.exit_code() is ExitCode.COULD_NOT_LOOK


def test_missing_inputs_skip_and_partial_inputs_show_their_gaps() -> None:
    silent = {"abaci-app-0": None, "abaci-app-1": None, "abaci-app-2": None}
    reads_info = rule("LFS100", lambda c: (), reads=("info",))
    blind = engine.judge(facts(info=silent), (reads_info,)).checks[0]
    assert blind.status is Status.SKIPPED and len(blind.gaps) == 3
    partly = engine.judge(facts(info={"abaci-app-1": None}), (reads_info,)).checks[0]
    assert partly.status is Status.PASSED and [g.what for g in partly.gaps] == ["litefs/abaci/abaci-app-1/info.json"]


def test_a_rule_that_cannot_decide_is_skipped_although_all_inputs_are_there() -> None:
    gap = Gap("services", GapReason.FORBIDDEN)
    report = engine.judge(facts(), (rule("LFS100", lambda c: (Unknown(gap),)),))
    assert report.checks[0].status is Status.SKIPPED and report.checks[0].gaps == (gap,)


def test_a_consequence_points_at_the_likeliest_cause_in_reach() -> None:
    effect = says("LFS309", "abaci-app-1", follows=("LFS101", "LFS701"))
    report = engine.judge(facts(), (says("LFS101", "abaci-app-2"), effect, says("LFS701", "abaci-app-0")))
    by_rule = {f.rule: f for f in report.findings}
    assert by_rule["LFS309"].consequence_of == by_rule["LFS701"].fingerprint, "another replica's fault explains nothing"
    assert [f.rule for f in report.findings] == ["LFS101", "LFS701", "LFS309"], "folded under its cause"


def test_causes_never_go_in_circles() -> None:
    report = engine.judge(facts(), (says("LFS101", follows=("LFS102",)), says("LFS102", follows=("LFS101",))))
    assert sorted(f.consequence_of is None for f in report.findings) == [False, True]


def test_the_same_fault_seen_twice_is_one_finding_with_all_evidence() -> None:
    def twice(cluster: Cluster) -> Iterator[Finding]:
        yield it.finding(cluster.subject, "a", Evidence("one", 1, ""), severity=Severity.WARNING)
        yield it.finding(cluster.subject, "b", Evidence("two", 2, ""))

    it = rule("LFS100", twice)
    (finding,) = engine.judge(facts(), (it,)).findings
    assert (finding.severity, [e.source for e in finding.evidence]) == (Severity.ERROR, ["one", "two"])


def test_exit_codes_come_from_the_report() -> None:
    warned = engine.judge(facts(), (says("LFS100", severity=Severity.WARNING),))
    assert warned.exit_code() is ExitCode.OK
    assert warned.exit_code(Severity.WARNING) is ExitCode.FINDINGS
    assert warned.exit_code(Severity.INFO) is ExitCode.FINDINGS
    assert warned.exit_code(None) is ExitCode.OK


def test_a_set_that_nobody_could_look_into_is_3() -> None:
    names = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
    dark = facts(info=dict.fromkeys(names), logs=dict.fromkeys(names))
    report = engine.judge(dark, (rule("LFS100", lambda c: ()),))
    assert report.clusters[0].blind and report.exit_code() is ExitCode.COULD_NOT_LOOK
    assert engine.judge(dark, (says("LFS100"),)).exit_code() is ExitCode.FINDINGS, "a finding outweighs blindness"


def test_strict_makes_partial_sight_a_3() -> None:
    report = engine.judge(facts(info={"abaci-app-1": None}), (rule("LFS100", lambda c: (), reads=("info",)),))
    assert report.exit_code() is ExitCode.OK
    assert report.exit_code(strict=True) is ExitCode.COULD_NOT_LOOK


def test_a_set_scaled_to_zero_is_not_blind_but_one_that_has_lost_its_pods_is() -> None:
    gone = dict.fromkeys(("abaci-app-0", "abaci-app-1", "abaci-app-2"))
    zero = facts(pods=gone, objects=[{"kind": "StatefulSet", "name": "abaci-app", "patch": {"spec": {"replicas": 0}}}])
    assert engine.judge(zero, ()).exit_code() is ExitCode.OK
    assert engine.judge(facts(pods=gone), ()).exit_code() is ExitCode.COULD_NOT_LOOK
    check = engine.judge(zero, (rule("LFS100", lambda c: (), reads=("info",)),)).checks[0]
    assert check.status is Status.SKIPPED, "nothing was looked at, so nothing passed"


def test_fingerprints_do_not_depend_on_the_wording() -> None:
    report = engine.judge(facts(), (says("LFS100"),))
    (finding,) = report.findings
    assert finding.fingerprint == dataclasses.replace(finding, message="other").fingerprint
    assert finding.fingerprint != dataclasses.replace(finding, key="db").fingerprint
