"""Take secrets out of what enters a snapshot. Live and saved runs see the same, redacted bytes. Idempotent.

Names and structure stay. What LiteFS needs to be understood (host names, ids, URLs, positions) is never touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MARK = "REDACTED"
_WORDS = r"(?:pass(?:word|wd|phrase)|secret|token|api[-_]?key|private[-_]?key|access[-_]?key|credential|authorization)"
SECRET_NAME = re.compile(rf"(?i){_WORDS}|(?:^|[-_])(?:auth|pwd|pw)$")
"""A variable or key whose value is a secret by its name."""

_SECRET_WORDS = ("pass", "secret", "token", "key", "credential", "authorization")
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("-----begin",), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MARK),
    (("eyj",), re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MARK),
    (("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MARK),
    (
        ("gh", "xox", "flyv1"),
        re.compile(r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|FlyV1 \S+)"),
        MARK,
    ),
    (("@",), re.compile(r"(://[^/\s@:\"']*:)[^/\s@\"']+@"), rf"\1{MARK}@"),
    (("bearer ", "basic "), re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{8,}"), rf"\1 {MARK}"),
    (
        _SECRET_WORDS,
        re.compile(
            rf"(?i)(?<![\w.-])(?=[\w.-]*{_WORDS})([\w.-]+\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!\$|{MARK}|true\b|false\b|null\b|\[|\{{|<)([^\s\"'\\,;&|}}]+)"
        ),
        rf"\1{MARK}",
    ),
)
"""(what a match contains in lower case, pattern, replacement): the cheap test keeps long logs cheap. A repetition without
end at the beginning of a pattern is tried only where its characters begin: from each of them, a long line without blanks takes hours."""
DROPPED_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)


def text(value: str) -> str:
    """Secrets by shape: private keys, tokens, passwords in URLs, `password=...`. `${VAR}` references stay."""
    lower = value.lower()
    for needles, pattern, replacement in _RULES:
        for needle in needles:  # of each text of each object: a generator costs three times as much
            if needle in lower:
                value = pattern.sub(replacement, value)
                break
    return value


def log(data: bytes) -> bytes:
    """The same for a log. Bytes that are no UTF-8 survive."""
    return text(data.decode("utf8", "surrogateescape")).encode("utf8", "surrogateescape")


def obj(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A Kubernetes object without managedFields and without secret values."""
    cleaned = _walk(raw)
    assert isinstance(cleaned, dict)
    metadata = cleaned.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            for name in DROPPED_ANNOTATIONS:
                annotations.pop(name, None)
            metadata["annotations"] = {k: _value(k, v) for k, v in annotations.items()}
    if cleaned.get("kind") == "ConfigMap":
        data = cleaned.get("data")
        if isinstance(data, dict):
            cleaned["data"] = {k: _value(k, v) for k, v in data.items()}
        cleaned.pop("binaryData", None)
    return cleaned


def _value(name: str, value: Any) -> Any:
    return MARK if isinstance(value, str) and value and SECRET_NAME.search(name) else value


def _walk(value: Any) -> Any:
    """All strings by shape; `{name, value}` pairs, as env vars are, by name too."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        walked = {k: _walk(v) for k, v in value.items()}
        if isinstance(walked.get("name"), str) and isinstance(walked.get("value"), str):
            walked["value"] = _value(walked["name"], walked["value"])
        return walked
    if isinstance(value, list):
        return [_walk(v) for v in value]
    return value


def debug_vars(data: bytes) -> bytes:
    """/debug/vars without anything but `store`: `cmdline` can hold tokens. What is no such document stays as it is, cut."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return log(data[:4096])
    if not isinstance(document, dict):
        return log(data[:4096])
    kept = {"store": document["store"]} if "store" in document else {}
    return json.dumps(kept, indent=1, ensure_ascii=False).encode("utf8", "surrogatepass") + b"\n"  # in LiteFS's own order


def canonical(document: Any) -> bytes:
    """One JSON text for one value."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False).encode("utf8", "surrogatepass") + b"\n"
