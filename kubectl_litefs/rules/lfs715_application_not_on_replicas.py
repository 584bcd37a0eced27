"""LFS715 application-not-on-replicas: the application itself is started on candidates only."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, as_logged, config_commands, listed, own_config, place, runs_of
from ..model.lease import lease_of
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        candidate = lease_of(pod).candidate
        if _elsewhere(pod) or (candidate is not None and candidate.value is True):
            continue
        found = _in_file(pod) or _in_log(pod)
        if found is not None and candidate is not None:
            seen.append(found)
        elif found is not None and (gap := pod.gaps.get("info") or pod.gaps.get("log")) is not None:
            yield Unknown(gap)
    for command in dict.fromkeys(s.fault for s in seen):
        yield _finding(cluster, Fault(cluster.subject, command, tuple(s for s in seen if s.fault == command)))


def _elsewhere(pod: Pod) -> bool:
    """Whether another container shares the mount: then the application may run there."""
    shared = {m.volume for m in pod.container.mounts if m.propagation == "Bidirectional"}
    others = [c for c in pod.containers if c.name != pod.container.name and not c.init]
    return any(m.volume in shared for c in others for m in c.mounts)


def _in_file(pod: Pod) -> Sighting | None:
    """The last command of the file: the application, or what stands in its place."""
    config = own_config(pod)
    last = config.execs[-1] if config and config.execs else None
    if config is None or last is None or not last.if_candidate or not last.if_candidate_known or not last.argv:
        return None
    text = f"`{' '.join(last.cmd.split())[:80]}` ({place(config, last.evidence)})"
    return Sighting(pod, as_logged(last.argv), text, (last.evidence, *runs_of(pod, last, "skipped-command")))


def _in_log(pod: Pod) -> Sighting | None:
    """Where the file is not seen: this run skipped a command and started none that stays."""
    run = pod.log
    skipped = run.hit("skipped-command") if run else None
    if own_config(pod) is not None or run is None or skipped is None or not run.complete:
        return None
    if run.hit("background") or not run.hit("waiting"):
        return None
    command = skipped.last.field("command")
    text = f"`{command.replace(' [', ' ', 1).removesuffix(']')}`"
    return Sighting(pod, command, text, (skipped.last.evidence,), line=skipped.last)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    many = len(fault.pods) > 1
    return RULE.finding(
        fault.subject,
        f"The last command of exec, {fault.seen[0].text}, has `if-candidate: true`: {listed(p.name for p in fault.pods)} "
        f"{'are replicas and run' if many else 'is a replica and runs'} no application.",
        *fault.evidence,
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS715",
    name="application-not-on-replicas",
    title="The application has if-candidate: true, so replicas do not run it",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="Replicas are Running and follow, nothing listens on the application's port there, and their log says "
    "`node is not a candidate, skipping command execution` of the application.",
    impact="Requests that a Service sends to a replica are refused; all load is on the primary.",
    cause="The last command of exec is the application. `if-candidate: true` belongs to the migration before it.",
    fix=(
        "Remove `if-candidate: true` from the last command; keep it on the migration.",
        "If replicas are meant as mere copies, let the Service select the primary's pod only, and ignore this.",
        "Correct it where the file comes from, commit, apply, and restart the pods one by one.",
    ),
    reads=("config", "log"),
    check=check,
    gotcha=6,
)
