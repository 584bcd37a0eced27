"""LFS511 exec-key-ignored: a key in an item of `exec` that LiteFS ignores without a word."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import Exec, ProblemKind
from ..model.grouping import Fault, Sighting, config_commands, faults, listed, own_config, runs_of
from ..model.lease import lease_of
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

GATE = "if-candidate"


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, [s for pod in cluster.pods for s in _ignored(pod)]):
        yield _finding(cluster, fault)


def _ignored(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    if config is None or any(e.from_args for e in config.execs):
        return  # words after `--` replace the whole list
    for problem in config.problems:
        if problem.kind is ProblemKind.EXEC_KEY:
            yield Sighting(pod, problem.key, problem.message, (problem.evidence,), problem=problem)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    problem = fault.problem
    assert problem is not None  # every sighting of this rule has one
    name = problem.key.split(".", 2)[-1]
    gate = problem.suggestion == GATE
    ran = {p.name: e for p in fault.pods for e in _ran(p, name)} if gate else {}
    shown = f" Run there although no candidate: {listed(ran)}." if ran else ""
    means = f"{GATE} was meant, so the command runs on every pod" if gate else "the line does nothing"
    fix = (f"Write {problem.suggestion} instead of {name}.", *RULE.fix[1:]) if problem.suggestion else RULE.fix
    return RULE.finding(
        fault.subject,
        f"LiteFS ignores `{name}` in exec ({fault.place}) without a word: {means}.{shown}",
        *fault.evidence,
        *ran.values(),
        severity=Severity.ERROR if gate else Severity.WARNING,
        impact=None if gate else "The item does not do what the line asks for.",
        fix=fix,
        commands=config_commands(cluster, fault),
        key=problem.key,
    )


def _ran(pod: Pod, name: str) -> Iterator[Evidence]:
    """Log lines of a pod that is no candidate and ran the command all the same."""
    candidate = lease_of(pod).candidate
    if candidate is None or candidate.value is not False or pod.config is None:
        return
    commands: list[Exec] = [e for e in pod.config.execs if name in e.extra_keys]
    for command in commands:
        yield from runs_of(pod, command, "executing")


RULE = Rule(
    id="LFS511",
    name="exec-key-ignored",
    title="A key in an item of exec that LiteFS ignores",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="A migration runs on replicas too and fails there, or waits; the file seems to forbid it.",
    impact="The migration runs on every pod: on replicas it fails, or what it writes there is thrown away.",
    cause="Elsewhere an unknown key is an error, but inside the items of exec LiteFS knows `cmd` and `if-candidate` "
    "and passes over everything else.",
    fix=(
        "Delete the key, or write it as LiteFS knows it: `cmd` or `if-candidate`, with a hyphen.",
        "Correct it where the file comes from, commit, apply, and look at the log: replicas then say "
        "`node is not a candidate, skipping command execution`.",
    ),
    reads=("config",),
    check=check,
    gotcha=6,
)
