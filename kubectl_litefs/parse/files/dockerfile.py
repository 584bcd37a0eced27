"""A Dockerfile to the image it builds: the final stage with what it inherits. Nothing is built, nothing is fetched."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ...model.image import File, Image, Setting, Words
from ...model.origin import Evidence, Place, TextOrigin
from ..unseen import UNKNOWN, has_unknown, shown
from .docker_lines import Heredoc, Instruction, instructions
from .docker_packages import installed
from .docker_words import command, filled_where_known, pairs, substitute, without_flags, words

FindFile = Callable[[str], "File | None"]
"""A path of the build's context -> the file, where it was given too and is the only one that is meant."""

_OFFICIAL = re.compile(r"(?:docker\.io/)?(?:library/)?([a-z0-9][a-z0-9_.-]*)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?\Z")
_ALSO_KNOWN = re.compile(r"(?:oven/bun|denoland/deno|hexpm/elixir|hexpm/erlang|gcr\.io/distroless/\S+|mcr\.microsoft\.com/dotnet/\S+|public\.ecr\.aws/(?:docker/library|lambda)/\S+)")
_LITEFS = re.compile(r"(?:^|[\s/=\"'\[,:@-])litefs(?:[\s\"',:\]/.-]|\Z)", re.IGNORECASE)
_SHELL = ("/bin/sh", "-c")


@dataclass
class _Stage:
    """One stage while it is read. `own_cmd`: CMD was set here, so that an ENTRYPOINT does not take it away."""

    name: str
    base: str
    start: Instruction
    env: dict[str, Setting] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    user: Setting | None = None
    workdir: str | None = None
    shell: tuple[str, ...] = _SHELL
    entrypoint: Words | None = None
    cmd: Words | None = None
    own_cmd: bool = False
    litefs: Evidence | None = None
    packages: dict[str, Evidence] = field(default_factory=dict)
    packages_known: bool = True
    files: dict[str, File] = field(default_factory=dict)

    def values(self) -> dict[str, str]:
        """What `$NAME` means here: an ENV wins over an ARG."""
        return self.args | {n: UNKNOWN if s.value is None else s.value for n, s in self.env.items()}


def read_dockerfile(
    path: str, text: str, find: FindFile = lambda path: None, target: str = "", args: Mapping[str, str] | None = None
) -> Image | None:
    """None where there is no such stage. `target` is the stage that is built, the last unless told otherwise; `args` are the
    build's arguments, which win over the defaults of ARG."""
    reader = _Reader(path, find, args or {})
    for instruction in instructions(text):
        reader.take(instruction)
    return reader.image(target.lower())


