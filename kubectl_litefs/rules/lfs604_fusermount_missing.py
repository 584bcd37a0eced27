"""LFS604 fusermount-missing: the image has no fuse3."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import got_mounted
from ..model.cluster import Cluster
from ..model.grouping import Fault, faults, lines_seen, log_command
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, lines_seen(cluster, "fusermount-missing", over=got_mounted)):
        yield _finding(cluster, fault)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    pod = next((s.pod for s in fault.seen if s.line), fault.pods[0])
    return RULE.finding(
        fault.subject,
        f"The image {pod.container.image or 'of ' + pod.name} has no fusermount3, so LiteFS cannot mount its file system.",
        *fault.evidence,
        pod.obj.seen(f"{pod.container.field}.image"),
        commands=(log_command(cluster, pod),),
    )


RULE = Rule(
    id="LFS604",
    name="fusermount-missing",
    title="The image has no fusermount3",
    severity=Severity.ERROR,
    symptom='`fusermount: exec: "fusermount3": executable file not found in $PATH`, exit code 1.',
    impact="LiteFS does not start: the pod restarts again and again.",
    cause="The package fuse3 is not in the final image: it was never installed, only in a build stage, or as `fuse`, which "
    "is version 2 and serves LiteFS 0.3 and older.",
    fix=(
        "Install fuse3 in the last stage of the Dockerfile: `apt-get install -y fuse3` or `apk add fuse3`, with "
        "ca-certificates.",
        "Commit, let the pipeline build the image, apply, and look at the pods' logs for `LiteFS mounted to`.",
    ),
    reads=("log", "previous"),
    check=check,
    gotcha=7,
)
