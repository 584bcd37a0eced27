"""Where backups go: user data, so a folder that is nobody else's."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import click


def backup_dir(given: str | None, environ: Mapping[str, str], ctx: click.Context, usual: str = "backups") -> Path:
    """The folder, by default `usual` below the place for state, resolved. Raises click.UsageError for one that is not safe or not there."""
    from ..fix.journal import state_home

    if given is None:
        home = state_home(environ)
        if home is None:
            raise click.UsageError("HOME is not set, so there is no place for the backup: give --backup-dir=DIR", ctx)
        return home / usual
    if not given.strip():
        raise click.UsageError("--backup-dir wants a folder, for example --backup-dir=~/litefs-backup", ctx)
    path = Path(os.path.abspath(os.path.expanduser(given)))
    shown = f"--backup-dir={path}"
    if path.is_symlink():
        raise click.UsageError(f"{shown} is a symbolic link: give the folder itself", ctx)
    if not path.exists():
        raise click.UsageError(f"{shown} does not exist: mkdir -m 700 {path}", ctx)
    if not path.is_dir():
        raise click.UsageError(f"{shown} is no folder", ctx)
    if path.stat().st_mode & stat.S_IWOTH:
        raise click.UsageError(f"{shown} can be written by everybody, and a backup is user data: chmod o-w it, or name another", ctx)
    if not os.access(path, os.W_OK | os.X_OK):
        raise click.UsageError(f"{shown} cannot be written", ctx)
    return path


def warnings(path: Path) -> list[str]:
    """What speaks against this place without forbidding it."""
    said = []
    inside = next((p for p in (path, *path.parents) if (p / ".git").exists()), None)
    if inside is not None:
        said.append(f"the backup goes into the git tree {inside}: take care not to commit it")
    kind = _file_system(path)
    if kind.startswith(("nfs", "cifs", "smb", "fuse.sshfs")):
        said.append(f"the backup goes to a network file system ({kind}): whoever serves it can read it")
    return said


def _file_system(path: Path) -> str:
    """The type of the file system it lies on; empty where that cannot be told."""
    try:
        lines = Path("/proc/self/mounts").read_text("utf8", "replace").splitlines()
    except OSError:
        return ""
    best = ("", "")
    for line in lines:
        words = line.split(" ")
        if len(words) > 2:
            at = words[1].replace("\\040", " ")
            if (str(path) + "/").startswith(at.rstrip("/") + "/") and len(at) >= len(best[0]):
                best = (at, words[2])
    return best[1]