class _Reader:
    def __init__(self, path: str, find: FindFile, args: Mapping[str, str]) -> None:
        self.path, self.find, self.args = path, find, args
        self.outer: dict[str, str] = {}
        self.stages: list[_Stage] = []

    def evidence(self, at: Instruction) -> Evidence:
        return Place(self.path, at.line, at.column).evidence(shown(at.shown))

    def take(self, at: Instruction) -> None:
        if at.name == "FROM":
            self.stages.append(self._begin(at))
        elif not self.stages:
            if at.name == "ARG":
                self.outer |= _arguments(at, self.outer, {}, self.args)
        else:
            stage = self.stages[-1]
            if at.name in ("RUN", "COPY", "ADD", "CMD", "ENTRYPOINT") and _LITEFS.search(f"{at.rest} {' '.join(h.text for h in at.heredocs)}"):
                stage.litefs = stage.litefs or self.evidence(at)
            handler = _HANDLERS.get(at.name)
            if handler is not None:
                handler(self, stage, at)

    def _begin(self, at: Instruction) -> _Stage:
        """A stage takes over everything from an earlier one that it names."""
        _, rest = without_flags(substitute(at.rest, self.outer, at.escape))
        parts = rest.split()
        base = parts[0] if parts else ""
        name = parts[2].lower() if len(parts) > 2 and parts[1].lower() == "as" else ""
        below = next((s for s in reversed(self.stages) if s.name and s.name == base.lower()), None)
        if below is None:
            return _Stage(name, base, at)
        return replace(
            below, name=name, start=at, env=dict(below.env), args={}, own_cmd=False, packages=dict(below.packages), files=dict(below.files)
        )

    def image(self, target: str) -> Image | None:
        fitting = [s for n, s in enumerate(self.stages) if not target or target in (s.name, str(n))]
        if not fitting:
            return None
        last = fitting[-1]
        elsewhere = {p: e for s in self.stages if s is not last for p, e in s.packages.items() if p not in last.packages}
        return Image(
            source=self.path,
            base=shown(last.base),
            base_known=not has_unknown(last.base) and bool(_OFFICIAL.match(last.base) or _ALSO_KNOWN.match(last.base)),
            env=last.env,
            user=last.user,
            workdir=last.workdir,
            entrypoint=last.entrypoint,
            cmd=last.cmd,
            litefs=last.litefs,
            packages=last.packages,
            packages_known=last.packages_known,
            elsewhere=elsewhere,
            files=last.files,
            start=self.evidence(last.start),
        )

    # --- instructions

    def arg(self, stage: _Stage, at: Instruction) -> None:
        stage.args |= _arguments(at, stage.values(), self.outer, self.args)

    def env(self, stage: _Stage, at: Instruction) -> None:
        before = stage.values()
        for name, value in pairs(at.rest, at.escape, before):
            stage.env[name] = Setting(None if has_unknown(value) else value, self.evidence(at))

    def set_user(self, stage: _Stage, at: Instruction) -> None:
        user = " ".join(words(at.rest, at.escape, stage.values())).split(":")[0]
        stage.user = Setting(None if has_unknown(user) or not user else user, self.evidence(at))

    def set_workdir(self, stage: _Stage, at: Instruction) -> None:
        path = " ".join(words(at.rest, at.escape, stage.values()))
        if has_unknown(path) or (not path.startswith("/") and stage.workdir is None):
            stage.workdir = None
        else:
            stage.workdir = posixpath.normpath(posixpath.join(stage.workdir or "/", path))

    def set_shell(self, stage: _Stage, at: Instruction) -> None:
        stage.shell = command(at.rest, ()) or stage.shell

    def set_entrypoint(self, stage: _Stage, at: Instruction) -> None:
        stage.entrypoint = Words(command(at.rest, stage.shell), Place(self.path, at.line, at.column))
        if not stage.own_cmd:
            stage.cmd = None

    def set_cmd(self, stage: _Stage, at: Instruction) -> None:
        stage.cmd = Words(command(at.rest, stage.shell), Place(self.path, at.line, at.column))
        stage.own_cmd = True

    def run(self, stage: _Stage, at: Instruction) -> None:
        _, rest = without_flags(at.rest)
        if rest.startswith("["):
            rest = " ".join(command(rest, ()))
        text = "\n".join([filled_where_known(rest, stage.values()), *(h.text for h in at.heredocs)])
        found = installed(text)
        stage.packages_known = stage.packages_known and found.known
        for package in found.packages:
            stage.packages.setdefault(package, self.evidence(at))
        self._binaries(stage, at, text)

    def _binaries(self, stage: _Stage, at: Instruction, text: str) -> None:
        """A fusermount3 that comes some other way than as a package."""
        if "fusermount3" in text:
            stage.packages.setdefault("fuse3", self.evidence(at))

    def copy(self, stage: _Stage, at: Instruction) -> None:
        flags, rest = without_flags(at.rest)
        self._binaries(stage, at, rest)
        listed = command(rest, ()) if rest.startswith("[") else ()
        given = [substitute(w, stage.values(), at.escape) for w in listed] or words(rest, at.escape, stage.values())
        if len(given) < 2:
            return
        *sources, target = given
        if flags.get("from"):
            found = self._from_stage(flags["from"], sources)
        else:
            found = {s: f for s in sources if (f := self._given(stage, s, at.heredocs)) is not None}
        if has_unknown(target) or not (target.startswith("/") or stage.workdir is not None):
            return
        for source, file in found.items():
            name = source.lstrip("<-").rsplit("/", 1)[-1]
            at_target = posixpath.join(stage.workdir or "/", target)
            stage.files[posixpath.normpath(posixpath.join(at_target, name))] = file
            if len(sources) == 1 and not target.endswith(("/", ".")):  # a file of that name, unless it is a directory
                stage.files[posixpath.normpath(at_target)] = file

    def _from_stage(self, name: str, sources: list[str]) -> dict[str, File]:
        stage = next((s for i, s in enumerate(self.stages[:-1]) if name.lower() in (s.name, str(i)) and name), None)
        return {s: stage.files[s] for s in sources if stage is not None and s in stage.files}

    def _given(self, stage: _Stage, source: str, heredocs: tuple[Heredoc, ...]) -> File | None:
        if source.startswith("<<"):
            found = next((h for h in heredocs if h.name == source.lstrip("<-").strip("\"'")), None)
            if found is None:
                return None
            text = found.text if found.quoted else substitute(found.text, stage.values(), "\\")
            return File(text, TextOrigin(self.path, found.line))
        return self.find(posixpath.normpath(source)) if not has_unknown(source) else None


def _arguments(at: Instruction, values: Mapping[str, str], outer: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """ARG with what the build is given, else its default; without one it is that of before the first FROM."""
    found: dict[str, str] = {}
    for word in words(at.rest, at.escape, values):
        name, equals, default = word.partition("=")
        found[name] = given[name] if name in given else default if equals else outer.get(name, UNKNOWN)
    return found


_HANDLERS: dict[str, Callable[[_Reader, _Stage, Instruction], None]] = {
    "ARG": _Reader.arg,
    "ENV": _Reader.env,
    "USER": _Reader.set_user,
    "WORKDIR": _Reader.set_workdir,
    "SHELL": _Reader.set_shell,
    "ENTRYPOINT": _Reader.set_entrypoint,
    "CMD": _Reader.set_cmd,
    "RUN": _Reader.run,
    "COPY": _Reader.copy,
    "ADD": _Reader.copy,
}
