"""LFS105 diverged-history: same cluster, but a disconnected replica has transactions that the primary lacks."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.litefs import Database
from ..model.logs import LogLine
from ..model.lost import lost_databases
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity
from ..model.topology import CONNECT_ERRORS, Role, Topology, topology


def check(cluster: Cluster) -> Iterator[Finding]:
    who = topology(cluster)
    lost = {loss.name for loss in lost_databases(cluster)}
    for pod in cluster.pods:
        if pod.is_primary or who.role(pod) in (Role.STRANGER, Role.FOLLOWING):
            continue
        refused = _refused(cluster, pod)
        told = {refused.field("db")} if refused else set()
        if refused is not None:
            yield _mismatch(pod, refused)
        if who.primary is not None and _same_cluster(pod, who.primary) and _cut_off(cluster, who, pod):
            for mine in pod.with_data:
                theirs = _older(who.primary, pod, mine.name)
                if theirs is not None and mine.name not in told | lost:
                    yield _ahead(pod, who.primary, mine, theirs)


def _same_cluster(pod: Pod, primary: Pod) -> bool:
    return bool(pod.cluster_id) and pod.cluster_id == primary.cluster_id


def _cut_off(cluster: Cluster, who: Topology, pod: Pod) -> bool:
    """Whether the replica is not connected; a connected one's extra transactions are gone within milliseconds.

    Two looks that both find it ahead prove it too, and so does a primary with fewer subscribers than replicas.
    """
    if who.role(pod) is not Role.BEHIND:
        return True
    count = who.primary.metrics.subscribers if who.primary and who.primary.metrics else None
    running = sum(p.info is not None for p in cluster.pods) - 1
    return len(pod.sweeps) > 1 or (count is not None and count < running)


def _older(primary: Pod, pod: Pod, name: str) -> Database | None:
    """The primary's own entry, where the replica is ahead of it, or differs at its txid, in every look at both."""
    theirs = [d for s in primary.sweeps if (d := s.database(name)) is not None]
    mine = [d for s in pod.sweeps if (d := s.database(name)) is not None]
    if not theirs or not mine:
        return None
    same = {d.position for d in mine} & {d.position for d in theirs}
    return None if same or min(d.txid for d in mine) < max(d.txid for d in theirs) else theirs[-1]


def _refused(cluster: Cluster, pod: Pod) -> LogLine | None:
    """`position mismatch` as the newest state of the log."""
    hits = pod.log.hit("position-mismatch") if pod.log else None
    if hits is None or pod.log is None:
        return None
    newest = pod.log.latest(*CONNECT_ERRORS, "snapshot-received")
    last = newest is not None and newest.number == hits.last.number
    return hits.last if last and (pod.log.repeats("position-mismatch", cluster.now) or not pod.container.running) else None


def _mismatch(pod: Pod, line: LogLine) -> Finding:
    name = line.field("db")
    return RULE.finding(
        pod.ref,
        f"{pod.name} cannot take the primary's next transaction for {name}: the two disagree about what stands before it "
        f"({line.field('ours')} and {line.field('theirs')}).",
        line.evidence,
        *(d.evidence for d in pod.with_data if d.name == name),
        commands=tuple(exports([pod], name)),
        key=name,
    )


def _ahead(pod: Pod, primary: Pod, mine: Database, theirs: Database) -> Finding:
    more = mine.txid > theirs.txid
    what = f"{mine.txid - theirs.txid} transactions ahead of" if more else "at the same txid, with other content than,"
    return RULE.finding(
        pod.ref,
        f"Database {mine.name} on {pod.name} (txid {mine.txid:x}, checksum {mine.checksum}) is {what} the primary "
        f"{primary.name} (txid {theirs.txid:x}, checksum {theirs.checksum}), and {pod.name} is not connected.",
        mine.evidence,
        theirs.evidence,
        commands=tuple(exports([pod, primary], mine.name)),
        key=mine.name,
    )


RULE = Rule(
    id="LFS105",
    name="diverged-history",
    title="A disconnected replica holds transactions that the primary lacks",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`position mismatch on db`, or a replica whose txid is above the primary's.",
    impact="As soon as this replica connects, LiteFS throws its extra transactions away within milliseconds.",
    cause="It was primary for a while, or the primary's data is older than it was: a restored volume, a lost write.",
    fix=(
        "Save the replica's databases before it connects again: the files are the only lasting copy of these transactions.",
        "Do not restart it or repair its connection before that; each integrity check must answer ok.",
        "Compare the files of both pods, decide which history counts, and carry missing rows over by hand.",
    ),
    reads=("info", "vars", "log"),
    check=check,
    follows=("LFS103",),
)
