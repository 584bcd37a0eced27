"""The shell's own commands that change variables, the directory or the flow."""

from __future__ import annotations

from collections.abc import Callable

from .shell_call import Result
from .shell_state import State, resolve
from .unseen import UNKNOWN, has_unknown, without_markers


def _export(args: list[str], state: State) -> Result:
    """`export A=b`, `export A`, `export -n A`; also `declare -x`, `readonly`, `local`."""
    for arg in args:
        name, equals, value = arg.partition("=")
        if name.startswith("-") or has_unknown(name):
            state.anything = state.anything or has_unknown(name)
        elif equals:
            state.set(name, value, exported=True)
        elif name in state.vars:
            state.set(name, state.vars[name].value, exported=True)
    return Result()


def _unset(args: list[str], state: State) -> Result:
    for name in args:
        if not name.startswith("-"):
            state.vars.pop(name, None)
            state.gone.add(name)
    return Result()


def _cd(args: list[str], state: State) -> Result:
    state.cwd = resolve(state.cwd, without_markers(args[0])) if args else None
    return Result()


def _exit(args: list[str], state: State) -> Result:
    state.dead = True
    return Result("", args[:1] in ([], ["0"]))


def _read(args: list[str], state: State) -> Result:
    for name in args:
        if not name.startswith("-"):
            state.set(name, UNKNOWN)
    return Result("", None)


def _set(args: list[str], state: State) -> Result:
    if args[:1] == ["--"]:
        state.args = tuple(args[1:])
    elif args and args[0].startswith("-") and "a" in args[0]:
        state.allexport = True
    elif args and args[0].startswith("+") and "a" in args[0]:
        state.allexport = False
    return Result()


def _shift(args: list[str], state: State) -> Result:
    count = int(args[0]) if args and args[0].isdecimal() and len(args[0]) < 5 else 1
    state.args = state.args[count:] if state.args is not None and not (args and has_unknown(args[0])) else None
    return Result()


DECLARE = frozenset("export readonly declare typeset local".split())
BUILTINS: dict[str, Callable[[list[str], State], Result]] = {
    **dict.fromkeys(DECLARE, _export),
    "unset": _unset,
    "cd": _cd,
    "exit": _exit,
    "read": _read,
    "set": _set,
    "shift": _shift,
}
