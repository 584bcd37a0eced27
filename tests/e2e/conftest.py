"""Fixtures on a real API server.

KUBECONFIG and E2E_CONTEXT say which one; it must be one that may be thrown away. What else the environment may say:

E2E_POD_CIDR       a range that this machine can listen on and the API server can reach (198.18.0.0/16)
E2E_REQUIRED       if set, what cannot be run is a failure and not skipped
E2E_AUDIT_LOG      the API server's audit log; without it tests that read it are skipped
E2E_KUBELET_CERT, E2E_KUBELET_KEY   for the played node's address, where the API server checks kubelets' certificates
E2E_IMAGE          an image with the real LiteFS that the cluster's own nodes have: for tests/e2e/node, and for nothing else
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from .accounts import RBAC, Account, Audit, make_account, stamp
from .addresses import DEFAULT, NODES, local_range
from .api import Api, ApiError, until
from .litefs import Peers
from .litefs_set import LitefsSet
from .played import LABEL, Node, World
from .volumes import storage_class

ENVIRONMENT = {n: os.environ.get(n, "") for n in ("KUBECONFIG", "E2E_CONTEXT", "E2E_POD_CIDR", "E2E_AUDIT_LOG", "E2E_KUBELET_CERT", "E2E_KUBELET_KEY", "E2E_IMAGE", "E2E_REQUIRED", "PATH")}
"""Read at import: tests/conftest.py takes KUBECONFIG away from every test."""


def pytest_configure(config: pytest.Config) -> None:
    """Refuse before anything is collected: these tests write, so the cluster must have been named."""
    refused = refusal(ENVIRONMENT["KUBECONFIG"], ENVIRONMENT["E2E_CONTEXT"])
    if refused:
        raise pytest.UsageError(f"e2e: {refused}")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup keeps its meaning
            signal.signal(number, signal.default_int_handler)  # whatever ends the run, fixtures take their things away


def refusal(kubeconfig: str, context: str) -> str:
    """Why these two do not name a cluster to write to; empty if they do."""
    if not kubeconfig or os.pathsep in kubeconfig or not Path(kubeconfig).is_file():
        return "KUBECONFIG must be one file, of a cluster that may be thrown away"
    config = yaml.safe_load(Path(kubeconfig).read_text()) or {}
    current, names = config.get("current-context"), [c["name"] for c in config.get("contexts") or []]
    if not context:
        return f"these tests write to the cluster; say which by name: E2E_CONTEXT={current} (now the current context of {kubeconfig})"
    if context not in names or context != current:
        return f'E2E_CONTEXT is "{context}", and the current context of {kubeconfig} is "{current}": nothing is done'
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")


def cannot(why: str) -> NoReturn:
    """Skip, or fail where everything has to be run."""
    if ENVIRONMENT["E2E_REQUIRED"]:
        pytest.fail(why)
    pytest.skip(why)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The cluster of this run. What a run makes carries the label LABEL=`run`."""

    api: Api
    kubeconfig: Path
    context: str
    run: str
    audit_log: Path | None

    def namespace(self, hint: str) -> str:
        name = f"e2e-{self.run}-{hint}"
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": {LABEL: self.run}}})
        until(f"{name} has its default account", lambda: self.api.find(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        return name


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    kubeconfig, context = Path(ENVIRONMENT["KUBECONFIG"]).absolute(), ENVIRONMENT["E2E_CONTEXT"]
    api, run, log = Api(kubeconfig, context), stamp(), ENVIRONMENT["E2E_AUDIT_LOG"]
    try:
        yield ControlPlane(api, kubeconfig, context, run, Path(log) if log else None)
    finally:
        sweep(api, run)
        api.close()


def sweep(api: Api, run: str) -> None:
    """Take away what the run made and is still there."""
    mine = {"labelSelector": f"{LABEL}={run}"}
    for item in api.get("/api/v1/namespaces", **mine)["items"]:
        api.delete(f"/api/v1/namespaces/{item['metadata']['name']}", missing_ok=True)
    for path in (f"{RBAC}/clusterrolebindings", f"{RBAC}/clusterroles", "/apis/storage.k8s.io/v1/storageclasses", "/api/v1/persistentvolumes", "/api/v1/nodes"):
        for item in api.get(path, **mine)["items"]:
            api.delete(f"{path}/{item['metadata']['name']}", missing_ok=True)


@pytest.fixture(scope="session")
def node(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One played node, with room for every test's pods."""
    cidr = ENVIRONMENT["E2E_POD_CIDR"] or DEFAULT
    root = tmp_path_factory.mktemp("node")
    with local_range(cidr) as why_not:
        if why_not:
            cannot(why_not)
        network = ipaddress.IPv4Network(cidr)
        own, peers = str(network[1]), Peers()
        pods = (network[i] for i in range(NODES, network.num_addresses - 1))
        world = World(control_plane.api, control_plane.run, pods, certificate(own, root), root / "volumes", peers)
        played = Node(world, f"e2e-{control_plane.run}", own)
        try:
            if control_plane.audit_log is None:
                reachable(control_plane, played)
            yield played
        finally:
            try:
                drain(control_plane)
            finally:
                played.close()
    assert not peers.trouble, "\n".join(peers.trouble)


def certificate(address: str, folder: Path) -> tuple[Path, Path]:
    """For the kubelet's port: the one that is given, or one of our own, which an API server takes that does not check."""
    if ENVIRONMENT["E2E_KUBELET_CERT"]:
        return Path(ENVIRONMENT["E2E_KUBELET_CERT"]), Path(ENVIRONMENT["E2E_KUBELET_KEY"])
    openssl = shutil.which("openssl")
    if openssl is None:
        cannot("a played node needs a certificate, and there is no openssl to make one")
    crt, key = folder / "kubelet.crt", folder / "kubelet.key"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=played -addext subjectAltName=IP:{address} -keyout {key} -out {crt}"
    subprocess.run([openssl, *words.split()], check=True, capture_output=True)
    return crt, key


def reachable(control_plane: ControlPlane, played: Node) -> None:
    """Skip where the API server is elsewhere and cannot reach played pods."""
    made = new_set(control_plane, played, "probe", ordinals=1)
    made.running(0)
    try:
        made.proxied(0, "/info")
        control_plane.api.text("GET", f"{made.core}/pods/{made.pod_name(0)}/log")
    except ApiError as e:
        cannot(f"the API server cannot reach the addresses of played pods and nodes (E2E_POD_CIDR, E2E_KUBELET_CERT): {e}")


def drain(control_plane: ControlPlane) -> None:
    """Every namespace of the run has gone; its pods need the played node for that."""
    api, mine = control_plane.api, {"labelSelector": f"{LABEL}={control_plane.run}"}
    for item in api.get("/api/v1/namespaces", **mine)["items"]:
        api.delete(f"/api/v1/namespaces/{item['metadata']['name']}", missing_ok=True)
    until("all namespaces of the run have gone", lambda: not api.get("/api/v1/namespaces", **mine)["items"], 90)


def new_set(
    control_plane: ControlPlane, played: Node, hint: str, *, ordinals: int = 3, grace: int = 2, when_scaled: str = "Retain", reclaim: str = "Delete", wait_for_consumer: bool = False
) -> LitefsSet:
    """A set in a new namespace, with a storage class of its own."""
    namespace = control_plane.namespace(hint)
    kind = storage_class(namespace, {LABEL: control_plane.run}, reclaim=reclaim, wait_for_consumer=wait_for_consumer)
    control_plane.api.create("/apis/storage.k8s.io/v1/storageclasses", kind)
    return LitefsSet(control_plane.api, played, namespace, namespace, ordinals=ordinals, grace=grace, when_scaled=when_scaled)


@pytest.fixture
def litefs_set(control_plane: ControlPlane, node: Node) -> Iterator[Callable[..., LitefsSet]]:
    """litefs_set("cluster-id-mismatch", ordinals=3, mismatch=1, ...) -> a set in that state; see `new_set` for the rest."""
    made: list[LitefsSet] = []

    def make(state: str = "healthy", *, mismatch: int = 1, ordinals: int = 3, grace: int = 2, when_scaled: str = "Retain", reclaim: str = "Delete", wait_for_consumer: bool = False) -> LitefsSet:
        new = new_set(control_plane, node, stamp(), ordinals=ordinals, grace=grace, when_scaled=when_scaled, reclaim=reclaim, wait_for_consumer=wait_for_consumer)
        made.append(new)
        new.become(state, mismatch)
        return new

    yield make
    node.volumes.refuse = ""
    for old in made:
        node.hold = {k for k in node.hold if k[0] != old.namespace}
        control_plane.api.delete(f"/api/v1/namespaces/{old.namespace}", missing_ok=True)


@pytest.fixture
def audit(control_plane: ControlPlane) -> Audit:
    """audit(user) -> what that user asked the API server for during this test."""
    if control_plane.audit_log is None:
        cannot("no E2E_AUDIT_LOG: what was sent cannot be read")
    return Audit(control_plane.api, control_plane.audit_log)


@pytest.fixture
def account(control_plane: ControlPlane, tmp_path: Path) -> Callable[..., Account]:
    """account(namespace, yaml) -> a ServiceAccount that may do exactly what the YAML says; also=(...,) binds Roles that it does not bind."""
    return partial(_account, control_plane, tmp_path)


def _account(c: ControlPlane, folder: Path, namespace: str, roles: str, *, also: tuple[str, ...] = ()) -> Account:
    return make_account(c.api, c.run, c.kubeconfig, c.context, namespace, roles, folder, also)


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(control_plane: ControlPlane, empty_home: Path) -> Cli:
    """cli("diagnose", "-n", ..., account=...) -> the finished command. Without an account it is the cluster's administrator."""

    def run(*words: str, account: Account | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        kubeconfig, context = (account.kubeconfig, account.context) if account else (control_plane.kubeconfig, control_plane.context)
        command = [sys.executable, "-m", "kubectl_litefs", *words, "--kubeconfig", str(kubeconfig), "--context", context]
        root = Path(__file__).parents[2]
        env = {"PATH": ENVIRONMENT["PATH"], "HOME": str(empty_home), "PYTHONPATH": str(root)}
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env, cwd=root, check=False)

    return run
