"""LFS508 expansion-yields-nothing: a `${...}` outside LiteFS's grammar."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ConfigFile, Sight, Variable
from ..model.grouping import Fault, Sighting, config_commands, faults, own_config, place
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

GRAVE = ("lease.candidate", "lease.type", "lease.hostname", "lease.advertise-url")
"""Keys that decide who leads and where the others find it."""


def check(cluster: Cluster) -> Iterator[Finding]:
    seen: list[Sighting] = []
    keys: dict[str, str] = {}
    for pod in cluster.pods:
        config = own_config(pod)
        if config is None or not config.expand_env:
            continue
        for variable in config.variables:
            if not variable.grammatical:
                sighting = _sighting(pod, config, variable)
                keys[sighting.fault] = variable.key or ""
                seen.append(sighting)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault, keys[fault.fault])


def _sighting(pod: Pod, config: ConfigFile, variable: Variable) -> Sighting:
    result = f"becomes `{variable.result}`" if variable.result else "is replaced by nothing"
    value = config.get(variable.key) if variable.key else None
    effect = ""
    if value is not None and value.sight in (Sight.KNOWN, Sight.UNSET) and variable.key in GRAVE:
        effect = f", so {variable.key} is {_plain(value.value)}"
    text = f"`{variable.text}` ({place(config, variable.evidence)}) {result}{effect}: {_reason(variable.text)}"
    started = next((r.lease.line.evidence for r in pod.runs if r.lease), None) if variable.key in GRAVE else None
    evidence = (variable.evidence, started) if started else (variable.evidence,)
    return Sighting(pod, f"{variable.text} {variable.key}", text, evidence)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value or "empty")


def _reason(text: str) -> str:
    """Why LiteFS cannot mean what was written."""
    inner = text[2:].rstrip("}") if text.startswith("${") else text
    if text == "${":
        return "the closing brace is missing"
    if text in ("$$", "${$}"):
        return "a dollar sign cannot be escaped"
    if any(op in inner for op in (":-", ":=", ":+", ":?", ":")) and "==" not in inner:
        return "LiteFS has no default values; the shell's operators do not work here"
    if "&&" in inner or "||" in inner:
        return "one comparison is all there is, no && and no ||"
    if "==" in inner or "!=" in inner:
        return "put the right side in quotes and a plain variable on the left, as in ${HOSTNAME == 'app-0'}"
    return "it is no variable's name; the shell's own variables and operators do not work here"


def _finding(cluster: Cluster, fault: Fault, key: str) -> Finding:
    severity = Severity.ERROR if key in GRAVE else Severity.WARNING
    return RULE.finding(
        fault.subject,
        fault.text + ".",
        *fault.evidence,
        severity=severity,
        impact=None if severity is Severity.ERROR else "The setting or the command has a hole there, without a word.",
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS508",
    name="expansion-yields-nothing",
    title="An expression in litefs.yml that LiteFS cannot expand",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="A setting stays at its default although the file says something; no line in any log.",
    impact="LiteFS runs with another lease than the file seems to say: several primaries, or a primary nobody finds.",
    cause="LiteFS fills in `$A`, `${A}` and one comparison, `${A == 'b'}` or `${A != 'b'}`. Everything else between the "
    "braces is taken for the name of a variable, which nobody has set, and replaced by nothing.",
    fix=(
        "Write one of the forms that LiteFS knows, or set a plain variable at the container's start and use that.",
        "Correct it where the file comes from, commit, apply, and look at the log's line `Using static primary`.",
    ),
    reads=("config",),
    check=check,
    gotcha=3,
)
