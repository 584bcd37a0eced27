"""LFS109 replica-writes-discarded: the primary replaced a replica's own transactions by its snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.cluster import Cluster
from ..model.identity import strangers
from ..model.logs import Hits, LogLine, LogRun
from ..model.lost import lost_databases
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

SIGNATURES = ("client-ahead", "client-checksum", "client-preapply")
MANY = 5
EACH = timedelta(seconds=3)
"""A replica that refuses the stream asks again each second, and the line comes each time; a real loss says it once."""


def check(cluster: Cluster) -> Iterator[Finding]:
    if strangers(cluster) or lost_databases(cluster):
        return  # the replica refuses the stream, or the primary is empty: nothing has been replaced yet
    if any(run.hit("different-cluster-id") for p in cluster.pods for run in p.runs):
        return  # one refused it for a while: its lines and those of a loss look the same
    for pod in cluster.pods:
        lines = [] if pod.is_primary is False else [x for run in pod.runs for x in _lines(run)]
        if lines:
            yield _finding(cluster, pod, lines)


def _lines(run: LogRun) -> Iterator[LogLine]:
    for signature in SIGNATURES:
        hits = run.hit(signature)
        if hits is None or _is_refusal(hits):
            continue
        for line in hits.distinct:
            if signature != "client-ahead" or int(line.field("primary"), 16) > 0:  # at 0 it is LFS110
                yield line


def _is_refusal(hits: Hits) -> bool:
    if hits.count < MANY or hits.first.time is None or hits.last.time is None:
        return False
    return hits.last.time - hits.first.time < EACH * hits.count


def _finding(cluster: Cluster, pod: Pod, lines: list[LogLine]) -> Finding:
    ahead = [(int(x.field("client"), 16), int(x.field("primary"), 16)) for x in lines if x.field("client") and not x.field("txid")]
    # an import starts at a low txid; then the replicas' old transactions are what it was made from
    rescue = bool(ahead) and len(ahead) == len(lines) and all(theirs * 2 < mine for mine, theirs in ahead)
    told = [f"{_many(mine - theirs)}, txid {theirs + 1:x} to {mine:x}" for mine, theirs in ahead]
    others = len(lines) - len(ahead)
    if others:
        told.append(f"{_many(others, 'at least ')} with other content than the primary's")
    words = "; ".join(dict.fromkeys(told))
    maybe = " The primary stood far below: after an import into it, a rescue, this line is the rescue itself and no loss." if rescue else ""
    return RULE.finding(
        pod.ref,
        f"The primary {pod.name} threw away what a replica had of its own: {words}.{maybe}",
        *(line.evidence for line in lines),
        severity=Severity.WARNING if rescue else None,
        commands=(
            cluster.kubectl("logs", pod.name, "-c", pod.container.name, "--timestamps") + " | grep -e 'client ' -e snapshot -e 'stream connected'",
        ),
    )


def _many(count: int, before: str = "") -> str:
    return f"{before}{count} transaction{'' if count == 1 else 's'}"


RULE = Rule(
    id="LFS109",
    name="replica-writes-discarded",
    title="Transactions that were written on a replica were thrown away",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Three kinds of lines on the primary, at level INFO: `client transaction id ... exceeds primary transaction id`, "
    "`caught up but checksum is mismatched`, `client preapply checksum mismatch`. Nothing on the replica.",
    impact="Writes that an application took for committed are gone from the cluster.",
    cause="The replica had been primary, or the primary had lost its newest transactions; when they met again the primary's "
    "history won.",
    fix=(
        "Look for the lost rows in backups, in volume snapshots, and on replicas that have not connected since.",
        "The line `stream connected` just before names the replica's address; `kubectl get pods -o wide` tells whose it is.",
        "Find out how that pod could write: a second candidate, or a primary whose volume went back in time.",
    ),
    reads=("log", "previous"),
    check=check,
    follows=("LFS103", "LFS205"),
)
