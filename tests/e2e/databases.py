"""SQLite files on a played volume, with LiteFS's position of each."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FLAG = 1 << 63
ONES = (1 << 64) - 1
LOCK_BYTE = 2**30


def _table() -> tuple[int, ...]:
    out = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xD800000000000000 if value & 1 else 0)
        out.append(value)
    return tuple(out)


CRC64_ISO = _table()


def crc64(data: bytes) -> int:
    crc = ONES
    for byte in data:
        crc = CRC64_ISO[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ ONES


def checksum(path: Path) -> int:
    """LiteFS's checksum of a database: the XOR over its pages of the CRC of page number and page.

    A CRC is affine, so one CRC of the XOR of all pages will do; with an even number of pages the constant part is left over.
    """
    with path.open("rb") as file:
        header = file.read(100)
        size = int.from_bytes(header[16:18], "big")
        size = 65536 if size == 1 else size
        file.seek(0)
        total, count, number = 0, 0, 0
        while page := file.read(size):
            number += 1
            if number == LOCK_BYTE // size + 1:
                continue
            total ^= int.from_bytes(number.to_bytes(4, "big") + page, "big")
            count += 1
    crc = crc64(total.to_bytes(size + 4, "big"))
    if count % 2 == 0:
        crc ^= crc64(bytes(size + 4))
    return FLAG | crc


@dataclass(frozen=True, slots=True)
class Position:
    """How far a database has come: LiteFS's transaction id (here SQLite's change counter, and what an import took from it) and checksum."""

    txid: int
    checksum: int


class Databases:
    """The databases of one volume."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self._seen: dict[str, tuple[tuple[int, int, int], Position]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        return self.folder / name

    def execute(self, name: str, sql: str) -> list[tuple[object, ...]]:
        """One statement, committed."""
        with self.lock, contextlib.closing(sqlite3.connect(self.path(name), isolation_level=None)) as db:
            return db.execute(sql).fetchall()

    def positions(self) -> dict[str, Position]:
        out = {}
        with self.lock:
            for path in sorted(self.folder.iterdir()):
                if path.name.startswith(".") or path.name.endswith(("-journal", "-wal", "-shm")):
                    continue  # others make and remove these at any time
                stat = path.stat()
                if 0 < stat.st_size < 512:
                    continue
                if stat.st_size == 0:  # opened and never written
                    out[path.name] = Position(0, 0)
                    continue
                key = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if path.name not in self._seen or self._seen[path.name][0] != key:
                    with path.open("rb") as file:
                        head = file.read(28)
                    txid = int.from_bytes(head[24:28], "big") + self._ahead().get(path.name, 0)
                    self._seen[path.name] = (key, Position(txid, checksum(path)))
                out[path.name] = self._seen[path.name][1]
        return out

    def _ahead(self) -> dict[str, int]:
        """Database -> transactions that its change counter does not count any more."""
        file = self.folder / ".ahead.json"
        found: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def _put(self, name: str, source: Path, ahead: int) -> None:
        (self.folder / ".ahead.json").write_text(json.dumps({**self._ahead(), name: ahead}))
        os.replace(source, self.path(name))

    def take_in(self, name: str, data: bytes) -> str:
        """What POST /import does: the header is looked at, the change counter and the schema cookie become zero, one transaction more.

        Why it is refused; empty where it is not."""
        if not data.startswith(b"SQLite format 3\0") or len(data) < 100:
            return "read database header: unexpected EOF"
        head = bytearray(data)
        head[24:28] = head[40:44] = bytes(4)
        with self.lock:
            old = self.positions().get(name)
            (self.folder / ".new").write_bytes(bytes(head))
            self._put(name, self.folder / ".new", (old.txid if old else 0) + 1)
        return ""

    @contextlib.contextmanager
    def snapshot(self, name: str) -> Iterator[Path]:
        """A copy that nobody writes to."""
        copy = self.folder / f".snapshot-{threading.get_ident()}"
        with self.lock:
            shutil.copyfile(self.path(name), copy)
        try:
            yield copy
        finally:
            copy.unlink()

    def take_over(self, other: Databases) -> dict[str, int]:
        """Become as the other is; names and transaction ids of what had to be copied."""
        theirs, ours, copied = other.positions(), self.positions(), {}
        for name, position in theirs.items():
            if position.txid and ours.get(name) != position:
                with other.snapshot(name) as copy, self.lock:
                    shutil.copyfile(copy, self.folder / ".new")
                    self._put(name, self.folder / ".new", other._ahead().get(name, 0))
                copied[name] = position.txid
        return copied
