"""The report as JUnit XML: one test case for each rule, and one for having been able to look.

There is a failure or an error in it exactly where the exit code is not 0: a build server must not be green where the
command is red, nor the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone
from xml.etree import ElementTree

from ..exitcodes import ExitCode
from ..model.report import Changes, CheckResult, Report, Status
from ..model.rule import Finding, Rule, Severity
from .changes import drift_words
from .gaps import unseen_names
from .words import clean, listed, place

SUITE = "kubectl-litefs"


def render(report: Report, fail_on: Severity | None = Severity.ERROR, strict: bool = False) -> str:
    """One document. `fail_on` and `strict` as on the command line: findings below do not fail a case."""
    cases = [_could_look(report, strict)]
    rules = {r.id: r for r in report.rules}
    gone = report.changes.gone if report.changes else ()
    for check in report.checks:
        of_rule, over = ([f for f in found if f.rule == check.rule] for found in (report.findings, gone))
        cases.append(_case(check, rules[check.rule], of_rule, fail_on, over))
    cases += [_against(report.changes)] if report.changes else []
    counts = {
        "tests": len(cases),
        "failures": sum(c.find("failure") is not None for c in cases),
        "errors": sum(c.find("error") is not None for c in cases),
        "skipped": sum(c.find("skipped") is not None for c in cases),
    }
    totals = {name: str(number) for name, number in counts.items()}
    at = {"timestamp": report.taken_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")} if report.taken_at else {}
    root = ElementTree.Element("testsuites", {"name": SUITE, **totals})
    name = _safe(", ".join(report.namespaces)) or report.source
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"{SUITE} {name}", **totals, **at, "time": "0"})
    suite.extend(cases)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _new(name: str, group: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", {"classname": f"{SUITE}.{group}", "name": name, "time": "0"})


def _could_look(report: Report, strict: bool) -> ElementTree.Element:
    """What no rule's case says: that a set could not be seen at all; with `strict`, that anything could not."""
    case = _new("could look", "sight")
    if report.exit_code(None, strict) is ExitCode.COULD_NOT_LOOK:
        unseen = [f"{g.what}: {g.why.value} {g.detail}".rstrip() for g in report.gaps]
        _say(case, "error", "not everything could be looked at", unseen, kind=ExitCode.COULD_NOT_LOOK.name)
    return case


def _against(changes: Changes) -> ElementTree.Element:
    """Where the cluster differs from the files: nothing fails for it."""
    case = _new("files against the cluster", "sight")
    lines = [f"{place(d.evidence)}  {drift_words(d)}" for d in changes.drift] or ["The cluster has everything as the files say it."]
    restarted = [f"judged as if started anew: {listed([r.name for r in changes.restarted])}"] if changes.restarted else []
    case.append(_text("system-out", [*lines, *restarted]))
    return case


def _case(
    check: CheckResult, rule: Rule, findings: Sequence[Finding], fail_on: Severity | None, gone: Sequence[Finding] = ()
) -> ElementTree.Element:
    case = _new(f"{rule.id} {rule.name}", f"{rule.id[:-2]}xx" if rule.docs is None else "own")
    active = [f for f in findings if f.suppressed is None]
    failing = [f for f in active if fail_on is not None and f.severity.rank <= fail_on.rank]
    if failing:
        head = failing[0].message if len(failing) == 1 else f"{len(failing)} findings: {failing[0].message}"
        _say(case, "failure", head, _told(failing), kind=failing[0].severity.value)
    elif check.status is Status.CRASHED:
        _say(case, "skipped", "the check broke (a bug of this tool)", [g.detail for g in check.gaps])
    elif check.status is Status.SKIPPED:
        _say(case, "skipped", "could not look: " + (listed(unseen_names(check.gaps)) or "nothing to look at"), ())
    elif findings and not active:
        _say(case, "skipped", f"suppressed: {_reasons(findings)}", ())
    below = [f for f in active if f not in failing]
    fixed = [f"fixed by the files: {f.severity.value} {f.subject}: {f.message}" for f in gone]
    if below or fixed:
        case.append(_text("system-out", [*_told(below), *fixed]))
    return case


def _reasons(findings: Sequence[Finding]) -> str:
    by = dict.fromkeys(f.suppressed for f in findings if f.suppressed)
    return "; ".join(f"{s.reason or 'no reason given'} ({s.by})" for s in by)


def _told(findings: Sequence[Finding]) -> list[str]:
    """Message, what was seen, what to do: a few lines for each finding."""
    lines: list[str] = []
    for f in findings:
        suffix = f" (follows from {f.consequence_of})" if f.consequence_of else ""
        lines += [f"{f.severity.value} {f.subject}: {f.message}{suffix}", *(f"  seen: {place(e)}  {e.excerpt}" for e in f.evidence)]
        lines += [*(f"  do: {step}" for step in f.remediation), *(f"  run: {command}" for command in f.commands)]
    return lines


def _say(case: ElementTree.Element, tag: str, message: str, lines: Sequence[str], kind: str = "") -> None:
    element = _text(tag, lines)
    element.set("message", _safe(message))
    if kind:
        element.set("type", kind)
    case.append(element)


def _text(tag: str, lines: Sequence[str]) -> ElementTree.Element:
    element = ElementTree.Element(tag)
    element.text = "\n".join(_safe(line) for line in lines) or None
    return element


def _safe(text: str) -> str:
    """One line of what XML 1.0 can hold: it has no way to write a control character."""
    return clean(text).replace("\ufffe", "?").replace("\uffff", "?")
