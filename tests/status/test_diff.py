"""`diff`: what is new, gone, unchanged, and what nobody could look for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle

from .. import dumps
from ..cli.run import Done, run

Capsys = pytest.CaptureFixture[str]
Report = dict[str, Any]
HEALTHY, STRANGER = str(path("healthy")), str(path("cluster-id-mismatch"))


@pytest.fixture
def report(capsys: Capsys) -> Report:
    """A saved report with LFS101 and what follows from it."""
    tree: Report = json.loads(run(capsys, "diagnose", "--from", STRANGER, "-o", "json").out)
    return tree


@pytest.fixture
def diff(capsys: Capsys, tmp_path: Path) -> Callable[..., Done]:
    """Of two reports, each as it is given or the bundle at that path."""

    def call(a: Report | str, b: Report | str, *flags: str) -> Done:
        names = []
        for letter, given in (("a", a), ("b", b)):
            if not isinstance(given, str):
                (tmp_path / f"{letter}.json").write_text(json.dumps(given), "utf8")
                given = str(tmp_path / f"{letter}.json")
            names.append(given)
        return run(capsys, "diff", *names, *flags)

    return call


Diff = Callable[..., Done]


def rules(done: Done, key: str) -> list[str]:
    return [f["rule"] for f in json.loads(done.out)[key]]


def without(report: Report, *gone: str) -> Report:
    return {**report, "findings": [f for f in report["findings"] if f["rule"] not in gone]}


def check(report: Report, rule: str, **changes: Any) -> Report:
    return {**report, "checks": [{**c, **changes} if c["rule"] == rule else c for c in report["checks"]]}


def test_a_report_and_the_bundle_that_it_is_of_are_the_same(diff: Diff, report: Report) -> None:
    done = diff(report, STRANGER, "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["summary"] == {"new": 0, "gone": 0, "unchanged": len(report["findings"]), "notSeen": 0}


def test_what_is_new_fails(diff: Diff) -> None:
    done = diff(HEALTHY, STRANGER)
    assert done.code == 1
    assert "NEW        ERROR       LFS101 cluster-id-mismatch  pod/abaci-app-1" in done.out
    assert "UNCHANGED  WARNING     LFS711" in done.out
    assert "2 new, 0 gone, 3 unchanged" in done.out
    assert diff(HEALTHY, STRANGER, "--fail-on", "never").code == 0


def test_what_is_gone_passes(diff: Diff) -> None:
    done = diff(STRANGER, HEALTHY, "-o", "json")
    assert (done.code, sorted(rules(done, "gone"))) == (0, ["LFS101", "LFS309"])
    assert "is newer than" in done.err


def test_what_could_not_be_looked_for_is_not_gone(diff: Diff, report: Report) -> None:
    blind = check(without(report, "LFS101"), "LFS101", status="skipped")
    done = diff(report, blind, "-o", "json")
    assert (rules(done, "gone"), rules(done, "notSeen")) == ([], ["LFS101"])
    assert "NOT SEEN   ERROR       LFS101" in diff(report, blind).out


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("litefs/abaci/abaci-app-1/info.json", "notSeen"),
        ("litefs/abaci/abaci-app-2/info.json", "gone"),
        ("objects/abaci/statefulsets.json", "notSeen"),
    ],
)
def test_a_gap_counts_where_the_fault_may_hide(diff: Diff, report: Report, what: str, key: str) -> None:
    gap = {"what": what, "why": "UNREACHABLE", "detail": "x"}
    partly = check(without(report, "LFS101"), "LFS101", status="passed", gaps=[gap])
    assert rules(diff(report, partly, "-o", "json"), key) == ["LFS101"]
    same_sight = check(report, "LFS101", gaps=[gap])
    assert rules(diff(same_sight, partly, "-o", "json"), "gone") == ["LFS101"], "it was found without that"


def test_a_rule_or_namespace_that_was_left_out_is_not_gone(diff: Diff, report: Report) -> None:
    elsewhere = {**without(report, "LFS101"), "target": {"namespaces": ["other"], "source": "live"}}
    done = diff(report, elsewhere, "-o", "json")
    assert rules(done, "notSeen") == ["LFS101"]
    assert "is of namespace abaci" in done.err
    fewer = {**without(report, "LFS101"), "checks": [c for c in report["checks"] if c["rule"] != "LFS101"]}
    done = diff(report, fewer, "-o", "json")
    assert rules(done, "notSeen") == ["LFS101"]
    assert "was not judged by LFS101" in done.err


def test_a_new_finding_that_a_could_not_look_for_says_so_and_counts(diff: Diff, report: Report) -> None:
    blind = check(without(report, "LFS101"), "LFS101", status="skipped")
    done = diff(blind, report, "-o", "json")
    assert done.code == 1
    assert [f["surelyNew"] for f in json.loads(done.out)["new"]] == [False]
    assert diff(without(report, "LFS101"), report, "-o", "json").out.count('"surelyNew": true') == 1


def changed(report: Report, rule: str, **changes: Any) -> Report:
    return {**report, "findings": [{**f, **changes} if f["rule"] == rule else f for f in report["findings"]]}


ACCEPTED = {"by": "--ignore", "reason": "known", "until": None}


def test_what_is_suppressed_is_shown_as_such_and_fails_nothing(diff: Diff, report: Report) -> None:
    done = diff(without(report, "LFS101"), changed(report, "LFS101", suppressed=ACCEPTED))
    assert done.code == 0
    assert "NEW        suppressed  LFS101 cluster-id-mismatch  pod/abaci-app-1\n  suppressed: known\n" in done.out


@pytest.mark.parametrize(("was", "said"), [({"suppressed": ACCEPTED}, "no longer suppressed"), ({"severity": "warning"}, "was warning")])
def test_what_begins_to_count_fails_as_if_it_were_new(diff: Diff, report: Report, was: Report, said: str) -> None:
    before = changed(report, "LFS101", **was)
    done = diff(before, report)
    assert done.code == 1
    row, after = done.out[done.out.index("UNCHANGED  ERROR       LFS101") :].splitlines()[:2]
    assert said in row + after
    assert diff(report, before).code == 0


def test_a_set_that_b_could_not_look_into_is_no_pass(diff: Diff, report: Report) -> None:
    closed = {**without(report, "LFS101", "LFS309"), "clusters": [{**c, "blind": True} for c in report["clusters"]]}
    assert diff(report, closed).code == 3
    assert diff(closed, without(report, "LFS101", "LFS309")).code == 0, "it is the later one that matters"


def test_two_versions_of_the_tool_are_warned_of(diff: Diff, report: Report) -> None:
    done = diff({**report, "toolVersion": "0.0.1"}, report, "-o", "yaml")
    assert done.code == 0
    assert "rules may differ" in done.err
    assert "rules may differ" in yaml.safe_load(done.out)["warnings"][0]


def test_flags_for_bundles_hold(diff: Diff) -> None:
    assert diff(HEALTHY, STRANGER, "--ignore", "LFS101: known", "--ignore", "LFS309: known").code == 0


def test_a_folder_that_is_no_bundle_is_answered_with_what_diff_wants(capsys: Capsys, tmp_path: Path) -> None:
    done = run(capsys, "diff", HEALTHY, str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("hint:  diff wants two bundles, or reports saved with -o json.\n")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", 2, "neither a bundle nor a report: no JSON, from line 1 on\n"),
        ("[]", 2, "it is other JSON, not"),
        ("{}", 2, "it is other JSON, not"),
        ('{"apiVersion": "kubectl-litefs/v1", "kind": "Status"}', 2, "kubectl-litefs/v1 Status, not"),
        ('{"apiVersion": "kubectl-litefs/v1", "kind": "Report"}', 3, "is damaged: its keys"),
        ("[" * 100_000, 2, "no JSON"),
    ],
)
def test_bad_input_is_refused_in_words(capsys: Capsys, tmp_path: Path, text: str, code: int, says: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf8")
    for words in ((HEALTHY, str(tmp_path / "x.json")), (str(tmp_path / "x.json"), HEALTHY)):
        done = run(capsys, "diff", *words)
        assert (done.code, done.out) == (code, "")
        assert says in done.err
        assert len(done.err) < 1000


@pytest.mark.parametrize("key", ["fingerprint", "severity", "subject", "message"])
def test_a_finding_of_another_shape_is_damage(diff: Diff, report: Report, key: str) -> None:
    for value in (None, 7, [], "nonsense" if key == "severity" else {}):
        done = diff(report, changed(report, "LFS101", **{key: value}))
        assert (done.code, done.out) == (3, "")


def test_what_is_not_there_is_a_mistake_of_the_call(capsys: Capsys, tmp_path: Path) -> None:
    done = run(capsys, "diff", HEALTHY, str(tmp_path / "none"))
    assert (done.code, done.out) == (2, "")
    assert run(capsys, "diff", HEALTHY).code == 2


def test_nothing_of_a_report_can_act_on_the_terminal(diff: Diff, report: Report) -> None:
    done = diff(without(report, "LFS101"), changed(report, "LFS101", message="x\x1b[31m\u202ey", name="a\nb"))
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "LFS101 a b" in done.out


def test_the_keys_are_the_documented_ones(diff: Diff, report: Report) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "diff.md").read_text("utf8")
    tree = json.loads(diff(changed(report, "LFS101", suppressed=ACCEPTED), without(report, "LFS309"), "-o", "json").out)

    def keys(part: object) -> set[str]:
        if isinstance(part, dict):
            return set(part).union(*map(keys, part.values()))
        return set().union(*map(keys, part)) if isinstance(part, list) else set()

    assert not [k for k in keys(tree) if f"`{k}`" not in page]


@pytest.mark.parametrize("save", [dumps.plain_folder, dumps.cluster_info, dumps.support_bundle])
def test_whatever_diagnose_reads_can_be_compared(save: Callable[..., Path], diff: Diff, tmp_path: Path) -> None:
    folder = save(bundle.load(path("cluster-id-mismatch")), tmp_path / "saved")
    done = diff(str(folder), STRANGER, "-o", "json")
    assert "LFS101" in rules(done, "unchanged"), "the log tells it, whoever has saved it"
    assert diff(str(folder), str(folder), "-o", "json").code == 0
