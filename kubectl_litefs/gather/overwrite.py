"""Writing a file of the user's in place: whole or not at all, never through a link, with its mode and owner."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat


def why_not(path: str) -> str | None:
    """What keeps a file from being replaced, in words; None where nothing does."""
    try:
        found = os.lstat(path)
    except OSError as error:
        return (error.strerror or "it cannot be looked at").lower()
    if stat.S_ISLNK(found.st_mode):
        return "it is a link; name the file itself"
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if found.st_nlink > 1:
        return f"it has {found.st_nlink} names (hard links), and replacing it would part them"
    return None


def overwrite(path: str, old: bytes, new: bytes) -> None:
    """Replace the file if it still holds `old`. Raises OSError, also where `why_not` speaks or somebody was faster."""
    reason = why_not(path)
    if reason is not None:
        raise OSError(0, reason)
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        before = os.fstat(file.fileno())
        if file.read() != old:
            raise OSError(0, "it has changed since it was read")
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new)
            mine = os.fstat(file.fileno())
            if (mine.st_uid, mine.st_gid) != (before.st_uid, before.st_gid):
                os.chown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            file.flush()
            os.fsync(file.fileno())
        now = os.lstat(path)
        if (now.st_dev, now.st_ino, now.st_mtime_ns) != (before.st_dev, before.st_ino, before.st_mtime_ns):
            raise OSError(0, "it has changed since it was read")
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
