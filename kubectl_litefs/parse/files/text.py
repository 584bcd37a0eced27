"""The bytes of a file to text; whatever is no text is said with its line."""

from __future__ import annotations

import bisect
import codecs
import re

BINARY_PREFIX = 8192
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(ValueError):
    """Why a file, or a part of it, cannot be judged: in words, with the line, counted from 1."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Lines:
    """Where an offset of a text stands. The breaks are looked for once: fields are asked for by the thousand."""

    def __init__(self, text: str) -> None:
        self._breaks = [m.start() for m in re.finditer("\n", text)]

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column), both counted from 1."""
        index = bisect.bisect_left(self._breaks, offset)
        start = self._breaks[index - 1] + 1 if index else 0
        return index + 1, offset - start + 1


def decode(data: bytes) -> str:
    """Text with `\\n` at the end of each line. A byte-order mark says which encoding it is; else it is UTF-8."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data[:BINARY_PREFIX]:
        raise Unreadable("a binary file")
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"no {(encoding or 'utf-8').upper()} text: byte 0x{data[error.start]:02x}", line) from None
    return text.replace("\r\n", "\n")
