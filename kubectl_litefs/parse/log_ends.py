"""The first and the last lines of a run, kept with what is known of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .log_blocks import Block, Raw, line_at

ENDS = 200
"""Lines of `head` and of `tail`."""
KEPT = 4096
"""Bytes of a line that are kept of it."""

Known = tuple[str, "dict[str, str] | None"]
"""Whose line it is, and the fields of the signature that it matches."""


class Ends:
    """Is shown each block of a log, in order; `begin` starts a new run."""

    def __init__(self) -> None:
        self.first = 1
        self._last: Block | None = None
        self._tail: deque[Raw] = deque(maxlen=ENDS)
        self.begin(1)

    def begin(self, first: int) -> None:
        """A run begins at the log's line `first`."""
        self.first = first
        self._head: list[Raw] = []
        self._early: dict[int, Known] = {}
        self._recent: deque[tuple[int, Known]] = deque(maxlen=ENDS)

    def forget_whose(self) -> None:
        """No line is LiteFS's any more."""
        self._early.clear()
        self._recent.clear()

    def note(self, at: int, known: Known) -> None:
        """What is known of the line `at`."""
        self._recent.append((at, known))
        if at < self.first + ENDS:
            self._early[at] = known

    def keep(self, block: Block, run: int) -> None:
        """Keep what is needed of a block. Where the run begins in it, its first line is led by the newline at `run`."""
        if len(self._head) < ENDS:
            at = self._head[-1].at + 1 if self._head else max(block.first, self.first)
            start = run if not self._head else 0
            while start >= 0 and len(self._head) < ENDS:
                self._head.append(_raw(block, at, line_at(block.data, start, KEPT)))
                at += 1
                start = block.data.find(b"\n", start + 1)
        if block.size >= ENDS:
            self._last = block
            self._tail.clear()
        else:
            self._tail.extend(self._settle())
            self._tail.extend(_last_lines(block))

    def _settle(self) -> list[Raw]:
        """The last lines of the block that was set aside: cut out only once it is known that they are the last."""
        block, self._last = self._last, None
        return _last_lines(block) if block is not None else []

    def head(self) -> Iterator[tuple[Raw, Known]]:
        return self._of_run(self._head)

    def tail(self) -> Iterator[tuple[Raw, Known]]:
        if self._last is not None:
            self._tail.extend(self._settle())
        return self._of_run(self._tail)

    def _of_run(self, lines: list[Raw] | deque[Raw]) -> Iterator[tuple[Raw, Known]]:
        known = dict(self._recent) | self._early
        return ((raw, known.get(raw.at, ("other", None))) for raw in lines if raw.at >= self.first)


def _raw(block: Block, at: int, data: bytes) -> Raw:
    return Raw(at, data, block.source, block.lines[at - block.first])


def _last_lines(block: Block) -> list[Raw]:
    """At most ENDS lines, the last of the block."""
    found: list[Raw] = []
    end, at = len(block.data), block.first + block.size - 1
    while end > 0 and len(found) < ENDS:
        start = block.data.rfind(b"\n", 0, end)
        found.append(_raw(block, at, block.data[start + 1 : min(end, start + 1 + KEPT)]))
        end, at = start, at - 1
    return found[::-1]
