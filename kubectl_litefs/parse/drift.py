"""Where a file and the cluster differ: only in fields that the file sets, so that defaults of the server are no difference."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.change import Drift
from ..model.objects import Obj
from ..model.quantity import quantity

Keys = tuple[str, ...]
NAMES = ("name", "containerPort", "mountPath", "port", "key", "ip", "topologyKey")
"""What tells the items of a list apart, the first that all of them have."""
_SERVERS = frozenset({"status", "apiVersion", "kind"})
_METADATA = frozenset({"labels", "annotations"})
_AMOUNTS = frozenset({"requests", "limits", "capacity", "sizeLimit", "storage", "cpu", "memory"})
_OWNED = frozenset({
    "env", "envFrom", "volumeMounts", "volumes", "command", "args", "initContainers", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "workingDir",
    "nodeSelector", "tolerations", "affinity", "hostNetwork", "data",
})  # fmt: skip
"""What no server fills in: where the file has none of it and the cluster has, `kubectl apply` takes it away."""
SHOWN = 120


def drift(file: Obj, live: Obj) -> Iterator[Drift]:
    """Every field of the file that the cluster has otherwise, in the file's order."""
    for keys, mine, theirs in differences(file.raw, live.raw):
        path = ".".join(keys)
        told_file, told_live = _told(mine, theirs)
        seen = file.written.place(keys).evidence(f"{path}: {told_file} ({file.label})") if file.written else file.at(path, told_file)
        yield Drift(file.ref, path, told_live, told_file, seen)


def differences(file: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[tuple[Keys, Any, Any]]:
    """(keys, the file's value, the cluster's: None where it has none) of an object."""
    for key, mine in file.items():
        if key in _SERVERS:
            continue
        if key == "metadata":
            meta = live.get("metadata")
            theirs = meta if isinstance(meta, Mapping) else {}
            for part in _METADATA & set(mine if isinstance(mine, Mapping) else ()):
                yield from _differ(mine[part], theirs.get(part), ("metadata", part))
        else:
            yield from _differ(mine, live.get(key), (key,))


def _differ(mine: Any, theirs: Any, keys: Keys) -> Iterator[tuple[Keys, Any, Any]]:
    if isinstance(mine, Mapping) and (isinstance(theirs, Mapping) or theirs is None):
        if not mine and theirs is None:
            return
        for key, value in mine.items():
            yield from _differ(value, (theirs or {}).get(key), (*keys, str(key)))
        taken = (theirs or {}) if keys[-1:] == ("data",) else {k: v for k, v in (theirs or {}).items() if k in _OWNED}
        for key, value in taken.items():
            if key not in mine and value:
                yield (*keys, str(key)), None, value
    elif isinstance(mine, list) and isinstance(theirs, list):
        yield from _lists(mine, theirs, keys)
    elif not _same(mine, theirs, keys):
        yield keys, mine, theirs


def _lists(mine: list[Any], theirs: list[Any], keys: Keys) -> Iterator[tuple[Keys, Any, Any]]:
    """Items with names are compared by name, whatever their order; others one by one."""
    name = next((n for n in NAMES if mine and all(isinstance(i, Mapping) and n in i for i in mine)), None)
    if name is None:
        for n, (a, b) in enumerate(itertools.zip_longest(mine, theirs)):
            if n < len(mine):
                yield from _differ(a, b, (*keys, str(n)))
            else:
                yield (*keys, str(n)), None, b
        return
    there = {str(i.get(name)): i for i in theirs if isinstance(i, Mapping)}
    for n, item in enumerate(mine):
        yield from _differ(item, there.pop(str(item.get(name)), None), (*keys, str(n)))
    for told, item in there.items():
        yield (*keys, told), None, item


def _same(mine: Any, theirs: Any, keys: Keys) -> bool:
    if mine == theirs and type(mine) is type(theirs):
        return True
    if theirs is None and (mine is None or mine in ("", 0, False) or mine == [] or mine == {}):
        return True
    if isinstance(mine, (str, int, float)) and isinstance(theirs, (str, int, float)):
        if str(mine) == str(theirs) and not isinstance(mine, bool):
            return True
        if _AMOUNTS & set(keys):
            amount = quantity(mine)
            return amount is not None and amount == quantity(theirs)
    return False


def _told(mine: Any, theirs: Any) -> tuple[str, str | None]:
    """Both in words; of texts of several lines the first line that differs."""
    if isinstance(mine, str) and isinstance(theirs, str) and ("\n" in mine or "\n" in theirs):
        pairs = itertools.zip_longest(mine.split("\n"), theirs.split("\n"))
        for number, (a, b) in enumerate(pairs, 1):
            if a != b:
                return _line(number, a), _line(number, b)
    return _short(mine), None if theirs is None else _short(theirs)


def _line(number: int, text: str | None) -> str:
    return f"line {number}: {text.strip()[:SHOWN]}" if text is not None else f"no line {number}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value, sort_keys=True, default=str)
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
