"""The archive, built once. Where the package index is out of reach the tests that need it skip."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools import dist


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return dist.build(tmp_path_factory.mktemp("dist"))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the dependencies cannot be downloaded here: {error}")


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Krew leaves it: a store folder, and a link to the launcher in a folder on PATH."""
    root = tmp_path_factory.mktemp("krew")
    store = root / "store" / "litefs" / "v0.1.0"
    store.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = store / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            file = tar.extractfile(member)
            assert file is not None
            path.write_bytes(file.read())
            os.chmod(path, member.mode)
    (root / "bin").mkdir()
    (root / "bin" / "kubectl-litefs").symlink_to(store / "kubectl-litefs")
    return root
