"""LFS503 config-not-found: there is no litefs.yml where LiteFS looks for it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, accepted, faults, lines_seen, listed, log_command
from ..model.origin import Evidence, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

MISSING = "surely missing: "
"""How the gap of a file begins that LiteFS cannot find either."""


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [*_from_mounts(cluster), *lines_seen(cluster, "config-not-found", fault=lambda text: "missing")]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _from_mounts(cluster: Cluster) -> Iterator[Sighting]:
    """Pods whose mounts are known whole and lack the file."""
    for pod in cluster.pods:
        gap = pod.gaps.get("config")
        if gap is not None and gap.why is GapReason.ABSENT and gap.detail.startswith(MISSING):
            yield Sighting(pod, "missing", gap.detail[len(MISSING) :], _mounts(pod))


def _mounts(pod: Pod) -> tuple[Evidence, ...]:
    command = (pod.container.litefs.evidence,) if pod.container.litefs else ()
    configs = [m for m in pod.container.mounts if m.source in ("configMap", "secret", "projected")]
    return (*command, *(m.evidence for m in configs))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    said = next((s.text for s in fault.seen if s.line is None), None)
    logged = fault.line.text.removeprefix("ERROR: ") if fault.line else ""
    running = [] if fault.line else [p.name for p in fault.pods if accepted(p)]
    still = "still runs with the file it" if len(running) == 1 else "still run with the file they"
    note = f" {listed(running)} {still} started with; the next restart fails." if running else ""
    first = fault.pods[0]
    maps = {str(v.get("configMap", {}).get("name")) for v in first.obj.items("spec.volumes") if v.get("configMap")}
    shown = [cluster.kubectl("get", "configmap", name, "-o", "yaml") for name in sorted(maps)[:2]]
    return RULE.finding(
        fault.subject,
        f"LiteFS finds no configuration: {'; '.join(w for w in (logged, said) if w)}.{note}",
        *fault.evidence,
        commands=(*shown, log_command(cluster, first)),
    )


RULE = Rule(
    id="LFS503",
    name="config-not-found",
    title="LiteFS finds no litefs.yml",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS ends with exit code 2 and `config file not found` or `open ...: no such file or directory`.",
    impact="LiteFS does not start: the pod serves nothing.",
    cause="The path after -config is not where the file lies: another mount path, another key in the ConfigMap, or a "
    "script that no longer writes it. Without -config LiteFS looks for ./litefs.yml, ~/litefs.yml and /etc/litefs.yml.",
    fix=(
        "Make the mount path, the key of the ConfigMap and the path after -config agree.",
        "If a script writes the file, write it before `exec litefs mount`.",
        "Commit, let the pipeline build if the image changed, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
)
