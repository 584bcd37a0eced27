"""What was asked for: names and label selectors -> the pods and sets to look at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from ..errors import CouldNotLook, UsageError
from ..model.cluster import Facts
from ..model.objects import Obj

KINDS = {
    "statefulset": "statefulsets", "statefulsets": "statefulsets", "sts": "statefulsets",
    "deployment": "deployments", "deployments": "deployments", "deploy": "deployments",
    "daemonset": "daemonsets", "daemonsets": "daemonsets", "ds": "daemonsets",
    "pod": "pods", "pods": "pods", "po": "pods",
}  # fmt: skip
"""What kubectl takes for a kind -> its plural."""

_REQUIREMENT = re.compile(
    r"\s*(?:!\s*(?P<absent>[\w./-]+)|(?P<key>[\w./-]+)(?:\s*(?P<op>==|=|!=)\s*(?P<value>[\w.-]*)"
    r"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*"
)


def canonical(name: str, existing: Mapping[str, set[str]], where: str) -> str:
    """`sts/abaci-app` -> `statefulset/abaci-app`; a plain name is a pod's or a set's. `existing` maps plural -> names.

    UsageError for an unknown kind or name, with the nearest ones.
    """
    kind, slash, rest = name.partition("/")
    plural = KINDS.get(kind.lower().split(".")[0]) if slash else None
    if plural is not None and not rest:
        raise UsageError("no-name", f'"{name}" says no name behind the /', hint=f"There is: {_some(existing.get(plural, set()))}")
    if slash and plural is None:
        near = difflib.get_close_matches(kind.lower(), KINDS, 1)
        hint = f"Did you mean {near[0]}/{rest}?" if near else "One of pod, statefulset, deployment, daemonset."
        raise UsageError("unknown-kind", f'"{name}" names no kind that LiteFS runs in', hint=hint)
    known = existing.get(plural, set()) if plural else set().union(*existing.values()) if existing else set()
    wanted = rest if slash else name
    if wanted not in known:
        near = difflib.get_close_matches(wanted, sorted(known), 3, 0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There is: {_some(known)}"
        raise UsageError("not-found", f'{plural or "pod or set"} "{wanted}" not found in {where}', hint=hint)
    return f"{plural[:-1]}/{wanted}" if plural else wanted


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:10]) or "none"


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """kubectl's label selectors: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas.

    All of it is read before anything is judged: a mistake behind a requirement that does not hold must not pass.
    """
    requirements = _requirements(selector)
    return all(_holds(r, labels) for r in requirements)


def _requirements(selector: str) -> list[re.Match[str]]:
    found, at = [], 0
    while True:
        requirement = _REQUIREMENT.match(selector, at)
        end = requirement.end() if requirement else at
        if requirement is None or (end < len(selector) and selector[end] != ","):
            raise UsageError("bad-selector", f"-l {selector!r} is no label selector", hint="For example: -l app=abaci-app,tier!=web")
        found.append(requirement)
        if end == len(selector):
            return found
        at = end + 1


def _holds(requirement: re.Match[str], labels: Mapping[str, str]) -> bool:
    if requirement["absent"]:
        return requirement["absent"] not in labels
    value = labels.get(requirement["key"])
    if requirement["op"]:
        equal = value == requirement["value"]
        return not equal if requirement["op"] == "!=" else equal
    if requirement["set"]:
        inside = value in {v.strip() for v in requirement["values"].split(",")}
        return inside if requirement["set"] == "in" else not inside
    return value is not None


def wanted(names: tuple[str, ...], selector: str | None, objects: Mapping[str, list[Obj]], where: str) -> tuple[str, ...]:
    """The canonical names that narrow a snapshot; empty means everything."""
    existing = {plural: {o.ref.name for o in found} for plural, found in objects.items()}
    chosen = [canonical(n, existing, where) for n in names]
    if selector is not None:
        _requirements(selector)
        picked = [str(p.ref) for p in objects["pods"] if matches(selector, p.labels)]
        if not picked:
            raise CouldNotLook("nothing-selected", f"no pod in {where} has the labels -l {selector}; looked at {len(objects['pods'])} pods")
        chosen = [c for c in picked if not names or c in chosen] or picked
    return tuple(dict.fromkeys(chosen))


def require_litefs(facts: Facts) -> None:
    """No LiteFS found is never a pass."""
    if facts.clusters:
        return
    unread = [g.detail or g.what for g in facts.gaps] if facts.source == "files" else []
    why = f"; could not read or judge {'; '.join(unread[:5])}" if unread else ""
    raise CouldNotLook(
        "no-litefs-found", f"no LiteFS found; looked at {'; '.join(facts.looked_at) or 'nothing'}{why}", hint=_NO_LITEFS[facts.source]
    )


_NO_LITEFS = {
    "live": "Name the namespace with -n, or the set: kubectl litefs diagnose statefulset/NAME -n NAMESPACE",
    "bundle": "It was saved of another namespace, or of no LiteFS cluster.",
    "files": "Name what LiteFS runs with: its StatefulSet and ConfigMap, a litefs.yml, a compose file or fly.toml with its Dockerfile, or the output of helm template or kustomize build.",
    "dump": "Pods, ConfigMaps and the logs of LiteFS's container tell the most.",
    "logs": "LiteFS's lines stand in its container's log: kubectl logs POD --all-containers --prefix --timestamps > POD.log",
}
