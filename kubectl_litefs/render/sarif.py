"""The report as SARIF 2.1.0, with what GitHub's code scanning asks for beyond the standard.

A finding of a live cluster or a bundle is in no file of a repository. Its place is a made-up file that names the
subject (`cluster/abaci/Pod/abaci-app-1`), which stays the same from run to run; what was seen are related locations.
"""

from __future__ import annotations

import posixpath
from datetime import timezone
from typing import Any
from urllib.parse import quote

from ..model.change import Change
from ..model.origin import Evidence, Gap
from ..model.report import Report, Status
from ..model.rule import Finding, Rule, Severity
from ..project import addresses
from .changes import drift_words
from .gaps import LOUD, unseen_names
from .json import document
from .words import clean, place

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
BASELINE = {Change.NEW: "new", Change.UNCHANGED: "unchanged", Change.OPEN: "unchanged", Change.GONE: "absent"}
"""Against the cluster as it is, where files were laid over it."""
LONGEST = 1000
"""Characters of a rule's descriptions; GitHub refuses files with more than 1024."""
MOST_RELATED = 100
FILES = "files/"
"""In a bundle: what was given with -f."""


def render(report: Report) -> str:
    """One document with one run."""
    indexes = {r.id: at for at, r in enumerate(report.rules)}
    by_print = {f.fingerprint: f for f in report.findings}
    home = addresses()
    driver = {
        "name": "kubectl-litefs",
        "version": report.tool_version,
        **({"informationUri": home["Homepage"]} if "Homepage" in home else {}),
        "rules": [_rule(r, home.get("Documentation", "")) for r in report.rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, indexes)],
        "results": [*(_result(f, report, indexes, by_print) for f in report.findings), *_gone(report, indexes)],
    }
    return document({"$schema": SCHEMA, "version": VERSION, "runs": [run]})


def _rule(rule: Rule, documentation: str) -> dict[str, Any]:
    """Metadata of one rule. A built-in rule's page lies beside `documentation`; another's is where its author says."""
    steps = "\n".join(f"{number}. {clean(step)}" for number, step in enumerate(rule.fix, 1))
    parts = [("What you notice", rule.symptom), ("What it does", rule.impact), ("Why it happens", rule.cause)]
    told = [(title, clean(text)) for title, text in parts if text]
    text = "\n\n".join([*(f"{title}: {text}" for title, text in told), f"What to do:\n{steps}"])
    markdown = "\n\n".join([*(f"**{title}.** {text}" for title, text in told), f"**What to do.**\n\n{steps}"])
    tags = ["litefs", "kubernetes", *([f"gotcha-{rule.gotcha}"] if rule.gotcha else [])]
    made: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": clean(rule.title)[:LONGEST]},
        "fullDescription": {"text": clean(rule.impact or rule.title)[:LONGEST]},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": LEVEL[rule.severity]},
        "properties": {"tags": tags, "precision": "high", "problem.severity": PROBLEM[rule.severity]},
    }
    page = f"{posixpath.dirname(documentation)}/rules/{rule.id}.md" if documentation and rule.docs is None else rule.docs
    if page:
        made["helpUri"] = page
    return made


