"""Where a fact was seen, and what could not be seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """A Kubernetes object. `namespace` is empty for cluster-scoped kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, and where.

    `source` is a bundle path (`litefs/abaci/abaci-app-1/info.json`), live or not. `line` counts from 1 in
    litefs.yml, logs and LiteFS's answers; it is None for objects, whose excerpt begins with the field's path.
    From files that were given, `source` is the file as it was given, and line and column (from 1) are those of the field.
    """

    source: str
    line: int | None
    excerpt: str
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something begins in a file that was given; line and column count from 1."""

    source: str
    line: int
    column: int

    def evidence(self, excerpt: str) -> Evidence:
        return Evidence(self.source, self.line, excerpt, self.column)


@dataclass(frozen=True, slots=True)
class TextOrigin:
    """Where a text stands inside a file: its first line at `line`, every line moved right by `indent` columns.

    `exact` is False where its lines are no lines of the file (a quoted or folded scalar): then all of it is at `line`.
    """

    source: str
    line: int = 1
    indent: int = 0
    exact: bool = True

    def at(self, line: int, column: int) -> Place:
        """The place in the file of a line and column of the text, both counted from 1."""
        if not self.exact:
            return Place(self.source, self.line, self.indent + 1)
        return Place(self.source, self.line + line - 1, self.indent + column)

    def below(self, line: int, indent: int = 0) -> TextOrigin:
        """The origin of a part of the text that begins with one of its lines."""
        return TextOrigin(self.source, self.line + line - 1, self.indent + indent) if self.exact else self


class GapReason(str, Enum):
    """Why something was not seen."""

    NOT_ASKED = "NOT_ASKED"
    OFFLINE = "OFFLINE"
    FORBIDDEN = "FORBIDDEN"
    UNREACHABLE = "UNREACHABLE"
    UNPARSED = "UNPARSED"
    TRUNCATED = "TRUNCATED"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be looked at: never the same as "there is none".

    `what` is the bundle path it would have had; `detail` is what kubectl prints for the error, with the verb
    and resource in it where a right is missing.
    """

    what: str
    why: GapReason
    detail: str = ""
