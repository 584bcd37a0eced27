"""What this run has done, on disk before the next thing is done: one JSON object a line, 0600, fsync after each.

The journal helps whoever looks later. `--resume` decides from the cluster and takes only names of files from here, so
a damaged, cut or foreign journal costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..ports import Clock

VERSION = 1
MAX_BYTES = 1024 * 1024


def state_home(environ: Mapping[str, str]) -> Path | None:
    """XDG's place for state that outlives a run; None where there is no home folder."""
    given = environ.get("XDG_STATE_HOME", "")
    if given.startswith("/"):
        return Path(given) / "kubectl-litefs"
    home = environ.get("HOME", "")
    return Path(home) / ".local" / "state" / "kubectl-litefs" if home.startswith("/") else None


class Journal:
    """`warning` says why nothing is written down here, where that is so: the Lease's annotations remain."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self.warning: str | None = None
        self._file: int | None = None

    def open(self) -> None:
        if self.path is None:
            self.warning = "no journal on this machine: HOME is not set; the Lease holds the state"
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            self._file = os.open(self.path, flags, 0o600)
            os.fchmod(self._file, 0o600)
        except OSError as error:
            self.warning = f"no journal on this machine: {self.path}: {error.strerror}; the Lease holds the state"

    def write(self, step: str, **values: Any) -> None:
        """On disk when this returns."""
        if self._file is None:
            return
        line = {"v": VERSION, "at": self.clock.now().isoformat(), "step": step, **values}
        try:
            append(self._file, json.dumps(line, sort_keys=True))
        except OSError as error:
            self.warning = f"the journal {self.path} can no longer be written: {error.strerror}"
            self.close()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def append(file: int, line: str) -> None:
    """A line at the end of an open file, on disk when this returns. One that a full disk has cut takes this one not with it. Raises OSError."""
    size = os.fstat(file).st_size
    torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    data = (("\n" if torn else "") + line + "\n").encode()
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def entries(path: Path | None) -> Iterator[dict[str, Any]]:
    """Whole lines of a version that is known; whatever else stands there is passed over."""
    try:
        data = path.read_bytes()[-MAX_BYTES:] if path is not None else b""
    except OSError:
        return
    for line in data.split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and entry.get("v") == VERSION:
            yield entry


def journal_path(environ: Mapping[str, str], server: str, namespace: str, pod: str) -> Path | None:
    """One file for a pod of a cluster."""
    home = state_home(environ)
    where = hashlib.sha256(server.encode()).hexdigest()[:10]
    return home / "fix" / f"{where}-{namespace}-{pod}.jsonl" if home else None
