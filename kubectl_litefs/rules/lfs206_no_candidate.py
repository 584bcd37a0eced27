"""LFS206 no-candidate: a static lease that nobody may take."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import (
    Candidacy,
    candidacy,
    candidate_gap,
    candidate_setting,
    evidence_of,
    missing_pods,
    named_pod,
    primary_elsewhere,
    start_line_command,
    static_pods,
    unread_set,
)
from ..model.cluster import Cluster
from ..model.families import names
from ..model.lease import lease_of, parse_url
from ..model.origin import Gap, GapReason
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    pods = static_pods(cluster)
    may = candidacy(pods)
    elsewhere = primary_elsewhere(cluster)
    if not pods or may.yes or elsewhere is True:
        return
    if cluster.alone:
        yield Unknown(pods[0].gaps["spec"])  # a replica's own file; the primary's is another
        return
    if elsewhere:
        yield Unknown(elsewhere)
        return
    if may.unknown:
        yield from (Unknown(candidate_gap(p)) for p in may.unknown)
        return
    if not may.no:
        return  # LiteFS refuses every file: LFS504
    if "pods" in cluster.gaps and (len(may.no) < 2 or not _decided(cluster, may)):
        yield Unknown(cluster.gaps["pods"])
        return
    unread = unread_set(cluster)
    if unread is not None and not _decided(cluster, may):
        yield Unknown(unread)  # the candidate may be one that is not there
        return
    missing = missing_pods(cluster)
    if missing and not _decided(cluster, may):
        detail = f"{missing[0]} is asked for and not there; it may be the candidate"
        yield Unknown(Gap(f"objects/{cluster.namespace}/pods.json", GapReason.ABSENT, detail))
        return
    raw = dict.fromkeys(v.raw.strip() for p in may.no if (v := candidate_setting(p)) is not None and v.given)
    written = f" (litefs.yml: candidate: {', '.join(raw)})" if raw else ""
    yield RULE.finding(
        cluster.subject,
        f"No pod is a candidate of the static lease: {names(may.no, 8)} {'has' if len(may.no) == 1 else 'have'} candidate false{written}.",
        *(e for p in may.no for e in evidence_of(p)),
        commands=(start_line_command(cluster, may.no[0]),),
    )


def _decided(cluster: Cluster, may: Candidacy) -> bool:
    """Whether a pod that is not there can change nothing: the file says a plain false, or the pod that every lease
    names as the primary is there and is no candidate."""
    settings = [candidate_setting(p) for p in may.no]
    if all(v is not None and v.given and "$" not in v.raw for v in settings):
        return True
    leases = [lease_of(p) for p in may.no]
    named = [named_pod(cluster, str(x.hostname.value)) for x in leases if x.hostname is not None and x.hostname.value]
    named += [named_pod(cluster, a.host) for x in leases if (a := parse_url(x.url or "")) is not None]
    return bool(named) and all(p is not None and p in may.no for p in named)


RULE = Rule(
    id="LFS206",
    name="no-candidate",
    title="No pod is a candidate of the static lease",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Every pod logs `existing primary found` and cannot connect; writes fail everywhere.",
    impact="There is no primary and there will be none: nothing can be written.",
    cause="candidate is false on all pods: a comparison with the wrong pod name, or a variable that says false everywhere.",
    fix=(
        "See first that the pod which lease.hostname names holds the newest data: a candidate with an empty volume makes a new, "
        "empty cluster.",
        "Set candidate to true on that pod alone, and restart it first.",
        "Commit, apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("log", "info", "config"),
    check=check,
    gotcha=3,
    follows=("LFS403", "LFS508", "LFS505", "LFS201"),
)
