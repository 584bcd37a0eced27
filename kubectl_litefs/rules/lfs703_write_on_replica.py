"""LFS703 write-on-replica: the application wrote on a pod that may only read."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import recent_runs
from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.grouping import log_command
from ..model.lease import lease_of
from ..model.logs import LogRun
from ..model.paths import fuse_dir
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity
from ..model.topology import topology

WAL = "wal error"
"""In LiteFS's line where the database is in WAL mode: SQLite answers the application 10 there, not 8."""


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        if pod.is_primary:
            continue  # what it logged as a replica, before it took over, is past
        run = next((r for r in recent_runs(cluster, pod) if _refused(pod, r)), None)
        if run is not None:
            yield _finding(cluster, pod, run)


def _refused(pod: Pod, run: LogRun) -> bool:
    """LiteFS's own word, or the application's on what is surely a replica."""
    return run.hit("read-only-replica") is not None or (_is_replica(pod) and run.hit("readonly-database") is not None)


def _is_replica(pod: Pod) -> bool:
    candidate = lease_of(pod).candidate
    return pod.is_primary is False or (candidate is not None and candidate.value is False)


def _finding(cluster: Cluster, pod: Pod, run: LogRun) -> Finding:
    """LiteFS's line and the application's are one refused write: only one of the two kinds is counted."""
    own, said = run.hit("read-only-replica"), run.hit("readonly-database")
    counted = own or said
    assert counted is not None  # _refused saw one
    times = "once" if counted.count == 1 else f"{counted.count} times"
    in_wal = own is not None and any(WAL in line.text for line in own.distinct)
    failed = run.hit("disk-io-error") if in_wal else None
    lead = topology(cluster).primary
    where = f"; writes belong on the primary, {lead.name}" if lead is not None else ""
    mount = fuse_dir(pod) or ("/litefs", None)
    answer = "disk I/O error (10)" if in_wal else "attempt to write a readonly database (8)"
    return RULE.finding(
        pod.ref,
        f"The application on the replica {pod.name} tried to write, {times}, and SQLite answered {answer}{where}.",
        *(hits.last.evidence for hits in (own, said, failed) if hits is not None),
        commands=(
            log_command(cluster, pod, run),
            run_in(cluster, pod, "cat", f"{mount[0].rstrip('/')}/.primary"),
        ),
    )


RULE = Rule(
    id="LFS703",
    name="write-on-replica",
    title="The application writes on a replica",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="`attempt to write a readonly database` (SQLite 8), or `disk I/O error` (10) for a database in WAL mode, on some "
    "pods only; LiteFS logs `read only replica`.",
    impact="The write was not made, and whoever asked for it got an error. Nothing is lost or damaged.",
    cause="Only the primary takes writes. A request that writes, a background job or a migration ran on a replica, and "
    "nothing sent it on.",
    fix=(
        "Send writes to the primary: a Service that selects only its pod, or let the application forward them (the file "
        ".primary in the mount names the primary; on the primary there is no such file).",
        "Let jobs and migrations run on the primary only: `if-candidate: true` in exec, or test for the file .primary.",
        "Where a write can wait, `litefs run -with-halt-lock-on /litefs/db -- COMMAND` makes it on a replica.",
        "Commit, let the pipeline build the image, apply it, and look at the pod's log.",
    ),
    reads=("log", "previous"),
    check=check,
    follows=("LFS702", "LFS511", "LFS206", "LFS104", "LFS202", "LFS203", "LFS201"),
)
