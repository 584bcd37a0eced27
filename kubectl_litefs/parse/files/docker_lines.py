"""A Dockerfile to its instructions: continued lines, comments between them, heredocs, the escape directive."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z")
_INSTRUCTION = re.compile(r"\s*([a-zA-Z]+)(?:\s+|\Z)")
_HEREDOC = re.compile(r"""<<(-?)(?:"([^"\s<>]+)"|'([^'\s<>]+)'|([^\s<>"'|&;]+))""")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, slots=True)
class Heredoc:
    """`line` is that of its first line in the file; `quoted`: variables in it stay as they are."""

    name: str
    text: str
    line: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """`name` in upper case; `rest` in one line, without what continued it. Line and column are where it begins."""

    name: str
    rest: str
    line: int
    column: int
    heredocs: tuple[Heredoc, ...]
    escape: str

    @property
    def shown(self) -> str:
        """The instruction as evidence."""
        return " ".join(f"{self.name} {self.rest[:4000]}".split())[:200]


def instructions(text: str) -> list[Instruction]:
    """Every instruction in order. Never raises: what is none is left out."""
    lines = text.split("\n")
    escape = _escape(lines)
    found: list[Instruction] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        begun = at
        joined, at = _logical_line(lines, at, escape)
        match = _INSTRUCTION.match(joined)
        if match is None:
            continue
        name, rest = match[1].upper(), joined[match.end() :].strip()
        heredocs: list[Heredoc] = []
        if name in _WITH_HEREDOC:
            for opened in _HEREDOC.finditer(rest):
                heredoc, at = _heredoc(lines, at, opened)
                heredocs.append(heredoc)
        column = len(lines[begun]) - len(lines[begun].lstrip()) + 1
        found.append(Instruction(name, rest, begun + 1, column, tuple(heredocs), escape))
    return found


def _escape(lines: list[str]) -> str:
    """The `# escape=` directive; directives stand at the very top only."""
    for line in lines:
        match = _DIRECTIVE.match(line)
        if match is None:
            break
        if match[1].lower() == "escape" and match[2] in ("`", "\\"):
            return match[2]
    return "\\"


def _logical_line(lines: list[str], at: int, escape: str) -> tuple[str, int]:
    """One instruction's text from its first line on, and the number of the line behind it."""
    pieces: list[str] = []
    while at < len(lines):
        line = lines[at]
        at += 1
        if pieces and (not line.strip() or line.lstrip().startswith("#")):
            continue
        kept = line.rstrip()
        if not kept.endswith(escape):
            pieces.append(line)
            break
        pieces.append(kept[: -len(escape)])
    return "".join(pieces), at


def _heredoc(lines: list[str], at: int, opened: re.Match[str]) -> tuple[Heredoc, int]:
    """The lines up to the one that is the heredoc's name alone; to the end of the file where there is none."""
    name = opened[2] or opened[3] or opened[4]
    first = at
    body: list[str] = []
    while at < len(lines):
        line = lines[at].lstrip("\t") if opened[1] else lines[at]
        at += 1
        if line == name:
            break
        body.append(line)
    else:
        if body[-1:] == [""]:
            body.pop()  # the end of the file, and no line
    text = "".join(f"{line}\n" for line in body)
    return Heredoc(name, text, first + 1, opened[4] is None), at
