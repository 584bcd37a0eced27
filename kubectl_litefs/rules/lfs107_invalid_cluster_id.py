"""LFS107 invalid-cluster-id: the clusterid file is empty or was edited."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import got_mounted
from ..model.cluster import Cluster
from ..model.grouping import exit_seen, failing_runs, log_command
from ..model.logs import LogLine, LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        line = next((x for run in failing_runs(pod, got_mounted) for x in _lines(run)), None)
        shown = pod.cluster_id
        odd = shown is not None and not (len(shown) == 20 and shown.startswith("LFSC"))
        if line is not None or odd:
            yield _finding(cluster, pod, line, shown if odd else None)


def _lines(run: LogRun) -> Iterator[LogLine]:
    hits = run.hit("invalid-cluster-id")
    if hits is not None:
        yield hits.last


def _finding(cluster: Cluster, pod: Pod, line: LogLine | None, shown: str | None) -> Finding:
    path = f"{pod.data_dir or 'the data directory'}/clusterid"
    said = f"/info shows {shown!r}" if shown is not None else "LiteFS refuses it and does not start"
    return RULE.finding(
        pod.ref,
        f"The file {path} of {pod.name} holds no cluster id: {said}.",
        line.evidence if line else None,
        pod.info.seen("clusterID") if pod.info and shown is not None else None,
        exit_seen(pod) if line else None,
        commands=(log_command(cluster, pod),),
    )


RULE = Rule(
    id="LFS107",
    name="invalid-cluster-id",
    title="The clusterid file holds no cluster id",
    severity=Severity.ERROR,
    heals="no",
    symptom="`cannot open store: load cluster id: invalid cluster id` and a crash loop.",
    impact="This node does not start; its data is untouched.",
    cause="The file was truncated by a full disk or a copy, or edited by hand. LiteFS checks its length of 20 and the prefix LFSC.",
    fix=(
        "Write the id of the cluster that this volume's data belongs to into the file (20 characters and a newline); /info of a "
        "healthy pod of the same cluster shows it.",
        "Be sure that it is the right cluster: with equal ids the replica's data is replaced by the primary's.",
    ),
    reads=("log", "previous", "info"),
    check=check,
)
