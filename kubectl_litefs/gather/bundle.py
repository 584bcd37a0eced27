"""Bundles, format 1: a snapshot on disk, as a directory or a .tar.gz. A bundle may come from anybody: nothing in it is
trusted with a path, a link or a size."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import CouldNotLook, UsageError
from ..model.objects import parse_time
from ..model.origin import Gap, GapReason
from ..model.snapshot import Item, Snapshot

FORMAT = 1
MANIFEST = "manifest.json"
LAYOUT = re.compile(
    r"objects/[^/]+/[a-z]+\.json|logs/[^/]+/[^/]+/[^/]+\.log"
    r"|(?:sweeps/\d{1,3}/)?litefs/[^/]+/[^/]+/(?:info\.json|vars\.json|metrics\.txt)|files/.+"
)
FILES = "files/"
"""Where files of the user's stand that were laid over the cluster."""
MAX_FILES = 50_000
MAX_FILE = 256 * 1024 * 1024
"""Bytes of one object list or answer; logs may be larger, they are only ever streamed."""
MAX_TOTAL = 4 * 1024**3
MAX_RATIO = 250
"""Unpacked bytes per packed byte: the logs of a retrying replica reach about 60, a bomb 1000."""
SLACK = 64 * 1024 * 1024
CHUNK = 64 * 1024


def load(path: Path) -> Snapshot:
    """A snapshot from a directory or a .tar.gz.

    Raises UsageError where there is no bundle at `path`, CouldNotLook where it is damaged or unsafe.
    """
    if path.is_dir():
        return _from_directory(path)
    if path.is_file():
        return _from_archive(path)
    raise UsageError("no-bundle", f"{path}: no such file or directory", hint="--from wants a bundle: a directory or a .tar.gz")


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a .tar.gz that nobody else may read. Equal snapshots give equal bytes. Never overwrites."""
    if path.exists():
        raise UsageError("file-exists", f"{path} is there already", hint="Choose another name, or remove it first.")
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UsageError("cannot-write", f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as handle, gzip.GzipFile("", "wb", 9, handle, 0) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            manifest = json.dumps(_manifest(snapshot), indent=1, sort_keys=True).encode() + b"\n"
            _add(tar, MANIFEST, len(manifest), io.BytesIO(manifest))
            for item in (snapshot.items[p] for p in sorted(snapshot.items)):
                with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as spool:
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
        "taken_at": snapshot.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kubernetes": snapshot.kubernetes,
        "litefs": snapshot.litefs,
        "gaps": [{"what": g.what, "why": g.why.value, "detail": g.detail} for g in snapshot.gaps],
    }
    if snapshot.wanted:
        manifest["wanted"] = list(snapshot.wanted)
    return manifest


def _snapshot(manifest_bytes: bytes, items: dict[str, Item], where: Path) -> Snapshot:
    """Check the manifest's shape; a bundle without a usable one is refused, never guessed at."""
    try:
        manifest = json.loads(manifest_bytes)
        if manifest["format"] != FORMAT:
            raise CouldNotLook(
                "bundle-format", f"{where} is a bundle of format {str(manifest['format'])[:20]}; this version reads format {FORMAT}"
            )
        taken_at = parse_time(manifest["taken_at"])
        gaps = tuple(Gap(str(g["what"]), GapReason(g["why"]), str(g.get("detail") or "")) for g in manifest.get("gaps", []))
        namespaces = tuple(str(n) for n in manifest["namespaces"])
        wanted = tuple(str(w) for w in manifest.get("wanted", ()))
        if taken_at is None:
            raise ValueError("taken_at is no time")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CouldNotLook("bundle-damaged", f"{where}: its {MANIFEST} is damaged: {type(error).__name__} {error}"[:300]) from None
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


def _file_opener(path: Path) -> Callable[[], Iterator[bytes]]:
    """Reads the file anew at each call. A link that appears later is not followed."""

    def read() -> Iterator[bytes]:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return read


