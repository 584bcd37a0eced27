"""LiteFS's answers on its HTTP port -> facts. The server is not trusted: anything may stand behind port 20202."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..model.litefs import Database, Info, Metrics
from ..model.origin import Evidence, Gap, GapReason
from .clean import clean, clip
from .json_places import Member, NotJson, decode, excerpt, members

MAX_INFO = 1024 * 1024
MAX_VARS = MAX_METRICS = 8 * 1024 * 1024
MAX_DATABASES = 10_000
MAX_SERIES = 100_000
HOST, ID, NAME, PATH = 253, 64, 255, 1024
"""Characters that are kept of a host name, a cluster id, a database's name, a path."""

FOREIGN = "answers, but not as LiteFS does"

_SERIES = re.compile(
    r'(litefs_[A-Za-z0-9_:]{1,200})(\{[^{}"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^{}"]*)*\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*'
)
_HEX = re.compile(r"[0-9a-fA-F]{1,16}")


def read_info(source: str, data: bytes) -> Info | Gap:
    """GET /info: `{"clusterID", "isPrimary", "candidate", "path", "primary": {"hostname"}}`; up to 0.5.6 `primary` is
    the boolean. A node that has never joined has no `clusterID`."""
    try:
        text, document = decode(data, MAX_INFO)
        return _info(source, text, document)
    except NotJson as error:
        return Gap(source, GapReason.UNPARSED, str(error))


def _info(source: str, text: str, document: Mapping[str, Any]) -> Info:
    primary = document.get("primary")
    is_primary = document.get("isPrimary", primary)
    if not isinstance(is_primary, bool) or not {"candidate", "path", "clusterID"} & set(document):
        raise NotJson(FOREIGN)
    hostname = None
    if isinstance(primary, dict):
        hostname = _string(primary, "hostname", HOST)
    elif primary is not None and not isinstance(primary, bool):
        raise NotJson(FOREIGN)
    candidate = document.get("candidate")
    if candidate is not None and not isinstance(candidate, bool):
        raise NotJson(FOREIGN)
    return Info(
        source=source,
        cluster_id=_string(document, "clusterID", ID) or None,
        is_primary=is_primary,
        candidate=candidate,
        path=_string(document, "path", PATH),
        primary_hostname=hostname,
        lines=_info_lines(source, text, "isPrimary" in document),
    )


def _string(document: Mapping[str, Any], key: str, limit: int) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise NotJson(FOREIGN)
    return None if value is None else clip(clean(value), limit)


def _info_lines(source: str, text: str, new: bool) -> dict[str, Evidence]:
    """Where each key stands. In the old shape `isPrimary` stands where `primary` does."""
    lines: dict[str, Evidence] = {}
    for member in members(text):
        if member.key == "primary" and isinstance(member.value, dict):
            for inner in members(text, member.at):
                if inner.key == "hostname":
                    lines["primary.hostname"] = _seen(source, text, inner)
        elif member.key in ("clusterID", "isPrimary", "candidate", "path"):
            lines[member.key] = _seen(source, text, member)
        elif member.key == "primary" and not new:
            lines["isPrimary"] = _seen(source, text, member)
    return lines


def _seen(source: str, text: str, member: Member) -> Evidence:
    return Evidence(source, text.count("\n", 0, member.start) + 1, excerpt(text, member.start, member.end))


def read_vars(source: str, data: bytes) -> tuple[Database, ...] | Gap:
    """GET /debug/vars: the databases of `store.dbs`, sorted by name. TXIDs are hexadecimal there."""
    try:
        text, document = decode(data, MAX_VARS)
        store = document.get("store")
        if not isinstance(store, dict) or not isinstance(store.get("dbs"), dict):
            raise NotJson(FOREIGN)
        if len(store["dbs"]) > MAX_DATABASES:
            raise NotJson(f"names more than {MAX_DATABASES} databases")
        return tuple(sorted(_databases(source, text), key=lambda d: d.name))
    except NotJson as error:
        return Gap(source, GapReason.UNPARSED, str(error))


def _databases(source: str, text: str) -> list[Database]:
    (store,) = (m for m in members(text) if m.key == "store")
    (dbs,) = (m for m in members(text, store.at) if m.key == "dbs")
    found: list[Database] = []
    line, counted = 1, 0
    for entry in members(text, dbs.at):
        if not isinstance(entry.value, dict):
            raise NotJson(FOREIGN)
        parts = {m.key: m for m in members(text, entry.at)}
        txid, checksum = _hexadecimal(entry.value, "txid"), _hexadecimal(entry.value, "checksum")
        at = parts["txid"].start
        line, counted = line + text.count("\n", counted, at), at
        after = max(parts["txid"].end, parts["checksum"].end)
        name = clip(clean(entry.key), NAME)
        words = excerpt(text, at, after) if after - at < 100 else excerpt(text, at, parts["txid"].end)
        found.append(Database(name, int(txid, 16), checksum, Evidence(source, line, f"{name}: {words}")))
    return found


def _hexadecimal(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise NotJson(f"a database's {key} is no hexadecimal number")
    return value.lower()


def read_metrics(source: str, data: bytes) -> Metrics | Gap:
    """GET /metrics: the `litefs_` series of Prometheus's text format, by name with labels as written."""
    if len(data) > MAX_METRICS:
        return Gap(source, GapReason.UNPARSED, f"the answer is larger than {MAX_METRICS // 1024} KiB")
    values: dict[str, float] = {}
    lines: dict[str, Evidence] = {}
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.startswith(b"litefs_"):
            continue
        line = clean(raw.decode("utf8", "replace")).strip()
        m = _SERIES.fullmatch(line)
        value = _number(m[3]) if m else None
        if m is None or value is None or len(values) >= MAX_SERIES:
            return Gap(source, GapReason.UNPARSED, f"line {number} is no metric of LiteFS")
        name = m[1] + clip(m[2] or "", 2 * NAME)
        if name not in values:
            values[name] = value
            lines[name] = Evidence(source, number, clip(line, 2 * NAME))
    if not values:
        return Gap(source, GapReason.UNPARSED, FOREIGN)
    return Metrics(source, values, lines)


def _number(text: str) -> float | None:
    """A finite number; None for anything else. LiteFS's gauges and counters are never NaN."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
