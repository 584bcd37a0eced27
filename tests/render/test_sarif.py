"""SARIF, read back by an independent reader and held against the standard and GitHub's demands."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from sarif_pydantic import Sarif

from kubectl_litefs import engine
from kubectl_litefs.app import diagnose_bundle
from kubectl_litefs.demo import SCENARIOS, path
from kubectl_litefs.model.origin import Evidence
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render import sarif

from ..harness import snapshot
from .reports import judged, passes, rule, says
from .sarif_shape import SCHEMA

VALID = fastjsonschema.compile(SCHEMA)
OFFICIAL = os.environ.get("SARIF_SCHEMA", "")


def document(report: Report) -> Any:
    """The one run, after every check that holds for any of them."""
    written = sarif.render(report)
    assert written.isascii() and "\\u001b" not in written
    tree = json.loads(written)
    VALID(tree)
    read = Sarif.model_validate(tree)
    assert len(read.runs[0].results or ()) == len(report.findings)
    run = tree["runs"][0]
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    assert len({json.dumps(r["partialFingerprints"]) for r in run["results"]}) == len(run["results"])
    return run


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording(name: str) -> None:
    report = diagnose_bundle(path(name))
    run = document(report)
    levels = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [(f.rule, levels[f.severity]) for f in report.findings]
    assert sarif.render(report) == sarif.render(diagnose_bundle(path(name)))


@pytest.mark.skipif(not OFFICIAL, reason="SARIF_SCHEMA names no file with the schema of the standard")
@pytest.mark.parametrize("name", SCENARIOS)
def test_against_the_schema_of_the_standard(name: str) -> None:
    fastjsonschema.compile(json.loads(Path(OFFICIAL).read_text("utf8")))(json.loads(sarif.render(diagnose_bundle(path(name)))))


def test_a_finding_of_a_cluster_has_a_made_up_place_that_stays() -> None:
    one = document(judged(says("LFS101", ["abaci-app-1"], "is odd")))["results"][0]
    other = document(judged(says("LFS101", ["abaci-app-1"], "is odder")))["results"][0]
    where = one["locations"][0]
    assert where["physicalLocation"]["artifactLocation"]["uri"] == "cluster/abaci/Pod/abaci-app-1"
    assert where["logicalLocations"][0]["fullyQualifiedName"] == "abaci/Pod/abaci-app-1"
    assert one["locations"] == other["locations"] and one["partialFingerprints"] == other["partialFingerprints"]
    assert one["partialFingerprints"]["primaryLocationLineHash"] == one["partialFingerprints"]["kubectlLitefs/v1"] + ":1"
    seen = one["relatedLocations"][0]["physicalLocation"]
    assert (seen["artifactLocation"]["uri"], seen["region"]["startLine"]) == ("logs/abaci/abaci-app-1/app.log", 14)


@dataclasses.dataclass(frozen=True)
class Placed(Evidence):
    column: int | None = None


def from_files(*evidence: Evidence) -> Any:
    it = rule("LFS101", lambda c: iter((it.finding(c.subject, "odd", *evidence),)))
    facts = dataclasses.replace(assemble(snapshot()), source="files")  # type: ignore[arg-type]
    return document(engine.judge(facts, (it,)))["results"][0]


def test_a_finding_in_a_file_points_at_its_line_and_column() -> None:
    result = from_files(Evidence("k8s/set.yaml", None, "kind"), Placed("./k8s/my set#1.yaml", 7, "replicas: 3", 5))
    where = result["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "k8s/my%20set%231.yaml"
    assert where["region"] == {"startLine": 7, "startColumn": 5, "snippet": {"text": "replicas: 3"}}
    assert [r["physicalLocation"]["artifactLocation"]["uri"] for r in result["relatedLocations"]] == ["k8s/set.yaml"]
    assert "primaryLocationLineHash" not in result["partialFingerprints"], "the upload makes it from the file's own text"


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("a/../b.yaml", "b.yaml"), ("-", "stdin"), ("/abs/ü.yaml", "file:///abs/%C3%BC.yaml"), ("dir\\x.yaml", "dir/x.yaml"),
        ("a%b?.yaml", "a%25b%3F.yaml"), ("bad\udcff.yaml", "bad%FF.yaml"),
    ],
)  # fmt: skip
def test_addresses_are_relative_and_encoded(source: str, uri: str) -> None:
    assert from_files(Evidence(source, 1, "x"))["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_file_that_was_merged_over_a_cluster_is_a_file() -> None:
    it = rule("LFS101", lambda c: iter((it.finding(c.subject, "odd", Evidence("files/k8s/set.yaml", 3, "x")),)))
    result = document(engine.judge(assemble(snapshot()), (it,)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "k8s/set.yaml"


def test_what_does_not_count_is_suppressed_and_says_why() -> None:
    rules = (says("LFS101", ["abaci-app-1"]), says("LFS309", ["abaci-app-1"], follows=("LFS101",)), says("LFS208", severity=Severity.INFO))
    accepted = Suppression("LFS208", "--ignore", reason="one region by choice", until=date(2027, 1, 31))
    run = document(engine.judge(assemble(snapshot()), rules, (accepted,)))
    by_rule = {r["ruleId"]: r["suppressions"] for r in run["results"]}
    assert by_rule["LFS101"] == []
    assert by_rule["LFS309"][0]["justification"] == "follows from LFS101 made-up-fault on abaci/Pod/abaci-app-1"
    assert by_rule["LFS208"][0]["justification"] == "one region by choice (--ignore, until 2027-01-31)"


def test_a_consequence_of_what_is_suppressed_is_an_alert_of_its_own() -> None:
    rules = (says("LFS101", ["abaci-app-1"]), says("LFS309", ["abaci-app-1"], follows=("LFS101",)))
    run = document(engine.judge(assemble(snapshot()), rules, (Suppression("LFS101", "--ignore"),)))
    assert {r["ruleId"]: bool(r["suppressions"]) for r in run["results"]} == {"LFS101": True, "LFS309": False}


def test_what_could_not_be_looked_at_is_told_as_notifications() -> None:
    names = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
    gaps = [{"what": "objects/abaci/ingresses.json", "why": "FORBIDDEN", "detail": "no \x1b[2J"}]
    run = document(judged(passes("LFS308", reads=("ingresses",)), gaps=gaps, info=dict.fromkeys(names), logs=dict.fromkeys(names)))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False, "nobody could look into the set"
    notes = invocation["toolExecutionNotifications"]
    assert any(n["descriptor"]["id"] == "blind" and n["level"] == "error" for n in notes)
    assert any(n.get("associatedRule") == {"id": "LFS308", "index": 0} for n in notes)
    assert any("ingresses.json" in n["message"]["text"] and n["level"] == "warning" for n in notes)
    assert document(judged(passes("LFS101")))["invocations"][0]["executionSuccessful"] is True


def test_addresses_are_the_projects_and_none_while_it_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    report = diagnose_bundle(path("cluster-id-mismatch"))

    def driver(owner: str) -> Any:
        urls = {"Homepage": f"https://github.com/{owner}/tool", "Documentation": f"https://github.com/{owner}/tool/blob/main/docs/install.md"}
        lines = Message()
        for name, url in urls.items():
            lines["Project-URL"] = f"{name}, {url}"
        monkeypatch.setattr(metadata, "metadata", lambda name: lines)
        return document(report)["tool"]["driver"]

    owned, nobodys = driver("somebody"), driver("OWNER")
    assert owned["informationUri"] == "https://github.com/somebody/tool"
    assert {r["id"]: r["helpUri"] for r in owned["rules"]} == {r.id: f"https://github.com/somebody/tool/blob/main/docs/rules/{r.id}.md" for r in report.rules}
    assert "informationUri" not in nobodys and not any("helpUri" in r for r in nobodys["rules"])
