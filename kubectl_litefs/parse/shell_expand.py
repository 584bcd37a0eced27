"""Words of a shell script to text, as far as it can be known without running anything."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from .shell_state import Scene, State
from .shell_words import Part, Word
from .unseen import MARKER, UNKNOWN, has_unknown

MAX_PATTERN_TEXT = 4096
Substitute = Callable[[str, State], str]
"""The output of a command substitution."""


def unsure(text: str) -> bool:
    """Whether a text hangs on something unseen, so that no branch can be chosen by it."""
    return has_unknown(text) or MARKER.search(text) is not None


def text_of(word: Word, scene: Scene, state: State, substitute: Substitute) -> str:
    """The word as one text: as in an assignment, a redirection or quotes."""
    return "".join(_part(p, scene, state, substitute) for p in word.parts)


def fields_of(word: Word, scene: Scene, state: State, substitute: Substitute) -> list[str]:
    """The arguments a word becomes: unquoted expansions are split at blanks. Wildcards stay as they are."""
    fields: list[str] = []
    current: str | None = None
    for part in word.parts:
        if part.kind == "var" and part.text in "@*" and not part.op:
            if state.args is None:
                current = (current or "") + UNKNOWN
                continue
            pieces = list(state.args)
        else:
            text = _part(part, scene, state, substitute)
            if part.quoted or part.kind == "lit":
                current = (current or "") + text
                continue
            pieces = text.split()
            if text[:1].isspace() and current is not None:
                fields.append(current)
                current = None
        for i, piece in enumerate(pieces):
            if i and current is not None:
                fields.append(current)
                current = None
            current = (current or "") + piece
    if current is not None:
        fields.append(current)
    return fields


def pattern_of(word: Word, scene: Scene, state: State, substitute: Substitute) -> str:
    """A `case` pattern for `fnmatch`: what is quoted matches itself."""
    pieces = []
    for part in word.parts:
        text = _part(part, scene, state, substitute)
        pieces.append(re.sub(r"([*?[])", r"[\1]", text) if part.quoted else text.replace("[^", "[!"))
    return "".join(pieces)


def matches(text: str, pattern: str) -> bool | None:
    """Whether a known text matches; None where either is unsure."""
    if unsure(text) or unsure(pattern):
        return True if pattern == "*" else None
    if len(text) > MAX_PATTERN_TEXT or len(pattern) > MAX_PATTERN_TEXT:
        return None
    try:
        return fnmatch.fnmatchcase(text, pattern)
    except re.error:
        return None


def _part(part: Part, scene: Scene, state: State, substitute: Substitute) -> str:
    if part.kind == "lit":
        return part.text
    if part.kind == "cmd":
        return substitute(part.text, state)
    value = _variable(part.text, scene, state)
    if not part.op:
        return value
    return _operate(part, value, scene, state, substitute)


def _variable(name: str, scene: Scene, state: State) -> str:
    if name in ("@", "*"):
        return UNKNOWN if state.args is None else " ".join(state.args)
    if name.isdigit():
        if state.args is None or name == "0":
            return UNKNOWN
        return state.args[int(name) - 1] if int(name) <= len(state.args) else ""
    if name in "#?$!-":
        return UNKNOWN
    return scene.lookup(state, name)


def _operate(part: Part, value: str, scene: Scene, state: State, substitute: Substitute) -> str:
    """`${name<op>arg}`."""
    arg = part.arg or Word(())
    op = part.op.removeprefix(":") if part.op[-1:] in "-=+?" else part.op
    if op in ("-", "=", "+", "?"):
        if unsure(value):
            return UNKNOWN
        empty = value == "" and (part.op.startswith(":") or part.text not in state.vars)
        if op == "+":
            return "" if empty else text_of(arg, scene, state, substitute)
        if not empty or op == "?":
            return value
        text = text_of(arg, scene, state, substitute)
        if op == "=":
            state.set(part.text, text)
        return text
    if op in ("#", "##", "%", "%%"):
        return _cut(value, op, pattern_of(arg, scene, state, substitute))
    return UNKNOWN


def _cut(value: str, op: str, pattern: str) -> str:
    """Take the shortest (`#`, `%`) or longest (`##`, `%%`) match off one end."""
    if unsure(value) or unsure(pattern) or len(value) > MAX_PATTERN_TEXT:
        return UNKNOWN
    cuts = range(len(value) + 1)
    front = op[0] == "#"
    shortest_first = len(op) == 1
    for cut in cuts if front is shortest_first else reversed(cuts):
        removed, kept = (value[:cut], value[cut:]) if front else (value[cut:], value[:cut])
        if matches(removed, pattern):
            return kept
    return value
