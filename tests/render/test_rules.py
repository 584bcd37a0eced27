"""The rule table and one rule in full."""

from __future__ import annotations

from kubectl_litefs.model.rule import Severity
from kubectl_litefs.render.rules import explain, table, table_version

from .reports import passes

RULES = (
    passes("LFS101", name="cluster-id-mismatch", title="A replica belongs to another cluster " + "x" * 40, gotcha=5),
    passes("LFS309", name="replica-disconnected", follows=("LFS101",), severity=Severity.WARNING),
)


def test_a_pipe_gets_every_column_whole() -> None:
    head, first, _ = table(RULES, width=None, color=False).splitlines()
    assert head.split() == ["ID", "SEVERITY", "NAME", "GOTCHA", "TITLE"]
    assert first.split()[:4] == ["LFS101", "error", "cluster-id-mismatch", "5"]
    assert first.endswith(RULES[0].title)


def test_a_narrow_screen_gets_titles_that_fit() -> None:
    for width in (60, 80, 120):
        rows = table(RULES, width=width, color=False).splitlines()
        assert max(map(len, rows)) <= width
        assert ("cluster-id-mismatch" in rows[1]) is (width == 120)


def test_the_steps_of_a_remedy_hang_under_their_numbers() -> None:
    told = explain(passes("LFS101", fix=("Look " * 20 + ".", "Act.")), RULES, width=60, color=False)
    rows = [r for r in told.splitlines() if "Look" in r]
    assert rows[0].startswith("remedy    1. Look")
    assert rows[1].startswith("             Look")
    assert "          2. Act." in told


def test_relations_are_told_both_ways() -> None:
    assert "causes    LFS309 replica-disconnected" in explain(RULES[0], RULES, width=80, color=False)
    assert "caused by LFS101 cluster-id-mismatch" in explain(RULES[1], RULES, width=80, color=False)


def test_the_table_has_a_version_that_follows_it() -> None:
    assert table_version(RULES) != table_version(RULES[:1])
    assert table_version(RULES) == table_version(RULES)
