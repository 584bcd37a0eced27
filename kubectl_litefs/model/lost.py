"""Databases that the primary has lost while replicas of the same cluster still hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .cluster import Cluster
from .litefs import Database
from .logs import LogLine
from .origin import Evidence
from .pod import Pod
from .topology import topology


@dataclass(frozen=True, slots=True)
class Lost:
    """`holders` are the replicas with data, `now` the primary's own entry (None: it has none, or was not read).

    `again` is True where the primary has data under that name once more: then the holders' copies are older ones.
    """

    primary: Pod
    name: str
    holders: tuple[tuple[Pod, Database], ...]
    now: Database | None
    again: bool
    evidence: tuple[Evidence, ...]


def lost_databases(cluster: Cluster) -> tuple[Lost, ...]:
    """Same cluster id, the primary at txid 0 or with its copy cleared, a replica above txid 0."""
    lead = topology(cluster).primary
    if lead is None:
        return ()
    cleared = cleared_lines(lead)
    found = []
    for name in sorted({d.name for p in cluster.pods if p is not lead for d in p.with_data}):
        holders = tuple((p, d) for p, d in _holders(cluster, lead, name) if _is_lost(lead, p, d, cleared.get(name)))
        if holders:
            now, line = lead.database(name), cleared.get(name)
            seen = [line.evidence if line else None, now.evidence if now else None, *(d.evidence for _, d in holders)]
            again = now is not None and now.txid > 0
            found.append(Lost(lead, name, holders, now, again, tuple(e for e in seen if e)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Absent:
    """A database that the primary does not have at all and `holders`, replicas of its cluster id, do.

    `everywhere`: every replica has it. LiteFS does not tell whether the primary lost it or somebody removed it there.
    """

    primary: Pod
    name: str
    holders: tuple[tuple[Pod, Database], ...]
    everywhere: bool


def absent_databases(cluster: Cluster) -> tuple[Absent, ...]:
    """Besides those of `lost_databases`. What is left over from before a replica began to filter is none."""
    lead = topology(cluster).primary
    if lead is None or lead.databases is None:
        return ()
    kin = [p for p in cluster.pods if is_kin(p, lead)]
    found = []
    for name in sorted({d.name for p in kin for d in p.with_data} - {x.name for x in lost_databases(cluster)}):
        holders = tuple((p, d) for p in kin if (d := _wanted(p, name)) is not None)
        if holders and lead.database(name) is None:
            found.append(Absent(lead, name, holders, len(holders) == len(kin)))
    return tuple(found)


def is_kin(pod: Pod, primary: Pod) -> bool:
    """A replica of the same cluster id: another id is another story (LFS101)."""
    return pod is not primary and not pod.is_primary and pod.info is not None and pod.cluster_id == primary.cluster_id


def _wanted(pod: Pod, name: str) -> Database | None:
    """The replica's database above txid 0, unless its configuration filters it out."""
    wanted = pod.config.known("lease.databases") if pod.config else None
    return None if wanted and name not in wanted else next((d for d in pod.with_data if d.name == name), None)


def cleared_lines(pod: Pod) -> dict[str, LogLine]:
    """Database -> the newest line in which LiteFS says that it has deleted its own copy."""
    lines: dict[str, LogLine] = {}
    for run in pod.runs:
        hits = run.hit("clearing-data")
        for line in hits.distinct if hits else ():
            lines.setdefault(line.field("db"), line)
    return lines


def _holders(cluster: Cluster, lead: Pod, name: str) -> Iterator[tuple[Pod, Database]]:
    for pod in cluster.pods:
        other_id = pod.cluster_id and lead.cluster_id and pod.cluster_id != lead.cluster_id
        mine = pod.database(name)
        if pod is not lead and not pod.is_primary and not other_id and mine is not None and mine.txid > 0:
            yield pod, mine


def _is_lost(lead: Pod, pod: Pod, mine: Database, cleared: LogLine | None) -> bool:
    if lead.databases is None:
        return cleared is not None and not _taken_over(pod, mine.name, cleared)
    theirs = lead.database(mine.name)
    if theirs is None:
        return cleared is not None
    if theirs.txid == 0:
        return True
    return cleared is not None and mine.txid > theirs.txid


def _taken_over(pod: Pod, name: str, cleared: LogLine) -> bool:
    """Whether the replica has received a snapshot of that database since: then it holds what came after the loss."""
    hits = pod.log.hit("snapshot-received") if pod.log else None
    for line in hits.distinct if hits else ():
        if line.field("db") == name and line.time and cleared.time and line.time > cleared.time:
            return True
    return False
