"""Suppressions as they are written."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.ignores import Malformed, read_entry, read_file

JAN = date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LFS203", ("LFS203", "", "", "", "", None)),
        ("lfs203", ("LFS203", "", "", "", "", None)),
        ("LFS203: one region", ("LFS203", "", "", "", "one region", None)),
        ("LFS203: a: b; c, d; until 2027-01-31", ("LFS203", "", "", "", "a: b; c, d", JAN)),
        ("LFS203: wait until spring", ("LFS203", "", "", "", "wait until spring", None)),
        ("LFS203; until: 2027-01-31", ("LFS203", "", "", "", "", JAN)),
        ("LFS203=StatefulSet/abaci/abaci-app", ("LFS203", "StatefulSet", "abaci", "abaci-app", "", None)),
        ("LFS203=sts/abaci-app: x", ("LFS203", "StatefulSet", "", "abaci-app", "x", None)),
        ("LFS203 = services/a/b : x ; until 2027-01-31 ", ("LFS203", "Service", "a", "b", "x", JAN)),
        ("ACME-1=File/litefs.yml", ("ACME-1", "File", "", "litefs.yml", "", None)),
    ],
)
def test_one_entry(text: str, expected: tuple[object, ...]) -> None:
    (read,) = read_entry(text, "here")
    assert (read.rule, read.kind, read.namespace, read.name, read.reason, read.until) == expected


def test_several_ids_share_what_stands_behind_them() -> None:
    assert [(s.rule, s.reason) for s in read_entry("LFS203, LFS208: one region", "here")] == [("LFS203", "one region"), ("LFS208", "one region")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not of the form"), ("LFS 203", "not of the form"), ("LFS203,", "not of the form"), ("=x", "not of the form"),
        ("LFS203=abaci-app", "names no object"), ("LFS203=a/b/c/d", "names no object"), ("LFS203=StatefulSet//x", "names no object"),
        ("LFS203=StatefulSett/a/b", "did you mean StatefulSet?"), ("LFS203: x; until 2027-02-30", "is no day"), ("LFS203; until soon", "is no day"),
        ("LFS203; untill 2027-01-31", "not of the form"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read_entry(text, "here")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_entry(text, "x")
    except Malformed:
        return
    assert read and all(s.rule and s.by == "x" for s in read)


def test_a_file_with_both_forms() -> None:
    found, problems = read_file(
        b"# known\nignore:\n- LFS203=sts/abaci/abaci-app: one region\n- rule: lfs208\n  subject: Pod/abaci/x\n  reason: yes\n  until: 2027-01-31\n", "f"
    )
    assert problems == ()
    assert found == (
        Suppression("LFS203", "f:3", "StatefulSet", "abaci", "abaci-app", "one region", None, standing=True),
        Suppression("LFS208", "f:4", "Pod", "abaci", "x", "yes", JAN, standing=True),
    )


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"ignore:\n", b"ignore: []\n", b"null\n"])
def test_an_empty_file_ignores_nothing(text: bytes) -> None:
    assert read_file(text, "f") == ((), ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"ignored:\n- LFS203\n", "f:1: unknown field 'ignored'; did you mean ignore?"),
        (b"ignore:\n- rule: LFS203\n  untill: 2027-01-31\n", "f:3: unknown field 'untill'; did you mean until?"),
        (b"ignore:\n- rule: LFS203\n  until: 2027-1-31\n", "f:2: '2027-1-31' is no day: write 2027-01-31"),
        (b"ignore:\n- reason: x\n", "f:2: an entry has no rule"),
        (b"ignore:\n- rule: LFS203\n  rule: LFS204\n", "f:3: rule stands here twice"),
        (b"ignore: LFS203\n", "f:1: ignore wants a list"),
        (b"- LFS203\n", "f:1: the file is no mapping: it wants ignore"),
        (b"ignore:\n- [LFS203]\n", "f:2: an entry is no mapping: it wants rule, subject, reason, until"),
        (b"ignore: [\n", "f:2: did not find expected node content"),
        (b"ignore:\n- \xff\n", "f:2: no UTF-8 text"),
        (b"#" * 2_000_000, "f:1: larger than 1024 KiB"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_told_with_its_line(text: bytes, says: str) -> None:
    _, problems = read_file(text, "f")
    assert says in [str(p) for p in problems]
