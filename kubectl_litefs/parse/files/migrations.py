"""The litefs.yml texts inside a file, migrated to LiteFS 0.5 where they stand; the rest of the file stays byte for byte."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...model.file_fix import FileFix
from ...model.objects import Obj
from ..migrate import Migrated, migrate
from ..migrate_lines import ByHand
from .kubernetes import objects_in
from .recognise import Kind, is_litefs_yml, recognise
from .text import Unreadable, decode

_OPENED = re.compile(r"""<<[-~]?[ \t]*(?:"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)'|\\?([A-Za-z_]\w*))""")
_LITERAL = re.compile(r".*[|][-+1-9]*[ \t]*(?:[ \t]#.*)?\Z")
_OLD_NAME = re.compile(r"""^(?!\s*(?:#|//)).*?(?:^|[\s"'{,]|\\n)(mount-dir|primary-redirect-url)["']?[ \t]*:""", re.MULTILINE)
"""Names that nobody but LiteFS before 0.5 has, outside comments."""


@dataclass(frozen=True, slots=True)
class _Region:
    """Lines `first` up to, not including, `end`, counted from 0; `prefix` stands before each of them."""

    first: int
    end: int
    prefix: str


@dataclass
class _Work:
    path: str
    lines: list[str]
    notes: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        self.by_hand.append(f"{self.path}:{line}: {why}")


def fix_file(path: str, data: bytes) -> FileFix | None:
    """None for a file that has nothing to do with LiteFS, or cannot be read: `lint` tells of that."""
    try:
        text = decode(data)
    except Unreadable:
        return None
    kind = recognise(path, text)
    if kind is None:
        return None
    work = _Work(path, text.split("\n"))
    for region in reversed(_regions(kind, text, work)):
        _fix_region(region, work)
    after = "\n".join(work.lines)
    if after != text and kind is Kind.KUBERNETES and not _same_otherwise(path, text, after):
        work.by_hand.insert(0, f"{path}:1: the result would not be the same objects; move the old names by hand")
        after = text
    left = _OLD_NAME.search(after)
    if left is not None and not work.by_hand:
        line = after.count("\n", 0, left.start(1)) + 1
        work.refuse(line, f"{left[1]} is from before 0.5, and stands where this tool changes nothing; move it by hand (explain LFS506)")
    encoded = _encoded(data, text, after, work)
    return FileFix(path, data, encoded, tuple(work.notes) if encoded != data else (), tuple(work.by_hand))


def _encoded(data: bytes, text: str, after: str, work: _Work) -> bytes:
    """The text with the file's own line endings and byte-order mark."""
    if after == text:
        return data
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    broken = after.replace("\n", "\r\n") if b"\r\n" in data else after
    again = text.replace("\n", "\r\n") if b"\r\n" in data else text
    if bom + again.encode() != data:
        work.refuse(1, "it mixes line endings, or is no UTF-8; make them one kind, and run this again")
        return data
    return bom + broken.encode()


def _fix_region(region: _Region, work: _Work) -> None:
    given = work.lines[region.first : region.end]
    inside = "".join(f"{row.removeprefix(region.prefix) if row.strip() else ''}\n" for row in given)
    try:
        done = _migrated(inside)
    except ByHand as why:
        work.refuse(region.first + why.line, why.message)
        return
    if done is not None:
        rows = done.text.rstrip("\n").split("\n")
        ends = region.end == len(work.lines)
        work.lines[region.first : region.end] = [region.prefix + row if row.strip() else row for row in rows]
        if ends and not region.prefix:
            work.lines.append("")  # the file ends in a line break, whatever its last line is now
        work.notes += [f"{work.path}:{region.first + 1}: {note}" for note in done.notes]


def _migrated(text: str) -> Migrated | None:
    if re.search(r"\{\{|\{%", text):
        if _OLD_NAME.search(text):
            raise ByHand("a template; move the old names by hand (explain LFS506)")
        return None
    if any(c in text for c in "\r\x85\u2028\u2029\t") and _OLD_NAME.search(text):
        raise ByHand("it has tabs or odd line breaks; move the old names by hand (explain LFS506)")
    return migrate(text)


