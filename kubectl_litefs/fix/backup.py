"""Every database of the target as a file that is proven whole, before anything is deleted."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from ..errors import LitefsError
from ..exitcodes import ExitCode
from .export import CREATE, TRIES, ExportFailed, export, sha256_of, sync_folder, write_all
from .work import FixWork

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


def export_all(work: FixWork) -> Path:
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
        sync_folder(folder, folder.parent)
        return folder
    except OSError as error:
        raise BackupFailed(
            f"{error.filename or work.plan.backup_dir}: {error.strerror or error}",
            "Free space, or name another folder with --backup-dir.",
        ) from error


def _folder(work: FixWork) -> Path:
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


def _export(work: FixWork, name: str, folder: Path, number: int) -> Saved:
    part = folder / f"db-{number:04d}.sqlite.part"
    try:
        found = export(work.node(work.plan.pod), name, part)
    except ExportFailed as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if error.final:
            raise BackupFailed(error.message, error.hint) from error
        raise BackupFailed(
            f"the export of database {name!r} of {work.plan.pod} is not good after {TRIES} tries: {error.message}",
            "Where the pod cannot export: --backup=retain-pv or --backup=snapshot keeps the volume itself.",
        ) from error
    final = folder / f"db-{number:04d}.sqlite"
    os.rename(part, final)
    return Saved(final.name, name, found.position, found.bytes, found.sha256)


def _manifest(work: FixWork, folder: Path, saved: list[Saved]) -> None:
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
    file = os.open(folder / (MANIFEST + ".part"), CREATE, 0o600)
    try:
        os.fchmod(file, 0o600)
        write_all(file, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(folder / (MANIFEST + ".part"), folder / MANIFEST)


def complete(folder: Path, claim_uid: str) -> bool:
    """Whether a finished backup of this very volume lies there, every file as long and with the sha256 as noted."""
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
        if document["claimUID"] != claim_uid:
            return False
        for entry in document["databases"]:
            name = str(entry["file"])
            if Path(name).name != name or sha256_of(folder / name) != entry["sha256"]:
                return False
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return True
