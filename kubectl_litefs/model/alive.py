"""Whether LiteFS demonstrably runs in a pod, and how its container ended."""

from __future__ import annotations

from datetime import timedelta

from .cluster import Cluster
from .logs import LogRun
from .objects import parse_time
from .origin import Gap, GapReason
from .pod import Pod

RECENT = timedelta(hours=1)


def got_mounted(run: LogRun) -> bool:
    return run.any("mounted", "connected", "waiting-to-connect") is not None


def runs_litefs(pod: Pod) -> bool:
    """Whether LiteFS answers, or has mounted its file system in a run of this pod: then the pod's spec, which never
    changes, lets it."""
    return pod.info is not None or any(got_mounted(run) for run in pod.runs)


def ended(pod: Pod) -> tuple[str, str]:
    """(reason, message) of the newest ended run or of what keeps the container from starting."""
    for state in (pod.container.waiting, pod.container.terminated):
        reason = str(state.get("reason") or "")
        if reason and reason not in ("CrashLoopBackOff", "Error", "Completed"):
            return reason, str(state.get("message") or "")
    return "", ""


def ended_lately(cluster: Cluster, pod: Pod) -> bool:
    """Whether the container is down, or came back less than RECENT ago."""
    if not pod.container.running:
        return True
    at = parse_time(pod.container.terminated.get("finishedAt")) or pod.started
    return at is None or cluster.now - at < RECENT


def recent_runs(cluster: Cluster, pod: Pod) -> tuple[LogRun, ...]:
    """The runs that tell how things are: this one, and the one before it while the container came back lately."""
    if ended_lately(cluster, pod):
        return pod.runs
    return (pod.log,) if pod.log is not None else ()


def unseen_state(pod: Pod) -> Gap | None:
    """Why it cannot be told how the container fares: its node is gone, or nobody has said anything yet."""
    source = f"objects/{pod.namespace}/pods.json"
    if pod.planned:
        return Gap(source, GapReason.OFFLINE, f"{pod.name} is known from a file only")
    if lost(pod) and not pod.deleting:
        return Gap(source, GapReason.UNREACHABLE, f"the node of {pod.name} does not answer: its status is an old one")
    if not pod.container.status and pod.phase not in ("Pending", "Succeeded", "Failed"):
        return Gap(source, GapReason.ABSENT, f"{pod.name} has no status for container {pod.container.name}")
    return None


def unseen_run(pod: Pod) -> Gap | None:
    """Why it cannot be told what LiteFS did: neither an answer nor a log of it was seen."""
    if pod.info is not None or pod.runs:
        return None
    return pod.gaps.get("log") or pod.gaps.get("info")


def lost(pod: Pod) -> bool:
    """Whether nothing that the API server says of the pod is fresh: its node is gone, or it is being removed."""
    reasons = {str(c.get("reason")) for c in pod.obj.items("status.conditions")} | {str(pod.obj.get("status.reason"))}
    return pod.deleting or bool(reasons & {"NodeLost", "NodeNotReady"})
