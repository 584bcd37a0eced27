"""The archive, built and unpacked once for all workers. Where the package index is out of reach the tests that need it skip."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import dist

from .steps import only_python

ROOT = Path(__file__).parent.parent.parent


def tracked() -> list[str]:
    """The files of this checkout, and those that are about to be. Skips where there is no git to ask."""
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("not in a git checkout")
    return [line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have in common."""
    mine = tmp_path_factory.getbasetemp()
    folder = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "packaging"
    folder.mkdir(exist_ok=True)
    return folder


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, made by whoever comes first; a half-made one does not count."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder


@pytest.fixture(scope="session")
def archive(shared: Path) -> Path:
    try:
        return next(once(shared / "dist", dist.build).glob("*.tar.gz"))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the dependencies cannot be downloaded here: {error}")


def unpack(archive: Path, into: Path) -> None:
    """Plain files and their modes, as Krew does it."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = into / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            file = tar.extractfile(member)
            assert file is not None
            path.write_bytes(file.read())
            os.chmod(path, member.mode)


@pytest.fixture(scope="session")
def store(shared: Path, archive: Path) -> Path:
    """The archive as it was unpacked, for everybody: nobody changes it, and what Python compiles there is compiled once."""
    return once(shared / "store", lambda folder: unpack(archive, folder))


def installation(store: Path, folder: Path) -> Path:
    """Another place with the same content: the launcher finds `lib` beside itself."""
    folder.mkdir(parents=True)
    shutil.copy(store / "kubectl-litefs", folder)
    (folder / "lib").symlink_to(store / "lib")
    return folder


@pytest.fixture(scope="session")
def unpacked(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Krew leaves it: a store folder, a link to the launcher in a folder on PATH, and an empty home."""
    root = tmp_path_factory.mktemp("krew")
    (root / "store" / "litefs").mkdir(parents=True)
    (root / "store" / "litefs" / "v0.1.0").symlink_to(store)
    (root / "bin").mkdir()
    (root / "bin" / "kubectl-litefs").symlink_to(root / "store" / "litefs" / "v0.1.0" / "kubectl-litefs")
    (root / "home").mkdir()
    only_python(root / "home")
    return root
