"""What files would change in a cluster, for a person: what they bring, what they end, and where the two differ."""

from __future__ import annotations

from ..model.change import Change, Drift
from ..model.report import Report
from .finding import INDENT, Look, subjects
from .paint import Line, line
from .words import clean, clip, count, listed, place, wrap

MOST_DRIFT = 12


def change_lines(report: Report, look: Look) -> list[Line]:
    """The files' part of the report."""
    changes = report.changes
    if changes is None:
        return []
    states = [f.change for f in report.active]
    new, still, unsure = (states.count(c) for c in (Change.NEW, Change.UNCHANGED, Change.OPEN))
    parts = [f"{new} new", f"{still} unchanged", f"{len(changes.gone)} fixed", *([f"{unsure} open until the pods run with them"] if unsure else [])]
    lines = [line(("With these files: ", "strong"), ", ".join(parts))]
    for finding in changes.gone:
        text = f"{finding.rule} {finding.name}, {subjects([finding])}: {finding.message}"
        lines += [line(INDENT, ("fixed   " if n == 0 else " " * 8, "good"), row) for n, row in enumerate(_rows(text, look))]
    if changes.restarted:
        pods = listed([r.name for r in changes.restarted])
        told = f"{pods}: judged as if started anew. Where only a ConfigMap changes you must restart them: LiteFS reads it at its start alone."
        lines += [line(INDENT, ("restart " if n == 0 else " " * 8, "faint"), row) for n, row in enumerate(wrap(told, look.width - 10))]
    lines += _drift(changes.drift, look)
    return [*lines, line("")]


def drift_words(one: Drift) -> str:
    """One difference in one line."""
    if not one.field:
        return f"{one.ref}: {one.file}"
    return f"{one.ref} {one.field}: {one.file} in the file, {one.cluster if one.cluster is not None else 'not set'} in the cluster"


def _rows(text: str, look: Look) -> list[str]:
    return wrap(text, look.width - 10) if look.verbose or look.show_all else [clip(text, look.width - 10)]


def _drift(found: tuple[Drift, ...], look: Look) -> list[Line]:
    if not found:
        return [line(INDENT, "The cluster has everything as the files say it.")]
    most = len(found) if look.verbose or look.show_all else MOST_DRIFT
    lines = [line(INDENT, f"The cluster differs from the files in {count(len(found), 'place')}:")]
    for one in found[:most]:
        where = f"{place(one.evidence)}  {one.ref}" + (f" {one.field}" if one.field else "")
        lines.append(line(INDENT * 2, clip(where, look.width - 4)))
        if one.field:
            lines.append(line(INDENT * 3, ("file     ", "faint"), clip(one.file, look.width - 15)))
            lines.append(line(INDENT * 3, ("cluster  ", "faint"), clip(one.cluster if one.cluster is not None else "not set", look.width - 15)))
        else:
            lines.append(line(INDENT * 3, (clean(one.file), "faint")))
    if len(found) > most:
        lines.append(line(INDENT * 2, (f"and {len(found) - most} more; -v shows them", "faint")))
    return lines
