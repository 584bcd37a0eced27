"""One command of a script, with what it can read and write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .shell_state import Content, Scene, State, resolve
from .unseen import UNKNOWN


@dataclass(frozen=True, slots=True)
class Result:
    """`out` is the standard output with stand-ins; `ok` None when it hangs on something unseen.

    `copy_of` is set when the output is one file, unchanged: text keeps its origin through `cat a > b`.
    """

    out: str = ""
    ok: bool | None = True
    copy_of: Content | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One command with its arguments, its name taken off."""

    name: str
    args: Sequence[str]
    stdin: Result
    scene: Scene
    state: State

    def file(self, path: str) -> Content | None:
        return self.scene.file(self.state, path)

    def read(self, path: str) -> Result:
        """A file as output."""
        if path in ("-", "/dev/stdin"):
            return self.stdin
        content = self.file(path)
        if content is not None and content.missing:
            return Result("", False)
        if content is None or content.text is None:
            return Result(UNKNOWN, True, content)
        return Result(content.text, True, content)

    def write(self, path: str, result: Result, *, append: bool = False) -> None:
        """What a redirection or `tee` leaves in a file."""
        absolute = resolve(self.state.cwd, path)
        if absolute is None:
            self.state.ran_unseen = True
        elif not absolute.startswith("/dev/"):
            old = self.file(absolute) if append else None
            before = "" if not append or (old and old.missing) else old.text if old else None
            self.state.files[absolute] = self._content(result, before)

    def _content(self, result: Result, before: str | None) -> Content:
        scene = self.scene
        if result.copy_of is not None and before == "":
            copied = result.copy_of
            return Content(copied.text, copied.name, copied.source, copied.why, copied.reason, origin=copied.origin)
        name = f"the file that {scene.place} writes"
        if before is None or result.out.strip() == UNKNOWN:
            return Content(None, name, scene.source, f"{scene.place} computes its content")
        text = before + result.out
        return Content(text, name, scene.source, origin=scene.origin_of(text))

    def spoil(self, path: str) -> None:
        """A file whose content is not known any more, unless it lies on a read-only volume."""
        absolute = resolve(self.state.cwd, path)
        if absolute is None:
            self.state.ran_unseen = True
            return
        old = self.file(absolute)
        if old is None or not old.fixed:
            self.state.files[absolute] = Content(
                None, "", self.scene.source, f"{self.scene.place} changes it with `{self.name}`"
            )
