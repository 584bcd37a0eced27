"""The proof of a migration: the new file says what the old one said, and LiteFS 0.5 accepts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from ..model.config import Problem, ProblemKind
from .litefs_yml import read_litefs_yml
from .migrate_lines import ByHand
from .yaml_tree import Node, SyntaxProblem, compose

MAX_LEAVES = 50_000
_HARMLESS = frozenset({ProblemKind.EXEC_KEY})
"""What LiteFS ignores, so that a file with it still starts."""


def proved(
    old: Node, text: str, moved: Mapping[str, str], added: Mapping[str, tuple[str, str]], gone: Set[str]
) -> str | None:
    """Raises ByHand unless the text has every value of the old file under its new name, and nothing else, and LiteFS accepts it.

    Where nothing moves, what LiteFS has against the rest of the file is no reason to keep a line that it refuses for certain:
    then that is returned.
    """
    wanted = dict(added)
    for key, value in _leaves(old):
        if key not in gone:
            wanted[_renamed(key, moved)] = value
    try:
        have = dict(_leaves(compose(text)))
    except SyntaxProblem as problem:
        raise ByHand(f"the result would be no YAML ({problem.message}); move the old names by hand") from None
    empty = {key for key in (*wanted, *have) if (wanted.get(key) or have.get(key) or ("", ""))[0] == "!!map"}
    wanted, have = ({k: v for k, v in tree.items() if k not in empty} for tree in (wanted, have))
    if wanted != have:
        wrong = next(k for k in (*wanted, *have) if wanted.get(k) != have.get(k))
        raise ByHand(f"the result would not say the same of {wrong}; move the old names by hand")
    refused = _refused(text)
    if refused is None:
        return None
    if not moved:
        return f"LiteFS 0.5 does not start with it yet: {refused.message} (lint tells more)."
    told = refused.message.split(": ", 1)[-1] if refused.message.startswith("line ") else refused.message
    line = refused.evidence.line or 1
    where = refused.evidence.excerpt or refused.key
    raise ByHand(f"LiteFS 0.5 would not start with the result either: {told} ({where}). Correct that first, and run this again", line)


def _refused(text: str) -> Problem | None:
    """The first thing that LiteFS 0.5 has against a file, whatever its variables are."""
    config = read_litefs_yml(
        text, name="", source="", path="", env={}, env_complete=False, host_name=None, expand_env=True, after_dashes=None
    )
    return next((p for p in config.problems if p.certain and p.kind not in _HARMLESS), None)


def _renamed(key: str, moved: Mapping[str, str]) -> str:
    """`consul.url` -> `lease.consul.url`; what is below a name moves with it."""
    for old, new in moved.items():
        if key == old or key.startswith(f"{old}."):
            return new + key[len(old) :]
    return key


def _leaves(root: Node) -> Iterator[tuple[str, tuple[str, str]]]:
    """Dotted key -> (tag, value) of every scalar, and of lists and mappings that hold nothing."""
    waiting, left = [("", root)], MAX_LEAVES
    while waiting:
        key, node = waiting.pop()
        left -= 1
        if left < 0:
            raise ByHand("it has too many values, or anchors that contain themselves")
        if node.kind == "map":
            below = [(name.value, value) for name, value in node.pairs()]
        else:
            below = [(str(n), item) for n, item in enumerate(node.items)]
        if below:
            waiting += [(f"{key}.{name}" if key else name, value) for name, value in below]
        else:
            yield key, (node.tag, node.value)
