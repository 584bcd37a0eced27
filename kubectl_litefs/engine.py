"""Judge facts by rules: run every check, contain its crash, link consequences to causes, build the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from . import __version__, suppress
from .model.cluster import Cluster, Facts
from .model.origin import Evidence, Gap, GapReason
from .model.pod import Pod
from .model.report import CheckResult, ClusterReport, Report, Status
from .model.rule import Finding, Rule, Severity, Unknown
from .model.suppression import Suppression
from .model.topology import Topology, topology

CRASHED = "LFS901"
"""The rule that reports a rule's own crash; it has no check of its own."""

POD_READS = frozenset({"spec", "env", "config", "info", "vars", "metrics", "log", "previous"})


def judge(facts: Facts, rules: Sequence[Rule], suppressions: Sequence[Suppression] = ()) -> Report:
    """Every rule over every cluster. A rule that raises becomes an LFS901 finding; the others go on."""
    valid = suppress.valid(suppressions, facts.taken_at)
    crashed_rule = next((r for r in rules if r.id == CRASHED), None)
    results: dict[str, list[CheckResult]] = {r.id: [] for r in rules}
    reports: list[ClusterReport] = []
    told: set[str] = set()  # two sets of a namespace may share what is wrong
    for cluster in facts.clusters:
        findings: list[Finding] = []
        for rule in rules:
            result, found = run_rule(rule, cluster)
            results[rule.id].append(result)
            findings += found
            if result.status is Status.CRASHED and crashed_rule is not None:
                findings.append(_crash_finding(crashed_rule, rule, cluster, result.gaps[0].detail))
        who = topology(cluster)
        fresh = [f for f in _unique(findings) if f.fingerprint not in told]
        linked = link(suppress.mark(fresh, cluster, valid), rules, who)
        told |= {f.fingerprint for f in linked}
        reports.append(ClusterReport(cluster, who, in_order(linked), planned=_planned(cluster, facts)))
    findings = [f for r in reports for f in r.findings]
    checks = tuple(_fold(rule, results[rule.id], findings) for rule in rules)
    untimed = (UNTIMED,) if facts.taken_at is None else ()
    gaps = tuple(dict.fromkeys((*untimed, *facts.gaps, *(g for c in facts.clusters for p in c.pods for g in p.gaps.values()))))
    return Report(
        clusters=tuple(reports),
        findings=tuple(findings),
        checks=checks,
        gaps=gaps,
        namespaces=facts.namespaces,
        source=facts.source,
        taken_at=facts.taken_at,
        tool_version=__version__,
        rules=tuple(rules),
        notices=suppress.notices(suppressions, facts, findings, checks),
    )


def _planned(cluster: Cluster, facts: Facts) -> bool:
    return facts.source == "files" or (bool(cluster.pods) and all(p.planned for p in cluster.pods))


def run_rule(rule: Rule, cluster: Cluster) -> tuple[CheckResult, list[Finding]]:
    """One check over one cluster."""
    found: list[Finding] = []
    undecided: list[Gap] = []
    cluster = dataclasses.replace(cluster, asked=[])
    try:
        for said in rule.judge(cluster):
            if isinstance(said, Unknown):
                undecided.append(said.gap)
            else:
                found.append(said)
    except Exception as error:  # noqa: BLE001 - the one place that may: a broken rule must not hide what the others see
        where = f"{rule.id} {type(error).__name__}: {error}"
        return CheckResult(rule.id, Status.CRASHED, (Gap(rule.id, GapReason.UNPARSED, where),)), []
    found, void = _grounded(found, cluster)
    undecided += void
    present, missing = _sight(rule, cluster)
    gaps = tuple(dict.fromkeys((*undecided, *missing)))
    if found:
        return CheckResult(rule.id, Status.FAILED, gaps), found
    if undecided or (missing and not present):
        return CheckResult(rule.id, Status.SKIPPED, gaps), []
    return CheckResult(rule.id, Status.PASSED, gaps), []


UNTIMED = Gap("now", GapReason.ABSENT, "no line has a time: what is over and what still goes on cannot be told apart")


def _grounded(found: list[Finding], cluster: Cluster) -> tuple[list[Finding], list[Gap]]:
    """The findings that rest on what was seen, and the gaps of those that rest on an object nobody saw.

    A finding for which the time counts says so where no line bears one.
    """
    unseen = {gap.what: gap for p in cluster.pods if (gap := p.gaps.get("spec"))}
    void, kept = [], []
    for finding in found:
        seen = tuple(e for e in finding.evidence if e.source not in unseen)
        if seen or not unseen:
            kept.append(dataclasses.replace(finding, evidence=seen))
        else:
            void += list(unseen.values())
    if cluster.asked:
        void.append(UNTIMED)
        told = " No line of the log has a time, so whether this still goes on cannot be told."
        kept = [f if f.severity is Severity.INFO else dataclasses.replace(f, message=f.message + told) for f in kept]
    return kept, void


