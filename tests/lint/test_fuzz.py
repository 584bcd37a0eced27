"""Files that are damaged in every way: nothing raises, nothing takes for ever, places lie inside the file.

`make fuzz` runs many more examples. The seeds are the cases of this folder.
"""

from __future__ import annotations

import random
from datetime import datetime, timezone
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_litefs import engine
from kubectl_litefs.gather.gitignore import ignored, rules_of
from kubectl_litefs.model.origin import GapReason
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.parse.files.docker_lines import instructions
from kubectl_litefs.parse.files.dockerfile import read_dockerfile
from kubectl_litefs.parse.files.kubernetes import objects_in
from kubectl_litefs.parse.files.recognise import recognise
from kubectl_litefs.parse.files.text import Unreadable, decode
from kubectl_litefs.rules import ALL

from .. import quick_yaml
from ..work import work
from .test_cases import text_of

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=timezone.utc)


def seeds() -> dict[str, str]:
    """Name -> text of every file of every case."""
    found = {}
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for case, body in quick_yaml.load(path.read_text("utf8")).items():
            for name, given_text in (body.get("files") or {"app.yaml": {"edit": body.get("edit", {})}}).items():
                found[f"{case}/{name}"] = text_of(given_text)
    return found


SEEDS = seeds()
INSERTED = ["\t", "  ", "\n", "---\n", ":", "- ", "{{ .x }}", "{% if %}", "*a", "&a ", "<<: *a", "|", ">-", "'", '"', "\\", "`", "${", "}", "$", "$$", "#",
            "<<EOF\n", "EOF\n", "\r", "\x00", "\u2028", "\ue000", "\U000f0000", "[" * 300, "FROM x\n", "kind: List\n", "!!int ", "? ", "%YAML 1.2\n", "\ufeff", "0x", "~"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of a case with some pieces lost, doubled, swapped or put in."""
    name = draw(st.sampled_from(sorted(SEEDS)))
    text, chance = SEEDS[name], draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(0, 6))):
        text = _damage(text, chance)
    data = text.encode("utf8", "surrogatepass")
    if draw(st.booleans()) and data:
        at = chance.randrange(len(data))
        data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    return name, data


def _damage(text: str, chance: random.Random) -> str:
    a, b = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    b = min(b, a + 200)
    kind = chance.randrange(5)
    if kind == 0:
        return text[:a] + text[b:]
    if kind == 1:
        return text[:b] + text[a:]
    if kind == 2:
        return text[:a] + chance.choice(INSERTED) + text[a:]
    if kind == 3:
        lines = text.split("\n")
        chance.shuffle(lines)
        return "\n".join(lines)
    return text[:a]


def judged(files: dict[str, bytes]) -> Report:
    items = {f"files/{n}": Item(f"files/{n}", lambda data=data: iter((data,))) for n, data in files.items()}  # type: ignore[misc]
    return engine.judge(assemble(Snapshot(items, (), (), NOW, "files", wanted=tuple(items))), ALL)


@given(st.lists(damaged(), min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_damaged_files_are_judged_or_said_to_be_unreadable(files: list[tuple[str, bytes]]) -> None:
    given_files = dict(files)
    report = judged(given_files)
    crashed = [c.gaps for c in report.checks if c.status.value == "crashed"]
    assert not crashed, f"no rule breaks: {crashed}"
    for finding in report.findings:
        for seen in finding.evidence:
            assert seen.source in given_files, f"{finding.rule}: {seen}"
            assert seen.line is not None and seen.column is not None, f"{finding.rule}: {seen}"
            lines = decode(given_files[seen.source]).split("\n")
            assert 1 <= seen.line <= len(lines), f"{finding.rule}: {seen}"
            assert 1 <= seen.column <= len(lines[seen.line - 1]) + 1, f"{finding.rule}: {seen}"
    for gap in report.gaps:
        if gap.why is GapReason.UNPARSED:
            assert gap.detail.startswith(f"{gap.what}:")


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda t: t.encode("utf8", "surrogatepass")))
def test_anything_at_all_is_read_or_refused(data: bytes) -> None:
    try:
        text = decode(data)
    except Unreadable:
        return
    recognise("x", text)
    for found in objects_in("x", text):
        assert not isinstance(found, Unreadable) or 1 <= found.line <= text.count("\n") + 2
    read_dockerfile("x", text)


@given(st.lists(st.sampled_from(["RUN ", "ENV ", "FROM ", "ARG ", "COPY ", "A=", "$A", "${A", ":-", "}", "\\", "\n", "`", "'", '"', "<<E", "E", " ", "# escape=`", "[", "]", "x"]), max_size=60))
def test_any_dockerfile_is_read(pieces: list[str]) -> None:
    text = "".join(pieces)
    total = text.count("\n") + 1
    for one in instructions(text):
        assert 1 <= one.line <= total
    built = read_dockerfile("Dockerfile", text)
    assert built is None or built.start.line


@given(st.text("ab*?[]!\\/.-^ #\n", max_size=40), st.text("ab/.", min_size=1, max_size=12))
def test_any_gitignore_is_read(text: str, path: str) -> None:
    assert work(lambda: ignored(rules_of(text, ""), path, directory=False)) < 20_000


def test_patterns_that_could_take_for_ever() -> None:
    rules = rules_of("*a*a*a*a*a*a*a*a*a*a*b\n**/a/**/a/**/a/**/a/**/a/**/b\n", "")
    for path in ("a" * 60, "/".join("a" * 60)):
        assert not ignored(rules, path, directory=False)
        assert work(lambda path=path: ignored(rules, path, directory=False)) < 20_000  # type: ignore[misc]
