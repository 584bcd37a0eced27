"""Files laid over a cluster, in the formats for machines: what they fix, what they bring, where the two differ."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import fastjsonschema
import junitparser
import pytest
from markdown_it import MarkdownIt
from sarif_pydantic import Sarif

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle
from kubectl_litefs.model.report import Report
from kubectl_litefs.render import junit, markdown, sarif

from ..cli.test_given_files import judged, manifests, nothing, without_redirect
from .sarif_shape import SCHEMA


def worse(raw: dict[str, Any]) -> None:
    """The redirect goes, and another key that nobody knows comes."""
    without_redirect(raw)
    if raw["kind"] == "ConfigMap":
        raw["data"]["litefs.yml"] += "\nleese: {}\n"


@lru_cache
def report(kind: str) -> Report:
    snapshot = bundle.load(path("primary-redirect-url"))
    return judged(snapshot, manifests(snapshot, {"better": without_redirect, "worse": worse, "same": nothing}[kind], "configmaps"))


def results(kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    tree = json.loads(sarif.render(report(kind)))
    fastjsonschema.compile(SCHEMA)(tree)
    Sarif.model_validate(tree)
    return tree["runs"][0], tree["runs"][0]["results"]


def test_sarif_says_what_is_gone_and_shows_no_alert_for_it() -> None:
    run, found = results("better")
    gone = [r for r in found if r["baselineState"] == "absent"]
    assert {r["ruleId"] for r in gone} == {"LFS501", "LFS801"}
    assert all((r["kind"], r["level"]) == ("pass", "none") and r["suppressions"] for r in gone)
    assert all(r["kind"] == "fail" for r in found if r not in gone)
    drift = [n for n in run["invocations"][0]["toolExecutionNotifications"] if n["descriptor"]["id"] == "drift"]
    assert len(drift) == len(report("better").changes.drift) > 0  # type: ignore[union-attr]
    assert drift[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "all.yaml"
    assert "ConfigMap" in drift[0]["message"]["text"] or "configmap" in drift[0]["message"]["text"]


def test_sarif_tells_new_from_old_in_every_result_or_in_none() -> None:
    assert ("LFS501", "new") in {(r["ruleId"], r["baselineState"]) for r in results("worse")[1]}
    assert {r["baselineState"] for r in results("same")[1]} == {"unchanged"}
    plain = json.loads(sarif.render(judged_without_files()))["runs"][0]["results"]
    assert plain
    assert not any("baselineState" in r for r in plain)


@lru_cache
def judged_without_files() -> Report:
    from kubectl_litefs.app import diagnose_bundle

    return diagnose_bundle(path("primary-redirect-url"))


def cases(kind: str) -> dict[str, Any]:
    (suite,) = junitparser.JUnitXml.fromroot(ElementTree.parse(io.BytesIO(junit.render(report(kind)).encode())).getroot())
    return {case.name: case for case in suite}


def test_junit_passes_what_is_fixed_and_says_so() -> None:
    fixed = next(c for name, c in cases("better").items() if name.startswith("LFS501 "))
    assert fixed.is_passed
    assert "fixed by the files: error" in fixed.system_out
    against = cases("better")["files against the cluster"]
    assert against.is_passed
    assert against.system_out.startswith("all.yaml:")
    assert "judged as if started anew: " in against.system_out
    assert "everything as the files say it" in cases("same")["files against the cluster"].system_out
    assert "files against the cluster" not in junit.render(judged_without_files())


@pytest.mark.parametrize(("kind", "words"), [("better", "Fixed by these files"), ("worse", "(new)"), ("same", "These files fix nothing that was found.")])
def test_markdown_has_a_part_for_the_files(kind: str, words: str) -> None:
    html = str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown.render(report(kind))))
    assert words in html
    assert ("The cluster differs from the files in" in html) == (kind != "same")
    assert html.count("<details>") == html.count("</details>")
    assert "Fixed by these files" not in markdown.render(judged_without_files())
