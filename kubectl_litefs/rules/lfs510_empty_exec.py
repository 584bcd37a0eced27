"""LFS510 empty-exec: a command in `exec` that is empty, or nothing after `--`."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, problems_seen
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.EXEC, fault=_one, takes=_went_on),
        *(s for pod in cluster.pods for s in _dashes(pod)),
        *lines_seen(cluster, "exec-panic", fault=_one, over=_commands_run),
    ]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault) if fault.certain else fault.unknown()


def _one(text: str) -> str:
    return "empty"


def _commands_run(run: LogRun) -> bool:
    """Whether LiteFS got past its commands in this run."""
    return run.hit("waiting") is not None


def _went_on(pod: Pod) -> bool:
    return any(_commands_run(run) for run in pod.runs[:1])


def _dashes(pod: Pod) -> Iterator[Sighting]:
    """`litefs mount --` with nothing behind it."""
    litefs = pod.container.litefs
    if litefs is None or litefs.after_dashes is None or any(w.strip() for w in litefs.after_dashes):
        return
    if not _went_on(pod):
        yield Sighting(pod, "empty", "nothing follows the -- of litefs mount", (litefs.evidence,))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    dashes = next((s.text for s in fault.seen if s.line is None and s.problem is None), None)
    if dashes:
        told = f"{dashes[0].upper()}{dashes[1:]}, and so there is no command to run"
    elif fault.problem:
        number = fault.problem.key.split(".")[1:2]
        item = f"item {int(number[0]) + 1} of exec" if number and number[0].isdigit() else "exec"
        told = f"{item} ({fault.place}) is empty"
    else:
        told = "A command of exec is empty"
    return RULE.finding(
        fault.subject,
        f"{told[0].upper()}{told[1:]}: LiteFS breaks off with a Go panic as soon as it is ready.{fault.note()}",
        *fault.evidence,
        commands=config_commands(cluster, fault),
    )


RULE = Rule(
    id="LFS510",
    name="empty-exec",
    title="An empty command in exec makes LiteFS panic",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`panic: runtime error: ...` with execCmds in the trace, after `connected to cluster, ready`; exit code 2.",
    impact="The container restarts again and again: the pod serves nothing.",
    cause="LiteFS takes the first word of a command without looking whether there is one. A cmd that is missing, blank, "
    "or only an operator has none; a variable that expands to nothing is a way there too.",
    fix=(
        "Give each item of exec a cmd, or delete the item; put the command after --, or leave the -- out.",
        "Correct it where the file or the command comes from, commit, let the pipeline build if needed, apply, look at the log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    follows=("LFS508", "LFS507"),
)