def _invocation(report: Report, indexes: dict[str, int]) -> dict[str, Any]:
    """What could not be looked at, and which rules were not judged for it: an empty list of results is no verdict."""
    blind = not report.clusters or any(c.blind for c in report.clusters)
    notes = [
        {
            "descriptor": {"id": "blind"}, "level": "error",
            "message": {"text": clean(f"Nothing could be seen of {c.cluster.namespace}/{c.cluster.name}: no answer, no log.")},
        }
        for c in report.clusters if c.blind
    ]  # fmt: skip
    for check in report.checks:
        if check.status in (Status.SKIPPED, Status.CRASHED):
            unseen = ", ".join(unseen_names(check.gaps))
            words = f"{check.rule} was not judged: " + (f"not seen: {unseen}" if unseen else "nothing to look at")
            if check.status is Status.CRASHED:
                words = f"{check.rule} broke and was not judged: " + "; ".join(clean(g.detail) for g in check.gaps)
            notes.append(
                {
                    "descriptor": {"id": check.status.value},
                    "level": "error" if check.status is Status.CRASHED else "warning",
                    "message": {"text": words},
                    "associatedRule": {"id": check.rule, "index": indexes[check.rule]},
                }
            )
    crashed = any(c.status is Status.CRASHED for c in report.checks)
    ended = {"endTimeUtc": report.taken_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")} if report.taken_at else {}
    return {
        "executionSuccessful": not blind and not crashed,
        **ended,
        "toolExecutionNotifications": [*notes, *(_gap(g) for g in report.gaps), *_drift(report)],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    detail = f": {gap.detail}" if gap.detail else ""
    return {
        "descriptor": {"id": gap.why.value},
        "level": "warning" if gap.why in LOUD else "note",
        "message": {"text": clean(f"could not look at {gap.what}{detail}")},
    }


def _result(finding: Finding, report: Report, indexes: dict[str, int], by_print: dict[str, Finding]) -> dict[str, Any]:
    files = [(e, uri) for e in finding.evidence if (uri := file_uri(e, report.source)) is not None]
    first, locations = _primary(finding, files)
    related = [_related(e, report.source, at) for at, e in enumerate(e for e in finding.evidence if e is not first)]
    prints = {"kubectlLitefs/v1": finding.fingerprint}
    if first is None:  # for a file in the repository the upload computes this one from the file's text
        prints["primaryLocationLineHash"] = f"{finding.fingerprint}:1"
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": indexes[finding.rule],
        "kind": "fail",
        "level": LEVEL[finding.severity],
        "message": {"text": clean(f"{finding.message} {finding.impact}".strip())},
        "locations": locations,
        "partialFingerprints": prints,
        "suppressions": _suppressions(finding, by_print),
        "properties": {
            "subject": _name(finding),
            "consequenceOf": finding.consequence_of,
            "remediation": [clean(step) for step in finding.remediation],
            "commands": [clean(command) for command in finding.commands],
        },
    }
    if report.changes is not None:
        made["baselineState"] = BASELINE[finding.change or Change.UNCHANGED]
    if related:
        made["relatedLocations"] = related[:MOST_RELATED]
    return made


def _gone(report: Report, indexes: dict[str, int]) -> list[dict[str, Any]]:
    """What the files end. `pass` and suppressed, so that a viewer that knows no baseline shows no alert."""
    words = "fixed by the files that were laid over the cluster"
    ended = {"kind": "pass", "level": "none", "baselineState": BASELINE[Change.GONE]}
    suppressed = [{"kind": "external", "status": "accepted", "justification": words}]
    gone = report.changes.gone if report.changes else ()
    return [{**_result(f, report, indexes, {}), **ended, "suppressions": suppressed} for f in gone if f.rule in indexes]


def _drift(report: Report) -> list[dict[str, Any]]:
    """Where the cluster differs from the files."""
    found = []
    for one in report.changes.drift if report.changes else ():
        uri = file_uri(one.evidence, report.source) or _uri(one.evidence.source)
        where = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": _region(one.evidence)}}
        found.append({"descriptor": {"id": "drift"}, "level": "note", "message": {"text": clean(drift_words(one))}, "locations": [where]})
    return found


def _name(finding: Finding) -> str:
    subject = finding.subject
    return clean("/".join(part for part in (subject.namespace, subject.kind, subject.name) if part))


def _primary(finding: Finding, files: list[tuple[Evidence, str]]) -> tuple[Evidence | None, list[dict[str, Any]]]:
    """The evidence that is the place of the finding (the first with a line, of those in files), and that place."""
    logical = [{"name": clean(finding.subject.name), "fullyQualifiedName": _name(finding), "kind": "resource"}]
    first, uri = next((f for f in files if f[0].line), files[0] if files else (None, f"cluster/{quote(_name(finding))}"))
    where = {"artifactLocation": {"uri": uri}, "region": _region(first) if first else {"startLine": 1}}
    return first, [{"physicalLocation": where, "logicalLocations": logical}]


def file_uri(evidence: Evidence, source: str) -> str | None:
    """The relative address of a file that the user gave; None for what was read from a cluster or stands in a bundle."""
    path = evidence.source
    if source in ("live", "bundle"):
        if not path.startswith(FILES):
            return None
        path = path[len(FILES) :]
    return _uri("stdin" if path == "-" else path)


def _uri(path: str) -> str:
    """A path as an address: forward slashes, no dots that say nothing, what is no plain letter encoded."""
    plain = posixpath.normpath(path.replace("\\", "/"))
    return ("file://" if plain.startswith("/") else "") + quote(plain.encode("utf8", "surrogateescape"))


def _region(evidence: Evidence) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": evidence.line or 1}
    if evidence.column and evidence.line:
        region["startColumn"] = evidence.column
    region["snippet"] = {"text": clean(evidence.excerpt)}
    return region


def _related(evidence: Evidence, source: str, at: int) -> dict[str, Any]:
    where = {"artifactLocation": {"uri": file_uri(evidence, source) or _uri(evidence.source)}, "region": _region(evidence)}
    return {"id": at, "physicalLocation": where, "message": {"text": f"{place(evidence)}  {clean(evidence.excerpt)}"}}


def _suppressions(finding: Finding, by_print: dict[str, Finding]) -> list[dict[str, Any]]:
    """Empty for a finding that counts. A consequence goes away with its cause, which is there as a finding."""
    by = finding.suppressed
    if by is not None:
        until = f", until {by.until}" if by.until else ""
        words = clean(f"{by.reason or 'no reason given'} ({by.by}{until})")
        return [{"kind": "external", "status": "accepted", "justification": words}]
    cause = by_print.get(finding.consequence_of or "")
    if cause is None:
        return []
    words = f"follows from {cause.rule} {cause.name} on {_name(cause)}"
    return [{"kind": "external", "status": "accepted", "justification": words}]
