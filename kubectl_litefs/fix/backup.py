"""Every database of the target as a file that is proven whole, before anything is deleted."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from ..model.litefs import Database
from ..model.origin import Gap
from .sqlite_file import Checker, Header
from .work import Work

TRIES = 3
IDLE = 30.0
"""Seconds without a byte after which an export counts as stalled."""
MANIFEST = "manifest.json"


class BackupFailed(LitefsError):
    """No verified backup, so nothing is deleted."""

    exit_code = ExitCode.BACKUP_FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__("backup-failed", f"backup failed: {message}. Nothing was changed", hint=hint)


@dataclass(frozen=True, slots=True)
class Saved:
    """One file. Server names are never file names: the database's name stands in here only."""

    file: str
    database: str
    position: str
    bytes: int
    sha256: str


def export_all(work: Work) -> Path:
    """The folder with one file for each database above txid 0 and a manifest. Raises BackupFailed."""
    try:
        folder = _folder(work)
        saved = []
        names = [d.name for d in work.plan.databases]
        for number, name in enumerate(names, 1):
            work.ui.step(
                "backup",
                f"back up {len(names)} database{'s' if len(names) != 1 else ''} of {work.plan.pod}",
                "doing",
                f"{number} of {len(names)}",
            )
            saved.append(_export(work, name, folder, number))
        _manifest(work, folder, saved)
        _sync_folder(folder)
        return folder
    except OSError as error:
        raise BackupFailed(
            f"{error.filename or work.plan.backup_dir}: {error.strerror or error}",
            "Free space, or name another folder with --backup-dir.",
        ) from error


def _folder(work: Work) -> Path:
    """A new folder of this run's own, 0700; one that exists is never written into."""
    base = Path(work.plan.backup_dir)
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = work.clock.now().astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    stem = f"{work.plan.namespace}-{work.plan.pod}-{stamp}"
    for n in range(100):
        folder = base / (stem if n == 0 else f"{stem}-{n}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        os.chmod(folder, 0o700)
        return folder
    raise BackupFailed(f"{base / stem} and 99 more of that name exist already")


def _export(work: Work, name: str, folder: Path, number: int) -> Saved:
    """Tried again while the position moves under it, or the stream breaks."""
    why = ""
    for _ in range(TRIES):
        before = _position(work, name)
        part = folder / f"db-{number:04d}.sqlite.part"
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        try:
            checker, sha = _download(work, name, part)
        except KubeError as error:
            why = error.as_kubectl_prints_it()
            continue
        after = _position(work, name)
        why = _doubt(work, checker, before, after, part)
        if not why:
            final = folder / f"db-{number:04d}.sqlite"
            os.rename(part, final)
            return Saved(final.name, name, after.position, checker.length, sha)
    with contextlib.suppress(OSError):
        (folder / f"db-{number:04d}.sqlite.part").unlink()
    raise BackupFailed(
        f"the export of database {name!r} of {work.plan.pod} is not good after {TRIES} tries: {why}",
        "Where the pod cannot export: --backup=retain-pv or --backup=snapshot keeps the volume itself.",
    )


def _doubt(work: Work, checker: Checker, before: Database, after: Database, part: Path) -> str:
    """Why this file proves nothing; empty where it is the database at that very position."""
    problem = checker.problem()
    if problem:
        return problem
    if before.position != after.position:
        return f"the database moved meanwhile, from {before.position} to {after.position}"
    if checker.checksum() != after.checksum:
        return f"its checksum is {checker.checksum()}, LiteFS says {after.checksum}"
    return _integrity(work, part)


def _integrity(work: Work, part: Path) -> str:
    """`PRAGMA integrity_check`, interruptible."""

    def alive() -> int:
        work.tick()
        return 0

    try:
        db = sqlite3.connect(f"file:{part}?mode=ro&immutable=1", uri=True)
        try:
            db.set_progress_handler(alive, 1_000_000)
            said = [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]
        finally:
            db.close()
    except sqlite3.Error as error:
        return f"SQLite cannot check it: {error}"
    return "" if said == ["ok"] else f"integrity_check says {'; '.join(said)[:200]}"


def _download(work: Work, name: str, part: Path) -> tuple[Checker, str]:
    """To disk, in chunks, checked as it comes. The file is on disk when this returns."""
    checker, sha, room = Checker(), hashlib.sha256(), False
    url = f"/api/v1/namespaces/{work.plan.namespace}/pods/{work.plan.pod}:{work.plan.port}/proxy/export"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    file = os.open(part, flags, 0o600)
    try:
        os.fchmod(file, 0o600)
        with work.kube.stream(url, {"name": name}, timeout=max(1.0, work.left()), idle=IDLE) as chunks:
            for chunk in chunks:
                checker.feed(chunk)
                sha.update(chunk)
                if not room and isinstance(checker.header, Header):
                    room = _require_room(part, checker.header.size, name)
                _write(file, chunk)
                work.tick()
        os.fsync(file)
    finally:
        os.close(file)
    return checker, sha.hexdigest()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _require_room(part: Path, size: int, name: str) -> bool:
    free = shutil.disk_usage(part.parent).free
    if free < size:
        raise BackupFailed(
            f"{part.parent} has {free} bytes free, database {name!r} needs {size}",
            "Free space, or name another folder with --backup-dir.",
        )
    return True


def _position(work: Work, name: str) -> Database:
    try:
        found = work.databases(work.plan.pod)
    except KubeError as error:
        raise BackupFailed(f"{work.plan.pod} no longer says its positions: {error.as_kubectl_prints_it()}") from error
    mine = None if isinstance(found, Gap) else next((d for d in found if d.name == name), None)
    if mine is None:
        raise BackupFailed(f"{work.plan.pod} no longer lists database {name!r}")
    return mine


def _manifest(work: Work, folder: Path, saved: list[Saved]) -> None:
    """Last of all: a folder without one is no backup."""
    plan = work.plan
    document: dict[str, Any] = {
        "apiVersion": "kubectl-litefs/v1",
        "kind": "Backup",
        "takenAt": work.clock.now().astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "plan": plan.id,
        "namespace": plan.namespace,
        "pod": plan.pod,
        "podUID": plan.pod_uid,
        "claim": plan.claim,
        "claimUID": plan.claim_uid,
        "clusterID": plan.target_cluster_id,
        "databases": [asdict(s) for s in saved],
    }
    file = os.open(folder / (MANIFEST + ".part"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        os.fchmod(file, 0o600)
        _write(file, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(folder / (MANIFEST + ".part"), folder / MANIFEST)


def _sync_folder(folder: Path) -> None:
    for path in (folder, folder.parent):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def complete(folder: Path, claim_uid: str) -> bool:
    """Whether a finished backup of this very volume lies there, every file as long and with the sha256 as noted."""
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
        if document["claimUID"] != claim_uid:
            return False
        for entry in document["databases"]:
            name = str(entry["file"])
            if Path(name).name != name or _sha256(folder / name) != entry["sha256"]:
                return False
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return True


def _sha256(path: Path) -> str:
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()
