"""A log, read once into bounded facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .origin import Evidence


@dataclass(frozen=True, slots=True)
class LogLine:
    """`text` is the message: without the API's timestamp, `level=` and escapes, cut at 500 characters.

    `fields` are the named groups of the signature that matched, if one did. `kind` is `litefs` for LiteFS's
    own structured lines, `plain` for LiteFS's unstructured ones (`ERROR: ...`, the banner, panics), `other`
    for the application's.
    """

    source: str
    number: int
    time: datetime | None
    text: str
    kind: str = "other"
    fields: Mapping[str, str] | None = None

    def field(self, name: str) -> str:
        return (self.fields or {}).get(name) or ""

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.source, self.number, self.text)


@dataclass(frozen=True, slots=True)
class Hits:
    """All lines of one run that match one signature: how many, the first, the last, and one line for each
    distinct set of captured fields (at most 16)."""

    count: int
    first: LogLine
    last: LogLine
    distinct: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class StartLease:
    """`Using static primary: ...` or `Using Consul to determine primary`: the lease LiteFS really runs with.

    Fields of a Consul lease are empty.
    """

    type: str
    primary: bool | None
    hostname: str
    advertise_url: str
    line: LogLine


@dataclass(frozen=True, slots=True)
class LogRun:
    """One run of LiteFS: one container instance, or, where one instance started LiteFS several times, the last.

    `head` and `tail` are its first and last lines (at most 200 each; they overlap in a short log).
    `complete` is False when the log's middle or beginning was cut.
    """

    source: str
    hits: Mapping[str, Hits]
    lease: StartLease | None
    version: str | None
    head: tuple[LogLine, ...]
    tail: tuple[LogLine, ...]
    lines: int
    litefs_lines: int
    complete: bool
    starts: int = 1

    def hit(self, signature: str) -> Hits | None:
        return self.hits.get(signature)

    def any(self, *signatures: str) -> Hits | None:
        """The first of the signatures that was seen."""
        return next((self.hits[s] for s in signatures if s in self.hits), None)

    def latest(self, *signatures: str) -> LogLine | None:
        """The last line of the run that matches any of the signatures."""
        lines = [self.hits[s].last for s in signatures if s in self.hits]
        return max(lines, key=lambda line: line.number, default=None)

    def repeats(self, signature: str, now: datetime, within: float = 10.0) -> bool:
        """Whether the signature was seen again in the last `within` seconds before `now`.

        Without times, its last lines count as recent, unless the run has ever connected: reconnecting logs nothing.
        """
        hits = self.hits.get(signature)
        if hits is None:
            return False
        if hits.last.time is None:
            return self._at_its_end(hits.last)
        return now - hits.last.time <= timedelta(seconds=within)

    def _at_its_end(self, line: LogLine) -> bool:
        later = self.latest("different-cluster-id", "position-mismatch", "stream-broken", "bad-frame")
        over = "connected" in self.hits or (later is not None and later.number > line.number)
        return not over and (not self.tail or line.number >= self.tail[0].number)

    def lasts(self, signature: str, now: datetime, seconds: float = 10.0) -> bool:
        """Whether the signature goes on now and began at least `seconds` ago, with two lines or more."""
        hits = self.hits.get(signature)
        if hits is None or hits.count < 2 or not self.repeats(signature, now):
            return False
        if hits.first.time is None or hits.last.time is None:
            return True
        return hits.last.time - hits.first.time >= timedelta(seconds=seconds)

    @property
    def untimed(self) -> bool:
        """Whether no line that is known of it bears a time."""
        lines = (*self.tail, *self.head, *(h.last for h in self.hits.values()))
        return bool(lines) and not any(line.time for line in lines)

    @property
    def last_time(self) -> datetime | None:
        return next((line.time for line in reversed(self.tail) if line.time), None)

    @property
    def first_time(self) -> datetime | None:
        return next((line.time for line in self.head if line.time), None)


def words_before(run: LogRun, signature: str, n: int = 3) -> tuple[LogLine, ...]:
    """The application's last `n` lines before the newest line of `signature`: what it said before LiteFS gave up.

    Only lines after the command was started, as far as the log shows that; LiteFS's own and blank lines are left
    out. Empty where nothing was said or the lines are no longer kept.
    """
    hits = run.hits.get(signature)
    if hits is None:
        return ()
    end = hits.last.number
    begun = run.latest("executing", "background")
    start = begun.number if begun is not None and begun.number < end else 0
    kept = {line.number: line for line in (*run.head, *run.tail)}
    words = [kept[i] for i in sorted(kept) if start < i < end and kept[i].kind == "other" and kept[i].text]
    return tuple(words[-n:]) if n > 0 else ()
