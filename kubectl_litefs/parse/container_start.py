"""What a container runs first: `command` and `args` with the kubelet's `$(VAR)`, followed through shell scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ShellError
from .mount_flags import parse_mount
from .shell_run import Hit, Interpreter
from .shell_state import Scene, State, Var
from .unseen import clean

_REFERENCE = re.compile(r"\$(?:(\$)|\(([^)]*)\))")
_UNCLOSED = re.compile(r"\$(?:\$|(?=\())")


@dataclass(frozen=True, slots=True)
class Start:
    """`hits` are the watched commands in the order they are reached, `state` what is known at the end.

    `understood` is False where a script could not be read: then anything may have happened.
    """

    hits: tuple[Hit, ...]
    state: State
    understood: bool


def start_words(container: Mapping[str, Any], key: str) -> list[str]:
    """The words of `command` or `args`."""
    value = container.get(key)
    return [clean(w) for w in value if isinstance(w, str)] if isinstance(value, list) else []


def _args_only(container: Mapping[str, Any]) -> bool:
    """Whether `args` alone are LiteFS's: `mount` with nothing but LiteFS's flags, under an entrypoint nobody sees."""
    words = start_words(container, "args")
    if container.get("command") or words[:1] != ["mount"]:
        return False
    return parse_mount(words[1:]).problem is None


def kubelet_expand(text: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` of a defined variable becomes its value, `$$` one `$`; everything else stays."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] else env.get(match[2], match[0])

    closed = text.rfind(")") + 1  # to look for the end of each `$(` behind the last `)` would take for ever
    return _REFERENCE.sub(value, text[:closed]) + _UNCLOSED.sub("$", text[closed:])


def follow(
    container: Mapping[str, Any], env: Mapping[str, str], scene: Scene, watch: Callable[[Sequence[str]], bool]
) -> Start:
    """Follow what the container runs. `env` may hold stand-ins for values that cannot be seen."""
    given = [*start_words(container, "command"), *start_words(container, "args")]
    if _args_only(container):
        given = ["litefs", *given]
    words = [kubelet_expand(w, env) for w in given]
    cwd = container.get("workingDir")
    state = State(
        vars={name: Var(value, True) for name, value in env.items()},
        cwd=cwd if isinstance(cwd, str) and cwd.startswith("/") else None,
    )
    interpreter = Interpreter(scene, watch)
    understood = True
    try:
        if words:
            interpreter.run(words, given, state)
    except (ShellError, RecursionError):
        state.anything = state.ran_unseen = True
        understood = False
    if not start_words(container, "command"):
        state.ran_unseen = True  # the image's entrypoint comes first
    return Start(tuple(interpreter.hits), state, understood)
