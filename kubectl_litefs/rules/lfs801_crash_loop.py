"""LFS801 crash-loop: a LiteFS container starts and ends, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.alive import lost, unseen_state
from ..model.cluster import Cluster
from ..model.grouping import exit_seen, log_command
from ..model.logs import LogLine
from ..model.objects import parse_time
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology

BETWEEN = timedelta(minutes=5)
"""The kubelet waits at most that long between two starts."""
SHORT = timedelta(minutes=2)
LAST_WORDS = ("fatal", "panic", "killed-itself", "subprocess-exited", "usage")
MEANINGS = {
    0: "the application ended well, and LiteFS with it",
    1: "LiteFS's start or its first command failed, or the application ended with 1",
    2: "LiteFS refused its configuration or its flags, or panicked",
    99: "LiteFS killed itself to save the data",
    137: "it was killed: it did not heed SIGTERM, or had no memory left",
    143: "it was asked to end",
    255: "a signal killed the application",
}
"""Exit code -> what it means (LiteFS 0.5, cmd/litefs)."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    leads = {p.name for p in topology(cluster).leaders}
    for pod in sorted(cluster.pods, key=lambda p: p.name not in leads):
        if not lost(pod) and _loops(cluster, pod):
            yield _finding(cluster, pod, pod.name in leads)
        elif (gap := unseen_state(pod)) is not None:
            yield Unknown(gap)


def _loops(cluster: Cluster, pod: Pod) -> bool:
    """Waits in CrashLoopBackOff, has just ended once more, or runs between two crashes."""
    container = pod.container
    if container.waiting:
        return container.waiting.get("reason") == "CrashLoopBackOff"
    if container.restarts < 2:
        return False
    if not container.running:
        return bool(container.terminated)
    begun, end = parse_time(container.terminated.get("startedAt")), parse_time(container.terminated.get("finishedAt"))
    if end is None or cluster.now - end > BETWEEN:
        return False
    return begun is not None and end - begun < SHORT


def _last_words(pod: Pod) -> LogLine | None:
    """What LiteFS said before it ended."""
    runs = (pod.previous, pod.log) if pod.container.running else (pod.log, pod.previous)
    for run in runs:
        line = run.latest(*LAST_WORDS) if run is not None else None
        if run is not None and line is not None:
            listed = run.latest("unknown-field", "unknown-field-consul", "cannot-unmarshal")
            return listed if listed is not None and line.text.endswith("unmarshal errors:") else line
    return None


def _finding(cluster: Cluster, pod: Pod, leads: bool) -> Finding:
    code, line = pod.container.exit_code, _last_words(pod)
    oom = pod.container.terminated.get("reason") == "OOMKilled"
    meaning = "it ran out of memory" if oom else MEANINGS.get(code, "the application's own") if code is not None else ""
    ending = f": exit code {code} ({meaning})" if code is not None else ""
    role = ", which is or should be the primary," if leads else ""
    said = f" Its last word: {line.text.removeprefix('ERROR: ')[:200]}." if line else ""
    return RULE.finding(
        pod.ref,
        f"Container {pod.container.name} of {pod.name}{role} keeps restarting, {pod.container.restarts} times so far{ending}.{said}",
        exit_seen(pod),
        line.evidence if line else None,
        impact=None if leads else "This replica serves nothing and follows nobody.",
        commands=(
            cluster.kubectl("logs", pod.name, "-c", pod.container.name, "--previous", "--tail=50"),
            *([log_command(cluster, pod)] if pod.container.running else []),
            cluster.kubectl("describe", "pod", pod.name),
        ),
    )


CAUSES = tuple(
    (
        "LFS501 LFS502 LFS503 LFS504 LFS505 LFS506 LFS210 LFS510 LFS410 LFS411 LFS107 LFS601 LFS602 LFS603 "
        "LFS604 LFS609 LFS607 LFS712 LFS704 LFS709 LFS710 LFS701 LFS707 LFS404 LFS803 LFS810 LFS209 LFS508 LFS207 LFS507 "
        "LFS511 LFS702"
    ).split()
)

RULE = Rule(
    id="LFS801",
    name="crash-loop",
    title="A LiteFS container keeps restarting",
    severity=Severity.ERROR,
    heals="with time",
    symptom="CrashLoopBackOff, or a restart count that grows.",
    impact="While it is down nobody can write, and replicas log `connection refused`.",
    cause="LiteFS, or the application that it started, ends; LiteFS takes over the application's exit code.",
    fix=(
        "Read the previous run's last lines: the program that ended has spoken just before LiteFS.",
        "Correct what they name, commit, let the pipeline build the image, apply, and look at the pod's log.",
    ),
    reads=("spec", "log", "previous"),
    check=check,
    follows=CAUSES,
)
