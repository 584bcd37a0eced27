"""The files that a person names, as a snapshot: reading only, nothing is understood here.

Files may be anything: what is too large, or no regular file, or may not be read is a gap and never an end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import BinaryIO

from ..errors import UsageError
from ..model.origin import Gap, GapReason
from ..model.snapshot import Item, Snapshot
from ..parse.files.text import Unreadable, decode
from . import redact
from .gitignore import Rule, ignored, rules_of

PREFIX = "files/"
STDIN = "-"
MAX_FILE = 16 * 1024 * 1024
"""Bytes of one file that are read; no manifest of a person comes near."""
MAX_FILES = 200_000
CHUNK = 64 * 1024


def redacted(files: Snapshot) -> Snapshot:
    """The same files as text without secrets, as the objects of a cluster enter. What is no text stays as it is: nothing is
    read from it."""
    items: dict[str, Item] = {}
    for path, item in files.items.items():
        data = item.read()
        try:
            text = decode(data)
        except Unreadable:
            if path in files.wanted:
                items[path] = Item(path, item.open)
            continue
        items[path] = _fixed(path, redact.text(text).encode())
    return replace(files, items=items)


def _fixed(path: str, data: bytes) -> Item:
    return Item(path, lambda: iter((data,)))


def gather(paths: Sequence[str], stdin: Callable[[], BinaryIO], now: datetime, *, recursive: bool = True) -> Snapshot:
    """Everything that the paths name. `-` is standard input; directories are walked in order, without what git ignores.

    Not `recursive`: only the files that lie in a directory itself.

    `wanted` of the snapshot holds the files that were named themselves. Raises UsageError for a path that is not there.
    """
    items: dict[str, Item] = {}
    gaps: list[Gap] = []
    named: list[str] = []
    folders = 0
    for path in dict.fromkeys(paths):
        if path == STDIN:
            _add(_from_stream(stdin(), STDIN, gaps), items, named)
            continue
        kind = _kind(path)
        if stat.S_ISDIR(kind):
            folders += 1
            for file in walk(path, gaps, recursive=recursive):
                _add(_from_file(file, gaps, named=False), items, [])
                if len(items) > MAX_FILES:
                    raise UsageError("too-many-files", f"{path} holds more than {MAX_FILES} files", hint="Name a directory further down.")
        elif stat.S_ISREG(kind):
            _add(_from_file(path, gaps, named=True), items, named)
        else:  # a pipe, as in <(helm template .)
            with open(path, "rb") as stream:
                _add(_from_stream(stream, path, gaps), items, named)
    words = [*(f"{n} {'directory' if n == 1 else 'directories'}" for n in [folders] if n), f"{len(items)} file{'' if len(items) == 1 else 's'}"]
    return Snapshot(
        items=items,
        gaps=tuple(gaps),
        namespaces=(),
        taken_at=now,
        source="files",
        wanted=tuple(named),
        looked_at=(", ".join(words),),
    )


def _add(item: Item | None, items: dict[str, Item], named: list[str]) -> None:
    if item is not None:
        items.setdefault(item.path, item)
        named.append(item.path)


def _kind(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such file or directory"
        raise UsageError("no-such-file", f"{path}: {why.lower()}") from None


def _from_file(path: str, gaps: list[Gap], *, named: bool) -> Item | None:
    """One regular file, read when it is needed. One that is too large is a gap where somebody named it."""
    try:
        found = os.stat(path)
    except OSError:
        return None  # it went away, or is a link to nowhere
    if not stat.S_ISREG(found.st_mode):
        return None
    if found.st_size > MAX_FILE:
        if named or path.endswith((".yml", ".yaml", ".json")):
            gaps.append(_too_large(path, f"{found.st_size} bytes"))
        return None
    if not os.access(path, os.R_OK):
        gaps.append(Gap(path, GapReason.FORBIDDEN, f"{path}: permission denied"))
        return None
    return Item(PREFIX + path, _opener(path))


def _too_large(path: str, size: str) -> Gap:
    return Gap(path, GapReason.UNPARSED, f"{path}: it has {size}, and no more than {MAX_FILE // 1024**2} MiB are read")


def _opener(path: str) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        left = MAX_FILE
        with open(path, "rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    return read


def _from_stream(stream: BinaryIO, path: str, gaps: list[Gap]) -> Item | None:
    """What can be read but once."""
    data = stream.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        gaps.append(_too_large(path, "no end so far"))
        return None
    return Item(PREFIX + path, lambda: iter((data,)))


def walk(top: str, gaps: list[Gap], *, recursive: bool = True) -> Iterator[str]:
    """The files below a directory in order of their names, without what git ignores, and without `.git` itself.

    Links to directories are not followed, so that there is an end.
    """
    rules, inside = _rules_above(top)
    waiting: list[tuple[str, str, tuple[Rule, ...], bool]] = [(top, inside, rules, True)]
    while waiting:
        path, below, rules, directory = waiting.pop()
        if not directory:
            yield path
            continue
        rules += _rules_in(path, below)
        for entry in reversed(_entries(path, gaps)):
            name = f"{below}/{entry.name}" if below else entry.name
            folder = entry.is_dir(follow_symlinks=False)
            wanted = entry.name != ".git" and not ignored(rules, name, directory=folder)
            if wanted and (folder or not entry.is_dir()) and (recursive or not folder):
                waiting.append((os.path.join(path, entry.name), name, rules, folder))


def _entries(folder: str, gaps: list[Gap]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda e: e.name)
    except OSError as error:
        gaps.append(Gap(folder, GapReason.FORBIDDEN, f"{folder}: {(error.strerror or 'cannot be read').lower()}"))
        return []


def _rules_in(folder: str, inside: str) -> tuple[Rule, ...]:
    return _rules_of_file(os.path.join(folder, ".gitignore"), inside)


def _rules_of_file(path: str, inside: str) -> tuple[Rule, ...]:
    """None where there is no such file, or nobody may read it: then more is judged, not less."""
    if not os.path.isfile(path):
        return ()
    try:
        with open(path, encoding="utf8", errors="surrogateescape") as file:
            return rules_of(file.read(MAX_FILE), inside)
    except OSError:
        return ()


def _rules_above(top: str) -> tuple[tuple[Rule, ...], str]:
    """The rules of the repository that a directory lies in, from its top down, and the directory's path in it."""
    try:
        here = PurePath(os.path.abspath(top))
    except FileNotFoundError:  # the working directory has been deleted: there is nothing in it
        return (), ""
    root = next((p for p in (here, *here.parents) if os.path.exists(p / ".git")), here)
    inside = here.relative_to(root).parts
    rules = _rules_of_file(os.path.join(root, ".git", "info", "exclude"), "")
    for depth in range(len(inside)):
        rules += _rules_in(os.path.join(root, *inside[:depth]), "/".join(inside[:depth]))
    return rules, "/".join(inside)
