"""The user's own files and standard input as streams of bytes: unpacked, in UTF-8, in constant memory."""

from __future__ import annotations

import codecs
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

CHUNK = 1024 * 1024
STDIN = "-"
GZIP = b"\x1f\x8b"
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, ""))


class Damaged(Exception):
    """The rest of a packed file cannot be read; what came before was."""


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """The file, or standard input for `-`. Raises OSError."""
    if path == STDIN:
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """All bytes of a file, unpacked if gzip packed them; UTF-16, which PowerShell's `>` writes, becomes UTF-8.

    Raises Damaged where a packed file ends early or is broken.
    """
    yield from plain(_raw(file))


def plain(raw: Iterator[bytes]) -> Iterator[bytes]:
    """The same for chunks of bytes."""
    first = next(raw, b"")
    while 0 < len(first) < 4 and (more := next(raw, b"")):
        first += more  # a pipe may give the first bytes one by one
    data = _again(first, raw)
    if first.startswith(GZIP):
        data = _unpacked(data)
        first = next(data, b"")
        data = _again(first, data)
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            data = _without(mark, data, encoding)
    yield from data


def _raw(file: IO[bytes]) -> Iterator[bytes]:
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while chunk := read(CHUNK):
        yield chunk


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, one after the other; of a damaged one as much as can be had."""
    engine = zlib.decompressobj(wbits=31)
    for data in packed:
        while data:
            if engine.eof:  # the next member, or padding
                data = data.lstrip(b"\0")
                if not data:
                    break
                engine = zlib.decompressobj(wbits=31)
            try:
                plain = engine.decompress(data, CHUNK)
            except zlib.error as error:
                raise Damaged(f"{error}") from None
            if plain:
                yield plain
            data = engine.unused_data if engine.eof else engine.unconsumed_tail
    if not engine.eof:
        raise Damaged("the file ends too early")


def _without(mark: bytes, data: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
    waiting = len(mark)
    for chunk in data:
        rest, waiting = chunk[waiting:], max(0, waiting - len(chunk))
        yield decoder.decode(rest).encode("utf8", "replace") if decoder else rest


def first_bytes(path: str, size: int = 4096) -> bytes:
    """How a regular file begins, unpacked; nothing of standard input, which can be read only once. Raises OSError."""
    if path == STDIN or not os.path.isfile(path):
        return b""
    with opened(path) as file:
        try:
            return next(chunks(file), b"")[:size]
        except Damaged:
            return b""
