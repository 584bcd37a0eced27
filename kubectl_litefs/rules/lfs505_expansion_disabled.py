"""LFS505 expansion-disabled: `-no-expand-env`, and variables in the file."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, own_config, started
from ..model.logs import LogLine
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

OPEN = "${"


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [
        *(s for pod in cluster.pods for s in _in_file(pod)),
        *(s for s in lines_seen(cluster, "cannot-unmarshal", fault=lambda text: "literal" if "`${" in text else "") if s.fault),
        *(s for pod in cluster.pods for s in _in_start_line(pod)),
    ]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _in_file(pod: Pod) -> Iterator[Sighting]:
    """Variables in settings. Those in commands may be meant for a shell: they are why people switch expansion off."""
    config = own_config(pod)
    if config is None or config.expand_env:
        return
    flag = (pod.container.litefs.evidence,) if pod.container.litefs else ()
    for variable in config.variables:
        if variable.text.startswith(OPEN) and variable.key and not variable.key.startswith("exec"):
            text = f"{variable.key}: {variable.text}"
            yield Sighting(pod, "literal", text, (variable.evidence, *flag))


def _in_start_line(pod: Pod) -> Iterator[Sighting]:
    """The lease that LiteFS runs with still has the `${`: nothing filled it in."""
    run = next((r for r in pod.runs if started(r)), None)
    lease = run.lease if run else None
    if lease is not None and OPEN in lease.hostname + lease.advertise_url:
        line: LogLine = lease.line
        yield Sighting(pod, "literal", line.text, (line.evidence,), line=line)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    settings = list(dict.fromkeys(s.text for s in fault.seen if s.line is None))
    named = ", ".join(settings[:4]) + (f" and {len(settings) - 4} more" if len(settings) > 4 else "")
    told = f"the file has {named}" if settings else f"LiteFS took a variable as plain text: {fault.text}"
    flagged = any(p.container.litefs and not p.container.litefs.expand_env for p in fault.pods)
    why = "litefs mount runs with -no-expand-env, and" if flagged else "Variables are not filled in:"
    return RULE.finding(
        fault.subject,
        f"{why} {told}; LiteFS takes these characters as they stand.",
        *fault.evidence,
        commands=config_commands(cluster, fault),
    )


RULE = Rule(
    id="LFS505",
    name="expansion-disabled",
    title="Variables in litefs.yml, and -no-expand-env beside them",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="``cannot unmarshal !!str `${LITEF...` into bool``, or a host name or URL that still reads `${...}`.",
    impact="LiteFS does not start, or it runs with a lease that names nobody.",
    cause="The flag -no-expand-env switches off what fills in variables in litefs.yml.",
    fix=(
        "Take -no-expand-env out of the command, or write the values in full (or let a script write the file).",
        "Commit, let the pipeline build if the image has the command, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    gotcha=3,
)
