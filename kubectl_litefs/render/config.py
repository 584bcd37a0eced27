"""The settings of a set's pods: as a table for a person, as plain data for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.effective import HOST_NAME, Effective, From, Setting, Used
from .paint import Line, Piece, colored, line, plain
from .pods import unowned
from .tree import API_VERSION
from .words import clean, count, listed, place, wrap

Shown = tuple[Cluster, Sequence[Effective]]

KEY = 22
"""Columns of a key; a longer one has the line for itself."""
MARK = "* "


def text(shown: Sequence[Shown], *, width: int, color: bool, everything: bool) -> str:
    """Ends in a newline. Defaults only with `everything`."""
    lines: list[Line] = []
    for cluster, pods in shown:
        lines += [*_title(cluster, pods, width), *_files(cluster, pods, width), line("")]
        lines += _table(pods, width, everything)
    return colored(lines) if color else plain(lines)


def _title(cluster: Cluster, pods: Sequence[Effective], width: int) -> list[Line]:
    sets = ", ".join(str(w) for w in cluster.workloads) or unowned(cluster)
    if cluster.alone:
        return [line((clean(cluster.name), "strong"))]
    left = clean(f"{cluster.namespace} / {sets}")
    right = count(len(pods), "pod") if len(pods) != 1 else clean(pods[0].pod.name)
    return [line((left, "strong"), " " * max(2, width - len(left) - len(right)), (right, "faint"))]


def _files(cluster: Cluster, pods: Sequence[Effective], width: int) -> list[Line]:
    """Where litefs.yml is, each place once with the pods that read it there."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in pods:
        what = (f"{one.file.name}, read as {one.file.path}", "") if one.file else (f"litefs.yml was not seen: {one.unseen}", "warning")
        places.setdefault(what, []).append(one.pod.name)
    lines = []
    if cluster.alone:  # the file is the title; where it will be read, nobody knows
        places.pop((f"{cluster.name}, read as {cluster.name}", ""), None)
    for (said, style), names in places.items():
        told = said if len(places) == 1 else f"{listed(names, 3)}: {said}"
        lines += [line("  ", (row, style)) for row in wrap(told, width - 2)]
    for refused in dict.fromkeys(one.refused for one in pods if one.refused):
        lines += [line("  ", (row, "error")) for row in wrap(f"LiteFS refuses this file and does not start: {refused}", width - 2)]
    if any(one.unseen for one in pods) and not cluster.alone:
        lines += [line("  ", (row, "faint")) for row in wrap("What LiteFS said of itself, in its log and on /info, is below; other keys are not known.", width - 2)]
    return lines


def _table(pods: Sequence[Effective], width: int, everything: bool) -> list[Line]:
    keys = list(dict.fromkeys(k for one in pods for k in one.settings))
    if not keys:
        return []
    lines: list[Line] = []
    defaults = 0
    for key in keys:
        having = {one.pod.name: one.settings[key] for one in pods if key in one.settings}
        if not everything and all(s.origin is From.DEFAULT for s in having.values()):
            defaults += 1
        else:
            lines += _rows(key, having, len(pods), width)
    lines.append(line(""))
    if any(s.differs for one in pods for s in one.settings.values()):
        lines.append(line((MARK.strip(), "warning"), " differs from pod to pod"))
    if defaults:
        lines.append(line((f"{count(defaults, 'more key')} with the default value; --all shows {'it' if defaults == 1 else 'them'}", "faint")))
    return [*lines, line("")] if defaults else lines


def _rows(key: str, having: Mapping[str, Setting], pods: int, width: int) -> list[Line]:
    """One key: each distinct value once, with its pods where there are several, and where it is from."""
    groups: dict[str, tuple[Setting, list[str]]] = {}
    for name, setting in having.items():
        groups.setdefault(repr((setting.known, setting.value, setting.origin)), (setting, []))[1].append(name)
    apart = len(groups) > 1 or len(having) < pods or (pods == 1 and any(s.differs for s in having.values()))
    marked = any(s.differs for s in having.values())
    head: list[str | Piece] = [(MARK if marked else "  ", "warning"), (key.ljust(KEY), "strong")]
    lines = [] if len(key) < KEY else [line(*head)]
    if lines:
        head = [" " * (KEY + 2)]
    details: dict[str, None] = {}
    for setting, names in groups.values():
        told = words(setting)
        told[-1] += f" on {listed(names, 4)}" if apart and pods > 1 else ""
        lines += _value(head, told, _origin(setting), "" if setting.known else "warning", width)
        head = [" " * (KEY + 2)]
        details |= dict.fromkeys(_details(setting, names if apart else []))
    for detail in details:
        lines += [line(" " * (KEY + 4), (row, "faint")) for row in wrap(detail, width - KEY - 4)]
    return lines


