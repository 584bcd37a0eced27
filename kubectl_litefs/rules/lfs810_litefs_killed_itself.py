"""LFS810 litefs-killed-itself: LiteFS ended itself because it could not write a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import ended_lately, lost, unseen_state
from ..model.cluster import Cluster
from ..model.grouping import exit_seen, log_command
from ..model.logs import LogLine
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology

EXIT = 99


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for pod in cluster.pods:
        line = next((x for run in pod.runs if (x := run.latest("killed-itself")) is not None), None)
        if (line is not None or pod.container.exit_code == EXIT) and not lost(pod):
            yield _finding(cluster, pod, line)
        elif (gap := unseen_state(pod)) is not None:
            yield Unknown(gap)


def _finding(cluster: Cluster, pod: Pod, line: LogLine | None) -> Finding:
    db = line.field("db") if line else ""
    doing = line.field("doing") if line else ""
    error = line.field("error") if line else ""
    what = f" while {doing} {db}: {error}" if line else f" with exit code {EXIT}"
    full = " The volume is full." if "no space left" in error else ""
    leads = topology(cluster).primary is pod or any(p is pod for p in topology(cluster).leaders)
    return RULE.finding(
        pod.ref,
        f"LiteFS on {pod.name} ended itself{what}.{full}",
        line.evidence if line else None,
        exit_seen(pod),
        severity=Severity.ERROR if ended_lately(cluster, pod) else Severity.WARNING,
        impact=None if leads else "This replica is away until it has restarted; its copy may be incomplete until then.",
        commands=(
            log_command(cluster, pod),
            cluster.kubectl(
                "exec", pod.name, "-c", pod.container.name, "--", "df", "-h", pod.data_dir or "/var/lib/litefs"
            ),
            cluster.kubectl("describe", "pod", pod.name),
        ),
        key=db,
    )


RULE = Rule(
    id="LFS810",
    name="litefs-killed-itself",
    title="LiteFS ended itself to save the data",
    severity=Severity.ERROR,
    heals="no",
    symptom="`fatal error occurred while ...`, exit code 99.",
    impact="Writes stop until the node is back; the transaction that failed is not there.",
    cause="A transaction could not be written completely, most often because the volume is full. LiteFS ends at once rather "
    "than go on with memory and disk in disagreement.",
    fix=(
        "Read the end of the line: `no space left on device` means a larger volume (resources.requests.storage of the claim, "
        "where its class allows expansion).",
        "Any other ending is a failing disk or a foreign writer: save the databases (GET /export?name=DATABASE on port "
        "20202) before you repair anything.",
        "Look at the pod's log after its restart for errors about checksums.",
    ),
    reads=("spec", "log", "previous"),
    check=check,
    follows=("LFS404",),
)
