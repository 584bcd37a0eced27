"""`lint --fix`: what files of the user's should become, and putting that in place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import BinaryIO

from ..model.file_fix import FileFix
from ..model.origin import Gap
from ..parse.files.migrations import fix_file
from . import files
from .overwrite import overwrite, why_not

NEVER = datetime.fromtimestamp(0, timezone.utc)
"""The time of what is judged at no time."""


def plan(paths: Sequence[str], stdin: Callable[[], BinaryIO]) -> tuple[tuple[FileFix, ...], tuple[Gap, ...]]:
    """What files of LiteFS 0.1 to 0.4 become in 0.5, those that need nothing left out, and what could not be read.

    Nothing is written. Raises UsageError for a path that is not there.
    """
    snapshot = files.gather(paths, stdin, NEVER)
    found: list[FileFix] = []
    for item in snapshot.items.values():
        path = item.path.removeprefix(files.PREFIX)
        fix = fix_file(path, item.read())
        if fix is None or not (fix.changed or fix.by_hand):
            continue
        reason = why_not(path) if fix.changed and path != files.STDIN else None
        if reason is not None:
            fix = dataclasses.replace(fix, after=fix.before, notes=(), by_hand=(f"{path}: {reason}", *fix.by_hand))
        found.append(fix)
    return tuple(found), snapshot.gaps


def write(fixes: Sequence[FileFix]) -> tuple[str, ...]:
    """Put the new texts in place, each file whole or not at all; what could not be written, with the reason."""
    failed = []
    for fix in fixes:
        try:
            overwrite(fix.path, fix.before, fix.after)
        except OSError as error:
            failed.append(f"{fix.path}: {error.strerror or error}")
    return tuple(failed)
