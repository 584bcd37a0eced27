"""A stream of bytes -> blocks of whole lines, in constant memory whatever the lines are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BLOCK = 1024 * 1024
LONGEST = 64 * 1024
"""Bytes of a line that are looked at."""


def blocks(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Whole lines, each led by a newline, about BLOCK bytes at a time, with the number of the first line.

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
            yield number, block
            number += block.count(b"\n")
        else:
            rest = data
        if len(rest) > LONGEST + 1:
            rest, skipping = rest[: LONGEST + 1], True
    data = b"".join((rest, *waiting))
    if data.endswith(b"\n"):
        data = data[:-1]
    if data:
        yield number, data


def line_at(block: bytes, start: int, limit: int = LONGEST) -> bytes:
    """The line after the newline at `start`, at most `limit` bytes of it."""
    end = block.find(b"\n", start + 1)
    stop = start + 1 + limit
    return block[start + 1 : stop if end < 0 else min(end, stop)]
