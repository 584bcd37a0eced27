"""The file through which kubectl completes a plugin: `kubectl_complete-litefs`, somewhere on PATH.

pip installs one; Krew links a plugin's one executable and nothing else, so there it has to be written.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ..errors import UsageError

NAME = "kubectl_complete-litefs"
CONTENT = b'#!/bin/sh\nexec kubectl litefs __complete "$@"\n'
OURS = (CONTENT,)
"""Every text that a version of this tool has written: only a file that is exactly one of them is replaced or removed."""


class Kind(Enum):
    """What stands where the shim would."""

    NOTHING = "nothing"
    OURS = "written by completion install"
    PACKAGED = "installed with the Python package"
    FOREIGN = "not written by this tool"


@dataclass(frozen=True, slots=True)
class Found:
    """One file of that name. `runs`: kubectl could execute it."""

    path: str
    kind: Kind
    runs: bool


def look(folder: str) -> Found:
    """What is at the shim's place in a folder. A link is never ours, whatever it points at."""
    path = os.path.join(folder, NAME)
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return Found(path, Kind.NOTHING, False)
    readable = os.path.isfile(path)  # nothing that blocks when it is opened
    runs = readable and os.access(path, os.X_OK)
    head = b""
    if readable:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            head = file.read(65536)
    if stat.S_ISREG(mode) and head in OURS:
        return Found(path, Kind.OURS, runs)
    return Found(path, Kind.PACKAGED if b"kubectl_litefs" in head else Kind.FOREIGN, runs)


def on_path(environ: Mapping[str, str]) -> Iterator[Found]:
    """All of them, in the order in which kubectl looks."""
    for folder in folders(environ):
        found = look(folder)
        if found.kind is not Kind.NOTHING:
            yield found


def folders(environ: Mapping[str, str]) -> list[str]:
    """PATH's, each once. Relative ones are left out: kubectl runs nothing from them either."""
    listed = environ.get("PATH", "").split(os.pathsep)
    return list(dict.fromkeys(os.path.normpath(f) for f in listed if os.path.isabs(f)))


def own_folder(environ: Mapping[str, str]) -> str:
    """A folder of the user's on PATH that is meant for programs. UsageError where there is none."""
    home = environ.get("HOME") or os.path.expanduser("~")
    krew = environ.get("KREW_ROOT") or os.path.join(home, ".krew")
    usual = [os.path.join(home, ".local", "bin"), os.path.join(home, "bin"), os.path.join(krew, "bin")]
    known = folders(environ)
    for folder in usual:
        if os.path.normpath(folder) in known and not os.path.islink(folder) and _is_own(folder):
            return folder
    raise UsageError(
        "no-own-folder",
        f"none of the usual folders for your own programs is on PATH ({', '.join(usual)})",
        hint="name a folder of yours that is on PATH: kubectl litefs completion install --dir FOLDER",
    )


def _is_own(folder: str) -> bool:
    try:
        owner = os.stat(folder).st_uid
    except OSError:
        return False
    return os.path.isdir(folder) and owner == os.geteuid() and os.access(folder, os.W_OK | os.X_OK)


def write(folder: str) -> bool:
    """Put the shim into a folder; False if it is there already. UsageError where something else is in its place."""
    folder = os.path.abspath(folder)
    if os.path.islink(folder):
        raise UsageError("is-a-link", f"{folder} is a link", hint=f"name the folder itself: --dir {os.path.realpath(folder)}")
    if not os.path.isdir(folder):
        raise UsageError("no-folder", f"{folder} is no folder", hint="it is not made for you: make it first, or name another")
    found = look(folder)
    if found.kind is Kind.OURS and found.runs:
        return False
    if found.kind not in (Kind.NOTHING, Kind.OURS):
        raise UsageError("not-ours", f"{found.path} is {found.kind.value} and stays as it is", hint="move it away first, or name another folder with --dir")
    try:
        if found.kind is Kind.OURS:
            os.unlink(found.path)  # ours without the right to run: written anew, with it
        _create(found.path)
    except OSError as error:
        raise UsageError("cannot-write", f"cannot write {found.path}: {error.strerror}", hint="name a folder of yours with --dir") from error
    return True


def _create(path: str) -> None:
    """O_EXCL: nothing is overwritten and no link followed, whatever came there since we looked."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(CONTENT)
    except OSError:
        os.unlink(path)
        raise


def remove(found: Found) -> None:
    """Take our own away."""
    try:
        os.unlink(found.path)
    except OSError as error:
        raise UsageError("cannot-remove", f"cannot remove {found.path}: {error.strerror}") from error
