"""Every rule's cases: what it must say of a broken cluster, and what all other rules must not say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kubectl_litefs import engine
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Finding, Severity
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.rules import ALL

from .harness import Case, load_cases, snapshot
from .report_schema import check

CASES = list(load_cases())


def judge(case: Case) -> Report:
    return check(engine.judge(assemble(snapshot(case.body)), ALL))


def told(report: Report) -> str:
    return "\n".join(
        f"  {f.rule} {f.severity.value} {f.subject.kind}/{f.subject.namespace}/{f.subject.name}: {f.message}" for f in report.findings
    )


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_case(case: Case) -> None:
    report = judge(case)
    print(f"{case.id}\n{told(report)}")
    crashed = [g.detail for c in report.checks if c.status is Status.CRASHED for g in c.gaps]
    assert not crashed
    mine = [f for f in report.findings if f.rule == case.rule]
    expected = case.body["expect"]
    if expected == "skipped":
        check = next(c for c in report.checks if c.rule == case.rule)
        assert (check.status, mine) == (Status.SKIPPED, []), told(report)
        assert check.gaps, "a skipped check says what was missing"
    else:
        assert sorted(_subject(f) for f in mine) == sorted(e["subject"] for e in expected), told(report)
        for want in expected:
            assert any(_fits(f, want) for f in mine), f"{want} fits none of\n{told(report)}"
    loud = {f.rule for f in report.findings if f.severity is not Severity.INFO and f.rule != case.rule}
    assert loud == set(case.body.get("also", ())), told(report)


def _subject(finding: Finding) -> str:
    return f"{finding.subject.kind}/{finding.subject.namespace}/{finding.subject.name}"


def _fits(finding: Finding, want: dict[str, Any]) -> bool:
    unknown = set(want) - {"subject", "severity", "message", "evidence", "commands", "consequence-of"}
    assert not unknown, f"unknown keys {unknown}"
    sources = {e.source for e in finding.evidence} | {f"{e.source}:{e.line}" for e in finding.evidence}
    return (
        _subject(finding) == want["subject"]
        and want.get("severity", finding.severity.value) == finding.severity.value
        and re.search(want.get("message", ""), finding.message) is not None
        and set(want.get("evidence", ())) <= sources
        and re.search(want.get("commands", ""), "\n".join(finding.commands)) is not None
        and ("consequence-of" not in want or finding.consequence_of is not None)
    )


def test_the_healthy_cluster_is_healthy() -> None:
    report = engine.judge(assemble(snapshot()), ALL)
    assert [p.name for c in report.clusters for p in c.cluster.pods] == ["abaci-app-0", "abaci-app-1", "abaci-app-2"]
    assert not [f for f in report.findings if f.severity is not Severity.INFO], told(report)
    assert {c.status for c in report.checks} <= {Status.PASSED, Status.FAILED}, "nothing is unseen there"


@pytest.mark.parametrize("rule", ALL, ids=[r.id for r in ALL])
def test_each_rule_has_a_failing_a_passing_and_a_blind_case(rule: Any) -> None:
    if rule.id == engine.CRASHED:
        pytest.skip("has no check: test_engine.py makes a rule crash")
    mine = [c for c in CASES if c.rule == rule.id]
    assert any(isinstance(c.body["expect"], list) and c.body["expect"] for c in mine), "no failing case"
    assert any(c.body["expect"] == [] for c in mine), "no passing case"
    assert any(c.body["expect"] == "skipped" for c in mine), "no could-not-look case"
    assert sum(bool(c.body.get("show")) for c in mine) <= 1, "one example is shown"
