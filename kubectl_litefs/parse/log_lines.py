"""One line of a container's log: is it LiteFS's, and what does it say.

LiteFS writes structured lines (`level=INFO msg="..."`, or JSON) through Go's slog to stderr, and plain ones
(`ERROR: ...`, the banner, panics) partly to stdout. An application may use the same logger, so a structured line is
LiteFS's only if its message begins as one of LiteFS's does.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

from .clean import clean, without_passwords

HEADS = (
    "existing primary found (", "disconnected from primary", "primary lease ", "lease renewal error",
    "exiting primary,", "cannot find primary", "cannot acquire ", "cannot remove lease", "cannot release ",
    "cannot fetch cluster ID ", "cannot connect, ", "cannot become primary", "acquiring existing lease",
    "waiting to connect to cluster", "stream connected (", "stream disconnected (", "state change recovery error",
    "snapshot successfully exported", "node manually demoted", "handoff unsuccessful", "writing snapshot ",
    "wal-sync: ", "transaction file for txid", "trace log enabled", "starting from txid",
    "starting background subprocess: ", "snapshot received for ", "snapshot checksum mismatch",
    "skipping cluster sync", "set cluster id on ", "using existing cluster id: ", "requesting primary handoff",
    "primary handoff request", "releasing halt lock", "proxy: ", "proxy server listening on: ",
    "no proxy target set", "node is a", "node is not a candidate", "no backup client configured",
    "lock wait error: ", "litefs cloud backup client", "file-based backup client", "invalid database header on ",
    "initializing consul: ", "http: ", "http2: ", "http server listening on: ", "host environment detected",
    "fuse: ", "fuse write error", "fuse lock error", "fuse unlock error", "fuse query lock error",
    "fuse serve error", "mount helper ", "executing command: ", "error invalidating .lag", "database file is zero",
    "database file does not exist", "database restore complete", "database checksum ending early",
    "consul key release error", "connected to cluster, ready", "commit wal error", "closing proxy server on",
    "client transaction id (", "client preapply checksum", "begin primary backup stream", "begin streaming backup",
    "exiting streaming backup", "primary backup stream exiting", "backup stream failed", "backup of database ",
    "restoring from backup", "fatal error occurred while ", "deprecated drop db frame",
    "dropped database does not exist", "Using static primary: ", "Using Consul to determine", "LiteFS mounted to: ",
    "cannot set environment metadata", "cannot set primary status", "cannot unset primary status",
    "cannot init primary status", "waiting for ", "/debug/rand: ", "fetching position map from backup",
    "syncing databases to backup", "sync database to backup", "database synced to backup", "database in sync with backup",
    "no position, removing from backup", "beginning database restore",
)  # fmt: skip
"""How every structured message of LiteFS 0.5 and of the packages that log for it begins, after the node's id."""

PLAIN = (
    r"ERROR: ", r"LiteFS (?:\S{1,64}, commit=|commit=|development build)", r"config file read from ",
    r"waiting for (?:signal or subprocess|exec process)", r"subprocess exited ", r"sending signal to exec process",
    r"signal received, litefs", r"litefs shut down complete", r"panic: ", r"main\.\(\*MountCommand\)",
    r"main\.runMount", r"github\.com/superfly/litefs", r"  line \d{1,9}: ", r"flag provided but not defined: ",
    r"litefs is a distributed file system", r"The mount command will mount a LiteFS",
)  # fmt: skip

_STAMP = rb"(?:[0-9T:.Z+-]{20,36} )?"
_LEVEL = rb"(?:INFO|WARN|ERROR|DEBUG)(?:[+-]\d)?"
_HEAD = rb"(?:[0-9A-F]{1,16}: )?(?:" + b"|".join(re.escape(h.encode()) for h in HEADS) + rb")"
_TEXT = rb"(?:time=[0-9T:.Z+-]{10,40} )?level=" + _LEVEL + rb' msg="'
_JSON = rb'\{(?:"time":"[0-9T:.Z+-]{10,40}",)?"level":"' + _LEVEL + rb'","msg":"'

PREFIXED = rb"(?:(?:" + _TEXT + rb"|" + _JSON + rb")" + _HEAD + rb"|" + "|".join(PLAIN).encode() + rb")"
"""How a line of LiteFS begins behind whatever others put in front of it."""

