"""One database of one pod as a file that is proven whole. Reads only: LiteFS's /export through the API server.

An export that fails half-way answers 200 and glues its error text to the data, so nothing counts before the header,
the length, the checksum of LiteFS's own position and SQLite's integrity check say so.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from ..model.litefs import Database, Info
from ..model.origin import Gap
from ..parse.litefs_http import MAX_VARS, read_info, read_vars
from ..ports import Kube
from .sqlite_file import Checker, Header

TRIES = 3
IDLE = 30.0
"""Seconds without a byte after which an export counts as stalled."""
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class ExportFailed(LitefsError):
    """No proven file. `damaged` says that LiteFS's own copy is whole in length but not good: the file is still there."""

    exit_code = ExitCode.BACKUP_FAILED

    def __init__(self, message: str, hint: str | None = None, *, final: bool = False, damaged: Export | None = None) -> None:
        super().__init__("export-failed", message, hint=hint)
        self.final, self.damaged = final, damaged
        """`final`: trying again is in vain."""


def reason(error: LitefsError | OSError) -> str:
    """In words: what the cluster said, or which file could not be written and why."""
    return error.message if isinstance(error, LitefsError) else f"{error.filename or 'a file'}: {error.strerror or error}"


@dataclass(frozen=True, slots=True)
class Node:
    """One pod's LiteFS: where it answers and how patiently it is asked, in seconds.

    `alive` is called while bytes flow and while SQLite checks; what it raises ends the export.
    """

    kube: Kube
    namespace: str
    pod: str
    port: int
    timeout: float
    left: Callable[[], float]
    alive: Callable[[], None]

    def path(self, what: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}:{self.port}/proxy/{what}"

    def ask(self, what: str) -> bytes:
        return self.kube.get(self.path(what), timeout=self.timeout, max_bytes=MAX_VARS)

    def info(self) -> Info | Gap:
        return read_info(f"litefs/{self.namespace}/{self.pod}/info.json", self.ask("info"))

    def databases(self) -> tuple[Database, ...] | Gap:
        return read_vars(f"litefs/{self.namespace}/{self.pod}/vars.json", self.ask("debug/vars"))

    def position(self, database: str) -> Database:
        """Raises ExportFailed where the pod no longer tells."""
        try:
            found = self.databases()
        except KubeError as error:
            raise ExportFailed(f"{self.pod} no longer says its positions: {error.as_kubectl_prints_it()}", final=True) from error
        mine = None if isinstance(found, Gap) else next((d for d in found if d.name == database), None)
        if mine is None:
            raise ExportFailed(f"{self.pod} no longer lists database {database!r}", final=True)
        return mine


@dataclass(frozen=True, slots=True)
class Export:
    """A whole file. `txid` and `checksum` are the position it was proven to be at; where the database moved on while
    it was read and no position fits, `checksum` is the file's own and `later` the txid that was reached meanwhile."""

    database: str
    txid: int
    checksum: str
    bytes: int
    sha256: str
    later: int | None = None

    @property
    def proven(self) -> bool:
        """Whether the file is known to be the database at exactly this position."""
        return self.later is None

    @property
    def position(self) -> str:
        return f"{self.txid:016x}/{self.checksum}"


def export(node: Node, database: str, part: Path, *, moving: bool = False) -> Export:
    """Tried again while the position moves under it, or the stream breaks. `part` holds the file when this returns.

    `moving`: a database that is written to all the time is taken whole all the same, its position then not proven.
    Raises ExportFailed; `part` is then gone, unless it is a damaged copy.
    """
    why, moved, damaged = "", None, None
    for _ in range(TRIES):
        before = node.position(database)
        _unlink(part)
        moved = damaged = None
        try:
            checker, sha = _download(node, database, part)
        except KubeError as error:
            why = error.as_kubectl_prints_it()
            continue
        why = checker.problem() or ""
        if why:
            continue
        after = node.position(database)
        why, moved, damaged = _proof(node, part, checker, sha, before, after, moving)
        if not why and moved is not None and moved.proven:
            return moved
    if moving and not why and moved is not None:
        return moved
    if not why and moved is not None:
        why = f"the database moved meanwhile, from txid {moved.txid:x} to {moved.later or 0:x}"
    if damaged is None:
        _unlink(part)
    raise ExportFailed(why, damaged=damaged)


def require_same(node: Node, cluster_id: str | None) -> None:
    """Raises ExportFailed where the pod has another id than before the export, thus another volume: the file is of another history.

    One that can no longer be asked may be gone, and the file the last there is of it: then it is kept as what it was exported as.
    """
    try:
        info = node.info()
    except KubeError:
        return
    if cluster_id and not isinstance(info, Gap) and info.cluster_id != cluster_id:
        raise ExportFailed(
            f"{node.pod} has cluster id {info.cluster_id or 'none'} now, it was {cluster_id} when this began: which history the file is of is not known", final=True
        )


def _proof(
    node: Node, part: Path, checker: Checker, sha: str, before: Database, after: Database, moving: bool
) -> tuple[str, Export | None, Export | None]:
    """(why it is not good, what it is, what it is where it is damaged)."""
    checksum, length = checker.checksum(), checker.length
    still = before.position == after.position
    fits = next((d for d in ((after, before) if moving or still else ()) if d.checksum == checksum), None)
    if fits is not None:
        found = Export(before.name, fits.txid, checksum, length, sha)
    else:
        found = Export(before.name, before.txid, checksum, length, sha, None if still else after.txid)
    why = _integrity(node, part)
    if still and fits is None:
        why = f"its checksum is {checksum}, LiteFS says {after.checksum}"
    return (why, None, found) if why else ("", found, None)


def _integrity(node: Node, part: Path) -> str:
    """`PRAGMA integrity_check`, interruptible; empty where it answers ok."""

    def alive() -> int:
        node.alive()
        return 0

    try:
        db = sqlite3.connect(f"{part.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            db.set_progress_handler(alive, 1_000_000)
            said = [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]
        finally:
            db.close()
    except sqlite3.Error as error:
        node.alive()  # an interruption looks like an error of SQLite
        return f"SQLite cannot check it: {error}"
    return "" if said == ["ok"] else f"integrity_check says {'; '.join(said)[:200]}"


def _download(node: Node, database: str, part: Path) -> tuple[Checker, str]:
    """To disk, in chunks, checked as it comes. The file is on disk when this returns."""
    checker, sha, room = Checker(), hashlib.sha256(), False
    file = os.open(part, CREATE, 0o600)
    try:
        os.fchmod(file, 0o600)
        with node.kube.stream(node.path("export"), {"name": database}, timeout=max(1.0, node.left()), idle=IDLE) as chunks:
            for chunk in chunks:
                checker.feed(chunk)
                sha.update(chunk)
                if not room and isinstance(checker.header, Header):
                    room = _require_room(part, checker.header.size, database)
                write_all(file, chunk)
                node.alive()
        os.fsync(file)
    finally:
        os.close(file)
    return checker, sha.hexdigest()


def write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _require_room(part: Path, size: int, database: str) -> bool:
    free = shutil.disk_usage(part.parent).free
    if free < size:
        raise ExportFailed(
            f"{part.parent} has {free} bytes free, database {database!r} needs {size}",
            "Free space, or name another folder with --backup-dir.",
            final=True,
        )
    return True


def _unlink(part: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        part.unlink()


def sync_folder(*folders: Path) -> None:
    for path in folders:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def sha256_of(path: Path, checker: Checker | None = None) -> str:
    """Read once: `checker` is fed with what is read, too. Raises OSError."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
            if checker is not None:
                checker.feed(chunk)
    return sha.hexdigest()
