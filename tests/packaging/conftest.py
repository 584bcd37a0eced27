"""The archive, built once. Where the package index is out of reach the tests that need it skip."""

from __future__ import annotations

import os
import subprocess
import tarfile
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
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return dist.build(tmp_path_factory.mktemp("dist"))
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
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Krew leaves it: a store folder, a link to the launcher in a folder on PATH, and an empty home."""
    root = tmp_path_factory.mktemp("krew")
    unpack(archive, root / "store" / "litefs" / "v0.1.0")
    (root / "bin").mkdir()
    (root / "bin" / "kubectl-litefs").symlink_to(root / "store" / "litefs" / "v0.1.0" / "kubectl-litefs")
    (root / "home").mkdir()
    only_python(root / "home")
    return root