CANDIDATE = re.compile(rb"\n(?:\x1b\[[0-9;]{0,8}m)*" + _STAMP + PREFIXED)
"""Finds the lines of a block, each led by its newline, that may be LiteFS's own. Runs over every byte of a log."""

UNANCHORED: tuple[bytes, ...] = (
    *(before + re.escape(head.encode()) for head in HEADS for before in (rb'"', rb"[0-9A-F]: ")),
    *(plain.encode() for plain in PLAIN),
)
"""Wherever they stand in a line: one of them is in each line that CANDIDATE finds."""

_SPLIT = re.compile(
    rb"(?:\x1b\[[0-9;]{0,8}m)*(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) )?", re.ASCII
)
_STRUCTURED = re.compile(rb"(?:" + _TEXT + rb"|" + _JSON + rb")")
_QUOTED = re.compile(r"time=(\S+) level=|level=")
_GO_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_GO_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


def parse_time(text: str) -> datetime | None:
    """RFC 3339 with up to nanoseconds (cut to microseconds), in UTC; None for anything else."""
    m = _TIME.fullmatch(text)
    if m is None:
        return None
    try:
        micros = int((m[7] or "0").ljust(6, "0")[:6])
        at = datetime(*(int(g) for g in m.groups()[:6]), micros, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]
        away = timedelta(hours=int(m[9]), minutes=int(m[10])) if m[8] else timedelta(0)
        return at + away if m[8] == "-" else at - away
    except (ValueError, OverflowError):
        return None


def split_stamp(line: bytes) -> tuple[str, bytes]:
    """The API's timestamp in front of a line (empty if there is none), and the rest."""
    m = _SPLIT.match(line)
    assert m is not None, "matches the empty prefix"
    return (m[1] or b"").decode("ascii"), line[m.end() :]


def is_structured(body: bytes) -> bool:
    """Whether the line has the shape that slog gives; the caller knows whether it is LiteFS's."""
    return _STRUCTURED.match(body) is not None


def plain_text(body: bytes) -> str:
    """A line as it stands, safe to keep."""
    return without_passwords(clean(body.decode("utf8", "replace")).strip())


def structured(body: bytes) -> tuple[str, str, bool]:
    """Message with attributes, slog's own time (or empty), and whether the line is whole.

    Attributes follow as ` name=value`, groups as ` group.name=value`, whatever the format of the line.
    """
    text = body.decode("utf8", "replace")
    message, time, whole = _from_json(text) if text.startswith("{") else _from_text(text)
    return without_passwords(clean(message).strip()), time, whole


def _from_text(text: str) -> tuple[str, str, bool]:
    m = _QUOTED.match(text)
    time = (m[1] or "") if m else ""
    start = text.index('msg="') + 5
    end = _closing_quote(text, start)
    if end < 0:
        return unquote(text[start:]), time, False
    return unquote(text[start:end]) + text[end + 1 :].rstrip(), time, True


def _closing_quote(text: str, start: int) -> int:
    """Where the first unescaped quote at or after `start` stands, -1 if there is none."""
    at = start
    while True:
        quote, slash = text.find('"', at), text.find("\\", at)
        if slash < 0 or -1 < quote < slash:
            return quote
        at = slash + 2


def unquote(text: str) -> str:
    """Undo Go's escapes. An escape that Go does not write stays as it is."""

    def one(m: re.Match[str]) -> str:
        code = m[0][1:]
        if len(code) > 1:
            value = int(code[1:], 16)
            if code[0] == "x" and value > 127:
                return "\ufffd"  # a byte that was no UTF-8
            return chr(value) if value <= 0x10FFFF else "\ufffd"
        return _GO_SIMPLE.get(code, code if code in "\\\"'" else m[0])

    return _GO_ESCAPE.sub(one, text) if "\\" in text else text


def _from_json(text: str) -> tuple[str, str, bool]:
    try:
        document = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("msg"), str):
        return unquote(text[text.index('"msg":"') + 7 :]), "", False
    extra = [f"{k}={v}" for k, v in _flat(document) if k not in ("level", "msg", "time")]
    return " ".join([document["msg"], *extra]), str(document.get("time") or ""), True


def _flat(document: dict[str, object]) -> list[tuple[str, object]]:
    """Attributes with the names of their groups; one level, as LiteFS writes."""
    pairs: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict):
            pairs += [(f"{key}.{k}", v) for k, v in value.items()]
        else:
            pairs.append((key, value))
    return pairs
