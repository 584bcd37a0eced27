"""Lines worth a look: the same ones whoever searches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.parse import log_find
from kubectl_litefs.parse.log_blocks import Block
from kubectl_litefs.parse.log_find import NO_HYPERSCAN, Finder, hyperscan
from kubectl_litefs.parse.log_lines import HEADS
from kubectl_litefs.parse.log_match import ANYONE
from kubectl_litefs.parse.logs import LogReader

STAMP = "2026-11-23T12:23:37.831756437Z "
PIECES = st.sampled_from(
    [
        *HEADS, *(word.decode() for word in ANYONE), "\n", "\n", "\n", "\x1b[0m", STAMP, 'level=INFO msg="', '{"level":"WARN","msg":"',
        "00000000000000A1: ", "F: ", '"', " ", "ERROR: ", "LiteFS v0.5.14, commit=0", "panic: x", "config file read from /etc/litefs.yml",
        'time=2026-11-23T12:23:37Z level=INFO msg="', "Using static primary: primary=true hostname=a advertise-url=http://a:1", "é", "\0",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=60).map(lambda pieces: "\n" + "".join(pieces))


@pytest.fixture
def fast() -> None:
    """hyperscan is an extra; CI has it on Linux."""
    pytest.importorskip("hyperscan")
    if hyperscan() is None:
        pytest.skip("hyperscan is installed, but not usable or not wanted here")


def read(text: str, find: Finder) -> object:
    data = text.encode("utf8", "replace")
    reader = LogReader("x", True, find=find)
    reader.read(Block(1, data, "x", range(1, 1 + data.count(b"\n"))))
    return reader.result()


@pytest.mark.usefixtures("fast")
@given(TEXTS)
def test_the_same_findings_with_and_without_hyperscan(text: str) -> None:
    data = text.encode("utf8", "replace")
    assert Finder(worth=0)(data) == Finder()(data)
    assert read(text, Finder(worth=0)) == read(text, Finder())


@pytest.mark.usefixtures("fast")
def test_every_beginning_and_every_word_is_found_both_ways() -> None:
    lines = [f'level=INFO msg="00000000000000A1: {head}x"' for head in HEADS] + [f'{{"level":"INFO","msg":"{head}"}}' for head in HEADS]
    lines += ["GET /items 200", *(f"it says {word.decode()}" for word in ANYONE)]
    block = "".join("\n" + line for line in lines).encode()
    found = Finder(worth=0)(block)
    assert len(found) == len(lines) - 1
    assert found == Finder()(block)


@pytest.mark.usefixtures("fast")
def test_hyperscan_takes_over_once_there_is_much_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    scan = log_find._scan
    monkeypatch.setattr(log_find, "_scan", lambda database, block: searched.append(len(block)) or scan(database, block))
    find, block = Finder(worth=250), b"\n" + b"x" * 99
    for _ in range(4):
        find(block)
    assert searched == [100, 100]


def test_without_hyperscan_all_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hyperscan.cache_clear()
    monkeypatch.setenv(NO_HYPERSCAN, "1")
    try:
        assert hyperscan() is None
        assert Finder(worth=0)(b'\nx\nlevel=INFO msg="connected to cluster, ready"') == [2]
    finally:
        hyperscan.cache_clear()


def test_a_word_beyond_what_is_looked_at_does_not_count() -> None:
    word = ANYONE[0]
    near, far = b"\n" + b"a" * 100 + word, b"\n" + b"a" * log_find.LONGEST + word
    assert Finder()(far + near) == [len(far)]
