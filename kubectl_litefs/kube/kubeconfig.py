"""kubeconfig files: found, read and merged as kubectl does.

The `kubernetes` package is not used for this: of two files that both set `current-context` it takes the last,
kubectl the first, so the package would look at another cluster than the one the user sees with kubectl.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import CouldNotLook, UsageError
from .words import one_line

Entry = dict[str, Any]

LARGEST = 16 * 1024 * 1024
"""Bytes of one file; the largest of real ones have a few hundred kilobytes."""
DEEPEST = 100
_PATHS = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """All files merged. `files` are those that were read, `missing` those that were named but are not there."""

    clusters: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    contexts: Mapping[str, Entry] = field(default_factory=dict)
    current_context: str = ""
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The files, for a message."""
        return ", ".join(self.files) or "the kubeconfig"


def unusable(message: str, *, hint: str | None = None) -> CouldNotLook:
    """The error for a kubeconfig that cannot be used."""
    return CouldNotLook("kubeconfig-unusable", one_line(message, 600), hint=hint)


def load(explicit: str | None, environ: Mapping[str, str]) -> Kubeconfig:
    """The merged kubeconfig. `explicit` is --kubeconfig: exactly that file, and it must exist.

    Raises CouldNotLook for a file that cannot be used; where the flag names it, it is a wrong word: UsageError.
    """
    if not explicit:
        return _merged(_named(environ))
    try:
        if not os.path.exists(explicit):
            raise unusable(f"the kubeconfig file {explicit} does not exist")
        return _merged([explicit])
    except CouldNotLook as error:
        raise UsageError(error.reference, f"--kubeconfig: {error.message}", hint=error.hint) from error


def _merged(names: list[str]) -> Kubeconfig:
    clusters: dict[str, Entry] = {}
    users: dict[str, Entry] = {}
    contexts: dict[str, Entry] = {}
    current = ""
    files: list[str] = []
    missing: list[str] = []
    for name in names:
        one = _read(name)
        if one is None:
            missing.append(name)
            continue
        files.append(name)
        for mine, theirs in ((clusters, one.clusters), (users, one.users), (contexts, one.contexts)):
            for key, entry in theirs.items():
                mine.setdefault(key, entry)
        current = current or one.current_context
    return Kubeconfig(clusters, users, contexts, current, tuple(files), tuple(missing))


def _named(environ: Mapping[str, str]) -> list[str]:
    """The files of KUBECONFIG, each once, or ~/.kube/config where it is unset or empty."""
    listed = environ.get("KUBECONFIG", "")
    if listed:
        return [name for name in dict.fromkeys(listed.split(os.pathsep)) if name]
    home = environ.get("HOME", "") if os.name == "posix" else os.path.expanduser("~")
    return [os.path.join(home, ".kube", "config")]


def _read(path: str) -> Kubeconfig | None:
    """One file; None if it is not there."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(f"the kubeconfig file {path} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise unusable(f"{path} is no kubeconfig: it has more than {LARGEST >> 20} MiB")
    document = _parse(data, path)
    if document is None:
        return Kubeconfig()
    if not isinstance(document, dict):
        raise unusable(f"{path} is no kubeconfig: it holds a {type(document).__name__}, not fields")
    kind, version = document.get("kind") or "Config", document.get("apiVersion") or "v1"
    if kind != "Config" or version != "v1":
        raise unusable(f"{path} is no kubeconfig: it is a {kind} of {version}")
    base = os.path.dirname(os.path.abspath(path))
    return Kubeconfig(
        clusters=_entries(document, "clusters", "cluster", path, base),
        users=_entries(document, "users", "user", path, base),
        contexts=_entries(document, "contexts", "context", path, base),
        current_context=text(document, "current-context", path),
    )


def _parse(data: bytes, path: str) -> Any:
    """The first document. JSON is read as JSON: it may be indented with tabs, which YAML refuses."""
    if data.lstrip()[:1] == b"{":
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            pass  # flow-style YAML begins with a brace, too: the YAML reader says what is wrong
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where PyYAML was built with libyaml
    loader_type = type("_Loader", (base,), {"yaml_implicit_resolvers": _without_dates(base.yaml_implicit_resolvers)})
    loader = None
    try:
        _refuse_depth(yaml.parse(data, Loader=base))
        loader = loader_type(data)
        return loader.get_data() if loader.check_data() else None
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise unusable(f"the kubeconfig file {path}{line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise unusable(f"the kubeconfig file {path} is no YAML: {one_line(str(error), 200)}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_depth(events: Iterable[Any]) -> None:
    """Far more levels would overrun the stack of the C loader, and end the program without a word."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")


def _without_dates(resolvers: Mapping[str, list[tuple[str, Any]]]) -> dict[str, list[tuple[str, Any]]]:
    """kubectl has no dates in a kubeconfig: 2026-11-24 is a name like any other."""
    return {k: [r for r in v if not r[0].endswith(":timestamp")] for k, v in resolvers.items()}


def _entries(document: Entry, plural: str, kind: str, path: str, base: str) -> dict[str, Entry]:
    """Name -> entry of one list, file paths made absolute."""
    listed = document.get(plural) or []
    if not isinstance(listed, list):
        raise unusable(f"{path}: {plural} is no list")
    found: dict[str, Entry] = {}
    for number, item in enumerate(listed):
        if not isinstance(item, dict):
            raise unusable(f"{path}: entry {number + 1} of {plural} has no name and no {kind}")
        name = text(item, "name", f"{path}: entry {number + 1} of {plural}")
        entry = item.get(kind) or {}
        if not isinstance(entry, dict):
            raise unusable(f"{path}: {kind} {name} holds no fields")
        if name in found:
            raise unusable(f"{path}: {kind} {name} is there twice")
        found[name] = _absolute(entry, kind, base)
    return found


def _absolute(entry: Entry, kind: str, base: str) -> Entry:
    """The entry with its files' paths relative to the kubeconfig file made absolute."""
    entry = dict(entry)
    for key in _PATHS.get(kind, ()):
        value = entry.get(key)
        if isinstance(value, str) and value:
            entry[key] = os.path.join(base, value)
    plugin = entry.get("exec")
    if kind == "user" and isinstance(plugin, dict):
        command = plugin.get("command")
        if isinstance(command, str) and os.sep in command:  # a bare name is looked up on PATH
            entry["exec"] = {**plugin, "command": os.path.join(base, command)}
    return entry


def text(entry: Mapping[str, Any], key: str, where: str) -> str:
    """A text field, "" if it is absent. A number or a boolean there is an error for kubectl, and so it is here."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise unusable(f"{where}: {key} is a {type(value).__name__}, not a text; put it in quotes")
    return value
