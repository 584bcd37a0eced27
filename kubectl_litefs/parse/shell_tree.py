"""What a shell script is made of, once it has been read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .shell_words import Word


@dataclass(slots=True)
class Redirect:
    """`op` is `>`, `>>`, `<`, `<<`, ...; for `<<` the target becomes the document itself once it has been read."""

    fd: str
    op: str
    target: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """`end` is the offset behind it: what stands there runs next."""

    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    end: int


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Seq, Seq], ...]
    otherwise: Seq | None
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    word: Word
    items: tuple[tuple[tuple[Word, ...], Seq], ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """`for`, `while`, `until`: how often it runs is not known. `name` is the variable of a `for`."""

    name: str | None
    condition: Seq | None
    body: Seq
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    body: Seq
    subshell: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Pipeline:
    stages: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr:
    """The first pipeline's operator is empty, the others' `&&` or `||`."""

    items: tuple[tuple[str, Pipeline], ...]
    background: bool


Seq: TypeAlias = tuple[AndOr, ...]
Node: TypeAlias = Simple | If | Case | Loop | Group | Function
