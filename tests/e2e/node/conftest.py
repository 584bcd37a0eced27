"""Fixtures on a real node that runs the real LiteFS (`make e2e-node`). Those of tests/e2e/conftest.py serve here, too.

E2E_IMAGE names the image: LiteFS as `litefs`, sqlite3, fusermount3, a shell."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from ..accounts import stamp
from ..conftest import ENVIRONMENT, ControlPlane, cannot
from ..played import LABEL
from ..volumes import Volumes, storage_class
from .real_set import Kubectl, RealSet
from .storage import provisioner


def pytest_configure() -> None:
    if not ENVIRONMENT["E2E_IMAGE"]:
        raise pytest.UsageError("e2e: these tests need a node of this machine and an image with LiteFS: LITEFS_BIN=FILE make e2e-node")


@pytest.fixture(scope="session")
def volumes(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Volumes]:
    """Where the claims' directories are; `refuse` makes provisioning fail."""
    with provisioner(control_plane.api, tmp_path_factory.mktemp("volumes"), {LABEL: control_plane.run}) as made:
        yield made


@pytest.fixture
def cluster(control_plane: ControlPlane, volumes: Volumes) -> Iterator[Callable[..., RealSet]]:
    """cluster("cluster-id-mismatch", mismatch=1, ordinals=3, grace=2, ...) -> a set in that state, in a namespace of its own.

    What can be done with it: `in_pod`, `write`, `rows`, `wipe`, `restart`, `set_config`; waits: `running`, `leads`, `follows`, `refused`."""
    program = shutil.which("kubectl", path=ENVIRONMENT["PATH"])
    if program is None:
        cannot("no kubectl to run commands in pods with")
    api, kubectl = control_plane.api, Kubectl(program, control_plane.kubeconfig, control_plane.context)
    made: list[RealSet] = []

    def make(state: str = "healthy", *, mismatch: int = 1, ordinals: int = 3, grace: int = 2, when_scaled: str = "Retain", reclaim: str = "Delete") -> RealSet:
        namespace = control_plane.namespace(stamp())
        api.create("/apis/storage.k8s.io/v1/storageclasses", storage_class(namespace, {LABEL: control_plane.run}, reclaim=reclaim))
        new = RealSet(api, kubectl, namespace, namespace, image=ENVIRONMENT["E2E_IMAGE"], ordinals=ordinals, grace=grace, when_scaled=when_scaled)
        made.append(new)
        try:
            new.become(state, mismatch)
        except AssertionError:
            print(new.told())
            raise
        return new

    yield make
    for old in made:
        api.delete(f"/api/v1/namespaces/{old.namespace}", missing_ok=True)
