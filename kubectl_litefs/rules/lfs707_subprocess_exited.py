"""LFS707 subprocess-exited: the application has ended, and LiteFS with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, exit_seen, faults, log_command
from ..model.logs import LogLine, LogRun, words_before
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

LOOP = timedelta(minutes=10)
"""The kubelet forgets its back-off after a container has run that long."""


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, [s for pod in cluster.pods for s in _ended(cluster, pod)]):
        yield _finding(cluster, fault)


def _ended(cluster: Cluster, pod: Pod) -> Iterator[Sighting]:
    """The end of the newest run, where the container is down or has just come back from a loop."""
    run = _newest_end(cluster, pod)
    line = run.latest("subprocess-exited") if run else None
    if run is None or line is None or run.hit("signal-received") or run.hit("signal-sent"):
        return
    words = tuple(w.evidence for w in words_before(run, "subprocess-exited"))
    background = run.latest("background")
    evidence = (line.evidence, *words, *((background.evidence,) if background else ()))
    yield Sighting(pod, _how(line), line.text, evidence, line=line)


def _newest_end(cluster: Cluster, pod: Pod) -> LogRun | None:
    container = pod.container
    if not container.running:
        return next((r for r in pod.runs if r.hit("subprocess-exited")), None)
    if pod.log is not None and pod.log.hit("subprocess-exited"):
        return pod.log
    lately = pod.started is not None and cluster.now - pod.started < LOOP
    return pod.previous if container.restarts >= 2 and lately else None


def _how(line: LogLine) -> str:
    code, error = line.field("code"), line.field("error")
    if code == "-1":
        return "was killed by a signal"
    if code:
        return f"ended with error code {code}"
    return f"failed ({error})" if error else "ended with code 0"


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    pod = fault.pods[0]
    restarts = max(p.container.restarts for p in fault.pods)
    run = next((r for r in pod.runs if fault.line and r.source == fault.line.source), None)
    started = run.latest("background") if run else None
    command = started.field("command").replace(" [", " ", 1).removesuffix("]") if started else ""
    said = [w.text.strip() for w in words_before(run, "subprocess-exited")] if run else []
    words = f"; its last words: {said[-1][:200]}" if said else ""
    times = f", restart {restarts}" if restarts else ""
    looks_done = fault.fault == "ended with code 0"
    hint = " A server should not end; is this the command that was meant to stay?" if looks_done else ""
    return RULE.finding(
        fault.subject,
        f"{f'`{command}`' if command else 'The application'} {fault.fault}, and LiteFS ended with it{times}{words}.{hint}",
        *fault.evidence,
        exit_seen(pod),
        commands=(log_command(cluster, pod, run),),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS707",
    name="subprocess-exited",
    title="The application ended, and LiteFS with it",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`subprocess exited ...`, then `litefs shut down complete`; the pod restarts, also after a successful end.",
    impact="The pod restarts again and again; while it is the primary, nobody can write.",
    cause="The last command of exec is the application; LiteFS lives as long as it does and takes over its exit code.",
    fix=(
        "Read the application's own last lines and repair what they say.",
        "If it is meant to end, it is no application: put it before the last command, with `if-candidate: true`.",
        "Commit, let the pipeline build the image, apply it, and look at the pod's log.",
    ),
    reads=("log", "previous"),
    check=check,
    follows=("LFS709", "LFS710", "LFS607", "LFS505", "LFS508", "LFS507", "LFS704", "LFS714"),
)
