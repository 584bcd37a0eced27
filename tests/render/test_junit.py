"""JUnit XML, read back by an independent reader."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import junitparser
import pytest

from kubectl_litefs import engine
from kubectl_litefs.app import diagnose_bundle
from kubectl_litefs.demo import SCENARIOS, path
from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render import junit

from ..harness import snapshot
from .reports import judged, passes, rule, says

NAMES = ("abaci-app-0", "abaci-app-1", "abaci-app-2")


@lru_cache
def recorded(name: str) -> Report:
    return diagnose_bundle(path(name))


def cases(report: Report, **how: Any) -> dict[str, Any]:
    """Name -> test case, after what holds for every document."""
    written = junit.render(report, **how)
    read = junitparser.JUnitXml.fromroot(ElementTree.parse(io.BytesIO(written.encode())).getroot())
    (suite,) = read
    found = {c.name: c for c in suite}
    assert len(found) == suite.tests == read.tests == len(report.checks) + 1
    results = [r for c in suite for r in c.result]
    assert suite.failures == sum(isinstance(r, junitparser.Failure) for r in results)
    assert suite.errors == sum(isinstance(r, junitparser.Error) for r in results)
    assert suite.skipped == sum(isinstance(r, junitparser.Skipped) for r in results)
    red = any(c.is_failure or c.is_error for c in suite)
    assert red == bool(report.exit_code(how.get("fail_on", Severity.ERROR), how.get("strict", False))), "red where the command is"
    return found


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("fail_on", [None, *Severity])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording_is_red_where_the_exit_code_is(name: str, fail_on: Severity | None, strict: bool) -> None:
    report = recorded(name)
    found = cases(report, fail_on=fail_on, strict=strict)
    for check in report.checks:
        case = next(c for n, c in found.items() if n.startswith(check.rule))
        assert case.is_skipped is (check.status in (Status.SKIPPED, Status.CRASHED))
        worst = min((f.severity.rank for f in report.findings if f.rule == check.rule), default=9)
        assert case.is_failure is (fail_on is not None and worst <= fail_on.rank)


def test_a_failure_says_what_was_seen_and_what_to_do() -> None:
    (failure,) = cases(judged(says("LFS101", ["abaci-app-1"], "is \x1b[2J <odd>\ufffe", commands=["kubectl get pods"])))["LFS101 made-up-fault"].result
    assert failure.message == "abaci-app-1 is ?[2J <odd>\ufffe".replace("\ufffe", "?")
    assert failure.type == "error"
    assert "seen: abaci-app-1 log:14" in failure.text and "do: First look." in failure.text and "run: kubectl get pods" in failure.text


def test_below_the_threshold_a_finding_is_told_and_does_not_fail() -> None:
    report = judged(says("LFS208", severity=Severity.WARNING))
    case = cases(report)["LFS208 made-up-fault"]
    assert case.is_passed and "warning statefulset/abaci-app" in case.system_out
    assert cases(report, fail_on=Severity.WARNING)["LFS208 made-up-fault"].is_failure


def test_a_set_that_nobody_could_look_into_is_an_error_even_where_rules_passed() -> None:
    found = cases(judged(passes("LFS101"), passes("LFS102", reads=("info",)), info=dict.fromkeys(NAMES), logs=dict.fromkeys(NAMES)))
    assert found["could look"].is_error
    assert found["LFS101 made-up-fault"].is_passed
    assert "abaci-app-0 (/info)" in found["LFS102 made-up-fault"].result[0].message


def test_a_broken_check_is_no_pass() -> None:
    def broken(cluster: Cluster) -> Any:
        raise KeyError("spec")

    found = cases(judged(rule("LFS101", broken), rule("LFS901", lambda c: iter(()), severity=Severity.WARNING)))
    assert found["could look"].is_error and found["LFS101 made-up-fault"].is_skipped


def test_a_suppressed_finding_is_skipped_with_its_reason() -> None:
    accepted = Suppression("LFS101", "--ignore", reason="one region")
    found = cases(engine.judge(assemble(snapshot()), (says("LFS101"),), (accepted,)))
    assert found["LFS101 made-up-fault"].result[0].message == "suppressed: one region (--ignore)"
