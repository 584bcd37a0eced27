"""One finding, or several of one rule, as a block of lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..model.change import Change
from ..model.origin import ObjectRef
from ..model.pod import ALONE
from ..model.rule import Finding
from .paint import Line, line
from .words import clean, clip, count, few_rows, listed, place, with_flags, wrap

INDENT = "  "
LABEL = 8
"""Columns of the label before a field's text."""

MARKS: dict[Change, str] = {
    Change.NEW: "new: the files bring it",
    Change.UNCHANGED: "unchanged: there with and without the files",
    Change.OPEN: "there now; whether the files end it shows only when the pods start with them",
    Change.GONE: "fixed by the files",
}
"""What becomes of a finding once files are applied, in words."""

MOST_EVIDENCE = 3
MOST_ROWS = 3
"""Lines that one piece of evidence may take."""
_REPEATED = re.compile(r" \('(https?://[^' ]{1,300})'\)\Z")
"""LiteFS ends each failure to connect with the URL that it names before; what stands between tells why."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the text is to look: `width` in columns."""

    width: int
    fancy: bool
    verbose: bool
    show_all: bool
    kube_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule at one severity, the first shown in full; with all that follows from them."""

    same: tuple[Finding, ...]
    consequences: tuple[Finding, ...]


def groups(findings: Sequence[Finding], *, apart: bool) -> list[Group]:
    """Worst first, as the engine ordered them. `apart` gives every finding a block of its own, consequences too."""
    if apart:
        return [Group((f,), ()) for f in findings]
    by_print = {f.fingerprint: f for f in findings}

    def root(finding: Finding) -> Finding:
        seen = {finding.fingerprint}
        while finding.consequence_of in by_print and finding.consequence_of not in seen:
            finding = by_print[finding.consequence_of]
            seen.add(finding.fingerprint)
        return finding

    members: dict[object, list[Finding]] = {}
    folded: dict[object, list[Finding]] = {}
    for finding in findings:
        top = root(finding)
        key = top.rule, top.severity, top.change
        (members if top is finding else folded).setdefault(key, []).append(finding)
    return [Group(tuple(same), tuple(folded.get(key, ()))) for key, same in members.items()]


def block(group: Group, look: Look) -> list[Line]:
    """Head, what and so what, the first command, what to do, the other commands, what was seen, why.

    The first command stands above the steps, which may be long: it belongs on the first screen, and it only looks.
    """
    first = group.same[0]
    lines = [_head(group, look), *mark(first)]
    lines += [line(INDENT, text) for text in wrap(first.message, look.width - len(INDENT))]
    for other in group.same[1:]:
        lines += [line(INDENT, ("also    ", "faint"), clip(f"{_subject(other.subject)}: {other.message}", look.width - LABEL - 2))]
    lines += _field("so", first.impact, look)
    commands = list(dict.fromkeys(clean(with_flags(c, look.kube_flags)) for f in group.same for c in f.commands))
    lines += _commands("run first:" if len(commands) > 1 else "run:", commands[:1])
    lines += _steps(first.remediation, look)
    lines += _commands("then run, step by step:", commands[1:])
    lines += _seen(group.same, look)
    why = first.cause + (f" (Gotcha {first.gotcha} of the LiteFS guide.)" if first.gotcha else "")
    lines += _field("why", why, look)
    lines += _field("see", first.docs if first.docs and "://" in first.docs else "", look)
    if group.consequences:
        rules = listed(sorted({f"{f.rule} {f.name}" for f in group.consequences}), 3)
        folded = f"{count(len(group.consequences), 'consequence')} folded ({rules}); --all shows {'it' if len(group.consequences) == 1 else 'them'}"
        lines += [line(INDENT, (text, "faint")) for text in wrap(folded, look.width - len(INDENT))]
    return lines


def note(same: Sequence[Finding], look: Look) -> list[Line]:
    """Something worth knowing, short: no remedy, no evidence."""
    first = same[0]
    lines = [line(("note", "info"), f"  {first.rule} {first.name}  ", (subjects(same), "faint"))]
    return lines + [line(INDENT, (text, "faint")) for text in wrap(first.message, look.width - len(INDENT))]


def mark(finding: Finding) -> list[Line]:
    """One line below a finding's head; none where no files were laid over the cluster."""
    if finding.change is None:
        return []
    style = "error" if finding.change is Change.NEW else "faint"
    return [line(INDENT, (MARKS[finding.change], style))]


def _head(group: Group, look: Look) -> Line:
    first = group.same[0]
    word = first.severity.value.upper()
    left = f"{word}  {first.rule} {first.name}"
    right = subjects(group.same)
    room = max(2, look.width - len(left) - len(right))
    fill = " " + "─" * (room - 2) + " " if look.fancy else " " * room
    return line((word, first.severity.value), f"  {first.rule} ", (first.name, "strong"), (fill, "faint"), (right, "strong"))


def _subject(ref: ObjectRef) -> str:
    if ref.kind == ALONE:
        return clean(ref.name)
    return clean(f"{ref.kind.lower()} {ref.name}" if ref.kind == "Pod" else f"{ref.kind.lower()}/{ref.name}")


def subjects(same: Sequence[Finding]) -> str:
    refs = list(dict.fromkeys(f.subject for f in same))
    if len(refs) == 1:
        return _subject(refs[0])
    if all(r.kind == refs[0].kind for r in refs):
        return clean(f"{refs[0].kind.lower()}s ") + listed([r.name for r in refs], 3)
    return listed([_subject(r) for r in refs], 3)


def _field(label: str, text: str, look: Look) -> list[Line]:
    if not text:
        return []
    rows = wrap(text, look.width - len(INDENT) - LABEL)
    return [
        line(INDENT, ((label if at == 0 else "").ljust(LABEL), "faint"), row) for at, row in enumerate(rows)
    ]


def _steps(steps: Sequence[str], look: Look) -> list[Line]:
    lines: list[Line] = []
    for number, step in enumerate(steps, 1):
        mark = f"{number}. " if len(steps) > 1 else ""
        rows = wrap(step, look.width - len(INDENT) - LABEL - len(mark))
        for at, row in enumerate(rows):
            label = "do" if number == 1 and at == 0 else ""
            lines.append(line(INDENT, (label.ljust(LABEL), "faint"), mark if at == 0 else " " * len(mark), row))
    return lines


def _commands(label: str, commands: Sequence[str]) -> list[Line]:
    """Each on a line of its own, never wrapped: ready to paste."""
    lines = [line(INDENT * 2, (command, "command")) for command in commands]
    return [line(INDENT, (label, "faint")), *lines] if lines else []


def _seen(same: Sequence[Finding], look: Look) -> list[Line]:
    evidence = list(dict.fromkeys(e for f in same for e in f.evidence))
    most = len(evidence) if look.verbose or look.show_all else MOST_EVIDENCE
    lines: list[Line] = []
    room = look.width - len(INDENT) - LABEL
    for at, item in enumerate(evidence[:most]):
        told = f"{place(item)}  {item.excerpt}"
        rows = wrap(told, room) if look.verbose else few_rows(_REPEATED.sub("", told), room, MOST_ROWS)
        label = ("seen" if at == 0 else "").ljust(LABEL)
        lines += [line(INDENT, (label if n == 0 else " " * LABEL, "faint"), row) for n, row in enumerate(rows)]
    if len(evidence) > most:
        lines.append(line(INDENT + " " * LABEL, (f"and {len(evidence) - most} more; -v shows them", "faint")))
    return lines
