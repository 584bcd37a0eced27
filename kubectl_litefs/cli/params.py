"""Types of option values: words with the nearest offered, Go durations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    WordType = click.ParamType[str]
    SecondsType = click.ParamType[float]
    LevelType = click.ParamType[int]
else:  # before click 8.4 it was no generic class
    WordType = SecondsType = LevelType = click.ParamType

NO_LIMIT = 86400.0
"""What "no timeout" means here: a day, in seconds."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Word(WordType):
    """One of a few words; a typo is answered with the nearest."""

    name = "word"

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "[" + "|".join(self.choices) + "]"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"There is {', '.join(self.choices)}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text not in self.choices:
            self.fail(f"{text!r} is none of {', '.join(self.choices)}{did_you_mean(text, self.choices)}", param, ctx)
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


def did_you_mean(text: str, choices: Sequence[str]) -> str:
    """`; did you mean X?`, or nothing."""
    near = difflib.get_close_matches(text.lower(), choices, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""


class GivenPath(click.Path):
    """A path that was meant: an empty one is a variable that is unset, and would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty path; is a variable unset?", param, ctx)
        return super().convert(value, param, ctx)


def one_bundle(ctx: click.Context, param: click.Parameter, given: tuple[Path, ...]) -> Path | None:
    """The value of `--from`. Of two, one would not be looked at, and nothing would say so."""
    if len(given) > 1:
        raise click.UsageError("--from takes one bundle at a time; kubectl litefs diff A B compares two", ctx)
    return given[0] if given else None


class Duration(SecondsType):
    """A Go duration (`1m30s`, `500ms`) or a plain number of seconds, as a float of seconds; `zero` is what 0 means."""

    name = "duration"

    def __init__(self, zero: float = NO_LIMIT) -> None:
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        seconds = parse_duration(str(value))
        if seconds is None:
            self.fail(f"{value!r} is no duration: write 5s, 1m30s, 500ms or a number of seconds", param, ctx)
        return seconds or self.zero


class Level(LevelType):
    """kubectl's `-v N`, 0 to 10."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if not text.isdigit() or int(text) > 10:
            self.fail(f"{text!r} is no number from 0 to 10", param, ctx)
        return int(text)


def parse_duration(text: str) -> float | None:
    """Seconds, None if it is no duration. Negative ones are refused."""
    text = text.strip()
    if re.fullmatch(r"\d+(\.\d*)?|\.\d+", text):
        return float(text)
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(n + u for n, u in parts) != text:
        return None
    return float(sum(float(n) * _UNITS[u] for n, u in parts))
