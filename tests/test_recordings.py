"""Recordings of real LiteFS clusters, healthy and broken on purpose: what must be found, and what must not.

`recordings/expected.yaml`: `must` and `any` at error or warning severity, `may` is tolerated at error severity, `never`
at none; any other error is a false alarm. `{}` is a healthy cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import kubectl_litefs
from kubectl_litefs.app import diagnose_bundle
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.model.messages import classify
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity

from . import quick_yaml
from .report_schema import check

HERE = Path(__file__).parent / "recordings"
DEMO = Path(kubectl_litefs.__file__).parent / "demo"
EXPECTED: Mapping[str, Mapping[str, Any]] = quick_yaml.load((HERE / "expected.yaml").read_text("utf8"))


def recording(name: str) -> Path:
    """Recordings that ship with the package as a demo are not kept twice."""
    shipped = DEMO / f"{name}.tar.gz"
    return shipped if shipped.exists() else HERE / f"{name}.tar.gz"


def ids(report: Report, *severities: Severity) -> set[str]:
    return {f.rule for f in report.findings if f.severity in severities}


def unknown_messages(report: Report) -> set[str]:
    """Lines that LiteFS really wrote there and that its table of messages does not know."""
    runs = [run for c in report.clusters for pod in c.cluster.pods for run in pod.runs]
    said = {re.sub(r"^[0-9A-F]{16}: ", "", line.text) for run in runs for line in (*run.head, *run.tail) if line.kind != "other"}
    return {text for text in said if classify(text) is None}


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    report = check(diagnose_bundle(recording(name)))
    told = "\n".join(f"{f.rule} {f.severity.value} {f.subject}: {f.message}" for f in report.findings)
    print(told)
    want = EXPECTED[name]
    loud = ids(report, Severity.ERROR, Severity.WARNING)
    assert set(want.get("must", ())) <= loud, told
    for alternatives in want.get("any", ()):
        assert loud & set(alternatives), told
    tolerated = {*want.get("must", ()), *want.get("may", ()), *(i for g in want.get("any", ()) for i in g)}
    assert ids(report, Severity.ERROR) <= tolerated, told
    assert not set(want.get("never", ())) & ids(report, *Severity), told
    for rule, names in want.get("subjects", {}).items():
        assert set(names) <= {f.subject.name for f in report.findings if f.rule == rule}, told
    assert not [c for c in report.checks if c.status is Status.CRASHED], told
    assert not unknown_messages(report)
    assert report.exit_code() == (ExitCode.FINDINGS if ids(report, Severity.ERROR) else ExitCode.OK)


def test_every_recording_is_judged() -> None:
    files = {p.name.removesuffix(".tar.gz") for folder in (HERE, DEMO) for p in folder.glob("*.tar.gz")}
    assert files == set(EXPECTED)
