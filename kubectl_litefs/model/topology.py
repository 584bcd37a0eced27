"""Who is primary, who follows, who does not: judged by positions and log states, never by lag.

Facts that decide here (seen on real clusters): `/info` names a primary before the connection is made; a hanging
dial shows lag 0 and no error line; a successful reconnect logs nothing; `litefs_subscriber_count` can be too high,
never too low.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from .cluster import Cluster
from .lease import lease_of
from .litefs import Database
from .origin import Evidence, GapReason
from .pod import Pod

CONNECT_ERRORS = ("connect-error", "different-cluster-id", "position-mismatch", "stream-broken", "bad-frame")
"""Signatures of a replica that failed to connect or lost its stream with an error."""

GRACE = timedelta(seconds=150)
"""How long a dial to an address that is gone may hang: 127 s for TCP, some more for the retry (38 to 135 s seen)."""


class Role(str, Enum):
    """What a pod is to its cluster now."""

    PRIMARY = "primary"
    FOLLOWING = "following"
    BEHIND = "behind"
    """Connected as far as can be told, positions lower than the primary's."""
    STRANGER = "stranger"
    """Its cluster id is not the primary's: it refuses the stream."""
    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    """Not connected, but the primary is so young that a dial may still hang and heal by itself."""
    REPLICA = "replica"
    """A replica; whether it follows cannot be told (no primary to compare with)."""
    DOWN = "down"
    """Does not answer and its container does not run."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """One pod's place. `why` is a short phrase with the values seen; `evidence` is what says so."""

    role: Role
    why: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """`primary` is the one primary, None when there is none or several. `leaders` are the pods that lead or should:
    the primaries, else the candidates, else the first pod of each set."""

    primary: Pod | None
    primaries: tuple[Pod, ...]
    leaders: tuple[Pod, ...]
    links: Mapping[str, Link]

    def role(self, pod: Pod) -> Role:
        return self.links[pod.name].role

    @property
    def all_follow(self) -> bool:
        """Whether there is one primary and every other pod follows it."""
        return self.primary is not None and all(link.role in (Role.PRIMARY, Role.FOLLOWING) for link in self.links.values())

    def connected(self, pod: Pod) -> bool | None:
        """Whether the pod's stream from the primary is up; None for a primary, and where it cannot be told."""
        role = self.role(pod)
        return None if role in (Role.PRIMARY, Role.REPLICA, Role.UNKNOWN) else role in (Role.FOLLOWING, Role.BEHIND)

    def behind(self, pod: Pod, database: Database) -> int | None:
        """How many transactions the pod's database is behind the primary's; 0 is level or ahead.

        None where there is nothing to compare: no primary, no such database there, or another cluster id, which is
        another history.
        """
        theirs = self.primary.database(database.name) if self.primary is not None else None
        if self.primary is None or theirs is None or pod.cluster_id != self.primary.cluster_id:
            return None
        return max(0, theirs.txid - database.txid)


def primaries(cluster: Cluster) -> tuple[Pod, ...]:
    """Pods that say they are primary in every sweep that has their /info (a handover shows in the second)."""

    def claims(pod: Pod) -> bool:
        infos = [s.info for s in pod.sweeps if s.info is not None]
        return bool(infos) and all(i.is_primary for i in infos)

    return tuple(p for p in cluster.pods if claims(p))


def topology(cluster: Cluster) -> Topology:
    """Who is who in the newest sweep."""
    leads = primaries(cluster)
    primary = leads[0] if len(leads) == 1 else None
    links = {p.name: _link(cluster, p, primary, leads) for p in cluster.pods}
    leaders = leads or candidates(cluster) or tuple(p for p in cluster.pods if not p.ordinal)
    return Topology(primary, leads, leaders, links)


def recent_error(cluster: Cluster, pod: Pod) -> Evidence | None:
    """The newest connection error of the pod's run, if it repeats in the last 10 s before `now`."""
    if pod.log is None:
        return None
    for signature in CONNECT_ERRORS:
        if pod.log.repeats(signature, cluster.now):
            line = pod.log.latest(*CONNECT_ERRORS)
            return line.evidence if line else None
    return None


