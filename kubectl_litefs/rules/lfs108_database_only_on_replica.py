"""LFS108 database-only-on-replica: a replica has a database that the primary lacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import blind
from ..model.cluster import Cluster
from ..model.copies import exports, save_all
from ..model.families import names, position
from ..model.lost import absent_databases, is_kin
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    primary = topology(cluster).primary
    if primary is None:
        if cluster.pods and not any(p.info for p in cluster.pods):
            yield Unknown(blind(cluster.pods[0]))
        return
    if primary.databases is None:
        yield Unknown(primary.gaps.get("vars") or blind(primary))
        return
    for absent in absent_databases(cluster):
        yield from _findings(cluster, primary, absent.name, [p for p, _ in absent.holders], absent.everywhere)
    for pod in (p for p in cluster.pods if is_kin(p, primary)):
        line = _told(pod)
        if pod.databases is None and line is not None:
            yield _by_log(cluster, pod, primary, line)


def _told(pod: Pod) -> Evidence | None:
    hits = pod.log.hit("drop-db-frame") if pod.log else None
    return hits.last.evidence if hits else None


def _findings(
    cluster: Cluster, primary: Pod, name: str, holders: list[Pod], everywhere: bool
) -> Iterator[Finding]:
    """One on the set where every replica has it, else one for each replica."""
    for subject, pods in [(cluster.subject, holders)] if everywhere else [(p.ref, [p]) for p in holders]:
        held = [d for p in pods if (d := p.database(name)) is not None]
        where = f"every replica ({names(pods)})" if everywhere else names(pods)
        yield RULE.finding(
            subject,
            f"Database {position(held[0])} is on {where}, and the primary {primary.name} does not have it.",
            *(d.evidence for d in held),
            *(_told(p) for p in pods),
            severity=Severity.ERROR if everywhere else None,
            impact=_ALL_GONE if everywhere else None,
            commands=(save_all(cluster), *exports(pods, name)),
            key=name,
        )


def _by_log(cluster: Cluster, pod: Pod, primary: Pod, line: Evidence) -> Finding:
    return RULE.finding(
        pod.ref,
        f"{pod.name} holds a database that the primary {primary.name} lacks: LiteFS says so when it connects; which one could "
        "not be seen.",
        line,
        commands=(save_all(cluster), *exports([pod])),
    )


_ALL_GONE = "The primary serves nothing under that name; the replicas are its last copies, and go with their volumes."

RULE = Rule(
    id="LFS108",
    name="database-only-on-replica",
    title="A replica has a database that the primary lacks",
    severity=Severity.WARNING,
    heals="no",
    symptom="`deprecated drop db frame received, skipping` on the replica, or a database that only it shows.",
    impact="That database is not replicated any more, and goes with the replica's volume.",
    cause="It was deleted on the primary, where replicas keep theirs; or it was made on a pod that was primary for a while.",
    fix=(
        "Save the copies first: `kubectl litefs rescue save` does it and checks each file. By hand: the exports below; each integrity "
        "check must answer ok. Do not reset a replica before that.",
        "If its data still counts and every replica has it: `kubectl litefs rescue plan` shows how it goes back to the primary.",
        "If it was deleted on purpose it may stay: it only takes space.",
    ),
    reads=("info", "vars", "log"),
    check=check,
    follows=("LFS103", "LFS401"),
)
