"""LFS803 data-corruption: a database, or LiteFS's record of it, is damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.alive import recent_runs
from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.grouping import exit_seen, log_command
from ..model.logs import LogLine, LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity
from ..model.topology import topology

_DATABASE = re.compile(r"open database\(\"([^\"]+)\"\)|db=\"([^\"]+)\"|(?:for|on|of) \"([^\"]+)\"")


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        seen = _damage(cluster, pod)
        if seen is not None:
            yield _finding(cluster, pod, *seen)


def _damage(cluster: Cluster, pod: Pod) -> tuple[LogRun, LogLine, LogLine | None] | None:
    """The newest word of damage: LiteFS's own, and the application's.

    A start that LiteFS got through has checked its files: what an earlier run said of them is healed.
    """
    for run in recent_runs(cluster, pod):
        own, said = run.latest("corruption"), _said(run)
        if own is not None or said is not None:
            first = own or said
            assert first is not None  # one of the two is
            return run, first, said if own is not None else None
        if run.any("mounted", "connected") is not None:
            return None
    return None


def _said(run: LogRun) -> LogLine | None:
    """The application's word, unless a whole database has been taken over since."""
    said, fresh = run.latest("malformed"), run.latest("snapshot-received")
    return None if said is not None and fresh is not None and fresh.number > said.number else said


def _finding(cluster: Cluster, pod: Pod, run: LogRun, line: LogLine, said: LogLine | None) -> Finding:
    who = topology(cluster)
    leads = pod is who.primary or (who.primary is None and pod in who.leaders)
    named = _DATABASE.search(line.text)
    name = next((g for g in named.groups() if g), "") if named else ""
    what = f"Database {name}" if name else "A database"
    error = line.field("error")
    teller = f"LiteFS says `{error[:200]}`" if error else "the application says `database disk image is malformed`"
    role = "the primary" if leads else "a replica"
    holders = [p for p in cluster.pods if p.with_data or p is not pod]
    fix = RULE.fix if leads else (RULE.fix[0], *_REPLICA)
    return RULE.finding(
        pod.ref,
        f"{what} on {pod.name}, {role}, is damaged: {teller}.",
        line.evidence,
        said.evidence if said else None,
        exit_seen(pod) if line.kind == "plain" else None,
        impact=None if leads else "This replica does not start, or serves damaged data. The primary's copy is another one.",
        fix=fix,
        commands=(log_command(cluster, pod, run), *exports(holders, name or None)),
        key=name,
    )


_REPLICA = (
    "Only when the primary's saved file answers ok: give this replica a new volume. Delete its claim with --wait=false, then its "
    "pod; it gets a snapshot from the primary.",
    "If the primary's file does not answer ok, reset nothing: the replica's copy may be the better one.",
    "Then look for the reason: a full or failing disk, a volume snapshot taken in the middle of a write, a program that "
    "writes into the data directory past the mount.",
)

RULE = Rule(
    id="LFS803",
    name="data-corruption",
    title="A database or its transaction files are damaged",
    severity=Severity.ERROR,
    heals="no",
    symptom="At the start `recover ltx: database checksum ... does not match`, `sync wal to ltx: ...`, `wal-sync: short wal "
    "size`; on a running primary `snapshot checksum mismatch`; in the application `database disk image is malformed`.",
    impact="The primary does not start, or hands damaged data to every replica that needs a snapshot.",
    cause="The file was changed outside the mount, a volume was copied in the middle of a write, a node crashed, or the disk "
    "fails.",
    fix=(
        "Save every database from every pod that answers, before anything is restarted or reset; each integrity check must "
        "answer ok, or the file is damaged too.",
        "Do not reset a replica: it may hold the only copy that is whole.",
        "If the primary runs, import the best whole file into it; if it does not start, `exit-on-error: false` at the top of "
        "litefs.yml keeps its container up, and a whole replica's directory dbs/NAME takes the place of the damaged one.",
        "Then look for the reason: a full or failing disk, a volume snapshot taken in the middle of a write, a program that "
        "writes into the data directory past the mount.",
    ),
    reads=("log", "previous"),
    check=check,
    follows=("LFS708", "LFS810"),
)
