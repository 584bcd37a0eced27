"""A cluster to complete from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .cluster import PLAIN, Cluster, running


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Path]]:
    """One server for all tests: stopping one takes half a second."""
    with running(tmp_path_factory.mktemp("cluster")) as both:
        yield both


@pytest.fixture
def cluster(started: tuple[Cluster, Path], monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster that KUBECONFIG leads to, as new."""
    api, config = started
    api.requests, api.extra, api.refuse = [], [PLAIN], ""
    monkeypatch.setenv("KUBECONFIG", str(config))
    return api