def _value(head: list[str | Piece], told: Sequence[str], origin: str, style: str, width: int) -> list[Line]:
    """The value, and at the right edge where it is from; on a line of its own where both do not fit."""
    room = max(20, width - KEY - 2)
    rows = [row for part in told for row in textwrap.wrap(clean(part), room, break_on_hyphens=False) or [""]]
    lines: list[Line] = []
    for row in rows:
        lines.append(line(*(head if not lines else [" " * (KEY + 2)]), (row, style)))
    if not origin:
        return lines
    gap = width - KEY - 2 - len(rows[-1]) - len(origin)
    if gap >= 2:
        return [*lines[:-1], line(*lines[-1], " " * gap, (origin, "faint"))]
    return [*lines, line(" " * max(0, width - len(origin)), (origin, "faint"))]


def words(setting: Setting) -> list[str]:
    """A value as one would write it, each item of a list for itself."""
    value = setting.value
    if not setting.known:
        return ["not known"]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, float):
        return [f"{value:g}s"]
    if isinstance(value, list):
        return [f"{n}. {_command(v)}" if len(value) > 1 else _command(v) for n, v in enumerate(value, 1)] or ["none"]
    return [str(value) if value not in ("", None) else '""']


def _command(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return f"{item['cmd']}{'  (candidates only)' if item.get('if-candidate') else ''}"


def _origin(setting: Setting) -> str:
    if setting.origin is From.DEFAULT:
        return "default"
    if setting.origin is From.ARGUMENTS:
        return "the command's words after --"
    if setting.origin is From.FILE:
        return f"line {setting.evidence.line}" if setting.evidence and setting.evidence.line else "litefs.yml"
    return place(setting.evidence) if setting.evidence else setting.origin.value


def _details(setting: Setting, names: Sequence[str]) -> list[str]:
    """What is written, and each variable in it with where it was set."""
    lines = [f"written {setting.written}"] if setting.written else []
    lines += [_variable(used, names) for used in setting.variables]
    return lines + ([setting.note] if setting.note else [])


def _variable(used: Used, names: Sequence[str]) -> str:
    if used.where == HOST_NAME:
        return f"{used.name} is {used.where}"
    on = f" on {listed(names, 4)}" if names else ""
    value = f" is {used.value}" if used.value is not None else " is not known" if used.sight is Sight.UNKNOWN else " is empty"
    return f"{used.name}{value}{on}: {used.where}"


# --- for programs


def tree(shown: Sequence[Shown]) -> dict[str, Any]:
    """Every key of every pod, defaults included."""
    clusters = [
        {"namespace": cluster.namespace, "name": cluster.name, "pods": [_pod(one) for one in pods]} for cluster, pods in shown
    ]
    return {"apiVersion": API_VERSION, "kind": "Settings", "clusters": clusters}


def _pod(one: Effective) -> dict[str, Any]:
    file = None if one.file is None else {"name": one.file.name, "path": one.file.path, "source": one.file.source, "expanded": one.file.expanded}
    return {
        "pod": one.pod.name,
        "namespace": one.pod.namespace,
        "file": file,
        "unseen": one.unseen or None,
        "refused": one.refused or None,
        "settings": [_entry(s) for s in one.settings.values()],
    }


def _entry(setting: Setting) -> dict[str, Any]:
    evidence = setting.evidence
    return {
        "key": setting.key,
        "value": json.loads(json.dumps(setting.value, default=str)) if setting.known else None,
        "known": setting.known,
        "differs": setting.differs,
        "origin": {
            "kind": setting.origin.value,
            "source": evidence.source if evidence else None,
            "line": evidence.line if evidence else None,
            "written": setting.written or None,
            "variables": [{"name": u.name, "value": u.value, "sight": u.sight.value, "where": u.where} for u in setting.variables],
        },
        "note": setting.note or None,
    }
