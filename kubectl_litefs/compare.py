"""Two reports of one cluster, as it is and as files would make it, as one: the later one, with what becomes of every finding."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from . import engine
from .model.change import Change, Drift
from .model.cluster import Cluster
from .model.origin import ObjectRef
from .model.report import Changes, CheckResult, ClusterReport, Report, Status
from .model.rule import Finding, Rule

OUTLASTS = ("LFS1", "LFS803", "LFS806")
"""Rules about what outlasts its cause: what lies on the volumes, and a rollout that waits for a pod, which no file ends."""


def compare(
    now: Report, idle: Report, after: Report, rules: Sequence[Rule], drift: Sequence[Drift], restarted: Sequence[ObjectRef]
) -> Report:
    """`after`, with each finding marked new, unchanged or open, and those that are gone beside it.

    `idle` is the cluster as it is, had the same pods started anew and nothing been changed: what it says already, the files do
    not bring; what it does not say though `now` does, hangs on what running pods said, and only they can tell that it is over.
    """
    before, idly, later = ({f.fingerprint: f for f in r.findings} for r in (now, idle, after))
    lost = [f for f in now.findings if f.fingerprint not in later]
    ends = _Ends(now, after, {r.id: r for r in rules}, before, idly, later)
    gone = tuple(dataclasses.replace(f, change=Change.GONE) for f in lost if ends.by_files(f))
    stay = [dataclasses.replace(f, change=Change.OPEN) for f in lost if not ends.by_files(f)]

    def marked(finding: Finding) -> Finding:
        known = finding.fingerprint in before or finding.fingerprint in idly
        return dataclasses.replace(finding, change=Change.UNCHANGED if known else Change.NEW)

    clusters = [dataclasses.replace(c, findings=tuple(map(marked, c.findings))) for c in after.clusters]
    for seen in now.clusters:
        mine = {f.fingerprint for f in seen.findings}
        _carry([f for f in stay if f.fingerprint in mine], seen, clusters)
    return dataclasses.replace(
        after,
        clusters=tuple(clusters),
        findings=tuple(f for c in clusters for f in c.findings),
        checks=tuple(_failed(c, stay) for c in after.checks),
        changes=Changes(gone, tuple(drift), tuple(restarted)),
    )


@dataclasses.dataclass(frozen=True)
class _Ends:
    """Whether the files end a finding of now that is not found after them."""

    now: Report
    after: Report
    rules: Mapping[str, Rule]
    before: Mapping[str, Finding]
    idly: Mapping[str, Finding]
    later: Mapping[str, Finding]

    def by_files(self, finding: Finding) -> bool:
        if finding.fingerprint in self.idly and self._looked_again(finding):
            return True
        cause = self.before.get(finding.consequence_of or "")
        follows = cause is not None and not finding.rule.startswith(OUTLASTS) and cause.fingerprint not in self.later
        return follows and cause is not None and self.by_files(cause)

    def _looked_again(self, finding: Finding) -> bool:
        rule = self.rules.get(finding.rule)
        home = next((c.cluster for c in self.now.clusters if finding.fingerprint in {f.fingerprint for f in c.findings}), None)
        if rule is None or home is None:
            return False
        again = [c.cluster for c in self.after.clusters if same(c.cluster, home)]
        return bool(again) and all(engine.run_rule(rule, c)[0].status in (Status.PASSED, Status.FAILED) for c in again)


def same(one: Cluster, other: Cluster) -> bool:
    """Whether two clusters are one at two times: they share a workload or a pod."""
    refs = {*one.workloads, *(p.ref for p in one.pods)}
    return bool(refs & {*other.workloads, *(p.ref for p in other.pods)})


def _carry(findings: Sequence[Finding], seen: ClusterReport, clusters: list[ClusterReport]) -> None:
    """Put open findings where their cluster is now; a set that could not be looked into stays one."""
    at = next((n for n, c in enumerate(clusters) if same(c.cluster, seen.cluster)), None)
    if at is None:
        if findings:
            clusters.append(dataclasses.replace(seen, findings=engine.in_order(_rooted(findings))))
        return
    there = clusters[at]
    planned = there.planned and not seen.blind
    clusters[at] = dataclasses.replace(there, findings=engine.in_order(_rooted([*there.findings, *findings])), planned=planned)


def _rooted(findings: Sequence[Finding]) -> list[Finding]:
    """A finding whose cause is gone stands on its own."""
    known = {f.fingerprint for f in findings}
    return [f if f.consequence_of in known else dataclasses.replace(f, consequence_of=None) for f in findings]


def _failed(check: CheckResult, stay: Sequence[Finding]) -> CheckResult:
    return dataclasses.replace(check, status=Status.FAILED) if any(f.rule == check.rule for f in stay) else check
