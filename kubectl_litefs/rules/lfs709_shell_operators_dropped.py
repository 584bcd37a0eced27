"""LFS709 shell-operators-dropped: what stands behind an unquoted `&&` or `|` in a command is thrown away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import Exec
from ..model.grouping import Fault, Sighting, config_commands, faults, own_config, place, runs_of
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

TAIL = "tail "
HARMLESS_TAIL = re.compile(r"^(?:;|&&)\s*(?:exit|true|echo|sleep|printf|wait)\b[^;&|]*$")
REDIRECTION = re.compile(r"^[<>]")


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [*(s for pod in cluster.pods for s in _in_commands(pod)), *(s for pod in cluster.pods for s in _in_shell(pod))]
    for fault in faults(cluster, seen):
        yield _after_end(cluster, fault) if fault.fault.startswith(TAIL) else _finding(cluster, fault)


def _in_commands(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    for command in config.execs if config else ():
        if config is None or not command.known or not command.dropped.strip():
            continue
        ran = tuple(runs_of(pod, command, "background", "executing"))
        yield Sighting(pod, f"{_kept(command)}\0{command.dropped}", place(config, command.evidence), (command.evidence, *ran))


def _kept(command: Exec) -> str:
    text = command.cmd
    return text[: -len(command.dropped)].strip() if text.endswith(command.dropped) else " ".join(command.argv or ())


def _in_shell(pod: Pod) -> Iterator[Sighting]:
    """`litefs mount -- app && other` in a shell: the operator is the shell's, and LiteFS does not end."""
    litefs = pod.container.litefs
    if litefs is None or litefs.subcommand != "mount":
        return
    tail = litefs.shell_tail.strip()
    if tail.startswith(("&&", ";")) and not HARMLESS_TAIL.match(tail):
        yield Sighting(pod, TAIL + tail, tail, (litefs.evidence,))


def _after_end(cluster: Cluster, fault: Fault) -> Finding:
    pod = fault.pods[0]
    return RULE.finding(
        fault.subject,
        f"`{fault.seen[0].text}` stands behind litefs mount in the container's shell: it runs only when LiteFS has ended.",
        *fault.evidence,
        severity=Severity.WARNING,
        impact="What stands there is not running beside LiteFS, and the mount is gone when it starts.",
        commands=(cluster.kubectl("get", "pod", pod.name, "-o", "yaml"),),
        key="tail",
    )


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    kept, dropped = (" ".join(part.split()) for part in fault.fault.split("\0", 1))
    idle = not dropped.strip("&; \t\r\n") or bool(REDIRECTION.match(dropped))
    confirmed = any(not e.source.startswith("objects/") for e in fault.evidence)
    seen = " The log confirms it." if confirmed else ""
    inner = f"{kept} {dropped}"
    quoted = f"sh -c '{inner}'" if "'" not in inner and len(inner) <= 120 else 'sh -c "..." with the command inside'
    return RULE.finding(
        fault.subject,
        f"LiteFS runs only `{kept[:120]}` and throws away `{dropped[:120]}` ({fault.seen[0].text}).{seen}",
        *fault.evidence,
        severity=Severity.WARNING if idle else Severity.ERROR,
        impact="The command runs, but without what stands behind it." if idle else None,
        fix=(f"Let a shell read the operators: {quoted}; or make them items of exec, one command each.", *RULE.fix[1:]),
        commands=config_commands(cluster, fault),
        key=f"{kept} {dropped}",
    )


RULE = Rule(
    id="LFS709",
    name="shell-operators-dropped",
    title="Shell operators in exec are thrown away with all behind them",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="The migration runs, the application never starts, and the pod ends well and restarts again and again.",
    impact="The commands behind the operator never run: mostly the application itself.",
    cause="LiteFS splits a command into words without a shell; an unquoted & ; | < or > ends it, and the rest is dropped "
    "without a word.",
    fix=(
        "Let a shell read the operators: sh -c '...'; or make them items of exec, one command each.",
        "Correct it where the file or the command comes from, commit, let the pipeline build if needed, apply, look at the log.",
    ),
    reads=("config",),
    check=check,
    gotcha=6,
    follows=("LFS710",),
)
