"""Who is told while a fix runs: a live list on a terminal, plain lines in a log, events for a program. All on stderr."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from ..render.words import clean, clip
from .output import is_terminal

MARKS = {"doing": ">", "waiting": ".", "done": "+", "failed": "x", "skipped": "-"}
FANCY = {"doing": "▸", "waiting": "…", "done": "✓", "failed": "✗", "skipped": "-"}
STYLES = {"doing": "bold", "waiting": "yellow", "done": "green", "failed": "bold red", "skipped": "dim"}


class Quiet:
    """The base of all: `progress` is what the survey says while it reads."""

    def progress(self, text: str) -> None:
        pass

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class PlainSteps(Quiet):
    """One line when something begins, ends, or waits for another reason than before."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._said: dict[str, str] = {}

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        title = self._titles.setdefault(key, title) if title == "" else title
        self._titles[key] = title
        reason = "".join("#" if c.isdigit() else c for c in f"{state} {detail}")
        if self._said.get(key) == reason:
            return  # only a number has changed
        self._said[key] = reason
        self._write(f"{state:8}{title}" + (f": {detail}" if detail else ""))

    def say(self, text: str) -> None:
        self._write(f"{'note':8}{text}")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more; the work goes on
            print(f"{datetime.now(timezone.utc):%H:%M:%S} {clean(text)}", file=sys.stderr, flush=True)


class EventSteps(Quiet):
    """One JSON object a line."""

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        self._write({"event": "step", "step": key, "title": title, "state": state, "detail": detail})

    def say(self, text: str) -> None:
        self._write({"event": "note", "text": text})

    def _write(self, event: dict[str, Any]) -> None:
        at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with suppress(OSError, ValueError):
            print(json.dumps({"at": at, **event}), file=sys.stderr, flush=True)


class LiveSteps(Quiet):
    """The list of steps, redrawn in place: done, doing, waiting for what, how long."""

    def __init__(self, color: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, markup=False, emoji=False, highlight=False, no_color=not color)
        self._steps: dict[str, tuple[str, str, str]] = {}
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._now = ""
        self._marks = FANCY if (self._console.encoding or "").lower().replace("-", "") == "utf8" else MARKS
        self._live: Live | None = None

    def progress(self, text: str) -> None:
        self._now = text
        self._draw()

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        before = self._steps.get(key, ("", "", ""))
        self._steps[key] = (title or before[0], state, detail or (before[2] if state == "done" and before[1] == "done" else ""))
        self._began.setdefault(key, time.monotonic())
        if state in ("done", "failed", "skipped"):
            self._ended[key] = time.monotonic()
        else:
            self._ended.pop(key, None)
        self._draw()

    def say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text("note  " + clean(text), style="yellow"))

    def close(self) -> None:
        if self._live is not None:
            self._now = ""
            with suppress(OSError, ValueError):
                self._live.update(self._view(), refresh=True)
                self._live.stop()
            self._live = None

    def _draw(self) -> None:
        from rich.live import Live

        with suppress(OSError, ValueError):
            if self._live is None:
                self._live = Live(
                    get_renderable=self._view,
                    console=self._console,
                    refresh_per_second=4,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
            self._live.refresh()

    def _view(self) -> Any:
        from rich.text import Text

        width = self._console.width
        text = Text(no_wrap=True, overflow="ellipsis")
        rows = list(self._steps.items())
        for at, (key, (title, state, detail)) in enumerate(rows):
            seconds = self._ended.get(key, time.monotonic()) - self._began[key]
            took = f" {seconds:.0f} s" if seconds >= 1 else ""
            busy = f" ({self._now})" if state == "doing" and self._now else ""
            words = clip(f"{clean(title)}{': ' + clean(detail) if detail else ''}{clean(busy)}", width - 4 - len(took))
            text.append(f"{self._marks[state]} ", STYLES[state])
            text.append(words, "dim" if state == "skipped" else "")
            text.append(took, "dim")
            if at < len(rows) - 1:
                text.append("\n")
        return text


def steps(output: str, color: bool) -> Quiet:
    """What fits the output and the terminal."""
    if output != "text":
        return EventSteps()
    return LiveSteps(color) if is_terminal(sys.stderr) else PlainSteps()
