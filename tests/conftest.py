"""Options and profiles of the test run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=5000)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew instead of comparing")


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _no_outside_influence(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """The developer's own cluster and terminal must not change a result."""
    for name in ("KUBECONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(empty_home))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The files that were to be on disk before anything else is done; nobody waits for the disk."""
    seen: list[int] = []

    def fsync(file: int) -> None:
        os.fstat(file)  # a file that is closed is an error, as it is for the real one
        seen.append(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen
