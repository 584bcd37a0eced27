"""Long lines made of one thing again and again: what takes a moment must not take hours.

Each of these was quadratic once, and took from ten seconds to hours at this size.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kubectl_litefs.errors import CouldNotLook
from kubectl_litefs.gather import redact
from kubectl_litefs.kube.kubeconfig import LARGEST
from kubectl_litefs.kube.kubeconfig import load as load_kubeconfig
from kubectl_litefs.parse.container_start import kubelet_expand

from .cli.run import run

SIZE = 60_000
MOMENT = 8.0
"""Seconds; none of it takes more than one."""


@pytest.mark.parametrize("line", ["a" * SIZE + " key", "a" * SIZE + "key", "token" * (SIZE // 5), "key." * (SIZE // 4) + "=", "password" + " " * SIZE + "x"])
def test_a_long_line_is_redacted_in_a_moment(line: str) -> None:
    began = time.monotonic()
    assert len(redact.text(line)) >= len(line) - 1
    assert time.monotonic() - began < MOMENT


def test_a_secret_behind_a_long_name_is_still_taken_out() -> None:
    assert redact.text("my.very-long_password.of-the_database=hunter2") == "my.very-long_password.of-the_database=REDACTED"
    assert redact.text("a" * SIZE + "_token: hunter2") == "a" * SIZE + "_token: REDACTED"
    assert redact.text("token_" + "a" * SIZE + ": hunter2") == "token_" + "a" * SIZE + ": REDACTED"


def test_references_that_never_end_are_passed_over_in_a_moment() -> None:
    began = time.monotonic()
    assert kubelet_expand("$(" * SIZE, {}) == "$(" * SIZE
    assert time.monotonic() - began < MOMENT


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("$(A", "$(A"), ("$(A) $(A $$", "1 $(A $"), ("$(B) $(A)$$(", "$(B) 1$("), ("$($(A)", "$($(A)"), ("x) $$", "x) $"), ("$", "$")],
)
def test_references_are_expanded_as_the_kubelet_does(text: str, expanded: str) -> None:
    assert kubelet_expand(text, {"A": "1"}) == expanded


@pytest.mark.parametrize("piece", ["$", "${A}", "${A == 'b'} "])
@pytest.mark.parametrize("before", ["lease:\n  type: static\n  hostname: ", 'lease: {type: static}\nexec: "'], ids=["YAML", "no YAML"])
def test_a_line_of_variables_is_read_in_a_moment(before: str, piece: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "litefs.yml"
    path.write_text(before + piece * (SIZE // len(piece)) + "\n", "utf8")
    began = time.monotonic()
    assert run(capsys, "lint", str(path)).code in (0, 1)
    assert time.monotonic() - began < MOMENT


def test_an_instruction_of_many_lines_is_read_in_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM flyio/litefs:0.5\nENV A=" + "A=b \\\n" * (2 * SIZE // 6) + "B=c\nCMD litefs mount\n", "utf8")
    began = time.monotonic()
    assert run(capsys, "lint", str(path)).code in (0, 1)
    assert time.monotonic() - began < MOMENT


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"apiVersion: v1\nx: " + b"[" * 100_000, "nested too deeply"),
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
