"""litefs.yml as one pod runs it: raw text, expansion, values with lines, and what LiteFS says against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .origin import Evidence


class Sight(str, Enum):
    """How sure a value is."""

    KNOWN = "known"
    UNSET = "unset"
    """Surely not defined: every source of a variable is known and none defines it."""
    UNDEFINED = "undefined"
    """Defined by nothing that can be seen; the image's ENV, which nobody sees, may define it."""
    UNKNOWN = "unknown"
    """Defined, but the value cannot be seen: a Secret, `$(command)`, a branch of a script."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One `$A`, `${A}` or `${A == 'b'}` outside comments.

    `text` is as written, `name` the variable on the left, `key` the dotted config key it stands in (None when
    that cannot be told), `result` what it expands to (None when unknown). `operator` is `==`, `!=` or None.
    `grammatical` is False for what LiteFS's expansion does not understand (`${X:-default}`, `$$`, `${`).
    """

    text: str
    name: str
    key: str | None
    line: int
    sight: Sight
    result: str | None
    operator: str | None
    grammatical: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar (or list of scalars) at a dotted key.

    `value` is typed as LiteFS would decode it (bool, int, str, seconds as float for durations, list), with the
    default where the file says nothing; None for a null of a string. `given` is False for a default. `sight` is UNKNOWN when
    it hangs on something unseen: then `value` is meaningless. `raw` is as written in the file, before expansion.
    """

    key: str
    value: Any
    given: bool
    sight: Sight
    raw: str
    evidence: Evidence

    @property
    def known(self) -> bool:
        return self.sight is Sight.KNOWN


class ProblemKind(str, Enum):
    """What LiteFS would refuse, and which family of rules it belongs to."""

    UNKNOWN_FIELD = "unknown-field"  # LFS501
    OLD_FIELD = "old-field"  # LFS506: names of 0.2 to 0.4
    NEWER_FIELD = "newer-field"  # LFS501 with another remedy: the image is too old for it
    SYNTAX = "syntax"  # LFS502
    VALUE = "value"  # LFS504
    EXEC = "exec"  # LFS510: an empty command, a null item
    EXEC_KEY = "exec-key"  # LFS511: an ignored key in an exec item
    PROXY = "proxy"  # LFS712
    FILTER_ON_CANDIDATE = "filter-on-candidate"  # LFS210
    SAME_DIRECTORY = "same-directory"  # LFS410 and LFS504: data.dir equals fuse.dir


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` is LiteFS's own wording. `certain` is False when it hangs on a variable whose value is a guess.

    `suggestion` is the nearest valid name, or None where there is no such setting.
    """

    kind: ProblemKind
    key: str
    message: str
    suggestion: str | None
    certain: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Exec:
    """One command of `exec`, or the words after `--`.

    `cmd` is expanded. `argv` is how LiteFS splits it, None when it cannot (`split_error` says how). `dropped`
    is what stands after an unquoted `& | ; < >` and is silently thrown away. `extra_keys` are ignored by LiteFS.
    `from_args` is True for the words after `--`. `user_switch` is `su-exec`, `gosu`, ... where one stands before the
    program, also inside `sh -c`, and `user` its target.
    """

    cmd: str
    raw: str
    if_candidate: bool
    if_candidate_known: bool
    argv: tuple[str, ...] | None
    split_error: str | None
    dropped: str
    extra_keys: tuple[str, ...]
    from_args: bool
    known: bool
    evidence: Evidence
    user_switch: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """litefs.yml for one pod.

    `source` is a bundle path: the ConfigMap list, or the pod list for a heredoc in a command; `name` says the
    place in words (`ConfigMap abaci-litefs, key litefs.yml`). `values` holds every key of the table, given or
    default, by dotted key. `readable` is False when it is no YAML mapping at all: then `values` is empty.
    """

    name: str
    source: str
    path: str
    text: str
    expanded: str
    expand_env: bool
    readable: bool
    values: Mapping[str, Value]
    variables: tuple[Variable, ...]
    problems: tuple[Problem, ...]
    execs: tuple[Exec, ...]

    def get(self, key: str) -> Value | None:
        return self.values.get(key)

    def known(self, key: str) -> Any:
        """The value at `key` if it is known, else None."""
        value = self.values.get(key)
        return value.value if value is not None and value.known else None

    def has(self, prefix: str) -> bool:
        """Whether the file itself says anything at or under `prefix`."""
        return any(v.given and (k == prefix or k.startswith(prefix + ".")) for k, v in self.values.items())
