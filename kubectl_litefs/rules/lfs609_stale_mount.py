"""LFS609 stale-mount: a dead FUSE mount is left at the mount point."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, lines_seen, log_command
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

STALE = "stale"


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = list(lines_seen(cluster, "mount-exists", fault=lambda text: STALE, over=_mounts))
    seen += [s for pod in cluster.pods for s in _dead(cluster, pod)]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _mounts(run: LogRun) -> bool:
    return run.any("mounted", "connected") is not None


def _dead(cluster: Cluster, pod: Pod) -> Iterator[Sighting]:
    """`transport endpoint is not connected` at LiteFS's mount, from LiteFS itself or lastingly from the application; or
    LiteFS's word that its mount has ended.

    In the last words of a run that has ended it is only how the application saw LiteFS go.
    """
    run = pod.log
    hits = run.any("transport-endpoint", "fuse-serve-failed") if run else None
    if run is None or hits is None:
        return
    line = hits.last
    path = line.field("path") or line.field("after")
    if path and not _is_ours(pod, run, path):
        return
    ending = run.any("signal-received", "subprocess-exited", "shutdown-complete") is not None
    own = line.kind != "other" and not (ending and run.hit("transport-endpoint") is None)
    if own or (pod.container.running and not ending and run.repeats("transport-endpoint", cluster.now, 60.0)):
        yield Sighting(pod, STALE, line.text, (line.evidence,), line=line)


def _is_ours(pod: Pod, run: LogRun, path: str) -> bool:
    """Whether a path lies at or below LiteFS's mount, as far as that is known."""
    mounted = run.hit("mounted")
    known = mounted.last.field("path") if mounted else pod.config.known("fuse.dir") if pod.config else None
    if not isinstance(known, str):
        return True
    at = known.rstrip("/")
    return path.rstrip("/") == at or path.startswith(at + "/")


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    pod = fault.pods[0]
    line = fault.line
    path = (line.field("path") or line.field("after")) if line else ""
    command = pod.container.litefs
    skips = bool(command and command.skip_unmount)
    why = " LiteFS was told not to clean up (-skip-unmount)." if skips else ""
    ended = line is not None and line.text.startswith("fuse serve error")
    state = "has ended under a LiteFS that goes on" if ended else "is still there, and its LiteFS is gone"
    return RULE.finding(
        fault.subject,
        f"The mount at {path or 'fuse.dir'} {state}: {fault.text.removeprefix('ERROR: ')[:200]}.{why}",
        *fault.evidence,
        *([command.evidence] if command and skips else []),
        commands=(
            log_command(cluster, pod),
            cluster.kubectl("exec", pod.name, "-c", pod.container.name, "--", "mount"),
        ),
    )


RULE = Rule(
    id="LFS609",
    name="stale-mount",
    title="A dead LiteFS mount is left at fuse.dir",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`transport endpoint is not connected` for every file, or `cannot open file system: mkdir ...: file exists`.",
    impact="LiteFS does not start, or the application cannot open its database.",
    cause="LiteFS was killed and its mount outlived it: on a shared volume with Bidirectional propagation, or where "
    "-skip-unmount keeps the next start from removing it.",
    fix=(
        "If data.dir lies on a claim, delete the pod: its mounts go with it, the claim and its data stay.",
        "On a shared volume run `umount -l` on the mount point on that node, or in a privileged container of the pod.",
        "Where the mount is not shared, start LiteFS without -skip-unmount: it then removes what it finds.",
    ),
    reads=("log", "previous"),
    check=check,
)