def joined(pod: Pod) -> bool | None:
    """Whether this run ever connected (`connected to cluster, ready`); None when its log cannot tell."""
    if pod.log is None:
        return None
    if pod.log.hit("connected"):
        return True
    return False if pod.log.complete and pod.log.litefs_lines else None


def shared_positions(pod: Pod, primary: Pod) -> tuple[bool | None, tuple[Evidence, ...]]:
    """Whether every database the replica should hold stands at the primary's position.

    True, False, or None where there is nothing to compare (no answer, or no database above txid 0 on either
    side). Databases outside the replica's `lease.databases` are filtered, not missing. A position seen in any two
    sweeps that is equal counts: a write between the two looks is no difference.
    """
    if pod.databases is None or primary.databases is None:
        return None, ()
    wanted = pod.config.known("lease.databases") if pod.config else None
    compared: list[Evidence] = []
    equal = True
    for theirs in primary.with_data:
        if wanted and theirs.name not in wanted:
            continue
        mine = pod.database(theirs.name)
        if mine is None or mine.position not in _positions(primary, theirs.name):
            equal = False
        compared += [theirs.evidence] + ([mine.evidence] if mine else [])
    if not compared:
        return None, ()
    return equal, tuple(compared)


def _positions(pod: Pod, name: str) -> set[str]:
    return {d.position for s in pod.sweeps if (d := s.database(name)) is not None}


def _moves_with(pod: Pod, primary: Pod) -> bool:
    """Whether the replica took over a position of the primary between two sweeps: proof of a live stream."""
    if len(pod.sweeps) < 2:
        return False
    for mine in pod.with_data:
        older = pod.sweeps[0].database(mine.name)
        if older is not None and older.txid < mine.txid and mine.position in _positions(primary, mine.name):
            return True
    return False


def young(cluster: Cluster, pod: Pod) -> bool:
    """Whether the pod's container began less than GRACE ago."""
    return pod.started is not None and cluster.now - pod.started < GRACE


def _link(cluster: Cluster, pod: Pod, primary: Pod | None, leads: tuple[Pod, ...]) -> Link:
    info = pod.info
    if info is None:
        return _silent(cluster, pod)
    if info.is_primary:
        return Link(Role.PRIMARY, "says it is primary", (info.seen("isPrimary"),))
    error = recent_error(cluster, pod)
    if primary is None or primary.info is None:
        why = "no primary to compare with" if not leads else "several primaries"
        return Link(Role.DISCONNECTED, "its connection attempts fail", (error,)) if error else Link(Role.REPLICA, why)
    mine, theirs = info.cluster_id, primary.info.cluster_id
    if mine and theirs and mine != theirs:
        return Link(
            Role.STRANGER, f"id {mine}, the primary's is {theirs}", (info.seen("clusterID"), primary.info.seen("clusterID"))
        )
    equal, compared = shared_positions(pod, primary)
    contradicted = _moves_with(pod, primary) or _tries_again(pod) or (equal and _subscribed(cluster, primary))
    if error is not None and not contradicted:
        if young(cluster, primary):
            return Link(Role.CONNECTING, "its connection attempts fail, but the primary has only just started", (error,))
        return Link(Role.DISCONNECTED, "its connection attempts fail", (error,))
    if equal and joined(pod) is not False:
        return Link(Role.FOLLOWING, "at the primary's position", compared)
    return _not_level(cluster, pod, primary, equal, compared)


def _tries_again(pod: Pod) -> bool:
    """Whether the last connection attempt has not failed: it either succeeded, which logs nothing, or it hangs."""
    if pod.log is None:
        return False
    error, attempt = pod.log.latest(*CONNECT_ERRORS), pod.log.latest("existing-primary", "connected", "snapshot-received")
    return error is not None and attempt is not None and attempt.number > error.number


