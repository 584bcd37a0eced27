"""The example of each rule page: what the tool prints for the case marked `show: true`."""

from __future__ import annotations

from kubectl_litefs import engine
from kubectl_litefs.model.rule import Finding
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render.finding import Group, Look, block
from kubectl_litefs.render.paint import plain
from kubectl_litefs.rules import ALL
from tests.harness import Case, load_cases, snapshot

LOOK = Look(width=80, fancy=False, verbose=False, show_all=False, kube_flags=())


def examples() -> dict[str, tuple[str, str]]:
    """Rule id -> (the case's name in words, its finding as text)."""
    shown = {}
    for case in load_cases():
        if case.body.get("show"):
            findings = _findings(case)
            if findings:
                shown[case.rule] = case.name.replace("-", " "), plain(block(Group(findings, ()), LOOK))
    return shown


def _findings(case: Case) -> tuple[Finding, ...]:
    report = engine.judge(assemble(snapshot(case.body)), ALL)
    return tuple(f for f in report.findings if f.rule == case.rule)
