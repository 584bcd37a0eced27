"""Which lines of a block may say something: the one pass over every byte of a log.

Pure Python by default. Where the optional package hyperscan is installed (`pip install 'kubectl-litefs[fast]'`), long logs
are searched with it; what it finds is checked with the same expressions, so both ways find the same lines.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import Any

from .log_blocks import LONGEST
from .log_lines import CANDIDATE, UNANCHORED
from .log_match import ANYONE

NO_HYPERSCAN = "KUBECTL_LITEFS_NO_HYPERSCAN"
"""Environment variable: with any value, hyperscan is not used."""
WORTH = 16 * 1024 * 1024
"""Bytes after which compiling for hyperscan, a tenth of a second, pays."""


class Finder:
    """Finds lines, block after block; turns to hyperscan once there is much to search."""

    def __init__(self, worth: int = WORTH) -> None:
        self._left = worth
        self._fast: Any = None

    def __call__(self, block: bytes) -> list[int]:
        """Where the newlines stand that lead lines worth a look, in order."""
        if self._fast is None:
            self._left -= len(block)
            if self._left > 0:
                return sorted({*_heads(block), *_words(block)})
            self._fast = hyperscan() or False
        if self._fast is False:
            return sorted({*_heads(block), *_words(block)})
        return _scan(self._fast, block)


def _heads(block: bytes) -> Iterable[int]:
    """Lines that begin as LiteFS's do."""
    return (m.start() for m in CANDIDATE.finditer(block))


def _words(block: bytes) -> Iterable[int]:
    """Lines with a word that counts whoever says it."""
    for needle in ANYONE:
        at = block.find(needle)
        while at >= 0:
            start = block.rfind(b"\n", 0, at)
            if at + len(needle) - start - 1 <= LONGEST:
                yield start
            at = block.find(b"\n", at)
            at = block.find(needle, at) if at >= 0 else -1


@functools.cache
def hyperscan() -> Any:
    """The compiled database, None where there is no hyperscan or it is not wanted."""
    if os.environ.get(NO_HYPERSCAN):
        return None
    try:
        import hyperscan as library
    except ImportError:
        return None
    expressions = [*UNANCHORED, *(re.escape(word) for word in ANYONE)]
    database = library.Database(mode=library.HS_MODE_BLOCK)
    try:
        database.compile(expressions=expressions, ids=list(range(len(expressions))), elements=len(expressions), flags=[0] * len(expressions))
    except library.HyperscanError:  # a processor that it does not support
        return None
    return database


def _scan(database: Any, block: bytes) -> list[int]:
    ends: list[int] = []

    def matched(_id: int, _start: int, end: int, _flags: int, _context: object) -> None:
        ends.append(end)

    database.scan(block, match_event_handler=matched)
    starts = {block.rfind(b"\n", 0, end) for end in ends}
    return sorted(start for start in starts if CANDIDATE.match(block, start) or _has_word(block, start))


def _has_word(block: bytes, start: int) -> bool:
    end = block.find(b"\n", start + 1)
    end = min(len(block) if end < 0 else end, start + 1 + LONGEST)
    return any(block.find(word, start, end) >= 0 for word in ANYONE)
