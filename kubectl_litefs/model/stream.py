"""The replication stream as replicas see it: what they complain of, for how long, and whether it still counts.

A successful reconnect logs no line, so a logged error counts only while positions do not contradict it.
"""

from __future__ import annotations

from datetime import timedelta

from .cluster import Cluster
from .dns import Dial
from .lease import lease_of
from .logs import LogLine, LogRun
from .pod import Pod
from .topology import CONNECT_ERRORS, GRACE, Role, topology

ERROR = "disconnected from primary with error"
NO_PRIMARY = timedelta(seconds=60)
"""With no primary to be seen, errors count after that long: a pod is replaced within a minute mostly."""
MATTERS = timedelta(seconds=10)


def stuck(cluster: Cluster, pod: Pod, *words: str) -> LogLine | None:
    """The newest connection error of a replica that is not connected now, if it contains one of `words`.

    None in the first seconds of an outage, while a young primary may explain it, and once the replica follows.
    """
    hits = pod.log.hit("connect-error") if pod.log else None
    if hits is None or pod.log is None or not any(w in hits.last.field("error") for w in words):
        return None
    who = topology(cluster)
    if who.role(pod) not in (Role.DISCONNECTED, Role.UNKNOWN, Role.REPLICA):
        return None
    if not pod.log.repeats("connect-error", cluster.now):
        return None
    return hits.last if streak(pod.log) >= (MATTERS if who.primary else NO_PRIMARY) else None


def last_error(cluster: Cluster, pod: Pod) -> LogLine | None:
    """The newest failure to connect; a dial may hang for GRACE after it, what is older has nothing to do with now."""
    line = pod.log.latest(*CONNECT_ERRORS) if pod.log else None
    return line if line is None or line.time is None or cluster.now - line.time <= GRACE else None


def streak(run: LogRun) -> timedelta:
    """For how long the connection errors at the end of the log have gone on, as far as its last lines show.

    A dial may hang for two minutes between two errors. Without times it counts as long.
    """
    errors = [line for line in run.tail if line.kind == "litefs" and ERROR in line.text]
    if not errors:
        return timedelta(0)
    last = first = errors[-1].time
    if last is None or first is None:
        return GRACE
    joined = run.hit("connected")
    for line in reversed(errors):
        if line.time is None or first - line.time > GRACE or (joined and line.number < joined.last.number):
            break
        first = line.time
    return last - first


def works(cluster: Cluster, dial: Dial) -> bool:
    """Whether a replica follows the primary over this very URL, joined in this run."""
    who = topology(cluster)

    def follows(pod: Pod) -> bool:
        joined = pod.log is not None and pod.log.hit("connected") is not None
        return joined and who.role(pod) in (Role.FOLLOWING, Role.BEHIND) and lease_of(pod).url == dial.url

    return any(follows(p) for p in dial.pods)


def all_follow(cluster: Cluster) -> bool:
    """Whether there is a primary and every other pod follows it."""
    return topology(cluster).all_follow
