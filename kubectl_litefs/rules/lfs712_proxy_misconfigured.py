"""LFS712 proxy-misconfigured: the proxy's settings do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import Fault, config_commands, faults, lines_seen, problems_seen, words
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

ANSWERS_502 = "502"
"""In the parser's words for what LiteFS takes and cannot use."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *(s for s in problems_seen(cluster, ProblemKind.PROXY, takes=_proxy_runs) if ANSWERS_502 not in s.text),
        *(s for s in problems_seen(cluster, ProblemKind.PROXY, takes=_never) if ANSWERS_502 in s.text),
        *lines_seen(cluster, "proxy-misconfigured", over=_listens),
    ]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault) if fault.certain else fault.unknown()


def _listens(run: LogRun) -> bool:
    return run.hit("proxy-listening") is not None


def _proxy_runs(pod: Pod) -> bool:
    return any(_listens(run) for run in pod.runs[:1])


def _never(pod: Pod) -> bool:
    """A target that LiteFS takes and cannot use shows in no log."""
    return False


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    said = words(fault.seen[0].text).removeprefix("cannot run proxy server: ")
    key = fault.problem.key if fault.problem else ""
    at_run_time = ANSWERS_502 in said
    told = said if at_run_time else f"LiteFS cannot start its proxy, {said}"
    return RULE.finding(
        fault.subject,
        f"{told} ({fault.place}).{'' if at_run_time else _note(fault)}",
        *fault.evidence,
        impact="The proxy answers every request with 502: nobody reaches the application through it." if at_run_time else None,
        commands=config_commands(cluster, fault),
        key=key or said,
    )


def _note(fault: Fault) -> str:
    """Nodes whose proxy runs still have the older file."""
    if fault.line is not None or not any(_proxy_runs(p) for p in fault.pods):
        return ""
    return fault.note()


RULE = Rule(
    id="LFS712",
    name="proxy-misconfigured",
    title="The proxy's settings are incomplete or malformed",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`ERROR: cannot run proxy server: ...` after `connected to cluster, ready`, exit code 1; or 502 on each request.",
    impact="LiteFS ends as soon as the node is ready: the pod restarts again and again.",
    cause="proxy.target switches the proxy on; it then needs proxy.addr and proxy.db, and target is host:port without "
    "a scheme. These are checked only after the node has joined.",
    fix=(
        "Set proxy.addr (such as :8080), proxy.target (such as localhost:3000) and proxy.db (the database's file name).",
        "Correct it where the file comes from, commit, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
)
