"""LFS205 several-candidates: a static lease, and more than one pod is a candidate."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import candidacy, candidate_gap, candidate_setting, evidence_of, static_pods
from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.copies import exports
from ..model.families import names
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import primaries


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    may = candidacy(static_pods(cluster))
    if len(may.yes) > 1:
        yield _finding(cluster, may.yes)
    elif len(may.yes) + len(may.unknown) > 1:
        yield from (Unknown(candidate_gap(p)) for p in may.unknown)


def _finding(cluster: Cluster, pods: tuple[Pod, ...]) -> Finding:
    now = primaries(cluster)
    ids = {p.cluster_id for p in now if p.cluster_id}
    state = ""
    if now:
        apart = f", with {len(ids)} cluster ids: {len(ids)} databases that drift apart" if len(ids) > 1 else ""
        state = f" {'One is' if len(now) == 1 else f'{len(now)} of them are'} primary now{apart}."
    why = " and ".join(dict.fromkeys(w for p in pods if (w := _why(p))))
    return RULE.finding(
        cluster.subject,
        f"{len(pods)} pods are candidates of a static lease: {names(pods, 8)}{f', because {why}' if why else ''}.{state}",
        *(e for p in pods for e in evidence_of(p)),
        *(p.info.seen("isPrimary") for p in now if p.info),
        commands=tuple(exports(now if len(now) > 1 else ())),
    )


def _why(pod: Pod) -> str:
    """Where it comes from: no key, an empty variable, or the value itself."""
    value = candidate_setting(pod)
    if value is None or value.sight is Sight.UNKNOWN:
        return ""
    if not value.given:
        return "litefs.yml has no lease.candidate and the default is true"
    raw = value.raw.strip() or "empty"
    if value.sight is not Sight.KNOWN:
        return f"{raw} is defined nowhere that can be seen, so candidate is empty and the default is true"
    if value.value is not True:
        return ""  # the file was changed since the start
    empty = any(v.key == "lease.candidate" and not v.grammatical for v in pod.config.variables) if pod.config else False
    return f"{raw} expands to nothing and the default is true" if empty else f"litefs.yml says candidate: {raw}"


RULE = Rule(
    id="LFS205",
    name="several-candidates",
    title="More than one pod is a candidate of a static lease",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="No error in any log, all pods Ready; every /info says isPrimary: true, each with a cluster id of its own.",
    impact="Each candidate makes itself primary: databases that drift apart, with writes that only one pod has.",
    cause="candidate is missing or null on several pods, and its default is true: an unset variable expands to nothing.",
    fix=(
        "Before anything else, export the databases of every pod that is primary now: each may hold writes of its own.",
        "Set candidate to true on exactly one pod, for example candidate: ${HOSTNAME == 'NAME-0'} without quotes around it.",
        "After the restart the others refuse the stream for their own cluster id (LFS101): save what they hold, then reset them.",
    ),
    reads=("log", "info", "config"),
    check=check,
    gotcha=3,
    follows=("LFS207", "LFS508", "LFS505"),
)