def _check_size(name: str, size: int, where: Path) -> None:
    if size > (MAX_TOTAL if name.startswith("logs/") else MAX_FILE):
        raise CouldNotLook("bundle-too-large", f"{where}: {name} has {size} bytes: more than any real bundle")


def _from_directory(path: Path) -> Snapshot:
    manifest = path / MANIFEST
    if not manifest.is_file() or manifest.is_symlink():
        raise UsageError("no-bundle", f"{path} is no bundle: it has no {MANIFEST}", hint="kubectl litefs bundle -o FILE.tar.gz makes one.")
    items: dict[str, Item] = {}
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            if (Path(folder) / name).is_symlink():
                raise CouldNotLook("bundle-unsafe", f"{path}: {name[:100]!r} is a link; a bundle holds plain files only")
        for name in files:
            file = Path(folder) / name
            inside = str(PurePosixPath(*file.relative_to(path).parts))
            if LAYOUT.fullmatch(inside) and file.is_file():
                _check_size(inside, file.stat().st_size, path)
                items[inside] = Item(inside, _file_opener(file))
        if len(items) > MAX_FILES:
            raise CouldNotLook("bundle-too-large", f"{path}: more than {MAX_FILES} files")
    return _snapshot(manifest.read_bytes()[:MAX_FILE], items, path)


class _Spool:
    """A private directory that holds what was unpacked and goes with the last reader."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="kubectl-litefs-")
        self.count = 0
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, data: Any, size: int) -> Callable[[], Iterator[bytes]]:
        """Write `size` bytes of a stream to a file named by a number; names from the archive never touch the disk."""
        path = Path(self.folder) / str(self.count)
        self.count += 1
        with path.open("xb") as file:
            left = size
            while left and (chunk := data.read(min(CHUNK, left))):
                file.write(chunk)
                left -= len(chunk)
        if left:
            raise EOFError("truncated")
        read = _file_opener(path)

        def reread() -> Iterator[bytes]:
            assert self.count  # holding on to self keeps the directory
            return read()

        return reread


def _from_archive(path: Path) -> Snapshot:
    limit = min(MAX_TOTAL, path.stat().st_size * MAX_RATIO + SLACK)
    spool, items, manifest, total, count = _Spool(), {}, None, 0, 0
    try:
        with gzip.open(path, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for member in tar:
                count += 1
                total += member.size
                name = _safe_name(member, path)
                if count > MAX_FILES or total > limit:
                    raise CouldNotLook("bundle-too-large", f"{path} unpacks to more than any real bundle of its size: refused")
                if name is None or not (name == MANIFEST or LAYOUT.fullmatch(name)):
                    continue
                _check_size(name, member.size, path)
                data = tar.extractfile(member)
                assert data is not None
                if name in items or (name == MANIFEST and manifest is not None):
                    raise CouldNotLook("bundle-unsafe", f"{path}: {name} stands in it twice")
                opener = spool.keep(data, member.size)
                if name == MANIFEST:
                    manifest = b"".join(opener())
                else:
                    items[name] = Item(name, opener)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
        if isinstance(error, gzip.BadGzipFile):
            raise UsageError("no-bundle", f"{path} is no bundle: not a .tar.gz", hint="kubectl litefs bundle -o FILE.tar.gz makes one.") from None
        raise CouldNotLook("bundle-damaged", f"{path} is damaged: {type(error).__name__} {error}"[:300]) from None
    if manifest is None:
        raise UsageError("no-bundle", f"{path} is no bundle: it has no {MANIFEST}")
    return _snapshot(manifest, items, path)


def _safe_name(member: tarfile.TarInfo, where: Path) -> str | None:
    """The member's path, None for a directory. Everything that is no plain file below the top is refused."""
    name = member.name.removeprefix("./")
    parts = PurePosixPath(name).parts
    shown = repr(name[:100])
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise CouldNotLook("bundle-unsafe", f"{where}: {shown} points out of the bundle: refused")
    if member.isdir():
        return None
    if not member.isreg():
        raise CouldNotLook("bundle-unsafe", f"{where}: {shown} is a link or a device; a bundle holds plain files only")
    return name
