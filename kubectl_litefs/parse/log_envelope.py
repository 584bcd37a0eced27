"""What tools wrap around a container's lines: whose line it is and when it was written, told from the lines themselves.

kubectl (`--prefix`), stern (its default and its JSON), Docker's json-file, CRI (what lies in /var/log/pods), and the JSON
of log collectors. A log without any of these is one container's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from .log_blocks import LONGEST, Block
from .log_lines import CANDIDATE, PREFIXED


class Speaker(NamedTuple):
    """A container; a part is empty where nothing tells it."""

    namespace: str = ""
    pod: str = ""
    container: str = ""


NOBODY = Speaker()
Line = tuple[Speaker, bytes, int]
"""Whose line, the line with the time in front where there is one, its number in the file."""

MOST = 1000
"""Names that are remembered."""
SAMPLE = 200
"""Lines that decide what a file is."""

_NAME = rb"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_INK = rb"(?:\x1b\[[0-9;]{0,8}m)*"
_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_KUBECTL = re.compile(rb"\n" + _INK + rb"\[pod/()(" + _NAME + rb")/(" + _NAME + rb")\]" + _INK + rb" ")
_STERN = re.compile(
    rb"\n" + _INK + rb"(?:(" + _NAME + rb") )?" + _INK + rb"(" + _NAME + rb")" + _INK + rb" " + _INK + rb"(" + _NAME + rb")" + _INK
    + rb" (?:\d\d-\d\d \d\d:\d\d:\d\d )?(?=(?:" + _STAMP + rb" )?" + _INK + PREFIXED + rb")"
)  # fmt: skip
"""As a line of LiteFS's begins: only there is it sure that the words in front are names."""
_TWO_NAMES = re.compile(_INK + rb"(" + _NAME + rb")" + _INK + rb" " + _INK + rb"(" + _NAME + rb")" + _INK + rb" ")
_CRI = re.compile(rb"\n(" + _STAMP + rb") (stdout|stderr) ([FP])(?::[^ \n]*)?(?: |(?=\n)|\Z)")
_MARK = re.compile(rb"\n==== (START|END) logs for container (" + _NAME + rb") of pod (" + _NAME + rb")/(" + _NAME + rb") ====(?=\r?\n|\Z)")
_POD = re.compile(rb"(?:.*-)?(?:\d{1,4}|[bcdfghjklmnpqrstvwxz2456789]{5})\Z")
"""How the names of pods of a set end."""


class Envelope(Protocol):
    """Takes lines out of what is wrapped around them. Fed with the blocks of one file in order."""

    def unwrap(self, block: Block) -> Iterator[Line]: ...


def recognize(block: bytes) -> Envelope | None:
    """What the lines of a file's first block are wrapped in; None where they stand as they were written."""
    lines = block.split(b"\n", SAMPLE + 1)[1 : SAMPLE + 1]
    lines = [line for line in lines if line.strip()]

    def most(hits: int) -> bool:
        return hits > 0 and 2 * hits >= len(lines)

    if _MARK.match(block):
        return Marked()
    for pattern in (_KUBECTL, _CRI):
        if most(sum(pattern.match(b"\n" + line) is not None for line in lines)):
            return Prefixed(_KUBECTL) if pattern is _KUBECTL else Cri()
    if most(sum(_document(line) is not None for line in lines)):
        return Json()
    return _stern(block, lines)


def _stern(block: bytes, lines: list[bytes]) -> Envelope | None:
    """stern's words are told by what LiteFS says behind them, or by names like those of pods in front of every line."""
    if CANDIDATE.search(block):
        return None
    pairs = {m.groups() for m in _STERN.finditer(block)}
    if not pairs:
        shaped = [_TWO_NAMES.match(line) for line in lines]
        if len(lines) < 2 or not all(m is not None and b"-" in m[1] and _POD.match(m[1]) for m in shaped):
            return None
        pairs = {(None, m[1], m[2]) for m in shaped if m is not None}
    fields = 3 if any(p[0] for p in pairs) else 2
    words = (rb"(" + _NAME + rb") " if fields == 3 else rb"()") + _INK + rb"(" + _NAME + rb")" + _INK + rb" " + _INK + rb"(" + _NAME + rb")"
    return Prefixed(re.compile(rb"\n" + _INK + words + _INK + rb" (?:\d\d-\d\d \d\d:\d\d:\d\d )?"))


