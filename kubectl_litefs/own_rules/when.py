"""One entry of `when`: what is looked at, and what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ..model.quantity import quantity
from ..parse.schema import FIELDS, Field, nearest
from ..parse.strict_yaml import Strict
from ..parse.yaml_scalars import duration
from ..parse.yaml_tree import Node
from . import paths
from .asks import NAMES, Ask, Number
from .conditions import Condition, FieldIs, LogSays, MetricIs, SettingIs
from .patterns import problem as pattern_problem

SOURCES = ("field", "log", "metric", "setting")
METRICS = (
    "litefs_is_primary", "litefs_db_count", "litefs_subscriber_count", "litefs_http_stream_count", "litefs_lag_seconds", "litefs_db_txid",
    "litefs_db_lag_seconds", "litefs_db_commit_count", "litefs_db_database_write_count", "litefs_db_journal_write_count",
    "litefs_db_wal_write_count", "litefs_db_shm_write_count", "litefs_db_ltx_bytes", "litefs_db_ltx_count", "litefs_db_ltx_reap_count",
    "litefs_http_frame_send_count",
)  # fmt: skip
"""What LiteFS 0.5 serves under /metrics."""


@dataclass(frozen=True, slots=True)
class Read:
    """A condition and the names that its pattern captures."""

    condition: Condition
    groups: tuple[str, ...] = ()


def read_condition(strict: Strict, node: Node, kind: str) -> Read | None:
    """None where something is wrong with it."""
    before = len(strict.problems)
    parts = strict.mapping(node, (*SOURCES, *NAMES, "seen", "run"), what="a condition")
    sources = [s for s in SOURCES if s in parts]
    if len(sources) != 1:
        if len(strict.problems) == before:
            strict.wrong(node, f"a condition names one of {', '.join(SOURCES)}")
        return None
    source = sources[0]
    if source != "field" and kind != "Pod":
        strict.wrong(parts[source], f"only a Pod has a {source}: leave out kind, or ask for a field")
    make = {"field": _field, "log": _log, "metric": _metric, "setting": _setting}[source]
    read = make(strict, node, parts, kind)
    return read if len(strict.problems) == before else None


def _only(strict: Strict, parts: Mapping[str, Node], source: str, allowed: tuple[str, ...]) -> list[str]:
    """The keys beside the source; one that says nothing there is a problem."""
    for key in parts:
        if key != source and key not in allowed:
            strict.wrong(parts[key], f"{key} says nothing beside {source}; {nearest(key, allowed)}")
    return [k for k in parts if k in allowed]


def _field(strict: Strict, node: Node, parts: Mapping[str, Node], kind: str) -> Read | None:
    text = strict.text(parts["field"], "field")
    path = paths.parse(text)
    wrong = "is no path: write spec.containers.*.image" if path is None else paths.problem(kind, path)
    if wrong and text:
        strict.wrong(parts["field"], f"{text!r}: {wrong}" if path is None else wrong)
    ask = _ask(strict, node, parts, "field", quantity, "a quantity such as 3, 500m or 1Gi")
    return Read(FieldIs(path, ask), _groups(ask)) if path is not None and ask is not None else None


def _log(strict: Strict, node: Node, parts: Mapping[str, Node], kind: str) -> Read | None:
    _only(strict, parts, "log", ("seen", "run"))
    pattern = strict.text(parts["log"], "log")
    if not _good(strict, parts["log"], pattern):
        return None
    seen = _word(strict, parts.get("seen"), "seen", ("true", "false"))
    run = _word(strict, parts.get("run"), "run", ("current", "previous"))
    groups = () if seen == "false" else tuple(re.compile(pattern).groupindex)
    return Read(LogSays(pattern, "previous" if run == "previous" else "log", seen != "false"), groups)


def _metric(strict: Strict, node: Node, parts: Mapping[str, Node], kind: str) -> Read | None:
    name = strict.text(parts["metric"], "metric")
    if name and name not in METRICS:
        strict.wrong(parts["metric"], f"LiteFS has no metric {name!r}; {nearest(name, METRICS)}")
    ask = _ask(strict, node, parts, "metric", _plain, "a number", tuple(n for n in NAMES if n != "regex"))
    if ask is not None and ask.name in ("equals", "not-equals", "in", "not-in") and not all(_plain(w) is not None for w in ask.wanted):
        strict.wrong(parts[ask.name], f"{ask.name} wants a number beside a metric")
    return Read(MetricIs(name, ask)) if ask is not None else None


def _setting(strict: Strict, node: Node, parts: Mapping[str, Node], kind: str) -> Read | None:
    key = strict.text(parts["setting"], "setting")
    field = FIELDS.get(key)
    if field is None:
        if key:
            strict.wrong(parts["setting"], f"litefs.yml has no key {key!r}; {nearest(key, tuple(FIELDS))}")
        return None
    seconds = field.type == "duration"
    ask = _ask(strict, node, parts, "setting", _seconds if seconds else _plain, "a duration such as 30s" if seconds else "a number")
    if ask is None:
        return None
    ask, wrong = _typed(ask, field)
    if wrong:
        strict.wrong(parts[ask.name], f"{key} can never be {wrong!r}: it is {_TYPES[field.type]}")
    return Read(SettingIs(key, ask), _groups(ask))


_TYPES = {"bool": "true or false", "int": "a whole number", "duration": "a duration such as 30s", "string": "a text", "list": "a list of texts"}


def _typed(ask: Ask, field: Field) -> tuple[Ask, str]:
    """What is compared, in the form that the value will have; and the first that the setting can never be."""
    if ask.name not in ("equals", "not-equals", "in", "not-in"):
        return ask, ""
    made, wrong = [], ""
    for text in ask.wanted:
        seconds = duration(text) if field.type == "duration" else None
        fits = {"bool": text in ("true", "false"), "int": re.fullmatch(r"-?\d+", text) is not None, "duration": seconds is not None}
        if not fits.get(field.type, True):
            wrong = wrong or text
        made.append(text if seconds is None else f"{seconds:g}")
    return Ask(ask.name, tuple(made)), wrong


def _groups(ask: Ask | None) -> tuple[str, ...]:
    return tuple(ask.pattern.groupindex) if ask is not None and ask.pattern is not None else ()


def _plain(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(str(value))
    except ValueError:
        return None


def _seconds(value: object) -> float | None:
    return value if isinstance(value, float) else duration(str(value))


def _ask(
    strict: Strict, node: Node, parts: Mapping[str, Node], source: str, number: Number, form: str, allowed: tuple[str, ...] = NAMES
) -> Ask | None:
    """What is asked: exactly one thing."""
    asked = _only(strict, parts, source, allowed)
    if len(asked) != 1:
        strict.wrong(node, f"{source} wants exactly one of {', '.join(allowed)}")
        return None
    name = asked[0]
    value = parts[name]
    if name == "exists":
        word = _word(strict, value, name, ("true", "false"))
        return Ask(name, (word,)) if word else None
    if name in ("in", "not-in"):
        if value.kind != "seq" or not value.items:
            strict.wrong(value, f"{name} wants a list")
        return Ask(name, strict.texts(value, name))
    text = strict.text(value, name, empty=value.kind == "scalar" and not value.null)
    if name == "regex":
        return Ask(name, (text,), re.compile(text)) if _good(strict, value, text) else None
    if name in ("above", "below"):
        limit: Fraction | float | None = number(text)
        if limit is None:
            strict.wrong(value, f"{name} wants {form}, not {text!r}")
        return Ask(name, (text,), None, limit, number)
    return Ask(name, (text,))


def _word(strict: Strict, node: Node | None, what: str, words: tuple[str, ...]) -> str:
    text = strict.text(node, what)
    if node is not None and text and text not in words:
        strict.wrong(node, f"{what} is {' or '.join(words)}, not {text!r}")
        return ""
    return text


def _good(strict: Strict, node: Node, pattern: str) -> bool:
    wrong = pattern_problem(pattern) if pattern else None
    if wrong:
        strict.wrong(node, f"the pattern {pattern[:60]!r} {'is ' if wrong.startswith(('no ', 'longer', 'too ', 'nested')) else ''}{wrong}")
    return bool(pattern) and not wrong
