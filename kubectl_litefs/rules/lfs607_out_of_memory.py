"""LFS607 out-of-memory: LiteFS's container, or the application in it, was killed for lack of memory."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import ended_lately, lost, unseen_state
from ..model.cluster import Cluster
from ..model.grouping import exit_seen, log_command
from ..model.logs import LogLine
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for pod in cluster.pods:
        killed = _oom(pod)
        child = None if killed else _child(pod)
        if (killed or child) and not lost(pod):
            yield _finding(cluster, pod, killed, child)
        elif (gap := unseen_state(pod)) is not None:
            yield Unknown(gap)


def _oom(pod: Pod) -> Evidence | None:
    """The kubelet's own word, of this run's end or the last one's. Exit code 137 alone proves nothing."""
    for key in ("containerStatuses", "initContainerStatuses"):
        for i, status in enumerate(pod.obj.items(f"status.{key}")):
            if status.get("name") != pod.container.name:
                continue
            for state in ("state", "lastState"):
                path = f"status.{key}.{i}.{state}.terminated.reason"
                if pod.obj.get(path) == "OOMKilled":
                    return pod.obj.seen(path)
    return None


def _child(pod: Pod) -> LogLine | None:
    """LiteFS's word that a signal killed the application, with the exit code that goes with it."""
    if pod.container.exit_code != 255:
        return None
    run = (pod.previous or pod.log) if pod.container.running else pod.log or pod.previous
    line = run.latest("subprocess-exited") if run else None
    stopped = run is not None and run.any("signal-received", "signal-sent") is not None
    return line if line is not None and line.field("code") == "-1" and not stopped else None


def _finding(cluster: Cluster, pod: Pod, killed: Evidence | None, child: LogLine | None) -> Finding:
    limits = f"{pod.container.field}.resources.limits"
    limit = pod.obj.get(f"{limits}.memory")
    within = f" Its memory limit is {limit}." if limit else ""
    who = f"Container {pod.container.name} of {pod.name}" if killed else f"The application in {pod.name}"
    how = (
        "was killed because it ran out of memory"
        if killed
        else "was killed by a signal, most likely for lack of memory (LiteFS ended with exit code 255)"
    )
    times = f" It has been restarted {pod.container.restarts} times." if pod.container.restarts > 1 else ""
    return RULE.finding(
        pod.ref,
        f"{who} {how}.{within}{times}",
        killed,
        child.evidence if child else None,
        exit_seen(pod),
        pod.obj.seen(limits) if limit else None,
        severity=Severity.ERROR if ended_lately(cluster, pod) else Severity.WARNING,
        commands=(
            cluster.kubectl("describe", "pod", pod.name),
            log_command(cluster, pod),
            cluster.kubectl("top", "pod", pod.name, "--containers"),
        ),
    )


RULE = Rule(
    id="LFS607",
    name="out-of-memory",
    title="A LiteFS container was killed for lack of memory",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="OOMKilled in `kubectl describe pod`; or `subprocess exited with error code -1` and exit code 255.",
    impact="The node is gone until it has restarted; while it is the primary, nobody can write.",
    cause="LiteFS and the application share the container's memory limit, and the pages of the databases count too.",
    fix=(
        "Raise resources.limits.memory of the container, or limit the application's own memory (such as node's "
        "--max-old-space-size) well below it.",
        "Commit, apply, and watch `kubectl top pod`.",
    ),
    reads=("spec", "log", "previous"),
    check=check,
)
