"""Scalars as go-yaml v3 resolves and decodes them: `010` is octal, `yes` a string but a fine bool, `1:30` a string."""

from __future__ import annotations

import re
from typing import Any

_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_NULL = ("", "~", "null", "Null", "NULL")
_OLD_TRUE = frozenset("y Y yes Yes YES on On ON".split())
_OLD_FALSE = frozenset("n N no No NO off Off OFF".split())
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?)?\Z")
_DURATION = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_NANOSECONDS = float(2**63)
MAX_DIGITS = 100
RESOLVED = frozenset({"!!bool", "!!int", "!!float", "!!null", "!!timestamp"})
"""Tags whose scalars are more than text."""


class Refused:
    """The type of `REFUSED`."""


REFUSED = Refused()
"""A value that does not fit the type."""


def tag_of(text: str) -> str:
    """The tag of a plain scalar."""
    if text in _TRUE or text in _FALSE:
        return "!!bool"
    if text in _NULL:
        return "!!null"
    if text == "<<":
        return "!!merge"
    if _SPECIAL_FLOAT.match(text):
        return "!!float"
    if text[:1] == "." and len(text) <= MAX_DIGITS and _FLOAT.match(text):
        return "!!float"
    if text[:1].isascii() and (text[:1].isdigit() or text[:1] in "+-"):
        return _number_tag(text)
    return "!!str"


def _number_tag(text: str) -> str:
    if _is_date(text):
        return "!!timestamp"
    if _integer(text) is not None:
        return "!!int"
    plain = text.replace("_", "")
    return "!!float" if len(plain) <= MAX_DIGITS and _FLOAT.match(plain) else "!!str"


def _is_date(text: str) -> bool:
    match = _DATE.match(text)
    return match is not None and 1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31


def _integer(text: str) -> int | None:
    """What Go's ParseInt with base 0 makes of it, within 64 bits; underscores do not count."""
    plain = text.replace("_", "")
    sign, digits = ("-", plain[1:]) if plain[:1] == "-" else ("", plain.removeprefix("+"))
    lower = digits.lower()
    if not lower.isascii() or len(lower) > MAX_DIGITS:
        return None
    base, body = 10, lower
    for prefix, number in (("0x", 16), ("0b", 2), ("0o", 8)):
        if lower.startswith(prefix):
            base, body = number, lower[2:]
    if base == 10 and len(lower) > 1 and lower[0] == "0":
        base, body = 8, lower[1:]
    if not body.isalnum():
        return None
    try:
        value = int(sign + body, base)
    except ValueError:
        return None
    return value if -(2**63) <= value < 2**64 and not (plain[:1] == "+" and value >= 2**63) else None


def decode(kind: str, text: str, tag: str) -> Any:
    """A scalar as a field of that kind (see schema.py), or `REFUSED`. Nulls are the caller's business."""
    if kind == "string":
        return text
    if kind == "bool":
        if tag == "!!bool":
            return text in _TRUE
        if tag not in RESOLVED and text in _OLD_TRUE | _OLD_FALSE:
            return text in _OLD_TRUE
    if kind == "int":
        return _decode_int(text, tag)
    if kind == "duration" and tag not in RESOLVED:
        seconds = duration(text)
        return REFUSED if seconds is None else seconds
    return REFUSED


def plain_value(text: str, tag: str, *, plain: bool = True) -> Any:
    """A scalar as kubectl takes it, which also knows the words of YAML 1.1 for true and false where no quotes stand."""
    if tag == "!!null":
        return None
    if tag == "!!bool":
        return text in _TRUE
    if tag == "!!int":
        value = _integer(text)
        return text if value is None else value
    if tag == "!!float" and len(text) <= MAX_DIGITS and _FLOAT.match(text.replace("_", "")):
        return float(text.replace("_", ""))
    if plain and tag == "!!str" and text in _OLD_TRUE | _OLD_FALSE:
        return text in _OLD_TRUE
    return text


def contradicts(text: str, tag: str) -> str | None:
    """The tag a scalar really has, where an explicit one (`!!int abc`) says otherwise; that is fatal to go-yaml."""
    if tag not in RESOLVED:
        return None
    real = tag_of(text)
    return None if real == tag or (tag, real) == ("!!float", "!!int") else real


def _decode_int(text: str, tag: str) -> Any:
    if tag == "!!int":
        value = _integer(text)
        return value if value is not None and value < 2**63 else REFUSED
    if tag == "!!float" and not _SPECIAL_FLOAT.match(text):
        number = float(text.replace("_", ""))
        return int(number) if abs(number) < 2.0**63 else REFUSED
    return REFUSED


def duration(text: str) -> float | None:
    """Go's time.ParseDuration in seconds; None for what it refuses."""
    sign, rest = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while at < len(rest):
        match = _DURATION.match(rest, at)
        if match is None or match[1] in ("", ".") or not match[1].isascii() or len(match[1]) > MAX_DIGITS:
            return None
        total += float(match[1]) * _UNITS[match[2]]
        at = match.end()
    if not rest or total * 1e9 >= _MAX_NANOSECONDS:
        return None
    return sign * total
