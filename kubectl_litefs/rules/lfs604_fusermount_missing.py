"""LFS604 fusermount-missing: the image has no fuse3."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.alive import got_mounted, runs_litefs
from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, lines_seen, log_command
from ..model.image import Image
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

OLD_LITEFS = re.compile(r"litefs:v?0\.[0-3]\b")
"""Its own image, of a version that still used FUSE 2."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = list(lines_seen(cluster, "fusermount-missing", over=got_mounted))
    for pod in cluster.pods:
        build = pod.container.build
        if build is None or build.litefs is None or runs_litefs(pod) or "fuse3" in build.packages:
            continue
        if "fuse" in build.packages and OLD_LITEFS.search(build.litefs.excerpt):
            continue
        if not (build.base_known and build.packages_known):
            what = "a script that its Dockerfile runs" if build.base_known else f"its base {build.base}"
            yield Unknown(Gap(build.source, GapReason.NOT_ASKED, f"fuse3 may come from {what}"))
        else:
            seen.append(_in_build(pod, build))
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _in_build(pod: Pod, build: Image) -> Sighting:
    """The final stage has no fuse3: what there is instead."""
    if "fuse" in build.packages:
        return Sighting(pod, "image", "its package fuse is version 2, and LiteFS wants fuse3", (build.packages["fuse"],))
    if "fuse3" in build.elsewhere:
        told = "fuse3 is installed in an earlier stage only, of which nothing but what is copied comes into the image"
        return Sighting(pod, "image", told, (build.start, build.elsewhere["fuse3"]))
    shown = (build.start, build.litefs) if build.litefs else (build.start,)
    return Sighting(pod, "image", f"no instruction of the final stage, FROM {build.base}, installs fuse3", shown)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    pod = next((s.pod for s in fault.seen if s.line), fault.pods[0])
    told = next((f": {s.text}" for s in fault.seen if s.line is None), "")
    return RULE.finding(
        fault.subject,
        f"The image {pod.container.image or 'of ' + pod.name} has no fusermount3, so LiteFS cannot mount its file system{told}.",
        *fault.evidence,
        pod.obj.seen(f"{pod.container.field}.image") if pod.container.image else None,
        commands=(log_command(cluster, pod),),
    )


RULE = Rule(
    id="LFS604",
    name="fusermount-missing",
    title="The image has no fusermount3",
    severity=Severity.ERROR,
    heals="with a new pod",
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
