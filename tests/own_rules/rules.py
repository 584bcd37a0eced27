"""Small files of rules, and what they find in the harness's cluster."""

from __future__ import annotations

import textwrap
from typing import Any

from kubectl_litefs import app
from kubectl_litefs.model.custom import Custom
from kubectl_litefs.model.report import CheckResult, Report
from kubectl_litefs.model.rule import Finding
from kubectl_litefs.own_rules.load import Loaded, load
from kubectl_litefs.rules import ALL

from ..harness import snapshot
from ..report_schema import check

HEAD = "rules:\n- id: ACME-1\n  severity: warning\n  message: '{name}: {value}'\n  fix: Do it.\n"


def read(text: str) -> Loaded:
    return load([("r.yaml", text.encode())], (r.id for r in ALL))


def rule(when: str, **more: str) -> str:
    """One rule with these conditions, a flow mapping each."""
    extra = "".join(f"  {key}: {value}\n" for key, value in more.items())
    return f"{HEAD}{extra}  when:\n" + textwrap.indent(textwrap.dedent(when).strip(), "  - ", lambda line: not line.startswith(" ")) + "\n"


def judge(text: str, **body: Any) -> Report:
    """The whole report of the harness's cluster with a case's patches."""
    loaded = read(text)
    assert [str(p) for p in loaded.problems] == []
    custom = Custom(rules=tuple(loaded.rules), patterns=tuple(loaded.patterns))
    return check(app.judge(snapshot({k.replace("_", "-"): v for k, v in body.items()}), custom))


def found(report: Report, rule: str = "ACME-1") -> list[Finding]:
    return [f for f in report.findings if f.rule == rule]


def outcome(report: Report, rule: str = "ACME-1") -> CheckResult:
    return next(c for c in report.checks if c.rule == rule)
