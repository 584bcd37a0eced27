"""The reader of TOML agrees with Python's own, on what it takes and on what it refuses; and it knows the places."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.model.origin import Place
from kubectl_litefs.parse.files.text import Unreadable
from kubectl_litefs.parse.files.toml_tree import TomlTree

DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d:\d\d:\d\d.*")
KEYS = st.lists(st.sampled_from(["a", "b", '"k e"', "'q'"]), min_size=1, max_size=3).map(".".join)
SCALARS = st.sampled_from(
    ["1", "-0", "+1", "0x1F", "0b11", "1_000", "01", "1__0", "1.5", "1e3", "nan", "-inf", ".5", "1.", "true", "tru", '"x"', "'y'", '""', '"\\t\\u0041"', '"\\q"',
     '"\\uD800"', '"""\na\nb"""', '""""x""""', '"""a\\\n  b"""', "'''\nq'''", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", '"a\tb"', '"open', ""]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.tuples(st.lists(inner, max_size=3), st.sampled_from(["", ",", "\n", " # c\n"])).map(lambda t: "[" + ", ".join(t[0]) + t[1] + "]"),
        st.lists(st.tuples(KEYS, inner), max_size=3).map(lambda pairs: "{" + ", ".join(f"{k} = {v}" for k, v in pairs) + "}"),
    ),
    max_leaves=5,
)
LINES = st.one_of(
    KEYS.map("[{}]".format), KEYS.map("[[{}]]".format), st.tuples(KEYS, VALUES).map(" = ".join), st.sampled_from(["# c", "", "[a", "a", "= 1", "a = 1 b = 2"])
)
TEXTS = st.lists(LINES, max_size=6).map("\n".join)


def plain(value: Any) -> Any:
    """With words for what Python has types for, and we keep as it is written: dates. True and 1 are told apart."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if hasattr(value, "isoformat") or (isinstance(value, str) and DATE.fullmatch(value)):
        return "a date"
    return repr(value)


def read(text: str) -> Any:
    try:
        return plain(TomlTree("fly.toml", text).value)
    except Unreadable:
        return None


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python has a reader of TOML since 3.11")
@settings(max_examples=400)
@given(TEXTS)
def test_it_reads_what_python_reads(text: str) -> None:
    import tomllib

    try:
        wanted = plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        wanted = None
    assert read(text) == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[a]\nb.c = 1\n[[d]]\n[[d]]\ne = 'x'", {"a": {"b": {"c": 1}}, "d": [{}, {"e": "x"}]}),
        ('a = """\nx\n"""\nb = [1, # one\n 2,\n]', {"a": "x\n", "b": [1, 2]}),
        ("a = {b = 1, c.d = true}", {"a": {"b": 1, "c": {"d": True}}}),
    ],
)
def test_tables_lists_and_texts(text: str, value: object) -> None:
    assert TomlTree("fly.toml", text).value == value


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\na = 2", 2), ("[a]\n[a]", 2), ("a = {b = 1}\n[a.c]", 2), ("a = [1]\n[[a]]", 2), ("a = 1 2", 1), ("\n\n= 1", 3), ("[[a]\n", 1),
     ("a = " + "[" * 60, 1), (".".join("a" * 60) + " = 1", 1), ('a = "x\ny"', 1), ("a = {b = 1,}", 1)],
)  # fmt: skip
def test_what_is_no_toml_is_said_with_its_line(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as raised:
        TomlTree("fly.toml", text)
    assert raised.value.line == line
    assert raised.value.message.startswith("no TOML: ")


def test_places() -> None:
    tree = TomlTree("f", 'a = 1\n[b]\n  c.d = "x"\n[[e]]\n[[e]]\n f = [1,\n  2]\n g = {h = 1}\n')
    found = {keys: tree.place(keys) for keys in [("a",), ("b",), ("b", "c", "d"), ("e", "1"), ("e", "1", "f", "1"), ("e", "1", "g", "h"), ("b", "nothing")]}
    assert {k: (p.line, p.column) for k, p in found.items()} == {
        ("a",): (1, 1), ("b",): (2, 1), ("b", "c", "d"): (3, 3), ("e", "1"): (5, 1), ("e", "1", "f", "1"): (7, 3), ("e", "1", "g", "h"): (8, 7),
        ("b", "nothing"): (2, 1),
    }  # fmt: skip
    assert tree.place(("nothing",)) == Place("f", 1, 1)
