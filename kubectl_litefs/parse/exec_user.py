"""As whom a command of `exec` runs in the end: su-exec, gosu and their like, also inside `sh -c`."""

from __future__ import annotations

from collections.abc import Sequence

from .container_start import follow
from .shell_run import SHELLS
from .shell_state import Scene
from .wrappers import Peeled, base_name, peel

SU_VALUES = frozenset({"-c", "--command", "-s", "--shell", "-g", "--group", "-G", "--supp-group", "-w"})
"""Options of `su` that take a value. Options may stand behind the user."""

Switch = tuple[str | None, str | None]
"""The program that switches, and the user it names; both None where nothing switches."""


def user_of(argv: Sequence[str]) -> Switch:
    peeled = peel(argv)
    top = _switch(peeled.words, peeled)
    if top[0] or not peeled.words or base_name(peeled.words[0]) not in SHELLS:
        return top
    scene = Scene(None, lambda path: None, False, "", "exec")
    start = follow({"command": list(peeled.words)}, {}, scene, lambda words: tuple(words) != peeled.words)
    found = (_switch(hit.words, hit.peeled) for hit in reversed(start.hits))
    return next((switch for switch in found if switch[0]), (None, None))


def _switch(words: Sequence[str], peeled: Peeled) -> Switch:
    if peeled.user_switch is None and words and base_name(words[0]) == "su":
        return "su", _su_user(words[1:])
    return peeled.user_switch, peeled.user_switch_to


def _su_user(words: Sequence[str]) -> str | None:
    """The first word of `su` that is neither an option nor an option's value."""
    takes_value = False
    for word in words:
        if takes_value or word.startswith("-"):
            takes_value = not takes_value and word in SU_VALUES
        else:
            return word
    return None
