"""LFS512 exit-on-error-off: a failed start leaves the container running, with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, config_command, faults, log_command, own_config, place
from ..model.logs import LogLine
from ..model.pod import Platform, Pod
from ..model.rule import Finding, Rule, Severity

FAILED = "failed"


def check(cluster: Cluster) -> Iterator[Finding]:
    asleep = [s for pod in cluster.pods for s in _asleep(pod)]
    if asleep:
        for fault in faults(cluster, asleep):
            yield _failed(cluster, fault)
        return
    for fault in faults(cluster, [s for pod in cluster.pods for s in _off(pod)]):
        pod = fault.pods[0]
        yield RULE.finding(
            fault.subject,
            f"{fault.text}: when a start fails, the container stays up and looks healthy.",
            *fault.evidence,
            severity=Severity.INFO if pod.platform is Platform.FLY else Severity.WARNING,
            impact=None if pod.platform is None else "A start that fails leaves a node that runs and serves nothing, and nothing restarts it.",
            fix=None if pod.platform is None else (RULE.fix[0], "Deploy again."),
            commands=(config_command(cluster, pod),),
            key="off",  # on Fly a line of the examples, to look around with a shell in the first days: no fault
        )


def _off(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    value = config.get("exit-on-error") if config else None
    if config is not None and value is not None and value.known and value.value is False:
        yield Sighting(pod, "off", f"exit-on-error is false ({place(config, value.evidence)})", (value.evidence,))


def _asleep(pod: Pod) -> Iterator[Sighting]:
    """A run that failed and then waited for a signal, in a container that still runs."""
    run = pod.log
    error = run.latest("fatal") if run else None
    waiting = run.hit("waiting") if run else None
    if run is None or error is None or waiting is None or not pod.container.running:
        return
    if waiting.last.number > error.number and not run.hit("signal-received") and _is_start(error):
        evidence = tuple(s.evidence[0] for s in _off(pod))
        yield Sighting(pod, FAILED, error.text, (error.evidence, waiting.last.evidence, *evidence), line=error)


def _is_start(error: LogLine) -> bool:
    return not error.text.startswith("ERROR: cannot wait for exec process")


def _failed(cluster: Cluster, fault: Fault) -> Finding:
    error = fault.text.removeprefix("ERROR: ")
    names = ", ".join(p.name for p in fault.pods)
    return RULE.finding(
        fault.subject,
        f"LiteFS failed to start in {names} ({error}) and waits, because exit-on-error is false: Running, but not a node.",
        *fault.evidence,
        severity=Severity.ERROR,
        impact="The pod counts as running and serves nothing; Kubernetes will not restart it.",
        commands=tuple(log_command(cluster, p) for p in fault.pods[:2]),
        key=FAILED,
    )


RULE = Rule(
    id="LFS512",
    name="exit-on-error-off",
    title="exit-on-error is false: a failed start goes unnoticed",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="A pod is Running, its log ends with `ERROR: ...` and `waiting for signal or subprocess to exit`.",
    impact="A start that fails leaves a pod that runs and serves nothing, and nothing restarts it.",
    cause="exit-on-error: false keeps the process alive after an error, for looking around with a shell.",
    fix=(
        "Take exit-on-error out of the file (the default is true) once you have looked around.",
        "Repair what the ERROR line says, commit, apply, and restart the pod.",
    ),
    reads=("config", "log"),
    check=check,
    follows=("LFS701", "LFS601", "LFS602", "LFS604", "LFS712", "LFS704", "LFS609", "LFS411", "LFS107"),
)
