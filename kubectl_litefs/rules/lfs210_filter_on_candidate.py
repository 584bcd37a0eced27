"""LFS210 filter-on-candidate: lease.databases on a pod that may be primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import config_commands, faults, lines_seen, problems_seen
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.FILTER_ON_CANDIDATE, fault=_one),
        *lines_seen(cluster, "filter-on-candidate", fault=_one),
    ]
    for fault in faults(cluster, seen):
        if not fault.certain:
            yield fault.unknown()
            continue
        yield RULE.finding(
            fault.subject,
            f"lease.databases is set on a candidate: LiteFS refuses to start there.{fault.note()}",
            *fault.evidence,
            commands=config_commands(cluster, fault),
        )


def _one(text: str) -> str:
    return "filter"


RULE = Rule(
    id="LFS210",
    name="filter-on-candidate",
    title="A candidate must not filter databases",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`cannot specify a database replication filter on candidate nodes`, exit code 2, a crash loop of the primary.",
    impact="The pod that should be primary does not start: no writes, and the replicas have nobody to follow.",
    cause="lease.databases says which databases a replica copies. A primary has them all, so a candidate must not have the list.",
    fix=("Give the list only to pods with candidate: false, with a file of their own or a set of their own.",),
    reads=("config", "log", "previous"),
    check=check,
    follows=("LFS207", "LFS205", "LFS508"),
)
