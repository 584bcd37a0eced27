"""A real Krew with a plugin index and an archive on this machine, in a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.release import manifest

from ..parity.test_parity import plain_kubectl

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


def only_python(folder: Path) -> Path:
    """A folder for PATH with this Python and nothing else: beside it an installed kubectl-litefs may lie."""
    path = folder / "only-python"
    path.mkdir(exist_ok=True)
    if not (path / "python3").exists():
        (path / "python3").symlink_to(sys.executable)
    return path


class KrewWorld:
    """`publish` puts a version into the index, `krew` runs Krew, `works` starts what it has installed."""

    def __init__(self, folder: Path, archive: Path, address: str) -> None:
        self.archive, self.address, self.root, self.index = archive, address, folder / "krew", folder / "index"
        self.env = {
            "HOME": str(folder), "KREW_ROOT": str(self.root), "KREW_DEFAULT_INDEX_URI": f"file://{self.index}", "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{self.root / 'bin'}:{only_python(folder)}:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com",
        }  # fmt: skip
        (self.index / "plugins").mkdir(parents=True)
        self.git("init", "--quiet")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.index, env=self.env, check=True, capture_output=True)

    def publish(self, version: str) -> None:
        """One archive plays every version: what is tested is the way it gets installed."""
        sha = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        text = manifest(version, sha, "https://example.com/owner/kubectl-litefs")
        lines = [f"    uri: {self.address}/{self.archive.name}" if line.strip().startswith("uri:") else line for line in text.splitlines()]
        (self.index / "plugins" / "litefs.yaml").write_text("\n".join(lines) + "\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", version)

    def krew(self, *words: str) -> str:
        done = subprocess.run([str(KREW), *words], env=self.env, capture_output=True, text=True, timeout=120)
        print("krew", *words, done.returncode, done.stdout, done.stderr)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def works(self) -> None:
        kubectl = str(plain_kubectl())
        listed = subprocess.run([kubectl, "plugin", "list"], env=self.env, capture_output=True, text=True)
        assert "kubectl-litefs" in listed.stdout and "warning" not in (listed.stdout + listed.stderr).lower()
        done = subprocess.run([kubectl, "litefs", "demo", "healthy"], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr
        recording = Path(__file__).parents[2] / "kubectl_litefs" / "demo" / "cluster-id-mismatch.tar.gz"
        done = subprocess.run([kubectl, "litefs", "diagnose", "--from", str(recording)], env=self.env, capture_output=True, text=True)
        assert done.returncode == 1 and "LFS101" in done.stdout, done.stderr
