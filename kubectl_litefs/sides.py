"""What `diff` compares: a bundle, judged now, or a report that was saved."""

from __future__ import annotations

from pathlib import Path

from .app import diagnose_bundle
from .errors import CouldNotLook, UsageError
from .model.comparison import Side, side_of
from .model.custom import NOTHING, Custom

MAX_REPORT = 256 * 1024 * 1024
"""Bytes of a saved report: more than any real one."""
_WANTED = "diff wants two bundles, or reports saved with -o json."


def diff_side(path: Path, custom: Custom = NOTHING) -> Side:
    """One side of a comparison: a bundle, judged now, or a report that was saved as JSON. Content decides which.

    Raises UsageError for what is neither, CouldNotLook for what is damaged.
    """
    from .parse.report_file import NoReport, read_report

    try:
        if path.is_dir() or (path.is_file() and _begins(path, b"\x1f\x8b")):
            return _judged(path, custom)
        if not path.exists():
            raise UsageError("no-input", f"{path}: no such file or directory", hint=_WANTED)
        with path.open("rb") as file:
            data = file.read(MAX_REPORT + 1)
    except OSError as error:
        raise CouldNotLook("unreadable", f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_REPORT:
        raise CouldNotLook("report-too-large", f"{path} has more than {MAX_REPORT} bytes: more than any real report")
    try:
        return read_report(data, str(path))
    except NoReport as error:
        if error.damaged:
            raise CouldNotLook("report-damaged", f"{path} is damaged: {error}") from None
        raise UsageError("no-report", f"{path} is neither a bundle nor a report: {error}", hint="kubectl litefs diagnose -o json=FILE saves one.") from None


def _judged(path: Path, custom: Custom) -> Side:
    """A bundle. The hint of one that is none is about --from, which nobody has typed."""
    try:
        return side_of(diagnose_bundle(path, custom=custom), str(path))
    except UsageError as error:
        raise UsageError(error.reference, error.message, hint=_WANTED) from None


def _begins(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
