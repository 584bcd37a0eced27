"""Temporary files, and what stands in for them where there is no folder to write to: a container's root may be read-only."""

from __future__ import annotations

import tempfile
from typing import IO


def folder() -> str | None:
    """A new folder of our own; None where none can be made."""
    try:
        return tempfile.mkdtemp(prefix="kubectl-litefs-")
    except OSError:
        return None


def file(in_memory: int) -> IO[bytes]:
    """A file that is in memory up to so many bytes, and wholly where there is no folder for it."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        in_memory = 0  # to SpooledTemporaryFile: without a limit
    return tempfile.SpooledTemporaryFile(max_size=in_memory)
