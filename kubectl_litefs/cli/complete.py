"""`__complete`: the words typed so far -> what may come next, as kubectl's completion scripts want it told.

One choice a line, `value<TAB>help`; the last line is `:N`, a sum of the directives below. A shell shows whatever comes
on stderr in the middle of the user's line, so nothing does: an error is an answer without choices.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FILES = 0
NO_FILES = 4
FOLDERS = 16
"""Directives: let the shell complete files, do not, or folders only."""

WORDS, LINE = "__complete", "__complete_line"
"""Hidden first words of a call. The second takes one argument, the line up to the cursor as it stands in the shell."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
_END = "\ue000"  # a private character: nobody types it


def respond(cli: click.Command, call: str, words: Sequence[str]) -> int:
    """Answer on stdout. Always 0."""
    try:
        with _silent():
            values, directive = answer(cli, words if call == WORDS else split(words[0] if words else ""))
    except Exception as error:  # noqa: BLE001 - whatever it is, the user is in the middle of a line
        values, directive = [], NO_FILES
        _tell_debug_file(error)
    sys.stdout.write("".join(f"{v}\n" for v in values) + f":{directive}\n")
    sys.stdout.flush()
    return 0


def answer(cli: click.Command, words: Sequence[str]) -> tuple[list[str], int]:
    """(lines, directive). The last of `words` is what is being typed, possibly empty."""
    from click.shell_completion import ShellComplete

    typed, incomplete = [_expanded(w) for w in words[:-1]], words[-1] if words else ""
    if typed[-1:] == ["-v"] and not incomplete.isdigit():
        typed[-1] = "-v1"  # its number is optional, which click does not know
    found = ShellComplete(cli, {}, "kubectl litefs", "").get_completions(typed, incomplete)
    kinds = {item.type for item in found}
    if kinds & {"file", "dir"}:
        return [], FILES if "file" in kinds else FOLDERS
    return [line for line in map(_line, found) if line], NO_FILES


def _line(item: CompletionItem[Any]) -> str:
    """`value<TAB>help`; nothing for a value that is not one plain word."""
    value = str(item.value)
    if not value or _UNSEEN.search(value) or value != "".join(value.split()):
        return ""
    told = " ".join(_UNSEEN.sub(" ", item.help or "").split())
    return f"{value}\t{told}" if told else value


def split(line: str) -> list[str]:
    """The words after the program's name, quotes resolved. An open quote is no error: it is being typed."""
    from click.shell_completion import split_arg_string

    words = split_arg_string(line + _END)[1:]
    return [*words[:-1], words[-1].removesuffix(_END)] if words else [""]


def _expanded(word: str) -> str:
    """`~` and variables: a script that passes on what was typed has not had them expanded by the shell."""
    return os.path.expandvars(os.path.expanduser(word))


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """A login program that is started for its credentials gets no terminal to write on or to read from."""
    kept: dict[int, int] = {}
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 2):
        with contextlib.suppress(OSError):  # closed by the caller: nothing to keep
            kept[descriptor] = os.dup(descriptor)
            os.dup2(null, descriptor)
    try:
        yield
    finally:
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)
        if null > 2:
            os.close(null)


def _tell_debug_file(error: Exception) -> None:
    """kubectl's completion scripts log to the file of this variable; so do we."""
    path = os.environ.get("BASH_COMP_DEBUG_FILE")
    if path:
        with contextlib.suppress(OSError), open(path, "a", encoding="utf8", errors="backslashreplace") as file:
            file.write(f"kubectl-litefs: {type(error).__name__}: {' '.join(str(error).split())}\n")
