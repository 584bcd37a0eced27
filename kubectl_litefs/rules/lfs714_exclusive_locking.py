"""LFS714 exclusive-locking: the application asks for a lock that LiteFS cannot give."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import recent_runs
from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.grouping import log_command
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        run = next((r for r in recent_runs(cluster, pod) if r.hit("exclusive-locking")), None)
        if run is not None:
            yield _finding(cluster, pod, run)


def _finding(cluster: Cluster, pod: Pod, run: LogRun) -> Finding:
    hits, failed = run.hits["exclusive-locking"], run.hit("disk-io-error")
    return RULE.finding(
        pod.ref,
        f"The application on {pod.name} opens a database with locking_mode=EXCLUSIVE, and LiteFS refuses it; SQLite answers "
        "disk I/O error (10).",
        hits.last.evidence,
        failed.last.evidence if failed else None,
        commands=(
            log_command(cluster, pod, run),
            run_in(cluster, pod, "sh", "-c", "env | grep -i sqlite"),
        ),
    )


RULE = Rule(
    id="LFS714",
    name="exclusive-locking",
    title="The application asks for exclusive locking, which LiteFS refuses",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`exclusive locking not allowed` in LiteFS's log, `disk I/O error` (SQLite 10) in the application.",
    impact="The application cannot write, though the file system and the volume are well.",
    cause="`PRAGMA locking_mode=EXCLUSIVE` keeps a WAL database for one connection alone; LiteFS could not see its "
    "transactions. Refused since LiteFS 0.5.11.",
    fix=(
        "Remove `PRAGMA locking_mode=EXCLUSIVE`, or the driver's option for it; NORMAL is SQLite's default.",
        "Commit, let the pipeline build the image, apply it, and look at the primary's log.",
    ),
    reads=("log", "previous"),
    check=check,
)
