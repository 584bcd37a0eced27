"""A stream of bytes -> blocks of whole lines, in constant memory whatever the lines are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

BLOCK = 1024 * 1024
LONGEST = 64 * 1024
"""Bytes of a line that are looked at."""


class Block(NamedTuple):
    """Whole lines of one log, each led by its newline.

    `first` counts the lines of the log, which may be one of several in a file; `lines` are the numbers that they have in
    the file `source` as it was given.
    """

    first: int
    data: bytes
    source: str
    lines: Sequence[int]

    @property
    def size(self) -> int:
        """How many lines it holds."""
        return len(self.lines)


class Raw(NamedTuple):
    """One line as it stands. `at` counts the log's lines, `line` those of the file `source`."""

    at: int
    data: bytes
    source: str
    line: int


def blocks(chunks: Iterable[bytes], source: str) -> Iterator[Block]:
    """Whole lines, about BLOCK bytes at a time.

    Of a line longer than LONGEST that does not end within a block only the beginning is kept.
    """
    number, rest, skipping = 1, b"\n", False
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        if skipping:
            end = chunk.find(b"\n")
            if end < 0:
                continue
            chunk, skipping = chunk[end:], False
        waiting.append(chunk)
        size += len(chunk)
        if size < BLOCK:
            continue
        data = b"".join((rest, *waiting))
        waiting, size = [], 0
        end = data.rfind(b"\n")
        if end > 0:
            block, rest = data[:end], data[end:]
            found = _numbered(number, block, source)
            yield found
            number += found.size
        else:
            rest = data
        if len(rest) > LONGEST + 1:
            rest, skipping = rest[: LONGEST + 1], True
    data = b"".join((rest, *waiting))
    if data.endswith(b"\n"):
        data = data[:-1]
    if data:
        yield _numbered(number, data, source)


def _numbered(number: int, data: bytes, source: str) -> Block:
    return Block(number, data, source, range(number, number + data.count(b"\n")))


def line_at(block: bytes, start: int, limit: int = LONGEST) -> bytes:
    """The line after the newline at `start`, at most `limit` bytes of it."""
    end = block.find(b"\n", start + 1)
    stop = start + 1 + limit
    return block[start + 1 : stop if end < 0 else min(end, stop)]