def _not_level(
    cluster: Cluster, pod: Pod, primary: Pod, equal: bool | None, compared: tuple[Evidence, ...]
) -> Link:
    """A replica with the primary's id (or none yet) that cannot be proven level with it."""
    assert pod.info is not None
    here = joined(pod)
    missing = _missing_subscribers(cluster, primary)
    nobody = primary.metrics is not None and primary.metrics.subscribers == 0
    unheard = nobody or (equal is False and missing > 0 and not _moves_with(pod, primary))
    proof = primary.metrics.lines.get("litefs_subscriber_count") if primary.metrics and unheard else None
    if here is False or unheard:
        why = "the primary has no subscriber" if nobody else "not level, and the primary has fewer subscribers than replicas"
        why = "never connected in this run" if here is False else why
        evidence = tuple(e for e in (proof, pod.info.seen("clusterID")) if e is not None)
        last = pod.log.latest("existing-primary") if pod.log else None
        if last is not None:
            evidence = (*evidence, last.evidence)
        if young(cluster, primary) or _just_started(cluster, pod):
            return Link(Role.CONNECTING, why + "; the dial may still be hanging", evidence)
        return Link(Role.DISCONNECTED, why, evidence)
    if equal is False:
        return Link(Role.BEHIND, "positions differ from the primary's", compared)
    if here or (equal is None and pod.info.cluster_id):
        return Link(Role.FOLLOWING, "connected in this run", (pod.info.seen("clusterID"),))
    return Link(Role.REPLICA, "nothing shows whether it is connected")


JUST_STARTED = timedelta(seconds=10)


def _just_started(cluster: Cluster, pod: Pod) -> bool:
    return pod.started is not None and cluster.now - pod.started < JUST_STARTED


def _missing_subscribers(cluster: Cluster, primary: Pod) -> int:
    """How many of the replicas that run with the primary's id, or none yet, cannot be connected: the count of
    subscribers can be too high, never too low."""
    count = primary.metrics.subscribers if primary.metrics else None
    kin = (None, primary.cluster_id)
    running = [p for p in cluster.pods if p is not primary and p.info is not None and p.cluster_id in kin]
    return 0 if count is None else max(0, len(running) - count)


def _subscribed(cluster: Cluster, primary: Pod) -> bool:
    """Whether the primary counts at least as many subscribers as there are other pods."""
    count = primary.metrics.subscribers if primary.metrics else None
    return count is not None and count >= len(cluster.pods) - 1


def _silent(cluster: Cluster, pod: Pod) -> Link:
    """A pod whose /info was not seen."""
    gap = pod.gaps.get("info")
    if "spec" in pod.gaps or (pod.container.running and pod.log and gap is not None and gap.why is GapReason.NOT_ASKED):
        return _by_log(cluster, pod)
    why = gap.detail if gap is not None and gap.detail else "its HTTP port was not seen"
    if gap is not None and gap.why is GapReason.FORBIDDEN:
        why = "no right to ask it"
    if not pod.container.running and not pod.planned:
        reason = pod.container.waiting.get("reason") or pod.container.terminated.get("reason") or pod.phase
        return Link(Role.DOWN, str(reason))
    return Link(Role.UNKNOWN, why)


def _by_log(cluster: Cluster, pod: Pod) -> Link:
    """A pod that nobody asked: what its log says."""
    log = pod.log
    last = log.latest("lease-acquired", "existing-primary", "connected", *CONNECT_ERRORS) if log else None
    if log is None or last is None:
        return Link(Role.UNKNOWN, "its log does not say what it is")
    error = recent_error(cluster, pod)
    names = {name for name, hits in log.hits.items() if hits.last == last}
    if error is not None and names & {*CONNECT_ERRORS, "existing-primary"}:
        return Link(Role.DISCONNECTED, "its connection attempts fail", (error,))
    if "lease-acquired" in names or (log.lease is not None and log.lease.primary):
        return Link(Role.UNKNOWN, "primary, as its log has it", (last.evidence,))
    return Link(Role.UNKNOWN, "a replica, as its log has it", (last.evidence,))


def candidates(cluster: Cluster) -> tuple[Pod, ...]:
    """Pods that are surely candidates under their lease."""
    return tuple(p for p in cluster.pods if (c := lease_of(p).candidate) is not None and c.value is True)
