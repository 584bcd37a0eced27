"""What is suppressed does not count, is not hidden, and never makes a set healthy that nobody could look into."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from kubectl_litefs import app, engine
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.custom import Custom
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render import json as as_json
from kubectl_litefs.render import text

from .harness import snapshot
from .render.reports import passes, rule, says
from .report_schema import check

ON = ("abaci-app-0", "abaci-app-1")
NAMES = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
SET = {"kind": "StatefulSet", "namespace": "abaci", "name": "abaci-app"}


def judged(*suppressions: Suppression, rules: Any = None, **body: Any) -> Report:
    return check(engine.judge(assemble(snapshot(body)), rules or (says("LFS101", ON),), suppressions))


def accept(rule: str = "LFS101", **fields: Any) -> Suppression:
    return Suppression(rule, "--ignore", **{"reason": "known", **fields})


def left(report: Report) -> list[str]:
    return [f"{f.rule} {f.subject.name}" for f in report.active]


def test_a_suppressed_finding_counts_for_nothing_and_is_still_there() -> None:
    report = judged(accept())
    assert (left(report), len(report.findings), report.exit_code(), report.summary()["error"]) == ([], 2, ExitCode.OK, 0)
    tree = json.loads(as_json.render(report))
    assert tree["findings"][0]["suppressed"] == {"by": "--ignore", "reason": "known", "until": None}
    assert report.checks[0].status is Status.FAILED, "it did not pass"
    assert report.summary()["passed"] == 0
    assert report.notices == ()


def test_without_suppressions_the_report_has_no_word_of_them() -> None:
    assert "suppressed" not in as_json.render(judged())


@pytest.mark.parametrize(
    ("subject", "stays"),
    [
        ({}, []), (SET, []), ({"kind": "StatefulSet", "name": "abaci-app"}, []), ({"namespace": "abaci"}, []),
        ({"kind": "Pod", "namespace": "abaci", "name": "abaci-app-1"}, ["abaci-app-0"]), (SET | {"name": "other"}, list(ON)),
        ({"kind": "Deployment", "namespace": "abaci", "name": "abaci-app"}, list(ON)), ({"namespace": "other"}, list(ON)),
    ],
)  # fmt: skip
def test_a_subject_narrows_it_and_a_set_stands_for_its_pods(subject: dict[str, str], stays: list[str]) -> None:
    assert left(judged(accept(**subject))) == [f"LFS101 {name}" for name in stays]


def test_a_pod_does_not_stand_for_its_set() -> None:
    report = judged(accept(kind="Pod", name="abaci-app-0"), rules=(says("LFS101"),))
    assert left(report) == ["LFS101 abaci-app"]
    assert report.notices == ("--ignore: the suppression of LFS101 on Pod/abaci-app-0 matches nothing that was found",)


def test_what_follows_from_a_suppressed_cause_stands_on_its_own() -> None:
    rules = (says("LFS101", ["abaci-app-1"]), says("LFS309", ["abaci-app-1"], follows=("LFS101", "LFS102")), says("LFS711", follows=("LFS309",)))
    report = judged(accept(), rules=rules)
    effect = next(f for f in report.findings if f.rule == "LFS309")
    assert left(report) == ["LFS309 abaci-app-1", "LFS711 abaci-app"] and effect.consequence_of is None
    assert report.exit_code() is ExitCode.FINDINGS
    shown = text.render(report, width=80, color=False, verbose=False, show_all=False)
    assert "ERROR  LFS309" in shown and "1 consequence folded (LFS711 made-up-fault)" in shown


def test_it_falls_to_the_next_cause_that_counts() -> None:
    rules = (says("LFS101", ["abaci-app-1"]), says("LFS102", ["abaci-app-1"]), says("LFS309", ["abaci-app-1"], follows=("LFS101", "LFS102")))
    report = judged(accept(), rules=rules)
    by_rule = {f.rule: f for f in report.findings}
    assert by_rule["LFS309"].consequence_of == by_rule["LFS102"].fingerprint


def test_a_suppressed_consequence_still_names_its_cause() -> None:
    rules = (says("LFS101", ["abaci-app-1"]), says("LFS309", ["abaci-app-1"], follows=("LFS101",)))
    report = judged(accept("LFS309"), rules=rules)
    by_rule = {f.rule: f for f in report.findings}
    assert by_rule["LFS309"].consequence_of == by_rule["LFS101"].fingerprint and left(report) == ["LFS101 abaci-app-1"]


def test_what_nobody_could_look_at_stays_a_3() -> None:
    dark = {"info": dict.fromkeys(NAMES), "logs": dict.fromkeys(NAMES)}
    assert judged(accept(), **dark).exit_code() is ExitCode.COULD_NOT_LOOK
    partly = judged(accept(), rules=(passes("LFS101", reads=("info",)),), info={"abaci-app-1": None})
    assert partly.exit_code(strict=True) is ExitCode.COULD_NOT_LOOK


def test_a_crash_cannot_be_suppressed() -> None:
    def broken(cluster: Cluster) -> Any:
        raise KeyError("x")

    rules = (rule("LFS101", broken), rule("LFS901", lambda c: iter(()), severity=Severity.WARNING))
    report = judged(accept(), accept("LFS901"), rules=rules)
    assert left(report) == ["LFS901 abaci-app"] and report.exit_code() is ExitCode.COULD_NOT_LOOK
    assert report.notices == ("--ignore: LFS901 cannot be suppressed: it says that a check broke, so that nothing is known",)


@pytest.mark.parametrize(("until", "stays"), [(date(2026, 11, 22), 2), (date(2026, 11, 23), 0), (date(2026, 11, 24), 0)])
def test_it_ends_with_its_day_by_the_time_of_the_facts(until: date, stays: int) -> None:
    report = judged(accept(until=until))
    assert len(report.active) == stays
    assert report.notices == (("--ignore: the suppression of LFS101 ended on 2026-11-22: it counts again",) if stays else ())


@pytest.mark.parametrize(
    ("suppression", "notice"),
    [
        (accept("LFS1010"), "there is no rule 'LFS1010', so nothing is suppressed; did you mean LFS101?"),
        (accept("LFS102"), "the suppression of LFS102 matches nothing that was found"),
        (accept(reason=""), "the suppression of LFS101 gives no reason; write it behind a colon: LFS101: WHY"),
        (accept("LFS103"), None),
        (accept(namespace="other", standing=True), None),
    ],
    ids=["unknown", "no match", "no reason", "could not look", "another namespace"],
)  # fmt: skip
def test_a_suppression_that_does_not_do_its_work_is_told(suppression: Suppression, notice: str | None) -> None:
    gap = {"what": "objects/abaci/ingresses.json", "why": "FORBIDDEN", "detail": ""}
    report = judged(suppression, rules=(says("LFS101", ON), passes("LFS102"), passes("LFS103", reads=("ingresses",))), gaps=[gap])
    assert report.notices == ((f"--ignore: {notice}",) if notice else ())


def test_the_text_tells_it_in_one_line_and_does_not_call_the_set_well() -> None:
    shown = text.render(judged(accept(until=date(2027, 1, 31))), width=100, color=False, verbose=False, show_all=False)
    assert "suppressed  LFS101 (pods abaci-app-0, abaci-app-1): known (--ignore, until 2027-01-31)\n" in shown
    assert "0 errors, 0 warnings, 0 notes, 2 suppressed; 0 checks passed" in shown
    assert "No error but those that are suppressed; with them, this set is not well." in shown
    assert "No fault found" not in shown
    mild = judged(accept(), rules=(says("LFS101", severity=Severity.INFO),))
    assert "No fault found." in text.render(mild, width=100, color=False, verbose=False, show_all=False)


# --- annotations

REPLICAS = {"kind": "StatefulSet", "name": "abaci-app"}


def annotated(path: str, value: str) -> dict[str, Any]:
    """A case in which an object bears the annotation, and LFS208 (a note on the set) fires anyway."""
    note = {"metadata": {"annotations": {"kubectl-litefs/ignore": value}}}
    return {
        "set": {"objects": [{**REPLICAS, "patch": note}]},
        "template": {"template": note},
        "namespace": {"objects": [{"kind": "Namespace", "name": "abaci", "patch": note}]},
        "service": {"objects": [{"kind": "Service", "name": "abaci-app-headless", "patch": note}]},
        "pod": {"pods": {"abaci-app-1": note}},
    }[path]  # fmt: skip


def from_objects(path: str, value: str = "LFS208: one region; until 2027-01-31") -> Report:
    return check(app.judge(snapshot(annotated(path, value))))


@pytest.mark.parametrize(
    ("path", "by"), [("set", "statefulset/abaci-app"), ("template", "template of statefulset/abaci-app"), ("namespace", "namespace/abaci")]
)
def test_an_annotation_holds_for_its_object(path: str, by: str) -> None:
    report = from_objects(path)
    (found,) = [f for f in report.findings if f.rule == "LFS208"]
    assert found.suppressed is not None
    assert (found.suppressed.by, found.suppressed.reason, found.suppressed.until) == (f"annotation on {by}", "one region", date(2027, 1, 31))
    assert report.notices == ()


@pytest.mark.parametrize(("path", "by"), [("service", "service/abaci-app-headless"), ("pod", "pod/abaci-app-1")])
def test_an_annotation_holds_for_nothing_else(path: str, by: str) -> None:
    report = from_objects(path)
    assert "LFS208" in {f.rule for f in report.active}
    assert [n.split(": ")[0] for n in report.notices] == [f"annotation on {by}"]


def test_the_pods_of_an_annotated_template_do_not_repeat_its_word() -> None:
    note = {"metadata": {"annotations": {"kubectl-litefs/ignore": "LFS103: never"}}}
    report = app.judge(snapshot({"template": note, "pods": dict.fromkeys(NAMES, note)}))
    assert report.notices == ("annotation on template of statefulset/abaci-app: the suppression of LFS103 on StatefulSet/abaci/abaci-app matches nothing that was found",)


def test_several_lines_are_several_suppressions_and_a_bad_one_is_told() -> None:
    report = from_objects("set", "LFS208: one region\nLFS805=Pod/abaci/x: no\nLFS 103\n\nLFS103; until 2026-13-01")
    assert "LFS208" not in {f.rule for f in report.active}
    assert len(report.notices) == 3 and all(n.startswith("annotation on statefulset/abaci-app: ") for n in report.notices)


def test_flags_and_annotations_work_together() -> None:
    custom = Custom(suppressions=(accept("LFS208"),))
    report = app.judge(snapshot(annotated("set", "LFS208: by annotation")), custom)
    (found,) = [f for f in report.findings if f.rule == "LFS208"]
    assert found.suppressed is not None and found.suppressed.by == "--ignore", "what was typed comes first"