def _regions(kind: Kind, text: str, work: _Work) -> list[_Region]:
    """In order, none inside another."""
    if kind is Kind.LITEFS_YML:
        last = next((n for n in range(len(work.lines), 0, -1) if work.lines[n - 1].strip()), 0)
        return [_Region(0, last, "")]
    found = [*_heredocs(work.lines)]
    if kind is Kind.KUBERNETES:
        for one in objects_in(work.path, text):
            if isinstance(one, Obj) and one.ref.kind == "ConfigMap":
                found += _in_configmap(one, work)
    return sorted(found, key=lambda r: r.first)


def _in_configmap(obj: Obj, work: _Work) -> Iterator[_Region]:
    for key, value in obj.mapping("data").items():
        if not isinstance(value, str) or not is_litefs_yml(str(key), value):
            continue
        origin = obj.text_origin("data", str(key))
        literal = origin is not None and origin.exact and origin.line > 1 and _LITERAL.match(work.lines[origin.line - 2])
        if origin is not None and literal:
            end = _block_end(work.lines, origin.line - 1, origin.indent)
            yield _Region(origin.line - 1, end, " " * origin.indent)
        elif _OLD_NAME.search(value):
            line = obj.at(f"data.{key}", "").line if "." not in str(key) else (origin.line if origin else 1)
            work.refuse(line or 1, f"{key} stands there as a quoted or folded text; write it as a block (`{key}: |`), and run this again")


def _block_end(lines: Sequence[str], first: int, indent: int) -> int:
    at = first
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(" " * indent)):
        at += 1
    while at > first and not lines[at - 1].strip():
        at -= 1
    return at


def _heredocs(lines: Sequence[str]) -> Iterator[_Region]:
    """Those whose text is a litefs.yml."""
    at = 0
    while at < len(lines):
        opened = None if lines[at].lstrip().startswith("#") else _OPENED.search(lines[at])
        at += 1
        if opened is None:
            continue
        name = opened[1] or opened[2] or opened[3]
        end = next((n for n in range(at, len(lines)) if lines[n].strip() == name), None)
        if end is None:
            continue
        body = lines[at:end]
        prefix = _common([row for row in body if row.strip()])
        if body and is_litefs_yml("", "\n".join(row.removeprefix(prefix) for row in body)):
            yield _Region(at, end, prefix)
        at = end + 1


def _common(rows: Sequence[str]) -> str:
    """The white space that every line begins with."""
    spaces = [row[: len(row) - len(row.lstrip(" \t"))] for row in rows]
    shortest = min(spaces, key=len, default="")
    return shortest if all(s.startswith(shortest) for s in spaces) else ""


def _same_otherwise(path: str, before: str, after: str) -> bool:
    """Whether the file holds the same objects, texts that hold a litefs.yml aside: those were proved by themselves."""
    old, new = (list(objects_in(path, text)) for text in (before, after))
    if len(old) != len(new) or any(isinstance(o, Unreadable) for o in new) != any(isinstance(o, Unreadable) for o in old):
        return False
    return all(_alike(a.raw, b.raw) for a, b in zip(old, new, strict=True) if isinstance(a, Obj) and isinstance(b, Obj))


def _alike(old: object, new: object) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_alike(old[k], new[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_alike(a, b) for a, b in zip(old, new, strict=True))
    texts = isinstance(old, str) and isinstance(new, str) and "\n" in old and "\n" in new
    return old == new or (texts and _OLD_TEXT.search(str(old)) is not None and _OLD_NAME.search(str(new)) is None)


_OLD_TEXT = re.compile(r"^\s*[\"']?(?:mount-dir|data-dir|consul|static|retention|debug|candidate|primary-redirect-url)[\"']?[ \t]*:", re.MULTILINE)
