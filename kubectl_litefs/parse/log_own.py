"""The user's own patterns in a log: every line of the last run, whoever wrote it, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.logs import Hits, LogLine
from ..model.signatures import OWN
from .clean import clip
from .log_blocks import LONGEST, Block
from .log_lines import parse_time, plain_text, split_stamp
from .log_match import TEXT

DISTINCT = 16


class OwnPatterns:
    """Looks at blocks in order. A pattern sees a line as it stands, without the API's time, its first 500 characters."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple((OWN + p, re.compile(p)) for p in patterns)
        self.forget()

    def forget(self) -> None:
        """A new run begins: what was seen belongs to the one before."""
        self.hits: dict[str, Hits] = {}

    def look(self, block: Block, since: int) -> None:
        """The next lines of the log, whose run begins at its line `since`."""
        if not self.patterns:
            return
        for at, (line, raw) in enumerate(zip(block.lines, block.data[1:].split(b"\n"), strict=True), block.first):
            if at >= since:
                stamp, body = split_stamp(raw[:LONGEST])
                self._line(block.source, line, stamp, plain_text(body)[:TEXT])

    def _line(self, source: str, number: int, stamp: str, text: str) -> None:
        for name, pattern in self.patterns:
            found = pattern.search(text)
            if found is None:
                continue
            fields = {key: clip(value or "", TEXT) for key, value in found.groupdict().items()}
            line = LogLine(source, number, parse_time(stamp), text, "other", fields)
            before = self.hits.get(name)
            if before is None:
                self.hits[name] = Hits(1, line, line, (line,))
                continue
            known = before.distinct
            if len(known) < DISTINCT and all(seen.fields != fields for seen in known):
                known = (*known, line)
            self.hits[name] = Hits(before.count + 1, before.first, line, known)
