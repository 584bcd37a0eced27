"""Bundles, format 1: a snapshot on disk, as a directory or a .tar.gz. A bundle may come from anybody: nothing in it is
trusted with a path, a link or a size."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import os
import re
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from ..errors import CouldNotLook, UsageError
from ..model.objects import parse_time
from ..model.origin import Gap, GapReason
from ..model.snapshot import Item, Snapshot
from . import safe_files, scratch
from .safe_files import MAX_TOTAL

FORMAT = 1
MANIFEST = "manifest.json"
LAYOUT = re.compile(
    r"objects/[^/]+/[a-z]+\.json|logs/[^/]+/[^/]+/[^/]+\.log"
    r"|(?:sweeps/\d{1,3}/)?litefs/[^/]+/[^/]+/(?:info\.json|vars\.json|metrics\.txt)|files/.+"
)
FILES = "files/"
"""Where files of the user's stand that were laid over the cluster."""
MAX_FILE = 256 * 1024 * 1024
"""Bytes of one object list or answer; logs may be larger, they are only ever streamed."""


def load(path: Path, patterns: tuple[str, ...] = ()) -> Snapshot:
    """A snapshot from a directory or a .tar.gz: a bundle, or what another tool has saved of a cluster.

    `patterns` are those of the user's own rules, to be looked for in its logs.

    Raises UsageError where there is neither at `path`, CouldNotLook where it is damaged or unsafe.
    """
    files = safe_files.read(path)
    manifest = files.found.get(MANIFEST)
    if manifest is None:
        from . import dump  # a parser of YAML and of logs, which no bundle needs

        return dump.snapshot(files, path, patterns)
    if files.links:
        raise CouldNotLook("bundle-unsafe", f"{path}: {files.links[0][:100]!r} is a link or a device; a bundle holds plain files only")
    for name, file in files.found.items():
        if file.size > (MAX_TOTAL if name.startswith("logs/") else MAX_FILE):
            raise CouldNotLook("bundle-too-large", f"{path}: {name} has {file.size} bytes: more than any real bundle")
    items = {name: Item(name, file.open) for name, file in files.found.items() if LAYOUT.fullmatch(name)}
    return dataclasses.replace(_snapshot(b"".join(manifest.open()), items, path), patterns=patterns)


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a .tar.gz that nobody else may read. Equal snapshots give equal bytes. Never overwrites."""
    require_new(path)
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError("cannot-write", f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as handle, gzip.GzipFile("", "wb", 9, handle, 0) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            manifest = json.dumps(_manifest(snapshot), indent=1, sort_keys=True).encode() + b"\n"
            _add(tar, MANIFEST, len(manifest), io.BytesIO(manifest))
            for item in (snapshot.items[p] for p in sorted(snapshot.items)):
                with scratch.file(1024 * 1024) as spool:
                    for chunk in item.open():
                        spool.write(chunk)
                    size = spool.tell()
                    spool.seek(0)
                    _add(tar, _inside(item.path), size, spool)
        os.link(draft, path)  # unlike a rename, fails where somebody else was faster
    except FileExistsError:
        raise UsageError("file-exists", f"{path} is there already") from None
    finally:
        os.unlink(draft)


def require_new(path: Path) -> None:
    """Raises UsageError where `save` could write nothing: known before the cluster is read."""
    if path.exists():
        raise UsageError("file-exists", f"{path} is there already", hint="Choose another name, or remove it first.")
    if not path.parent.is_dir():
        raise UsageError("cannot-write", f"cannot write {path}: there is no directory {path.parent}")


def _inside(path: str) -> str:
    """A path that stays in the bundle: files may have been named by an absolute path, or one further up."""
    if not path.startswith(FILES):
        return path
    parts = [{"..": "up"}.get(p, p) for p in path.removeprefix(FILES).replace("\\", "/").split("/") if p not in ("", ".")]
    return FILES + "/".join(parts)


def _add(tar: tarfile.TarFile, name: str, size: int, data: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, data)


def _manifest(snapshot: Snapshot) -> dict[str, Any]:
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "namespaces": list(snapshot.namespaces),
        "taken_at": snapshot.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ") if snapshot.taken_at else None,
        "kubernetes": snapshot.kubernetes,
        "litefs": snapshot.litefs,
        "gaps": [{"what": g.what, "why": g.why.value, "detail": g.detail} for g in snapshot.gaps],
    }
    if snapshot.wanted:
        manifest["wanted"] = list(snapshot.wanted)
    return manifest


def _damaged(where: Path, why: str) -> CouldNotLook:
    return CouldNotLook("bundle-damaged", f"{where}: its {MANIFEST} is damaged: {why}"[:300])


def _snapshot(manifest_bytes: bytes, items: dict[str, Item], where: Path) -> Snapshot:
    """Check the manifest's shape; a bundle without a usable one is refused, never guessed at."""
    try:
        manifest = json.loads(manifest_bytes)
        if manifest["format"] != FORMAT:
            raise CouldNotLook(
                "bundle-format", f"{where} is a bundle of format {json.dumps(manifest['format'])[:20]}; this version reads format {FORMAT}"
            )
        taken_at = parse_time(manifest["taken_at"])
        gaps = tuple(Gap(str(g["what"]), GapReason(g["why"]), str(g.get("detail") or "")) for g in manifest.get("gaps", []))
        namespaces = tuple(str(n) for n in manifest["namespaces"])
        wanted = tuple(str(w) for w in manifest.get("wanted", ()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"no JSON ({error})" if isinstance(error, json.JSONDecodeError) else "it is not what bundle writes"
        raise _damaged(where, why) from None
    if taken_at is None:
        raise _damaged(where, "taken_at is no time")
    return Snapshot(
        items=items,
        gaps=gaps,
        namespaces=namespaces,
        taken_at=taken_at,
        source="bundle",
        kubernetes=str(manifest.get("kubernetes") or ""),
        litefs=str(manifest.get("litefs") or ""),
        wanted=wanted,
    )
