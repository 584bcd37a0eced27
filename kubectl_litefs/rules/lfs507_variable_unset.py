"""LFS507 variable-unset: a `${VAR}` in litefs.yml that nothing defines."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ConfigFile, Sight, Variable
from ..model.grouping import Fault, Sighting, config_commands, faults, is_logged, lines_of, own_config, place
from ..model.origin import Evidence, Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

CANDIDATE = "lease.candidate"
"""LFS207 and LFS205 speak of this one."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    """A variable that nothing visible defines may come from the image: only what LiteFS runs with decides."""
    seen: list[Sighting] = []
    for pod in cluster.pods:
        config = own_config(pod)
        if config is None or not config.expand_env:
            continue
        for variable in config.variables:
            if not variable.grammatical or variable.key == CANDIDATE:
                continue
            if variable.sight is Sight.UNSET:
                seen.append(_sighting(pod, config, variable))
            elif variable.sight is Sight.UNDEFINED:
                shown = _shown(pod, config, variable.key or "")
                if shown is None:
                    yield Unknown(_gap(pod, config, variable))
                elif shown:
                    seen.append(_sighting(pod, config, variable, shown))
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _sighting(pod: Pod, config: ConfigFile, variable: Variable, shown: tuple[Evidence, ...] = ()) -> Sighting:
    where = f" in {variable.key}" if variable.key else ""
    text = f"{variable.text}{where} ({place(config, variable.evidence)})"
    return Sighting(pod, f"{variable.name} {variable.key}", text, (variable.evidence, *shown))


def _gap(pod: Pod, config: ConfigFile, variable: Variable) -> Gap:
    detail = f"the image may define {variable.name} ({place(config, variable.evidence)}); nothing else that was seen does"
    return Gap(f"config/{pod.namespace}/{pod.name}", GapReason.NOT_ASKED, detail)


def _shown(pod: Pod, config: ConfigFile, key: str) -> tuple[Evidence, ...] | None:
    """What LiteFS runs with at this key: evidence if it is what an empty variable gives, nothing if it is not.

    None where nothing shows it.
    """
    if key.startswith("exec"):
        return _shown_command(pod, config, key)
    value = config.get(key)
    running = _running(pod, key)
    if value is None or running is None:
        return None
    text, evidence = running
    expected = "" if value.value is None else str(value.value)
    return (evidence,) if text == expected and (value.raw or not value.given) else ()


def _running(pod: Pod, key: str) -> tuple[str, Evidence] | None:
    """The value of a setting as LiteFS itself names it."""
    lease = next((r.lease for r in pod.runs if r.lease), None)
    if lease is not None and lease.type == "static":
        told = {"lease.type": lease.type, "lease.hostname": lease.hostname, "lease.advertise-url": lease.advertise_url}
        if key in told:
            return told[key], lease.line.evidence
    consul = next((h.last for r in pod.runs if (h := r.hit("consul-init"))), None)
    field = {"lease.hostname": "hostname", "lease.advertise-url": "url", "lease.consul.key": "key"}.get(key)
    if consul is not None and field:
        return consul.field(field), consul.evidence
    if key == "data.dir" and pod.info is not None and pod.info.path:
        return pod.info.path, pod.info.seen("path")
    mounted = next((h.last for r in pod.runs if (h := r.hit("mounted"))), None)
    if key == "fuse.dir" and mounted is not None:
        return mounted.field("path"), mounted.evidence
    return None


def _shown_command(pod: Pod, config: ConfigFile, key: str) -> tuple[Evidence, ...] | None:
    """Whether LiteFS has run the command as it is with the variable empty."""
    index = key.split(".")[1] if "." in key else "0"
    command = config.execs[int(index)] if index.isdigit() and int(index) < len(config.execs) else None
    if command is None or not command.argv:
        return None
    ran = list(lines_of(pod, "executing", "background", "skipped-command"))
    same = tuple(x.evidence for x in ran if is_logged(command.argv, x.field("command")))
    return same[:1] if same else () if ran else None


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    return RULE.finding(
        fault.subject,
        f"Nothing defines {fault.text}: LiteFS puts nothing in its place.",
        *fault.evidence,
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS507",
    name="variable-unset",
    title="litefs.yml uses a variable that nothing defines",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="A host name, a URL, a path or a command has a hole where the variable should be; LiteFS says nothing.",
    impact="LiteFS runs with another value than was meant, without a word.",
    cause="A variable that is not defined is replaced by nothing, and an empty setting falls back to its default.",
    fix=(
        "Define the variable in the container's env, or write the value into the file.",
        "Commit, apply, and look at the log's line `Using static primary`.",
    ),
    reads=("config",),
    check=check,
    gotcha=3,
)