def _sight(rule: Rule, cluster: Cluster) -> tuple[bool, list[Gap]]:
    """Whether anything the rule reads is there, and the gaps of what is not."""
    present, missing = False, []
    if not cluster.pods and "pods" in cluster.gaps:
        return False, [cluster.gaps["pods"]]  # every rule is about the pods of a set, whatever else it reads
    if not cluster.pods and POD_READS.intersection(rule.reads):
        return False, [Gap(f"pods of {cluster.subject}", GapReason.ABSENT, "no pod runs")]
    for what in rule.reads:
        if what in POD_READS:
            for pod in cluster.pods:
                gap = pod.gaps.get(what)
                if gap is not None:
                    missing.append(gap)
                elif has(pod, what):
                    present = True
                    missing += _untimed(pod, what)
        elif what in cluster.gaps:
            missing.append(cluster.gaps[what])
        else:
            present = True
    return present, missing


def _untimed(pod: Pod, what: str) -> list[Gap]:
    """The gap of a log without times: what stands in it may be long over."""
    run = {"log": pod.log, "previous": pod.previous}.get(what)
    if run is None or not run.untimed:
        return []
    return [Gap(run.source, GapReason.NOT_ASKED, "its lines bear no times: what is over and what still goes on cannot be told apart")]


def has(pod: Pod, what: str) -> bool:
    """Whether this kind of fact was seen of the pod."""
    return what in ("spec", "env") or getattr(pod, "databases" if what == "vars" else what) is not None


def _crash_finding(crashed: Rule, rule: Rule, cluster: Cluster, detail: str) -> Finding:
    return crashed.finding(
        cluster.subject,
        f"The rule {rule.id} {rule.name} broke and was not judged: {detail}",
        Evidence(f"rules/{rule.id}", None, detail),
        key=rule.id,
    )


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each fingerprint: the worst severity, the evidence of all."""
    merged: dict[str, Finding] = {}
    for finding in findings:
        first = merged.get(finding.fingerprint)
        if first is None:
            merged[finding.fingerprint] = finding
            continue
        worst = min(first, finding, key=lambda f: f.severity.rank)
        evidence = tuple(dict.fromkeys((*first.evidence, *finding.evidence)))
        merged[finding.fingerprint] = dataclasses.replace(worst, evidence=evidence)
    return list(merged.values())


def link(findings: Sequence[Finding], rules: Sequence[Rule], who: Topology) -> list[Finding]:
    """Set `consequenceOf` from each rule's `follows`. Pure; never makes a cycle.

    The cause must lie where it can reach: on the same subject, on anything that is no pod (the set, a Service), or
    on the pod that leads or should. Another replica's fault explains nothing. What follows from a suppressed finding
    stands on its own: whoever accepted the cause has not accepted that.
    """
    follows = {r.id: r.follows for r in rules}
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    lead = {p.name for p in who.leaders}

    def reach(cause: Finding, effect: Finding) -> int | None:
        """0 is the nearest; None cannot be a cause."""
        if cause.subject == effect.subject:
            return 0
        if cause.subject.kind != "Pod":
            return 1
        if effect.subject.kind != "Pod":
            return 1
        return 2 if cause.subject.name in lead else None

    parents: dict[str, str] = {}
    for effect in findings:
        best: tuple[int, int, str] | None = None
        for order, rule_id in enumerate(follows.get(effect.rule, ())):
            for cause in by_rule.get(rule_id, ()):
                distance = reach(cause, effect)
                if distance is None or cause.fingerprint == effect.fingerprint or (cause.suppressed and not effect.suppressed):
                    continue
                if best is None or (order, distance) < best[:2]:
                    best = (order, distance, cause.fingerprint)
        if best is not None and not _leads_to(parents, best[2], effect.fingerprint):
            parents[effect.fingerprint] = best[2]
    return [dataclasses.replace(f, consequence_of=parents.get(f.fingerprint)) for f in findings]


def _leads_to(parents: dict[str, str], start: str, goal: str) -> bool:
    """Whether following causes upwards from `start` reaches `goal`."""
    at: str | None = start
    while at is not None:
        if at == goal:
            return True
        at = parents.get(at)
    return False


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Worst first, each consequence right after its cause; ties by rule and subject, so the order is stable."""
    children: dict[str | None, list[Finding]] = {}
    for finding in findings:
        children.setdefault(finding.consequence_of, []).append(finding)

    def below(parent: str | None) -> Iterable[Finding]:
        for f in sorted(children.get(parent, ()), key=lambda f: (f.severity.rank, f.rule, f.subject, f.key)):
            yield f
            yield from below(f.fingerprint)

    return tuple(below(None))


def _fold(rule: Rule, results: Sequence[CheckResult], findings: Sequence[Finding]) -> CheckResult:
    """One result for a rule over all clusters: the worst that happened."""
    gaps = tuple(dict.fromkeys(g for r in results for g in r.gaps))
    states = {r.status for r in results}
    if any(f.rule == rule.id for f in findings):
        return CheckResult(rule.id, Status.FAILED, gaps)
    if Status.CRASHED in states:
        return CheckResult(rule.id, Status.CRASHED, gaps)
    if not states or states == {Status.SKIPPED}:
        return CheckResult(rule.id, Status.SKIPPED, gaps)
    return CheckResult(rule.id, Status.PASSED, gaps)

