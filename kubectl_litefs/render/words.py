"""Strings from a cluster made safe to print, places made readable, commands made to reach the same cluster."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Sequence

from ..model.origin import Evidence

_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BLANKS = re.compile(r"[\t\n\r\x0b\x0c\u2028\u2029]+")
_COMMAND = re.compile(r"(^|[|;&(]\s*)kubectl (litefs ((?:rescue )?\S+) ?)?")
_IN_TEXT = re.compile(r"(?<![\w/.-])kubectl(?: litefs ((?:rescue )?[a-z-]+)|(?= (?!litefs )))")
_NO_CLUSTER = {"rules", "explain", "rbac", "demo", "version"}
"""Commands that take no cluster flags."""


def clean(text: str) -> str:
    """One line without control, bidirectional or invisible characters: what a terminal could act on becomes `?`."""
    return _HARMFUL.sub("?", _BLANKS.sub(" ", text))


def wrap(text: str, width: int) -> list[str]:
    """Prose in lines of at most `width` columns; a word longer than that stays whole."""
    return textwrap.wrap(clean(text), max(20, width), break_long_words=False, break_on_hyphens=False) or [""]


def clip(text: str, width: int) -> str:
    """The beginning that fits, marked where something was cut."""
    text = clean(text)
    return text if len(text) <= width else text[: max(0, width - 3)].rstrip() + "..."


def few_rows(text: str, width: int, most: int) -> list[str]:
    """A text in `most` lines at the most. What is too long loses its middle: the end of an error tells why."""
    width = max(20, width)
    wrapped = [row if len(row) <= width else f"{row[: width // 3]}...{row[width // 3 + 3 - width :]}" for row in wrap(text, width)]
    if len(wrapped) <= most:
        return wrapped
    end = " ".join(wrapped[most - 1 :])[-(width - 4) :]
    word = end.find(" ", 0, len(end) // 2)
    return [*wrapped[: most - 1], "..." + end[max(0, word) :]]


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str], most: int = 6) -> str:
    """`a, b and 4 more`."""
    shown = [clean(w) for w in words[:most]]
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def place(evidence: Evidence) -> str:
    """Where something was seen, short: `abaci-app-1 /info`, `abaci-app-1 log:14`."""
    source = evidence.source
    if evidence.column is not None:
        return clean(f"{source}:{evidence.line}:{evidence.column}")
    earlier = re.match(r"sweeps/\d+/", source)
    parts = (source[earlier.end() :] if earlier else source).split("/")
    where = clean(source)
    if parts[0] == "litefs" and len(parts) == 4:
        answer = {"info.json": "/info", "vars.json": "/debug/vars", "metrics.txt": "/metrics"}.get(parts[3], parts[3])
        where = f"{parts[2]} {answer}"
    elif parts[0] == "logs" and len(parts) == 4:
        which = "previous log" if parts[3].endswith(".previous.log") else "log"
        where = f"{parts[2]} {which}" + (f":{evidence.line}" if evidence.line else "")
    elif parts[0] == "files":
        where = source.removeprefix("files/") + (f":{evidence.line}" if evidence.line else "")
    elif parts[0] == "objects" and len(parts) == 3:
        where = f"litefs.yml:{evidence.line}" if evidence.line else parts[2].removesuffix(".json")
    return clean(where + (" (earlier)" if earlier else ""))


def text_with_flags(text: str, flags: Sequence[str]) -> str:
    """Sentences, in which every command has the user's own connection flags."""

    def put(found: re.Match[str]) -> str:
        return found[0] if found[1] in _NO_CLUSTER else f"{found[0]} {shlex.join(flags)}"

    return _IN_TEXT.sub(put, text) if flags else text


def with_flags(command: str, flags: Sequence[str]) -> str:
    """The command with the user's own connection flags in it. Before a plugin's name kubectl refuses flags."""
    if not flags:
        return command
    typed = shlex.join(flags)

    def put(found: re.Match[str]) -> str:
        before, plugin, name = found[1], found[2], found[3]
        if plugin is None:
            return f"{before}kubectl {typed} "
        if name in _NO_CLUSTER:
            return found[0]
        return f"{before}kubectl litefs {name} {typed} "

    return _COMMAND.sub(put, command).rstrip()
