"""What is known at one point of a script: variables, files, the working directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..model.origin import GapReason, TextOrigin
from .shell_tree import Node
from .unseen import UNKNOWN, has_unknown, marker

MAX_VALUE = 1024 * 1024
RUNTIME = frozenset("PATH HOME PWD OLDPWD SHLVL SHELL USER LOGNAME TERM _ PPID UID EUID RANDOM LINENO IFS OPTIND".split())
"""Set by the container runtime or the shell itself to what nobody here can see."""
ALWAYS_LINKED = "KUBERNETES_"
"""Every pod gets the variables of the Service `kubernetes`."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file. `text` is None when it cannot be seen, and `why` says so in words; it may hold stand-ins.

    `name` and `source` say where the text stands. A `fixed` file lies on a read-only volume: no program changes it.
    A `missing` one is surely not there. `origin` says where its lines stand, where they are those of a file that was given.
    """

    text: str | None
    name: str
    source: str
    why: str = ""
    reason: GapReason = GapReason.NOT_ASKED
    fixed: bool = False
    missing: bool = False
    origin: TextOrigin | None = None


ABSENT = Content(None, "", "", "there is no such file", GapReason.ABSENT, missing=True)
"""Surely not there."""

Reader = Callable[[str], "Content | None"]
"""Absolute path -> the file before any command ran; None where that cannot be told (the image's own files)."""


@dataclass(frozen=True, slots=True)
class Var:
    value: str
    exported: bool


@dataclass
class State:
    """`gone` are variables that the script has unset; `anything` means that unseen code may have defined more;
    `ran_unseen` that a program ran whose effect on files is not known."""

    vars: dict[str, Var] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    files: dict[str, Content] = field(default_factory=dict)
    cwd: str | None = None
    args: tuple[str, ...] | None = ()
    anything: bool = False
    ran_unseen: bool = False
    allexport: bool = False
    dead: bool = False
    functions: dict[str, Node] = field(default_factory=dict)

    def copy(self) -> State:
        return replace(
            self, vars=dict(self.vars), gone=set(self.gone), files=dict(self.files), functions=dict(self.functions)
        )

    def set(self, name: str, value: str, exported: bool | None = None) -> None:
        """Assign; a variable stays exported once it is. A value long beyond reason counts as unknown."""
        old = self.vars.get(name)
        known = value if len(value) <= MAX_VALUE else UNKNOWN
        keep = (old is not None and old.exported) or self.allexport
        self.vars[name] = Var(known, keep if exported is None else exported or keep)
        self.gone.discard(name)

    def become(self, other: State) -> None:
        """Take over another state."""
        for name in ("vars", "gone", "files", "cwd", "args", "anything", "ran_unseen", "allexport", "dead", "functions"):
            setattr(self, name, getattr(other, name))


@dataclass
class Scene:
    """What surrounds a script: the pod's host name, the files it finds, and which variables were undefined.

    `texts` are the scripts themselves, where they stand in files that were given.
    """

    host_name: str | None
    read: Reader
    complete: bool
    source: str
    place: str
    undefined: list[str] = field(default_factory=list)
    texts: list[tuple[str, TextOrigin]] = field(default_factory=list)

    def origin_of(self, written: str) -> TextOrigin | None:
        """Where a text that a script wrote stands in that script."""
        return next((found for text, origin in self.texts if (found := part_of(written, text, origin)) is not None), None)

    def undefined_marker(self, name: str) -> str:
        if name not in self.undefined:
            self.undefined.append(name)
        return marker(self.undefined.index(name))

    def lookup(self, state: State, name: str) -> str:
        """A variable's value, with stand-ins for what is not known."""
        var = state.vars.get(name)
        if var is not None:
            return var.value
        if name in state.gone:
            return ""
        if name == "HOSTNAME":
            return self.host_name or UNKNOWN
        if name in RUNTIME or name.startswith(ALWAYS_LINKED) or state.anything or not self.complete:
            return UNKNOWN
        return self.undefined_marker(name)

    def file(self, state: State, path: str) -> Content | None:
        """A file as the script finds it now."""
        absolute = resolve(state.cwd, path)
        if absolute is None:
            return None
        return state.files[absolute] if absolute in state.files else self.read(absolute)


def part_of(written: str, text: str, origin: TextOrigin) -> TextOrigin | None:
    """Where the lines of `written` stand in `text`: lines that were filled in on the way differ, the others tell.

    None where less than half of them are there, one below the other.
    """
    wanted, lines = written.rstrip("\n").split("\n"), text.split("\n")
    bare = [line.strip() for line in lines]
    best, where = 0, 0
    for start in range(len(lines) - len(wanted) + 1):
        same = sum(a.strip() == b for a, b in zip(wanted, bare[start:], strict=False))
        if same > best:
            best, where = same, start
    if best * 2 < len(wanted) or not best:
        return None
    tabs = len(lines[where]) - len(lines[where].lstrip("\t"))
    return origin.below(where + 1, tabs)


def resolve(cwd: str | None, path: str) -> str | None:
    """An absolute, cleaned path; None where it hangs on something unseen."""
    if not path or has_unknown(path) or (not path.startswith("/") and cwd is None):
        return None
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{cwd}/{path}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def join(a: State, b: State) -> State:
    """What is known after one of two ways was taken, nobody knows which. A way that has ended does not count."""
    if a.dead or b.dead:
        return b if a.dead else a
    result = a.copy()
    for name in set(a.vars) | set(b.vars):
        left, right = a.vars.get(name), b.vars.get(name)
        if left != right:
            exported = (left is not None and left.exported) or (right is not None and right.exported)
            result.vars[name] = Var(UNKNOWN, exported)
    result.gone = a.gone & b.gone
    for name in (a.gone | b.gone) - result.gone:
        result.vars.setdefault(name, Var(UNKNOWN, True))
    unsure = Content(None, "", "", "is written by only one branch of the container's script")
    for path in set(a.files) | set(b.files):
        if a.files.get(path) != b.files.get(path):
            result.files[path] = unsure
    result.cwd = a.cwd if a.cwd == b.cwd else None
    result.args = a.args if a.args == b.args else None
    result.anything = a.anything or b.anything
    result.ran_unseen = a.ran_unseen or b.ran_unseen
    result.functions = {n: f for n, f in a.functions.items() if b.functions.get(n) == f}
    return result
