"""What was saved, which copy is the best and what is missing: as lines for people, and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ..rescue.choice import Verdict
from ..rescue.save import SavedSet, SaveResult
from ..rescue.store import Copy
from .paint import Line, line
from .words import clean, count, text_with_flags, wrap

NAME = 10
"""Columns of a field's name."""
SURE = {
    "proven": "all good copies are the same",
    "only": "the only copy",
    "likely": "likely the newest",
    "behind": "the newest that is whole",
    "open": "a person must decide",
}
STYLE = {"proven": "good", "only": "", "likely": "", "behind": "warning", "open": "warning"}


def lines(result: SaveResult, width: int, flags: Sequence[str] = ()) -> list[Line]:
    """One part for each set; the last line says the same as the exit code."""
    shown: list[Line] = []
    for found in result.sets:
        shown += [*_set(found, width), line("")]
    text = clean(result.message[:1].upper() + result.message[1:]).rstrip(".") + "."
    shown += [line((part, "good" if result.code == 0 else "error")) for part in wrap(text, width)]
    return shown + [line((part, "")) for words in next_steps(result) for part in wrap(text_with_flags(words, flags), width)]


def next_steps(result: SaveResult) -> Iterator[str]:
    """What to type where a primary has lost something. A person reads this with the copies just saved."""
    for found in result.sets:
        if found.history.words and found.kind == "StatefulSet":
            yield f"The way back: kubectl litefs rescue plan {found.name} -n {found.namespace}. Until then reset and restart nothing."


def _set(found: SavedSet, width: int) -> Iterator[Line]:
    kept = f", {found.kept} of them by an earlier run" if found.kept else ""
    size = sum(c.bytes for c in found.copies)
    yield line((f"{clean(found.namespace)} / {found.kind.lower()} {clean(found.name)}", "strong"))
    yield from _field("folder", f"{found.folder}: {count(len(found.copies), 'file')}, {_size(size)}{kept}", width)
    for words in found.history.words:
        yield from _field("history", words, width, "warning")
    for verdict in found.verdicts:
        yield from _verdict(verdict, width)
    for lack in found.missing:
        what = f"database {lack.database} of {lack.pod}" if lack.database else f"{lack.pod} as a whole"
        yield from _field("MISSING", f"{what}: {lack.why}", width, "error")
    for note in found.notes:
        yield from _field("note", note, width, "warning")


def _verdict(verdict: Verdict, width: int) -> Iterator[Line]:
    if verdict.best:
        first = verdict.best[0]
        files = ", ".join(f"{c.file} ({c.pod})" for c in verdict.best)
        text = f"{verdict.database} of {verdict.cluster_id or 'no cluster id'}: txid {first.txid:x}, {files}; {SURE[verdict.sure]}"
    else:
        text = f"{verdict.database} of {verdict.cluster_id or 'no cluster id'}: {SURE[verdict.sure]}"
    yield from _field("best copy", text, width, STYLE[verdict.sure])
    for reason in verdict.reasons:
        yield from _field("", reason, width, "faint")


def _field(name: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    for i, part in enumerate(wrap(text, width - NAME - 2)):
        yield line("  ", ((name if i == 0 else "").ljust(NAME), "faint"), (part, style))


def _size(number: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    raise AssertionError


def document(result: SaveResult) -> dict[str, Any]:
    """As printed by `-o json`. Transaction numbers are hexadecimal, as LiteFS writes them."""
    return {
        "apiVersion": "kubectl-litefs/v1",
        "kind": "RescueSave",
        "outcome": result.name,
        "exitCode": int(result.code),
        "message": result.message,
        "hint": None,
        "sets": [_set_document(s) for s in result.sets],
    }


def _set_document(found: SavedSet) -> dict[str, Any]:
    return {
        "namespace": found.namespace,
        "kind": found.kind,
        "name": found.name,
        "directory": str(found.folder),
        "pods": [{"pod": p, "clusterID": i or None, "isPrimary": lead} for p, i, lead in found.pods],
        "history": {"clusterID": found.history.cluster_id, "reasons": list(found.history.words)},
        "copies": [_copy_document(c) for c in found.copies],
        "databases": [
            {
                "name": v.database,
                "clusterID": v.cluster_id or None,
                "sure": v.sure,
                "best": [c.file for c in v.best],
                "pods": [c.pod for c in v.best],
                "reasons": list(v.reasons),
            }
            for v in found.verdicts
        ],
        "missing": [{**asdict(m), "txid": None if m.txid is None else f"{m.txid:016x}"} for m in found.missing],
        "notes": list(found.notes),
    }


def _copy_document(copy: Copy) -> dict[str, Any]:
    return {
        "file": copy.file,
        "pod": copy.pod,
        "podUID": copy.pod_uid,
        "clusterID": copy.cluster_id or None,
        "database": copy.database,
        "txid": f"{copy.txid:016x}",
        "checksum": copy.checksum,
        "positionProven": copy.proven,
        "damaged": copy.damaged or None,
        "bytes": copy.bytes,
        "sha256": copy.sha256,
        "savedAt": copy.saved_at,
    }
