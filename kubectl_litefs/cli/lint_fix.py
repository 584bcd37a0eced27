"""`kubectl litefs lint --fix`: the diff first, the files only with --write."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..exitcodes import ExitCode
from ..render.words import clean, count
from .output import emit

if TYPE_CHECKING:
    from ..model.file_fix import FileFix


def run(ctx: click.Context, paths: tuple[str, ...], *, write: bool) -> int:
    """0: nothing is left to do; 1: something is, by --write or by hand; 3: a file could not be read or written."""
    if write and "-" in paths:
        raise click.UsageError("--write changes files, and standard input is none: leave it out to see the diff", ctx)
    from ..gather import file_fixes

    fixes, unread = file_fixes.plan(paths, lambda: sys.stdin.buffer)
    shown = "".join(line for fix in fixes if fix.changed for line in _diff(fix))
    if shown:
        emit(shown)
    for fix in fixes:
        for told in (*fix.notes, *(f"by hand: {why}" for why in fix.by_hand)):
            _tell(told)
    for gap in unread:
        _tell(f"not read: {gap.detail or gap.what}")
    changing = [fix for fix in fixes if fix.changed]
    failed = file_fixes.write(changing) if write else ()
    for why in failed:
        _tell(f"not written: {why}")
    by_hand = any(fix.by_hand for fix in fixes)
    _tell(_summary(len(changing), len(failed), by_hand, write=write))
    if failed or unread:
        return int(ExitCode.COULD_NOT_LOOK)
    return int(ExitCode.FINDINGS if by_hand or (changing and not write) else ExitCode.OK)


def _summary(changing: int, failed: int, by_hand: bool, *, write: bool) -> str:
    rest = "; the rest is to be done by hand" if by_hand else ""
    if not changing:
        return "nothing was changed: what is left is to be done by hand" if by_hand else "nothing to do: no names from before LiteFS 0.5"
    if not write:
        return f"{count(changing, 'file')} would change; --write changes {'it' if changing == 1 else 'them'}{rest}"
    return f"{count(changing - failed, 'file')} changed{rest}"


def _diff(fix: FileFix) -> Iterator[str]:
    """A unified diff without what a terminal could act on."""
    before, after = (data.decode("utf8", "replace").split("\n") for data in (fix.before, fix.after))
    name = clean(fix.path)
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm=""):
        yield line[:1] + clean(line[1:].removesuffix("\r")) + "\n" if line[:1] in "+- " else clean(line) + "\n"


def _tell(text: str) -> None:
    print(clean(text), file=sys.stderr)
