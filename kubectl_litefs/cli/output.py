"""The terminal: whether there is one, how wide it is, whether it takes colour; and writing to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass

from ..errors import CouldNotLook

DEFAULT_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Screen:
    """How text output is to look. `fancy` allows box characters and rules; `width` is in columns."""

    width: int
    color: bool
    fancy: bool


def screen(color: str = "auto") -> Screen:
    """What stdout is. NO_COLOR and FORCE_COLOR decide where `--color` is `auto`."""
    terminal = is_terminal(sys.stdout)
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if terminal else _columns()
    return Screen(max(40, width), _wants_color(color, terminal), terminal and utf8)


def _columns() -> int:
    value = os.environ.get("COLUMNS", "")
    return int(value) if value.isdigit() and int(value) > 0 else DEFAULT_WIDTH


def _wants_color(color: str, terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def is_terminal(stream: object) -> bool:
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False


def emit(text: str) -> None:
    """Write a result to stdout. A reader who left early (`| head`) is no error; a full disk is."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        drop_stdout()
        raise CouldNotLook("cannot-write", f"cannot write the result to standard output: {error.strerror}") from error


def drop_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush cannot fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def no_stdout_surprises() -> None:
    """A closed stdout or stderr, or one that cannot encode a name, must not end the run with a traceback."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


class ProgressLine:
    """An Observer: one line on stderr that overwrites itself, if stderr is a terminal."""

    def __init__(self) -> None:
        self._on = is_terminal(sys.stderr)

    def progress(self, text: str) -> None:
        if not self._on:
            return
        from ..render.words import clean

        room = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns - 1
        with contextlib.suppress(OSError):
            sys.stderr.write("\r\x1b[K" + clean(text)[:room])
            sys.stderr.flush()
