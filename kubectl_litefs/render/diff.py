"""What changed between two reports: for a person, and as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..model.comparison import Comparison, Entry, Side, Stayed
from .finding import INDENT
from .paint import Line, colored, line, plain
from .tree import API_VERSION
from .words import clean, clip, count, wrap

HEADS = {"new": ("NEW", "error"), "lost": ("NOT SEEN", "warning"), "unchanged": ("UNCHANGED", "strong"), "gone": ("GONE", "good")}


def render(seen: Comparison, *, width: int, color: bool) -> str:
    """Text that ends in a newline."""
    lines = [*_sides(seen, width)]
    for entry in seen.new:
        note = "" if seen.surely_new(entry) else "A could not look for it"
        lines += [*_row("new", entry, note, width), *(line(INDENT, row) for row in wrap(entry.message, width - 2))]
    others = [("lost", e, "B could not look for it") for e in seen.lost]
    others += [("unchanged", s.after, s.change) for s in seen.unchanged] + [("gone", e, "") for e in seen.gone]
    lines += [row for kind, entry, note in others for row in _row(kind, entry, note, width)]
    if any((seen.new, seen.lost, seen.unchanged, seen.gone)):
        lines.append(line(""))
    parts = [f"{len(seen.new)} new", f"{len(seen.gone)} gone", f"{len(seen.unchanged)} unchanged"]
    parts += [f"{count(len(seen.lost), 'finding')} that could not be looked for"] if seen.lost else []
    lines.append(line(", ".join(parts)))
    return colored(lines) if color else plain(lines)


def _sides(seen: Comparison, width: int) -> list[Line]:
    def told(letter: str, side: Side) -> Line:
        spaces = ", ".join(side.namespaces) or "no namespace"
        return line((f"{letter}  ", "strong"), clip(f"{side.taken_at or 'time unknown'}, {spaces}, version {side.tool_version}: {side.name}", width - 3))

    return [told("A", seen.a), told("B", seen.b), line("")]


def _row(kind: str, entry: Entry, note: str, width: int) -> list[Line]:
    """One line, and a second for a note that does not fit behind."""
    head, style = HEADS[kind]
    quiet = entry.suppressed is not None
    about = clean(f"{entry.rule} {entry.name}  {entry.subject}")
    notes = [f"suppressed: {entry.suppressed or 'no reason given'}"] if quiet else []
    told = clean("; ".join([*notes, note] if note else notes))
    severity = ("suppressed", "") if quiet else (entry.severity.value.upper(), entry.severity.value)
    pieces = [(head.ljust(11), "faint" if quiet else style), (severity[0].ljust(12), severity[1]), (about, "")]
    if told and 23 + len(about) + 2 + len(told) > width:
        return [line(*pieces), line(INDENT, (clip(told, width - 2), "faint"))]
    return [line(*pieces, "  ", (told, "faint"))]


def diff_tree(seen: Comparison) -> dict[str, Any]:
    """As plain data. Its keys are a contract (docs/diff.md)."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Diff",
        "a": _side(seen.a),
        "b": _side(seen.b),
        "summary": {"new": len(seen.new), "gone": len(seen.gone), "unchanged": len(seen.unchanged), "notSeen": len(seen.lost)},
        "new": [{**_entry(e), "surelyNew": seen.surely_new(e)} for e in seen.new],
        "gone": _entries(seen.gone),
        "unchanged": [_stayed(s) for s in seen.unchanged],
        "notSeen": _entries(seen.lost),
        "warnings": list(seen.warnings),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "toolVersion": side.tool_version,
        "takenAt": side.taken_at,
        "target": {"namespaces": list(side.namespaces), "source": side.source},
    }


def _entries(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_entry(e) for e in entries]


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "rule": entry.rule,
        "name": entry.name,
        "severity": entry.severity.value,
        "subject": {"kind": entry.subject.kind, "namespace": entry.subject.namespace, "name": entry.subject.name},
        "message": entry.message,
        "fingerprint": entry.fingerprint,
        **({} if entry.suppressed is None else {"suppressed": {"reason": entry.suppressed}}),
    }


def _stayed(stayed: Stayed) -> dict[str, Any]:
    """As it is now; `before` holds what changed of it."""
    was = stayed.before
    return {**_entry(stayed.after), "before": {"severity": was.severity.value, "suppressed": was.suppressed is not None}}
