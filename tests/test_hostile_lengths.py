"""Long lines made of one thing again and again: what takes a moment must not take hours.

Each of these was quadratic once, and took from ten seconds to hours at SIZE. What is done is counted, never timed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubectl_litefs.errors import CouldNotLook
from kubectl_litefs.gather import redact
from kubectl_litefs.kube.kubeconfig import LARGEST
from kubectl_litefs.kube.kubeconfig import load as load_kubeconfig
from kubectl_litefs.parse import container_start
from kubectl_litefs.parse.container_start import kubelet_expand

from .cli.run import run
from .work import Stepped, growth, steps

SIZE = 60_000
TWICE = 2.5
"""How many times the work may be at twice the size: 2 where it is linear, 4 where it is quadratic."""


@pytest.mark.parametrize(("begin", "piece", "end"), [("", "a", " key"), ("", "a", "key"), ("", "token", ""), ("", "key.", "="), ("password", " ", "x")])
def test_a_long_line_is_redacted_in_a_moment(begin: str, piece: str, end: str) -> None:
    line = begin + piece * (SIZE // len(piece)) + end
    assert len(redact.text(line)) >= len(line) - 1
    for _, pattern, _ in redact._RULES:
        long, twice = (steps(pattern, begin + piece * n + end) for n in (100, 200))
        assert twice < TWICE * long, pattern.pattern


@pytest.mark.parametrize(("pattern", "piece"), [(r"[\w.-]*key=", "a"), (r"\$\(([^)]*)\)", "$("), (r"\s*[=:]", " ")])
def test_the_count_of_steps_tells_a_pattern_that_is_tried_again_from_each_place(pattern: str, piece: str) -> None:
    long, twice = (steps(re.compile(pattern), piece * n) for n in (100, 200))
    assert twice > 3.5 * long


def test_a_secret_behind_a_long_name_is_still_taken_out() -> None:
    assert redact.text("my.very-long_password.of-the_database=hunter2") == "my.very-long_password.of-the_database=REDACTED"
    assert redact.text("a" * SIZE + "_token: hunter2") == "a" * SIZE + "_token: REDACTED"
    assert redact.text("token_" + "a" * SIZE + ": hunter2") == "token_" + "a" * SIZE + ": REDACTED"


@pytest.mark.parametrize("closed", ["", ")"])
def test_references_that_never_end_are_passed_over_in_a_moment(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kubelet_expand("$(" * SIZE, {}) == "$(" * SIZE
    counted = [Stepped(container_start._REFERENCE), Stepped(container_start._UNCLOSED)]
    monkeypatch.setattr(container_start, "_REFERENCE", counted[0])
    monkeypatch.setattr(container_start, "_UNCLOSED", counted[1])
    done = [0]
    for n in (200, 400):
        kubelet_expand(closed + "$(" * n + closed, {})
        done.append(sum(c.steps for c in counted) - sum(done))
    assert done[1] > 0
    assert done[2] < TWICE * done[1]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("$(A", "$(A"), ("$(A) $(A $$", "1 $(A $"), ("$(B) $(A)$$(", "$(B) 1$("), ("$($(A)", "$($(A)"), ("x) $$", "x) $"), ("$", "$")],
)
def test_references_are_expanded_as_the_kubelet_does(text: str, expanded: str) -> None:
    assert kubelet_expand(text, {"A": "1"}) == expanded


@pytest.mark.parametrize("piece", ["$", "${A}", "${A == 'b'} "])
@pytest.mark.parametrize("before", ["lease:\n  type: static\n  hostname: ", 'lease: {type: static}\nexec: "'], ids=["YAML", "no YAML"])
def test_a_line_of_variables_is_read_in_a_moment(before: str, piece: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def lint(uses: int) -> None:
        path = tmp_path / "litefs.yml"
        path.write_text(before + piece * uses + "\n", "utf8")
        assert run(capsys, "lint", str(path)).code in (0, 1)

    assert growth(lint, 400) < TWICE


def test_an_instruction_of_many_lines_is_read_in_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def lint(lines: int) -> None:
        path = tmp_path / "Dockerfile"
        path.write_text("FROM flyio/litefs:0.5\nENV A=" + "A=b \\\n" * lines + "B=c\nCMD litefs mount\n", "utf8")
        assert run(capsys, "lint", str(path)).code in (0, 1)

    assert growth(lint, 1500) < TWICE


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"apiVersion: v1\nx: " + b"[" * 100_000, "nested too deeply|nesting depth"),  # newer libyaml says it itself
        (b'{"a":' * 100_000, "nested too deeply"),
        (b" " * (LARGEST + 1), "it has more than 16 MiB"),
    ],
    ids=["deep YAML", "deep JSON", "endless"],
)
def test_a_hostile_kubeconfig_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(CouldNotLook, match=told):
        load_kubeconfig(None, {"KUBECONFIG": str(path)})
