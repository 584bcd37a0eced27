"""What well-known commands print and write, as far as it can be told without running them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .shell_call import Call, Result
from .shell_expand import unsure
from .shell_filters import sed, test
from .shell_state import ABSENT, resolve
from .unseen import UNKNOWN, without_markers


def _options(args: Sequence[str]) -> tuple[str, list[str]]:
    """Letters of the leading options, and the operands."""
    letters = ""
    for i, arg in enumerate(args):
        if arg == "--":
            return letters, list(args[i + 1 :])
        if not arg.startswith("-") or arg == "-":
            return letters, list(args[i:])
        letters += arg[1:]
    return letters, []


MAX_ROUNDS = 1000
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], UNKNOWN), text, flags=re.DOTALL)


def _echo(call: Call) -> Result:
    args, newline, escapes = list(call.args), "\n", False
    while args and re.fullmatch(r"-[neE]+", args[0]):
        flags = args.pop(0)
        newline = "" if "n" in flags else newline
        escapes = escapes or "e" in flags
    text = " ".join(args)
    if escapes:
        text = _unescape(text)
    elif "\\" in text:
        text = re.sub(r"\\[abcfnrtv0\\]", UNKNOWN, text)  # one shell's echo takes it for an escape, another's does not
    return Result(text + newline)


def _printf(call: Call) -> Result:
    args = list(call.args[1:] if call.args[:1] == ["--"] else call.args)
    if not args:
        return Result("", False)
    form, values = _unescape(args[0]), args[1:]
    pieces: list[str] = []
    while len(pieces) < MAX_ROUNDS:
        text, used = _formatted(form, values)
        pieces.append(text)
        values = values[used:]
        if not values or not used:
            break
    return Result("".join(pieces))


def _formatted(form: str, values: list[str]) -> tuple[str, int]:
    """One round of a printf format, and how many values it took."""
    used = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal used
        if match[0] == "%%":
            return "%"
        value = values[used] if used < len(values) else ""
        used += 1
        return value if match[1] == "s" else _unescape(value) if match[1] == "b" else UNKNOWN

    return re.sub(r"%%|%[-0-9.]*([a-zA-Z])", fill, form), used


def _cat(call: Call) -> Result:
    letters, paths = _options(call.args)
    results = [call.read(p) for p in paths or ["-"]]
    if len(results) == 1 and not letters:
        return results[0]
    return Result("".join(r.out for r in results), all(r.ok for r in results))


def _tee(call: Call) -> Result:
    letters, paths = _options(call.args)
    for path in paths:
        call.write(path, call.stdin, append="a" in letters)
    return call.stdin


def _copy(call: Call) -> Result:
    """`cp`, `mv`, `install`, `ln -s`. A whole directory is more than is followed here."""
    letters, paths = _options(call.args)
    if len(paths) < 2 or set(letters) & set("rRat"):
        call.state.ran_unseen = True
        return Result()
    *sources, target = paths
    for source in sources:
        result = call.read(source)
        base = source.rstrip("/").rsplit("/", 1)[-1]
        inside = f"{target.rstrip('/')}/{base}"
        if result.ok is False and len(sources) == 1:
            return Result("", False)
        if result.copy_of is None:
            result = Result(UNKNOWN)
        for path in [inside] if target.endswith("/") or len(sources) > 1 else [target, inside]:
            call.write(path, result)
    return Result()


def _remove(call: Call) -> Result:
    for path in _options(call.args)[1]:
        absolute = resolve(call.state.cwd, path)
        if absolute is not None and not re.search(r"[*?[]", absolute):
            call.state.files[absolute] = ABSENT
    return Result()


def _touch(call: Call) -> Result:
    for path in _options(call.args)[1]:
        content = call.file(path)
        if content is not None and content.missing:
            call.write(path, Result())
    return Result()


def _hostname(call: Call) -> Result:
    host = call.scene.host_name
    if host is None or call.args not in ([], ["-s"], ["-n"]) or (call.name == "uname" and call.args != ["-n"]):
        return Result(UNKNOWN + "\n")
    return Result((host.split(".")[0] if call.args == ["-s"] else host) + "\n")


def _envsubst(call: Call) -> Result:
    """Every `$A` and `${A}` of exported variables; with an argument only those that it names."""
    names = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)", re.ASCII)
    args = [a for a in call.args if not a.startswith("-")]
    only = {m[1] or m[2] for a in args for m in names.finditer(a)} if args else None
    if any(unsure(a) for a in args):
        return Result(UNKNOWN)

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if only is not None and name not in only:
            return match[0]
        var = call.state.vars.get(name)
        return "" if var is not None and not var.exported else call.scene.lookup(call.state, name)

    return Result(names.sub(value, call.stdin.out))


def _unknown_output(call: Call) -> Result:
    """A program that writes no files and whose output is not followed."""
    return Result(UNKNOWN, None if call.name in _DECIDERS else True)


_DECIDERS = frozenset("grep egrep fgrep which command type expr diff cmp pgrep [[ nc curl wget getent mountpoint".split())
_READERS = (
    "grep egrep fgrep which type expr diff cmp pgrep [[ nc getent mountpoint head tail wc ls stat awk cut sort uniq tr jq "
    "basename dirname date id whoami sha256sum md5sum ps pwd df du dig nslookup host seq rev readlink realpath"
)
_SILENT = "true : sleep mkdir chmod chown set trap umask ulimit wait sync mount stty fg bg jobs hash return break continue"

COMMANDS: dict[str, Callable[[Call], Result]] = {
    **dict.fromkeys(_READERS.split(), _unknown_output),
    **dict.fromkeys(_SILENT.split(), lambda call: Result()),
    "false": lambda call: Result("", False),
    "echo": _echo,
    "printf": _printf,
    "cat": _cat,
    "tee": _tee,
    "cp": _copy,
    "mv": _copy,
    "install": _copy,
    "ln": _copy,
    "rm": _remove,
    "touch": _touch,
    "hostname": _hostname,
    "uname": _hostname,
    "envsubst": _envsubst,
    "sed": sed,
    "test": test,
    "[": test,
}
"""Commands that are followed. Builtins that change variables or the flow are the interpreter's own."""


def unseen_program(call: Call) -> Result:
    """A program nobody knows: it may have changed every file that it was told of, and written others."""
    call.state.ran_unseen = True
    for arg in call.args:
        for path in re.findall(r"(?:^|=)(/[^=,:]+)", without_markers(arg)):
            call.spoil(path)
    return Result(UNKNOWN, None if call.name in _DECIDERS else True)


