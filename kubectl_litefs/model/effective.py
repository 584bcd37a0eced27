"""The settings a pod's LiteFS really runs with, each with where it is from. What LiteFS itself said wins over the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from .cluster import Cluster
from .config import ConfigFile, Exec, ProblemKind, Sight, Value, Variable
from .lease import Seen, lease_of
from .origin import Evidence
from .pod import Pod

HOST_NAME = "set by nothing that can be seen, so LiteFS takes the pod's host name"


class From(str, Enum):
    """Where a value is from."""

    FILE = "file"
    DEFAULT = "default"
    ARGUMENTS = "arguments"
    """The words after `--` in the container's command, which replace `exec`."""
    LOG = "log"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Used:
    """A variable in a value. `value` is None unless `sight` is KNOWN; `where` says in words where it was set."""

    name: str
    value: str | None
    sight: Sight
    where: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `value` means something only where `known`. `written` is as in the file, where that is something else.

    `note` says what else a reader should know. `differs` is True where another pod of the set has another value.
    """

    key: str
    value: Any
    known: bool
    origin: From
    evidence: Evidence | None
    written: str = ""
    variables: tuple[Used, ...] = ()
    note: str = ""
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Effective:
    """One pod. `file` is the litefs.yml that its LiteFS reads, None where it cannot be seen: `unseen` says why.

    `refused` is what LiteFS surely says against the file, empty where it starts with it.
    """

    pod: Pod
    file: ConfigFile | None
    unseen: str
    refused: str
    settings: Mapping[str, Setting]


def effective(cluster: Cluster) -> tuple[Effective, ...]:
    """All pods of a cluster, in its order."""
    found = [_of_pod(pod) for pod in cluster.pods]
    values: dict[str, set[str]] = {}
    for one in found:
        for key, setting in one.settings.items():
            values.setdefault(key, set()).add(repr((setting.known, setting.value)))
    return tuple(
        replace(one, settings={k: replace(s, differs=len(values[k]) > 1) for k, s in one.settings.items()}) for one in found
    )


def _of_pod(pod: Pod) -> Effective:
    file, unseen = pod.config, ""
    if file is None:
        gap = pod.gaps.get("config")
        unseen = (gap.detail or gap.why.value) if gap else "its litefs.yml was not found"
    elif not file.readable:
        problem = next(iter(file.problems), None)
        unseen = f"{file.name} is no file that LiteFS can read" + (f": {problem.message}" if problem else "")
    elif (other := _read_instead(pod, file)) is not None:
        unseen = f"LiteFS read {other}, not {file.name} at {file.path}"
    if unseen:
        file = None
    settings = dict(_from_file(pod, file)) if file is not None else {}
    for setting in _observed(pod, settings):
        settings[setting.key] = setting
    return Effective(pod, file, unseen, _refusal(file) if file is not None else "", settings)


def _refusal(file: ConfigFile) -> str:
    """The first thing for which LiteFS does not start with the file."""
    fatal = next((p for p in file.problems if p.certain and p.kind is not ProblemKind.EXEC_KEY), None)
    return fatal.message if fatal is not None else ""


def _read_instead(pod: Pod, file: ConfigFile) -> str | None:
    """The path of another file that this run says it has read."""
    hit = pod.log.hit("config-read") if pod.log else None
    path = hit.last.field("path") if hit else ""
    return path if path and path != file.path else None


def _from_file(pod: Pod, file: ConfigFile) -> Iterator[tuple[str, Setting]]:
    for key, value in file.values.items():
        if key != "exec":
            yield key, _setting(pod, file, value)
    if file.execs:
        first = file.execs[0]
        commands = [{"cmd": e.cmd, "if-candidate": e.if_candidate} for e in file.execs]
        known = all(e.known and e.if_candidate_known for e in file.execs)
        written = "; ".join(e.raw for e in file.execs if e.raw != e.cmd)
        used = tuple(u for v in file.variables if v.key is not None and v.key.split(".")[0].split("[")[0] == "exec" for u in _used(pod, v))
        yield "exec", Setting("exec", commands, known, _exec_origin(first), first.evidence, written, used)


def _exec_origin(first: Exec) -> From:
    return From.ARGUMENTS if first.from_args else From.FILE


def _setting(pod: Pod, file: ConfigFile, value: Value) -> Setting:
    if not value.given:
        return Setting(value.key, value.value, True, From.DEFAULT, None)
    used = tuple(u for v in file.variables if v.key == value.key for u in _used(pod, v))
    written = value.raw.strip() if used else ""
    return Setting(value.key, value.value if value.known else None, value.known, From.FILE, value.evidence, written, used)


def _used(pod: Pod, variable: Variable) -> Iterator[Used]:
    var = pod.env.get(variable.name)
    if var is not None:
        yield Used(var.name, var.value, var.sight, var.evidence.excerpt)
    elif variable.name == "HOSTNAME" and pod.host_name:
        yield Used("HOSTNAME", pod.host_name, Sight.KNOWN, HOST_NAME)
    elif variable.name:
        yield Used(variable.name, None, variable.sight, _nowhere(pod, variable))


def _nowhere(pod: Pod, variable: Variable) -> str:
    """Why nobody knows where a variable is set."""
    if variable.sight is Sight.UNSET:
        return "set by nothing"
    if not pod.alone:
        return "set by nothing that can be seen; the image's ENV cannot"
    return "the node's host name, unless something sets it" if variable.name == "HOSTNAME" else "set by nothing in the files that were given"


def _observed(pod: Pod, settings: Mapping[str, Setting]) -> Iterator[Setting]:
    """What LiteFS said of itself: all there is where no file is seen, and the truth where it differs from the file."""
    lease = lease_of(pod)
    seen: dict[str, Seen | None] = {
        "lease.type": lease.type, "lease.candidate": lease.candidate, "lease.hostname": lease.hostname,
        "lease.advertise-url": lease.advertise_url, "data.dir": _data_dir(pod), "fuse.dir": _mounted(pod),
    }  # fmt: skip
    for key, value in seen.items():
        if value is None or not value.observed or value.value == "":
            continue
        written = settings.get(key)
        if written is not None and written.known and written.value == value.value:
            continue
        origin = From.INFO if value.evidence.source.startswith("litefs/") else From.LOG
        yield Setting(key, value.value, True, origin, value.evidence, note=_changed(key, written))


def _changed(key: str, written: Setting | None) -> str:
    """Why the file does not decide."""
    if written is None or not written.known:
        return ""
    if written.origin is From.DEFAULT:
        return "" if written.value in ("", None) else f"the file says nothing, which would mean {written.value}"
    line = f" (line {written.evidence.line})" if written.evidence and written.evidence.line else ""
    if written.variables:
        return (
            f"by all that can be seen, {written.written}{line} would be {written.value}: the image's ENV says otherwise, or "
            "the file was changed after this start"
        )
    return f"the file now says {written.value}{line}: it was changed after this start"


def _data_dir(pod: Pod) -> Seen | None:
    return Seen(pod.info.path, pod.info.seen("path"), observed=True) if pod.info and pod.info.path else None


def _mounted(pod: Pod) -> Seen | None:
    hit = pod.log.hit("mounted") if pod.log else None
    return Seen(hit.last.field("path"), hit.last.evidence, observed=True) if hit else None
