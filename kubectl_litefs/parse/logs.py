"""A container's log, read once from its first byte to its last, in constant memory, into bounded facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..model.logs import Hits, LogLine, LogRun, StartLease
from .clean import clip
from .log_blocks import Block, Raw, blocks, line_at
from .log_ends import ENDS as ENDS
from .log_ends import Ends, Known
from .log_find import Finder
from .log_lines import CANDIDATE, is_structured, parse_time, plain_text, split_stamp, structured
from .log_match import TEXT, Matches, Searcher
from .log_own import OwnPatterns
from .log_voice import Phase, Voice

DISTINCT = 16
CACHED, CACHED_LINE = 4096, 1024
TRACE = 100
"""Lines below `panic:` in which the stack tells whose panic it is."""
GIVEN_UP = 50
"""An error before LiteFS's banner ends LiteFS; with more lines than that after it, it was the application's."""

_KUBELET = (b"unable to retrieve container logs for ", b"failed to try resolving symlinks in path ")
_BANNER = re.compile(r"LiteFS v?(?!development)(\S+), commit=")
_STATIC = re.compile(r"Using static primary: primary=(\w*) hostname=(.*) advertise-url=(.*)")


def read_log(source: str, chunks: Iterable[bytes], *, complete: bool = True, patterns: Sequence[str] = ()) -> LogRun | None:
    """The last run of LiteFS in the log at bundle path `source`.

    None where there is nothing but the kubelet's own word that it has no log. An empty log is a run with 0 lines.
    `complete` says that nothing was cut off. Costs about 30 MiB at most, however long the log is.
    """
    reader = LogReader(source, complete, patterns)
    for block in blocks(chunks, source):
        reader.read(block)
    return reader.result()


class _Count:
    """All lines of one signature, so far."""

    __slots__ = ("count", "distinct", "fields", "first", "kind", "last")

    def __init__(self, first: LogLine, raw: Raw) -> None:
        self.count = 0
        self.first = first
        self.last = raw
        self.kind = first.kind
        self.fields: dict[str, str] = {}
        self.distinct: dict[tuple[str, ...], LogLine] = {}


class LogReader:
    """Reads blocks in order; `result` gives the facts."""

    def __init__(self, source: str, complete: bool, patterns: Sequence[str] = (), find: Finder | None = None) -> None:
        self.source = source
        self.complete = complete
        self.find = find or Finder()
        self.search = Searcher()
        self.voice = Voice(complete)
        self.lines = 0
        self.kubelet_only = False
        self.lease: StartLease | None = None
        self.version: str | None = None
        self.banner = False
        self.starts = 0
        self.begun = 0
        self.early = 0
        self.spoken = 0
        self.panic: Raw | None = None
        self.ends = Ends()
        self.wanted = OwnPatterns(patterns)
        self._forget(1)

    def _forget(self, first: int) -> None:
        """A new run begins at line `first`: what was counted belongs to the one before."""
        self.hits: dict[str, _Count] = {}
        self.cache: dict[bytes, tuple[str, Matches]] = {}
        self.ends.begin(first)
        self.own = 0
        self.wanted.forget()

    # --- blocks

    def read(self, block: Block) -> None:
        """The next lines of the log."""
        number, before, run = block.first, 0, 0
        for start in self.find(block.data):
            number += block.data.count(b"\n", before + 1, start + 1)
            before = start
            if self._line(Raw(number, line_at(block.data, start), block.source, block.lines[number - block.first])):
                run = start
        self.lines = block.first + block.size - 1
        self.ends.keep(block, run)
        self.wanted.look(block, self.ends.first)
        if block.first == 1:
            self.kubelet_only = self.lines == 1 and split_stamp(block.data[1:])[1].startswith(_KUBELET)
        elif self.lines > 1:
            self.kubelet_only = False

    # --- lines

    def _line(self, raw: Raw) -> bool:
        """One line that may say something. True where it begins a new run."""
        _, body = split_stamp(raw.data)
        known = self.cache.get(body)
        if known is not None:
            kind, found = known
            self._count(raw, kind, found, "")
            return False
        if is_structured(body):
            text, _, whole = structured(body)
            if not CANDIDATE.match(b"\n" + raw.data):
                return self._other(raw, body, plain_text(body))
            return self._structured(raw, body, text, whole)
        text = plain_text(body)
        if not CANDIDATE.match(b"\n" + raw.data):
            return self._other(raw, body, text)
        self._plain(raw, text)
        return False

    def _structured(self, raw: Raw, body: bytes, text: str, whole: bool) -> bool:
        self.voice.heard(text)
        begins = whole and text.startswith("Using ") and self._start(raw, text)
        found = self.search(text, ours=True) if whole else ()
        self._count(raw, "litefs", found, text)
        turning = text.startswith(("Using ", "connected to", "skipping cluster"))
        if not turning and self.voice.phase is not Phase.OUTSIDE:
            self._remember(body, "litefs", found)
        return begins

    def _other(self, raw: Raw, body: bytes, text: str) -> bool:
        found = self.search(text, ours=False)
        self._count(raw, "other", found, text)
        self._remember(body, "other", found)
        return False

    def _remember(self, body: bytes, kind: str, found: Matches) -> None:
        if len(body) <= CACHED_LINE:
            if len(self.cache) >= CACHED:
                self.cache.clear()
            self.cache[body] = kind, found

    def _plain(self, raw: Raw, text: str) -> None:
        if text.startswith("panic: "):
            self.panic = raw
            if self.voice.phase is Phase.READY:
                self._count(raw, "other", (), text)
                return  # the stack below tells whose it is
            self._count(raw, "plain", self.search(text, ours=True), text)
            return
        if text.startswith(("main.", "github.com/")):
            self._trace(raw.at)
        elif not self.voice.is_litefs(raw.at, text):
            self._count(raw, "other", self.search(text, ours=False), text)
            return
        if self.voice.phase is Phase.OUTSIDE:
            self.cache.clear()  # the next structured line tells where the run stands
        if m := _BANNER.match(text):
            self.version, self.banner = clip(m[1], 64), True
        elif text.startswith("LiteFS "):
            self.version, self.banner = None, True
        if text.startswith("ERROR: ") and not self.spoken:
            self.early = raw.at
        self._count(raw, "plain", self.search(text, ours=True), text)

    def _trace(self, number: int) -> None:
        """A stack line of LiteFS: the panic above it, if it was not taken for LiteFS's yet, is."""
        if self.panic is not None and number - self.panic.at <= TRACE and "panic" not in self.hits:
            text = plain_text(split_stamp(self.panic.data)[1])
            self._count(self.panic, "plain", self.search(text, ours=True), text)
        self.panic = None

    def _start(self, raw: Raw, text: str) -> bool:
        """The start-up line: a run begins. True where there was one before."""
        m = _STATIC.match(text)
        line = self._make(raw, "litefs", None, text)
        lease = StartLease("consul", None, "", "", line)
        if m is not None:
            primary = {"true": True, "false": False}.get(m[1])
            lease = StartLease("static", primary, clip(m[2], 253), clip(m[3], TEXT), line)
        elif not text.startswith("Using Consul to determine primary"):
            return False
        again = self.starts > 0
        self.starts += 1
        if again:
            config = self.hits.get("config-read")
            self._forget(raw.at)
            if config is not None and config.last.at > self.begun:  # printed before the start-up line of its run
                path = self._make(config.last, config.kind, config.fields)
                self._count(config.last, config.kind, (("config-read", config.fields),), path.text)
        self.lease, self.begun = lease, raw.at
        return again

    def _count(self, raw: Raw, kind: str, found: Matches, text: str) -> None:
        """Note a line and what it matches; `text` is empty where an equal line was noted before."""
        if kind != "other":
            self.own += 1
            self.spoken += kind == "litefs"
        if kind != "other" or found:
            fields = found[0][1] if found else None
            self.ends.note(raw.at, (kind, fields))
        for name, fields in found:
            count = self.hits.get(name)
            if count is None:
                count = self.hits[name] = _Count(self._make(raw, kind, fields, text), raw)
            count.count += 1
            count.last, count.kind, count.fields = raw, kind, fields
            if text and len(count.distinct) < DISTINCT and tuple(fields.values()) not in count.distinct:
                count.distinct[tuple(fields.values())] = self._make(raw, kind, fields, text)

    # --- results

    def _make(self, line: Raw, kind: str, fields: dict[str, str] | None, text: str = "") -> LogLine:
        stamp, body = split_stamp(line.data)
        at = parse_time(stamp)
        if kind == "litefs" and is_structured(body):
            message, own_time, _ = structured(body)
            text, at = message, at or parse_time(own_time)
        elif not text:
            text = plain_text(body)
        return LogLine(line.source, line.line, at, clip(text, TEXT), kind, fields)

    def _ends(self, lines: Iterator[tuple[Raw, Known]]) -> tuple[LogLine, ...]:
        return tuple(self._make(line, *known) for line, known in lines)

    def result(self) -> LogRun | None:
        if self.lines == 1 and self.kubelet_only:
            return None
        if not self.spoken and self.early and self.lines - self.early > GIVEN_UP:
            self._not_litefs()
        begun = self.banner or self.lease is not None or not self.spoken or "fatal" in self.hits
        return LogRun(
            source=self.source,
            hits={name: self._hits(c) for name, c in self.hits.items()} | self.wanted.hits,
            lease=self.lease,
            version=self.version,
            head=self._ends(self.ends.head()),
            tail=self._ends(self.ends.tail()),
            lines=max(0, self.lines - self.ends.first + 1),
            litefs_lines=self.own,
            complete=self.complete and begun,
            starts=max(1, self.starts),
        )

    def _hits(self, count: _Count) -> Hits:
        last = self._make(count.last, count.kind, count.fields)
        return Hits(count.count, count.first, last, tuple(count.distinct.values()))

    def _not_litefs(self) -> None:
        """What looked like LiteFS's last words was the application's: it went on after them."""
        self.hits = {name: c for name, c in self.hits.items() if c.kind == "other"}
        self.ends.forget_whose()
        self.own = 0
