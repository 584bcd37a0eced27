"""The flags of `litefs mount`, read as Go's flag package reads them (LiteFS 0.5.14, cmd/litefs/mount_linux.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .unseen import has_unknown

MOUNT_FLAGS: dict[str, bool] = {
    "config": True,
    "no-expand-env": False,
    "skip-unmount": False,
    "fuse.debug": False,
    "debug": False,
    "tracing": False,
}
"""Flag -> whether it takes a value."""
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True)
class MountFlags:
    """`problem` is what LiteFS says before it exits with code 2; None if it takes the words, or if a word is unseen."""

    config_path: str | None = None
    expand_env: bool = True
    skip_unmount: bool = False
    after_dashes: tuple[str, ...] | None = None
    problem: str | None = None


def parse_mount(args: Sequence[str]) -> MountFlags:
    """The words behind `litefs mount`."""
    args = list(args)
    after: tuple[str, ...] | None = None
    if "--" in args:
        at = args.index("--")
        args, after = args[:at], tuple(args[at + 1 :])
    values, problem = _flags(args)
    return MountFlags(
        config_path=values.get("config") or None,
        expand_env=values.get("no-expand-env") not in _TRUE,
        skip_unmount=values.get("skip-unmount") in _TRUE,
        after_dashes=after,
        problem=None if any(has_unknown(a) for a in args) else problem,
    )


def _flags(args: list[str]) -> tuple[dict[str, str], str | None]:
    """Values by flag, and the complaint that ends the reading."""
    values: dict[str, str] = {}
    while args:
        word = args.pop(0)
        if has_unknown(word) and not word.startswith("-"):
            continue  # may be empty, a flag, several words: the rest is read as if it were not there
        if len(word) < 2 or not word.startswith("-"):
            return values, "too many arguments, specify a '--' to specify an exec command"
        name = word[2:] if word.startswith("--") else word[1:]
        if not name or name[0] in "-=":
            return values, f"bad flag syntax: {word}"
        name, equals, value = name.partition("=")
        if name not in MOUNT_FLAGS:
            if name in ("h", "help"):
                return values, "litefs prints its usage and exits with code 2"
            return values, f"flag provided but not defined: -{name}"
        if MOUNT_FLAGS[name]:
            if not equals and not args:
                return values, f"flag needs an argument: -{name}"
            values[name] = value if equals else args.pop(0)
        else:
            if equals and value not in _TRUE | _FALSE:
                return values, f'invalid boolean value "{value}" for -{name}: parse error'
            values[name] = value if equals else "true"
    return values, None
