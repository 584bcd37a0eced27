"""A folder of saved copies on this machine. Files are added, never overwritten and never deleted.

`manifest.jsonl` has one line for each file, written once the file is whole and on disk, so a run that was stopped leaves
nothing that looks better than it is. Names that come from a server stand in the manifest only.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from ..errors import LitefsError
from ..exitcodes import ExitCode
from ..fix.export import Export, sha256_of, sync_folder
from ..fix.journal import append
from ..fix.sqlite_file import Checker
from ..ports import Clock

MANIFEST = "manifest.jsonl"
VERSION = 1
MAX_LINES = 1_000_000
FILE = re.compile(r"db-(\d{4,})(?:\.damaged)?\.sqlite(?:\.part)?")


@dataclass(frozen=True, slots=True)
class Copy:
    """One saved database of one pod.

    `txid` is the position's; `later` the txid that the database reached while it was read, None where the position is
    proven. `damaged` says in words why the file is not good: it is kept for a person, and is never a source.
    """

    file: str
    server: str
    namespace: str
    pod: str
    pod_uid: str
    cluster_id: str
    database: str
    txid: int
    checksum: str
    bytes: int
    sha256: str
    saved_at: str
    later: int | None = None
    damaged: str = ""

    @property
    def proven(self) -> bool:
        return self.later is None and not self.damaged

    @property
    def place(self) -> tuple[str, str, str, str, str]:
        """Whose copy of what it is."""
        return self.server, self.namespace, self.pod, self.cluster_id, self.database

    @property
    def position(self) -> str:
        return f"{self.txid:016x}/{self.checksum}"


class Store:
    """An open folder. Safe in threads. `close` it: until then no other run on this machine writes into it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Raises LitefsError: exit 5 where another run writes there, 7 where nothing can be written."""
        self.folder, self.clock = folder, clock
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            self._file = os.open(folder / MANIFEST, flags, 0o600)
            os.fchmod(self._file, 0o600)
        except OSError as error:
            raise cannot_write(folder, error) from error
        if not _lock_file(self._file):
            os.close(self._file)
            raise LitefsError(
                "locked",
                f"another save writes into {folder} now",
                hint="Wait for it, or name another folder with --backup-dir.",
                exit_code=ExitCode.LOCKED,
            )
        try:
            self._begin()
        except OSError as error:
            os.close(self._file)
            raise cannot_write(folder, error) from error

    def _begin(self) -> None:
        """What is there already. Halves of a run that was stopped go: nobody else can be at them."""
        self.copies = list(read(self.folder))
        self._number = 0
        for path in self.folder.iterdir():
            found = FILE.fullmatch(path.name)
            if found is None:
                continue
            self._number = max(self._number, int(found[1]))
            if path.name.endswith(".part"):
                path.unlink()

    def close(self) -> None:
        """A thread that still saves fails from here on; its file has no line then."""
        with self._lock:
            file, self._file = self._file, -1
            os.close(file)

    def part(self) -> Path:
        """A name that no file had before."""
        with self._lock:
            self._number += 1
            return self.folder / f"db-{self._number:04d}.sqlite.part"

    def kept(self, place: tuple[str, str, str, str, str], position: str) -> Copy | None:
        """A proven copy of this very position whose file is still as it was written."""
        for copy in reversed(self.copies):
            if copy.place == place and copy.proven and copy.position == position and whole(self.folder, copy):
                return copy
        return None

    def add(self, part: Path, export: Export, place: tuple[str, str, str, str, str], pod_uid: str, damaged: str = "") -> Copy:
        """The file under its last name, then its line: on disk when this returns."""
        server, namespace, pod, cluster_id, database = place
        name = part.name.removesuffix(".part")
        name = name.replace(".sqlite", ".damaged.sqlite") if damaged else name
        at = self.clock.now().astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        copy = Copy(
            name, server, namespace, pod, pod_uid, cluster_id, database, export.txid, export.checksum, export.bytes,
            export.sha256, at, export.later, damaged,
        )  # fmt: skip
        os.rename(part, self.folder / name)
        sync_folder(self.folder)
        with self._lock:
            append(self._file, json.dumps({"v": VERSION, **asdict(copy)}, sort_keys=True))
            self.copies.append(copy)
        return copy


def read(folder: Path) -> Iterator[Copy]:
    """Every whole line of a manifest; whatever else stands there is passed over."""
    try:
        with open(folder / MANIFEST, "rb") as file:
            for number, line in enumerate(file):
                if number >= MAX_LINES:
                    return
                copy = _copy(line)
                if copy is not None:
                    yield copy
    except OSError:
        return


def _copy(line: bytes) -> Copy | None:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict) or entry.pop("v", None) != VERSION:
            return None
        copy = Copy(**entry)
        good = FILE.fullmatch(copy.file) and isinstance(copy.txid, int) and copy.txid >= 0
        return copy if good and all(isinstance(v, str) for v in _texts(entry)) else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _texts(entry: Mapping[str, Any]) -> Iterator[Any]:
    return (entry[k] for k in entry if k not in ("txid", "bytes", "later"))


def whole(folder: Path, copy: Copy) -> bool:
    """Whether the file is still what its line says, byte for byte; a line that was edited proves no other file's content."""
    try:
        path, checker = folder / copy.file, None if copy.damaged else Checker()
        if path.is_symlink() or path.stat().st_size != copy.bytes or sha256_of(path, checker) != copy.sha256:
            return False
        return checker is None or (checker.problem() is None and checker.checksum() == copy.checksum)
    except OSError:
        return False


def cannot_write(folder: Path, error: OSError) -> LitefsError:
    return LitefsError(
        "backup-failed",
        f"nothing can be saved: {error.filename or folder}: {error.strerror or error}. Nothing was changed",
        hint="Free space, or name another folder with --backup-dir.",
        exit_code=ExitCode.BACKUP_FAILED,
    )


def _lock_file(file: int) -> bool:
    """False where another process holds it. A file system without locks does not keep anybody from saving."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
