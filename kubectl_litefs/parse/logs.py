"""A container's log, read once from its first byte to its last, in constant memory, into bounded facts."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from ..model.logs import Hits, LogLine, LogRun, StartLease
from .clean import clip
from .log_blocks import LONGEST, blocks, line_at
from .log_lines import CANDIDATE, is_structured, parse_time, plain_text, split_stamp, structured
from .log_match import ANYONE, TEXT, Matches, Searcher
from .log_own import OwnPatterns
from .log_voice import Phase, Voice

ENDS = 200
"""Lines of `head` and of `tail`."""
DISTINCT = 16
KEPT = 4096
"""Bytes of a line kept for `head` and `tail`: enough for TEXT characters."""
CACHED, CACHED_LINE = 4096, 1024
TRACE = 100
"""Lines below `panic:` in which the stack tells whose panic it is."""
GIVEN_UP = 50
"""An error before LiteFS's banner ends LiteFS; with more lines than that after it, it was the application's."""

_KUBELET = (b"unable to retrieve container logs for ", b"failed to try resolving symlinks in path ")
_BANNER = re.compile(r"LiteFS v?(?!development)(\S+), commit=")
_STATIC = re.compile(r"Using static primary: primary=(\w*) hostname=(.*) advertise-url=(.*)")

Raw = tuple[int, bytes]


def read_log(source: str, chunks: Iterable[bytes], *, complete: bool = True, patterns: Sequence[str] = ()) -> LogRun | None:
    """The last run of LiteFS in the log at bundle path `source`.

    None where there is nothing but the kubelet's own word that it has no log. An empty log is a run with 0 lines.
    `complete` says that nothing was cut off. Costs about 30 MiB at most, however long the log is.
    """
    reader = _Reader(source, complete, patterns)
    for first, block in blocks(chunks):
        reader.read(first, block)
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


class _Reader:
    """Reads blocks in order; `result` gives the facts."""

    def __init__(self, source: str, complete: bool, patterns: Sequence[str]) -> None:
        self.source = source
        self.complete = complete
        self.search = Searcher()
        self.voice = Voice(complete)
        self.lines = 0
        self.kubelet_only = False
        self.lease: StartLease | None = None
        self.version: str | None = None
        self.banner = False
        self.starts = 0
        self.first = 1
        self.early = 0
        self.spoken = 0
        self.panic: Raw | None = None
        self.tail: deque[Raw] = deque(maxlen=ENDS)
        self.wanted = OwnPatterns(source, patterns)
        self._forget()

    def _forget(self) -> None:
        """A new run begins: what was counted belongs to the one before."""
        self.hits: dict[str, _Count] = {}
        self.cache: dict[bytes, tuple[str, Matches]] = {}
        self.head: list[Raw] = []
        self.kinds: dict[int, tuple[str, dict[str, str] | None]] = {}
        self.recent: deque[tuple[int, str, dict[str, str] | None]] = deque(maxlen=ENDS)
        self.own = 0
        self.wanted.forget()

    # --- blocks

    def read(self, first: int, block: bytes) -> None:
        """`block` holds whole lines, each led by its newline; `first` is the number of its first line."""
        starts = {m.start() for m in CANDIDATE.finditer(block)}
        for needle in ANYONE:
            at = block.find(needle)
            while at >= 0:
                start = block.rfind(b"\n", 0, at)
                if at + len(needle) - start - 1 <= LONGEST:
                    starts.add(start)
                at = block.find(b"\n", at)
                at = block.find(needle, at) if at >= 0 else -1
        number, before, run = first, 0, 0
        for start in sorted(starts):
            number += block.count(b"\n", before + 1, start + 1)
            before = start
            if self._line(number, line_at(block, start)):
                run = start
        self.lines = first + block.count(b"\n") - 1
        self._keep_ends(first, block, run)
        self.wanted.look(first, block, self.first)
        if first == 1:
            self.kubelet_only = self.lines == 1 and split_stamp(block[1:])[1].startswith(_KUBELET)
        elif self.lines > 1:
            self.kubelet_only = False

    def _keep_ends(self, first: int, block: bytes, run: int) -> None:
        """Keep the first lines of the run, which begins at offset `run` where it began here, and the last lines."""
        if len(self.head) < ENDS:
            number = self.head[-1][0] + 1 if self.head else max(first, self.first)
            at = run if not self.head else 0
            while at >= 0 and len(self.head) < ENDS:
                self.head.append((number, line_at(block, at, KEPT)))
                number += 1
                at = block.find(b"\n", at + 1)
        last: list[Raw] = []
        end, number = len(block), self.lines
        while end > 0 and len(last) < ENDS:
            start = block.rfind(b"\n", 0, end)
            last.append((number, block[start + 1 : min(end, start + 1 + KEPT)]))
            end, number = start, number - 1
        self.tail.extend(reversed(last))

    # --- lines

    def _line(self, number: int, raw: bytes) -> bool:
        """One line that may say something. True where it begins a new run."""
        _, body = split_stamp(raw)
        known = self.cache.get(body)
        if known is not None:
            kind, found = known
            self._count(number, raw, kind, found, "")
            return False
        if is_structured(body):
            text, _, whole = structured(body)
            if not CANDIDATE.match(b"\n" + raw):
                return self._other(number, raw, body, plain_text(body))
            return self._structured(number, raw, body, text, whole)
        text = plain_text(body)
        if not CANDIDATE.match(b"\n" + raw):
            return self._other(number, raw, body, text)
        self._plain(number, raw, text)
        return False

    def _structured(self, number: int, raw: bytes, body: bytes, text: str, whole: bool) -> bool:
        self.voice.heard(text)
        begins = whole and text.startswith("Using ") and self._start(number, raw, text)
        found = self.search(text, ours=True) if whole else ()
        self._count(number, raw, "litefs", found, text)
        turning = text.startswith(("Using ", "connected to", "skipping cluster"))
        if not turning and self.voice.phase is not Phase.OUTSIDE:
            self._remember(body, "litefs", found)
        return begins

    def _other(self, number: int, raw: bytes, body: bytes, text: str) -> bool:
        found = self.search(text, ours=False)
        self._count(number, raw, "other", found, text)
        self._remember(body, "other", found)
        return False

    def _remember(self, body: bytes, kind: str, found: Matches) -> None:
        if len(body) <= CACHED_LINE:
            if len(self.cache) >= CACHED:
                self.cache.clear()
            self.cache[body] = kind, found

    def _plain(self, number: int, raw: bytes, text: str) -> None:
        if text.startswith("panic: "):
            self.panic = number, raw
            if self.voice.phase is Phase.READY:
                self._count(number, raw, "other", (), text)
                return  # the stack below tells whose it is
            self._count(number, raw, "plain", self.search(text, ours=True), text)
            return
        if text.startswith(("main.", "github.com/")):
            self._trace(number)
        elif not self.voice.is_litefs(number, text):
            self._count(number, raw, "other", self.search(text, ours=False), text)
            return
        if self.voice.phase is Phase.OUTSIDE:
            self.cache.clear()  # the next structured line tells where the run stands
        if m := _BANNER.match(text):
            self.version, self.banner = clip(m[1], 64), True
        elif text.startswith("LiteFS "):
            self.version, self.banner = None, True
        if text.startswith("ERROR: ") and not self.spoken:
            self.early = number
        self._count(number, raw, "plain", self.search(text, ours=True), text)

    def _trace(self, number: int) -> None:
        """A stack line of LiteFS: the panic above it, if it was not taken for LiteFS's yet, is."""
        if self.panic is not None and number - self.panic[0] <= TRACE and "panic" not in self.hits:
            at, raw = self.panic
            text = plain_text(split_stamp(raw)[1])
            self._count(at, raw, "plain", self.search(text, ours=True), text)
        self.panic = None

    def _start(self, number: int, raw: bytes, text: str) -> bool:
        """The start-up line: a run begins. True where there was one before."""
        m = _STATIC.match(text)
        line = self._make((number, raw), "litefs", None, text)
        lease = StartLease("consul", None, "", "", line)
        if m is not None:
            primary = {"true": True, "false": False}.get(m[1])
            lease = StartLease("static", primary, clip(m[2], 253), clip(m[3], TEXT), line)
        elif not text.startswith("Using Consul to determine primary"):
            return False
        again = self.starts > 0
        self.starts += 1
        if again:
            config, before = self.hits.get("config-read"), self.lease.line.number if self.lease else 0
            self._forget()
            if config is not None and config.last[0] > before:  # printed before the start-up line of its run
                path = self._make(config.last, config.kind, config.fields)
                self._count(*config.last, config.kind, (("config-read", config.fields),), path.text)
        self.lease = lease
        if again:
            self.first = number
        return again

    def _count(self, number: int, raw: bytes, kind: str, found: Matches, text: str) -> None:
        """Note a line and what it matches; `text` is empty where an equal line was noted before."""
        if kind != "other":
            self.own += 1
            self.spoken += kind == "litefs"
        if kind != "other" or found:
            fields = found[0][1] if found else None
            self.recent.append((number, kind, fields))
            if number < self.first + ENDS:
                self.kinds[number] = kind, fields
        for name, fields in found:
            count = self.hits.get(name)
            if count is None:
                first = self._make((number, raw), kind, fields, text)
                count = self.hits[name] = _Count(first, (number, raw))
            count.count += 1
            count.last, count.kind, count.fields = (number, raw[: LONGEST]), kind, fields
            if text and len(count.distinct) < DISTINCT and tuple(fields.values()) not in count.distinct:
                count.distinct[tuple(fields.values())] = self._make((number, raw), kind, fields, text)

    # --- results

    def _make(self, line: Raw, kind: str, fields: dict[str, str] | None, text: str = "") -> LogLine:
        number, raw = line
        stamp, body = split_stamp(raw)
        at = parse_time(stamp)
        if kind == "litefs" and is_structured(body):
            message, own_time, _ = structured(body)
            text, at = message, at or parse_time(own_time)
        elif not text:
            text = plain_text(body)
        return LogLine(self.source, number, at, clip(text, TEXT), kind, fields)

    def _ends(self, lines: Iterable[Raw]) -> tuple[LogLine, ...]:
        kinds = {n: (k, f) for n, k, f in self.recent} | self.kinds
        return tuple(self._make(line, *kinds.get(line[0], ("other", None))) for line in lines if line[0] >= self.first)

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
            head=self._ends(self.head),
            tail=self._ends(self.tail),
            lines=max(0, self.lines - self.first + 1),
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
        self.kinds.clear()
        self.recent.clear()
        self.own = 0
