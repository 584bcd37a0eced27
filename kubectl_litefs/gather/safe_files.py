"""The files of a directory or a .tar.gz that may come from anybody: nothing in it is trusted with a path, a link or a size."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import CouldNotLook, UsageError
from . import scratch

MAX_FILES = 50_000
MAX_TOTAL = 4 * 1024**3
MAX_RATIO = 250
"""Unpacked bytes per packed byte: the logs of a retrying replica reach about 60, a bomb 1000."""
SLACK = 64 * 1024 * 1024
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """One plain file. `open` gives its bytes in chunks, from the start, as often as it is called."""

    size: int
    open: Callable[[], Iterator[bytes]]


@dataclass(slots=True)
class Files:
    """Path below the top, with slashes -> file. `links` are names of what is no plain file; none is followed."""

    found: dict[str, File] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def add(self, name: str, file: File, where: Path) -> None:
        if name in self.found:
            raise CouldNotLook("bundle-unsafe", f"{where}: {name} stands in it twice")
        if len(self.found) >= MAX_FILES:
            raise CouldNotLook("bundle-too-large", f"{where}: more than {MAX_FILES} files")
        self.found[name] = file


def read(path: Path) -> Files:
    """All files. One that is no .tar.gz is taken for a folder that holds it alone.

    Raises UsageError where there is nothing at `path`, CouldNotLook where it is damaged or unsafe.
    """
    if path.is_dir():
        return _from_directory(path)
    if not path.is_file():
        told = "neither a file nor a directory" if path.exists() else "no such file or directory"
        raise UsageError("no-bundle", f"{path}: {told}", hint="--from wants a bundle: a directory or a .tar.gz")
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return _from_archive(path)
    return Files({path.name: File(path.stat().st_size, _opener(path))})


def _opener(path: Path) -> Callable[[], Iterator[bytes]]:
    """Reads the file anew at each call. A link that appears later is not followed."""

    def read() -> Iterator[bytes]:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    return read


def _from_directory(path: Path) -> Files:
    files = Files()
    for folder, folders, names in os.walk(path):
        folders.sort()
        files.links += [name for name in (*folders, *names) if (Path(folder) / name).is_symlink()]
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                files.add(str(PurePosixPath(*file.relative_to(path).parts)), File(file.stat().st_size, _opener(file)), path)
    return files


class _Spool:
    """A private directory that holds what was unpacked and goes with the last reader; memory where there can be none."""

    def __init__(self) -> None:
        self.folder = scratch.folder()
        self.count = 0
        if self.folder is not None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, data: Any, size: int) -> Callable[[], Iterator[bytes]]:
        """Write `size` bytes of a stream to a file named by a number; names from the archive never touch the disk."""
        if self.folder is None:
            held = data.read(size)
            if len(held) < size:
                raise EOFError("truncated")
            return lambda: iter((held,))
        path = Path(self.folder) / str(self.count)
        self.count += 1
        with path.open("xb") as file:
            left = size
            while left and (chunk := data.read(min(CHUNK, left))):
                file.write(chunk)
                left -= len(chunk)
        if left:
            raise EOFError("truncated")
        read = _opener(path)

        def reread() -> Iterator[bytes]:
            assert self.count  # holding on to self keeps the directory
            return read()

        return reread


def _from_archive(path: Path) -> Files:
    limit = min(MAX_TOTAL, path.stat().st_size * MAX_RATIO + SLACK)
    spool, files, total, count = _Spool(), Files(), 0, 0
    try:
        with gzip.open(path, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for member in tar:
                count += 1
                total += member.size
                name = _safe_name(member, path)
                if count > MAX_FILES or total > limit:
                    raise CouldNotLook("bundle-too-large", f"{path} unpacks to more than any real bundle of its size: refused")
                if member.isdir():
                    continue
                if not member.isreg():
                    files.links.append(name)
                    continue
                data = tar.extractfile(member)
                assert data is not None
                files.add(name, File(member.size, spool.keep(data, member.size)), path)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
        why = "it ends too early; was it copied whole?" if isinstance(error, EOFError) else error
        raise CouldNotLook("bundle-damaged", f"{path} is damaged: {why}"[:300]) from None
    return files


def _safe_name(member: tarfile.TarInfo, where: Path) -> str:
    """The member's path. One that leads out is refused."""
    name = member.name.removeprefix("./")
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or "\0" in name:
        raise CouldNotLook("bundle-unsafe", f"{where}: {name[:100]!r} points out of the bundle: refused")
    return name
