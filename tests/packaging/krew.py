"""A real Krew with a plugin index and an archive on this machine, in a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.release import manifest

from .steps import Installed, only_python

KREW = os.environ.get("KREW_BIN") or shutil.which("krew") or shutil.which("kubectl-krew")


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP on loopback: Krew takes an archive of an index from nowhere else."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class KrewWorld(Installed):
    """`publish` puts a version into the index, a git repository; `krew` runs `kubectl krew`."""

    def __init__(self, folder: Path, archive: Path, address: str) -> None:
        self.archive, self.address, self.root, self.index = archive, address, folder / "krew", folder / "index"
        super().__init__(folder, self.root / "bin")
        git = {f"GIT_{who}_{what}": f"{what}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.env = {**self.env, **git, "GIT_CONFIG_NOSYSTEM": "1", "KREW_ROOT": str(self.root)}
        (only_python(folder) / "kubectl-krew").symlink_to(str(KREW))
        (self.index / "plugins").mkdir(parents=True)
        self.git("init", "--quiet")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.index, env=self.env, check=True, capture_output=True)

    def publish(self, version: str) -> None:
        """One archive plays every version: what is tested is the way it gets installed."""
        sha = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        text = manifest(version, sha, "https://example.com/owner/kubectl-litefs")
        lines = [f"    uri: {self.address}/{self.archive.name}" if line.strip().startswith("uri:") else line for line in text.splitlines()]
        for file in ("plugin.yaml", "plugins/litefs.yaml"):
            (self.index / file).write_text("\n".join(lines) + "\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", version)

    def krew(self, *words: str, code: int = 0) -> str:
        return self.kubectl("krew", *words, code=code)

    def versions(self) -> list[str]:
        return sorted(p.name for p in (self.root / "store" / "litefs").iterdir())
