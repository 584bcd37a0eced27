"""A report that was saved with `-o json` -> one side of a comparison. It may come from anybody: its shape is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..model.comparison import Entry, Side
from ..model.origin import ObjectRef
from ..model.rule import Severity

API_VERSION = "kubectl-litefs/v1"


class NoReport(ValueError):
    """The text is none of our reports, in words that say why. `damaged`: it says it is one, and its keys are not."""

    def __init__(self, why: str, *, damaged: bool = False) -> None:
        super().__init__(why)
        self.damaged = damaged


def read_report(data: bytes, name: str) -> Side:
    """Raises NoReport."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoReport(f"no JSON, from line {error.lineno} on" if isinstance(error, json.JSONDecodeError) else "no JSON") from None
    if not isinstance(tree, Mapping) or (tree.get("apiVersion"), tree.get("kind")) != (API_VERSION, "Report"):
        said = [str(tree[key])[:40] for key in ("apiVersion", "kind") if key in tree] if isinstance(tree, Mapping) else []
        raise NoReport(f"it is {' '.join(said) or 'other JSON'}, not a {API_VERSION} Report")
    try:
        return _side(tree, name)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoReport("its keys are not those of a report", damaged=True) from None


def _side(tree: Mapping[str, Any], name: str) -> Side:
    """From the report's own tree. Raises KeyError, TypeError, ValueError or AttributeError where it has another shape."""
    checks = list(tree["checks"])
    entries: dict[str, Entry] = {}
    for found in tree["findings"]:
        entry = _entry(found)
        entries.setdefault(entry.fingerprint, entry)
    return Side(
        name=name,
        tool_version=_text(tree["toolVersion"]),
        taken_at=None if tree["takenAt"] is None else _text(tree["takenAt"]),
        namespaces=tuple(_text(n) for n in tree["target"]["namespaces"]),
        source=_text(tree["target"]["source"]),
        entries=tuple(entries.values()),
        judged=frozenset(_text(c["rule"]) for c in checks),
        blind=frozenset(_text(c["rule"]) for c in checks if c["status"] in ("skipped", "crashed")),
        unseen={_text(c["rule"]): tuple(_text(g["what"]) for g in c["gaps"]) for c in checks},
        closed=any(c.get("blind") is True for c in tree.get("clusters", ())),
    )


def _entry(found: Mapping[str, Any]) -> Entry:
    about, suppressed = found["subject"], found.get("suppressed")
    return Entry(
        fingerprint=_text(found["fingerprint"]),
        rule=_text(found["rule"]),
        name=_text(found["name"]),
        severity=Severity(found["severity"]),
        subject=ObjectRef(_text(about["kind"]), _text(about["namespace"]), _text(about["name"])),
        message=_text(found["message"]),
        suppressed=None if suppressed is None else _text(suppressed["reason"] or ""),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
