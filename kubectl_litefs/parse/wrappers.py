"""Programs that stand before another command and then run it: init programs, user switches, `env`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAIN: dict[str, tuple[frozenset[str], int]] = {
    "tini": (frozenset({"-p", "-e"}), 0),
    "tini-static": (frozenset({"-p", "-e"}), 0),
    "docker-init": (frozenset({"-p", "-e"}), 0),
    "catatonit": (frozenset(), 0),
    "dumb-init": (frozenset({"-r", "--rewrite"}), 0),
    "nohup": (frozenset(), 0),
    "setsid": (frozenset(), 0),
    "time": (frozenset(), 0),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "ionice": (frozenset({"-c", "-n", "-p"}), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "timeout": (frozenset({"-s", "-k", "--signal", "--kill-after"}), 1),
    "chroot": (frozenset(), 1),
    "exec": (frozenset({"-a"}), 0),
    "builtin": (frozenset(), 0),
}
"""Program -> options that take a value, and how many operands come before the command."""

_USERS: dict[str, tuple[frozenset[str], frozenset[str], bool]] = {
    "su-exec": (frozenset(), frozenset(), True),
    "gosu": (frozenset(), frozenset(), True),
    "setuidgid": (frozenset(), frozenset(), True),
    "s6-setuidgid": (frozenset(), frozenset(), True),
    "chpst": (frozenset({"-u"}), frozenset({"-U", "-b", "-e", "-/", "-n", "-l", "-L", "-m", "-d", "-o"}), False),
    "setpriv": (
        frozenset({"--reuid", "--ruid", "--euid"}),
        frozenset({"--regid", "--rgid", "--egid", "--groups", "--inh-caps", "--ambient-caps", "--bounding-set"}),
        False,
    ),
    "sudo": (frozenset({"-u", "--user"}), frozenset({"-g", "--group", "-h", "-p", "-C", "-r", "-t", "-D"}), False),
    "doas": (frozenset({"-u"}), frozenset({"-C"}), False),
    "runuser": (frozenset({"-u", "--user"}), frozenset({"-g", "--group", "-G", "--supp-group"}), False),
}
"""Program -> options that name the user, other options with a value, whether the user is the first operand."""

_ASSIGN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
MAX_WRAPPERS = 10


@dataclass(frozen=True, slots=True)
class Peeled:
    """The command that is run in the end, the variables set for it, and the user it is run as."""

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user_switch: str | None = None
    user_switch_to: str | None = None


def base_name(word: str) -> str:
    """The program's name without its path."""
    return word.rsplit("/", 1)[-1]


def peel(words: Sequence[str]) -> Peeled:
    """Take known wrappers off the front. Words without one come back as they are."""
    result = Peeled(tuple(words))
    for _ in range(MAX_WRAPPERS):
        inner = _peel_one(result)
        if inner is None:
            return result
        result = inner
    return result


def _peel_one(now: Peeled) -> Peeled | None:
    if not now.words:
        return None
    name, rest = base_name(now.words[0]), now.words[1:]
    if name == "env":
        return _peel_env(now, rest)
    if name == "command" and rest[:1] not in (("-v",), ("-V",)):
        return Peeled(rest, now.env, now.user_switch, now.user_switch_to)
    if name in _PLAIN:
        with_value, operands = _PLAIN[name]
        left, _ = _skip(rest, with_value, frozenset())
        return Peeled(left[operands:], now.env, now.user_switch, now.user_switch_to)
    if name in _USERS:
        naming, with_value, first = _USERS[name]
        left, user = _skip(rest, with_value, naming)
        if first:
            left, user = left[1:], left[0] if left else None
        elif left[:1] == ("--",):
            left = left[1:]
        return Peeled(left, now.env, name, user)
    return None


def _peel_env(now: Peeled, rest: tuple[str, ...]) -> Peeled:
    left, _ = _skip(rest, frozenset({"-u", "--unset", "-C", "--chdir"}), frozenset())
    env = list(now.env)
    while left and (match := _ASSIGN.match(left[0])):
        env.append((match[1], match[2]))
        left = left[1:]
    return Peeled(left, tuple(env), now.user_switch, now.user_switch_to)


def _skip(
    words: tuple[str, ...], with_value: frozenset[str], naming: frozenset[str]
) -> tuple[tuple[str, ...], str | None]:
    """The words behind the options, and the value of the option that names a user."""
    user: str | None = None
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        option, equals, value = words[at].partition("=")
        at += 1
        if option == "--":
            break
        if option in naming or option in with_value:
            if not equals:
                value = words[at] if at < len(words) else ""
                at += 1
            user = value if option in naming else user
    return words[at:], user
