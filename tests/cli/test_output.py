"""Whether there is a terminal, and what may be written to it."""

from __future__ import annotations

import io
import sys

import pytest

from kubectl_litefs.cli.output import ProgressLine, screen


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "flag", "env", "expected"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (True, "auto", {"TERM": "dumb"}, False),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (False, "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (False, "auto", {"FORCE_COLOR": "0"}, False),
        (False, "always", {"NO_COLOR": "1"}, True),
        (True, "never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(monkeypatch: pytest.MonkeyPatch, terminal: bool, flag: str, env: dict[str, str], expected: bool) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal() if terminal else io.StringIO())
    shown = screen(flag)
    assert shown.color is expected
    assert shown.fancy is terminal


def test_a_pipe_is_eighty_columns_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert screen().width == 80
    monkeypatch.setenv("COLUMNS", "140")
    assert screen().width == 140


def test_progress_is_for_terminals_and_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet, loud = io.StringIO(), Terminal()
    monkeypatch.setattr(sys, "stderr", quiet)
    ProgressLine().progress("reading")
    assert quiet.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", loud)
    ProgressLine().progress("reading \x1b[2J")
    assert loud.getvalue() == "\r\x1b[Kreading ?[2J"
