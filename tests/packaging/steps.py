"""What anybody who has installed the plugin through Krew, or as Krew does, must be able to do with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle

from ..api import RecordedApi, serve
from ..completion.cluster import kubeconfig
from ..parity.test_parity import plain_kubectl

KUBECTL = plain_kubectl()


@contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """A recorded cluster on the loopback; the kubeconfig that leads to it."""
    with serve(RecordedApi(bundle.load(path("cluster-id-mismatch")))) as url:
        yield kubeconfig(folder / "config", url)


def only_python(folder: Path, python: Path | None = None) -> Path:
    """A folder for PATH with one Python and a plain kubectl: beside the real ones an installed kubectl-litefs may lie."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name, target in (("python3", python or sys.executable), ("kubectl", KUBECTL)):
        if target is not None and not (programs / name).exists():
            (programs / name).symlink_to(target)
    return programs


class Installed:
    """A home in which `kubectl litefs` is on PATH, in `links`."""

    def __init__(self, home: Path, links: Path) -> None:
        self.links = links
        self.env: Mapping[str, str] = {"HOME": str(home), "PATH": os.pathsep.join([str(links), str(only_python(home)), "/usr/bin", "/bin"])}

    def kubectl(self, *words: str, code: int = 0, **env: str) -> str:
        done = subprocess.run([str(KUBECTL), *words], env={**self.env, **env}, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def works(self, folder: Path) -> None:
        listed = self.kubectl("plugin", "list")
        assert str(self.links / "kubectl-litefs") in listed and "warning" not in listed.lower(), listed
        assert "Replication works" in self.kubectl("litefs", "demo", "healthy")
        assert "LFS101" in self.kubectl("litefs", "diagnose", "--from", str(path("cluster-id-mismatch")), code=1)
        with cluster(folder) as config:
            assert "LFS101" in self.kubectl("litefs", "diagnose", code=1, KUBECONFIG=str(config))
        usage = self.kubectl("litefs", "--help")
        assert "Usage: kubectl litefs" in usage, usage

    def is_completed(self) -> None:
        """Krew links no second file; `completion install` writes it, and it goes again."""
        assert "kubectl finds no" in self.kubectl("litefs", "completion", "status", code=1)
        self.kubectl("litefs", "completion", "install", "--dir", str(self.links))
        done = subprocess.run([self.links / "kubectl_complete-litefs", "diag"], env=self.env, capture_output=True, text=True, timeout=60)
        assert done.stdout.startswith("diagnose\t") and done.stdout.endswith("\n:4\n"), done
        assert "warning" not in self.kubectl("plugin", "list").lower()
        self.kubectl("litefs", "completion", "uninstall")
        assert [p.name for p in self.links.iterdir() if "litefs" in p.name] == ["kubectl-litefs"]

    def is_gone(self) -> None:
        assert not (self.links / "kubectl-litefs").is_symlink()
        assert shutil.which("kubectl-litefs", path=self.env["PATH"]) is None
        assert "unknown command" in self.kubectl("litefs", "version", code=1)
