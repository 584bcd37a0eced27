"""LFS410 data-dir-inside-fuse-dir: LiteFS would keep its data below its own mount."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, own_config, place
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

INSIDE = "inside"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [s for pod in cluster.pods for s in _in_file(pod)]
    seen += lines_seen(cluster, "data-inside-fuse", fault=lambda text: INSIDE, over=_joined)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)
    if not seen:
        yield from (Unknown(p.gaps["config"]) for p in cluster.pods if "config" in p.gaps and not p.runs and not p.info)


def _joined(run: LogRun) -> bool:
    return run.hit("connected") is not None and run.hit("data-inside-fuse") is None


def _in_file(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    if config is None:
        return
    data, fuse = config.known("data.dir"), config.known("fuse.dir")
    if not isinstance(data, str) or not isinstance(fuse, str) or not data or not fuse:
        return
    inner, outer = posixpath.normpath(data), posixpath.normpath(fuse)
    if inner != outer and not inner.startswith(outer.rstrip("/") + "/"):
        return
    values = [config.values["data.dir"], config.values["fuse.dir"]]
    given = [v.evidence for v in values if v.given] or [values[0].evidence]
    how = "is the same directory as" if inner == outer else "lies inside"
    yield Sighting(pod, INSIDE, f"data.dir {data} {how} fuse.dir {fuse} ({place(config, given[0])})", tuple(given))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    told = next((s.text for s in fault.seen if s.line is None), "")
    path = fault.line.field("path") if fault.line else ""
    said = told or f"LiteFS cannot make {path or 'its data directory'} below its own mount"
    return RULE.finding(
        fault.subject,
        f"{said}.{fault.note()}",
        *fault.evidence,
        commands=config_commands(cluster, fault),
    )


RULE = Rule(
    id="LFS410",
    name="data-dir-inside-fuse-dir",
    title="data.dir is fuse.dir or lies inside it",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`cannot be the same path`; or the node mounts and then hangs at the first file, and cannot even be killed.",
    impact="LiteFS does not start, or hangs until its node's container runtime gives up.",
    cause="LiteFS reads its data below data.dir through the file system that it serves itself: it waits for itself. It "
    "compares the two settings as texts only, so a slash more or a subdirectory passes.",
    fix=(
        "Put them side by side: fuse.dir /litefs and data.dir /var/lib/litefs, the claim at data.dir.",
        "Correct it where litefs.yml comes from, commit, let the pipeline build the image if it is inside, apply, and look "
        "at the pods' logs. A pod that hangs has to be deleted.",
    ),
    reads=("config", "log", "previous"),
    check=check,
)