class Prefixed:
    """Names in front of each line. A line without them goes on where the one before it was."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern
        self._speaker = NOBODY
        self._known: dict[tuple[bytes, ...], Speaker] = {}

    def unwrap(self, block: Block) -> Iterator[Line]:
        pieces = self._pattern.split(block.data)
        at = 0
        if pieces[0]:
            for text in pieces[0][1:].split(b"\n"):
                yield self._speaker, text, block.lines[at]
                at += 1
        for i in range(1, len(pieces), 4):
            names, text = tuple(pieces[i : i + 3]), pieces[i + 3]
            speaker = self._known.get(names)
            if speaker is None:
                if len(self._known) >= MOST:
                    self._known.clear()
                speaker = self._known[names] = Speaker(*(n.decode("ascii") for n in names))
            self._speaker = speaker
            if b"\n" not in text:
                yield speaker, text, block.lines[at]
                at += 1
                continue
            for part in text.split(b"\n"):
                yield speaker, part, block.lines[at]
                at += 1


class Marked:
    """`kubectl cluster-info dump`: the containers of a pod one after the other, between lines that name them."""

    def __init__(self) -> None:
        self._speaker = NOBODY

    def unwrap(self, block: Block) -> Iterator[Line]:
        pieces = _MARK.split(block.data)
        at = 0
        for i in range(0, len(pieces), 5):
            if i:
                turn, container, namespace, pod = pieces[i - 4 : i]
                begins = turn == b"START"
                self._speaker = Speaker(*(n.decode("ascii") for n in (namespace, pod, container))) if begins else NOBODY
                at += 1
            for text in pieces[i].split(b"\n")[1:]:
                if self._speaker is not NOBODY:
                    yield self._speaker, text, block.lines[at]
                at += 1


class _Parts:
    """Pieces of long lines, put together again."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[bytes, bytes, int]] = {}

    def add(self, key: object, stamp: bytes, text: bytes, number: int, last: bool) -> tuple[bytes, int] | None:
        """The whole line with its time and the number of its first piece, once the last piece is there."""
        begun = self._open.pop(key, None)
        if begun is not None:
            stamp, number = begun[0], begun[2]
            text = (begun[1] + text)[:LONGEST]
        if last:
            return (stamp + b" " + text if stamp else text), number
        self._open[key] = stamp, text, number
        return None


class Cri:
    """`2026-11-23T12:23:37.831756437Z stdout F text`; P marks a piece that the next line goes on with."""

    def __init__(self) -> None:
        self._parts = _Parts()

    def unwrap(self, block: Block) -> Iterator[Line]:
        pieces = _CRI.split(block.data)
        at = 0
        if pieces[0]:
            for text in pieces[0][1:].split(b"\n"):
                yield NOBODY, text, block.lines[at]
                at += 1
        for i in range(1, len(pieces), 4):
            stamp, stream, tag, text = pieces[i : i + 4]
            first, *others = text.split(b"\n")
            whole = self._parts.add(stream, stamp, first, block.lines[at], tag == b"F")
            at += 1
            if whole is not None:
                yield NOBODY, *whole
            for other in others:
                yield NOBODY, other, block.lines[at]
                at += 1


class Json:
    """One object a line: Docker's json-file, stern's `-o json`, or a collector's with the pod's names in it."""

    def __init__(self) -> None:
        self._parts = _Parts()
        self._speaker = NOBODY

    def unwrap(self, block: Block) -> Iterator[Line]:
        for at, line in enumerate(block.data[1:].split(b"\n")):
            found = _document(line)
            if found is None:
                yield self._speaker, line, block.lines[at]
                continue
            self._speaker, stamp, text, stream = found
            parts = text.removesuffix("\n").split("\n")
            whole_ends = not stream or text.endswith("\n")  # Docker ends a line with its newline, a piece of one with nothing
            for i, part in enumerate(parts):
                ends = whole_ends or i < len(parts) - 1
                whole = self._parts.add((self._speaker, stream), stamp.encode(), part.encode("utf8", "replace"), block.lines[at], ends)
                if whole is not None:
                    yield self._speaker, *whole


def _document(line: bytes) -> tuple[Speaker, str, str, str] | None:
    """(who, time, text, stream of a Docker line) of a JSON line that wraps another line; None for any other line."""
    start = line.find(b"{")
    if start < 0 or line[:start].strip() or len(line) > LONGEST or not (b'"log"' in line or b'"message"' in line):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    if "podName" in document and "message" in document:
        said = document["message"]
        text = said if isinstance(said, str) else json.dumps(said, separators=(",", ":"), ensure_ascii=False)
        return _speaker(document, "namespace", "podName", "containerName"), "", text, ""
    if not isinstance(document.get("log"), str):
        return None
    names = document.get("kubernetes")
    who = _speaker(names, "namespace_name", "pod_name", "container_name") if isinstance(names, Mapping) else NOBODY
    time = document.get("time")
    return who, time if isinstance(time, str) else "", document["log"], "" if who.pod else str(document.get("stream") or "log")


def _speaker(document: Mapping[str, Any], *keys: str) -> Speaker:
    return Speaker(*(v if isinstance(v := document.get(key), str) and re.fullmatch(_NAME.decode(), v) else "" for key in keys))
