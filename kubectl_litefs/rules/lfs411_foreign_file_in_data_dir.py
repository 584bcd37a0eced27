"""LFS411 foreign-file-in-data-dir: something in LiteFS's data directory is not LiteFS's."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, faults, lines_seen, log_command
from ..model.logs import LogRun
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, lines_seen(cluster, "foreign-file", over=_opened)):
        yield _finding(cluster, fault)


def _opened(run: LogRun) -> bool:
    return run.any("mounted", "connected") is not None and run.hit("foreign-file") is None


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    pod, line = fault.pods[0], fault.line
    name = line.field("db") if line else "?"
    path = line.field("path") if line else "?"
    where = path.rpartition("/")[0] or path
    return RULE.finding(
        fault.subject,
        f"LiteFS takes {name} in its data directory for a database and cannot open it: {where} is a file, no directory.",
        *fault.evidence,
        commands=(log_command(cluster, pod), cluster.kubectl("describe", "pod", pod.name)),
        key=name,
    )


RULE = Rule(
    id="LFS411",
    name="foreign-file-in-data-dir",
    title="A foreign file lies in LiteFS's data directory",
    severity=Severity.ERROR,
    heals="no",
    symptom="`init from database header: open ...: not a directory`, exit code 1.",
    impact="LiteFS does not start on this pod.",
    cause="In data.dir/dbs each database is a directory of LiteFS's own making. A SQLite file that was copied there by hand "
    "is none.",
    fix=(
        "Find out what the file is and save it: it may be the only copy of a database.",
        "Move it out of data.dir/dbs, from a pod that mounts the claim without LiteFS.",
        "Bring a database in with `litefs import`, or POST /import?name=DATABASE at the primary, once LiteFS runs.",
    ),
    reads=("log", "previous"),
    check=check,
)
