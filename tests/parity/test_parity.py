"""Every case through a plain kubectl and through this tool: the same server, path, credentials and impersonation.

Needs a plain kubectl: KUBECTL=/path, else one on PATH. A vendor's dispatcher there, which sends requests of its own, is
passed over for the real programs beside it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.cli.diagnose import command as diagnose
from kubectl_litefs.cli.fix_cluster_id import command as fix_cluster_id
from kubectl_litefs.cli.options import connection
from kubectl_litefs.errors import LitefsError
from kubectl_litefs.fix.calls import delete_options
from kubectl_litefs.kube.connect import connect, connect_writable

from .cases import Case, cases
from .servers import ApiServer, Certificates, Proxy, make_certificates

NAMES = [
    "KUBECONFIG", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT", "KUBERNETES_MASTER", "https_proxy", "http_proxy", "no_proxy", "all_proxy", "SSL_CERT_DIR",
]  # fmt: skip


def plain_kubectl() -> str | None:
    """A kubectl that sends nothing of its own."""
    named = os.environ.get("KUBECTL")
    if named:
        return named
    found = shutil.which("kubectl")
    if found is None:
        return None
    real = Path(found).resolve()
    beside = sorted(real.parent.glob("kubectl.1.[0-9][0-9]"), key=lambda p: int(p.name.rsplit(".", 1)[-1]))
    return str(beside[-1]) if beside else str(real)


KUBECTL = plain_kubectl()
pytestmark = [
    pytest.mark.skipif(KUBECTL is None, reason="no kubectl to compare with: put one on PATH or set KUBECTL"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make test certificates with"),
]


class World:
    """Servers, proxy, certificates: one set for all cases."""

    def __init__(self, folder: Path) -> None:
        self.certs: Certificates = make_certificates(folder)
        self.a, self.b, self.plain = ApiServer("A", self.certs), ApiServer("B", self.certs), ApiServer("H", None)
        self.proxy = Proxy(self.a, self.plain)

    def filled(self, value: Any, where: Path) -> Any:
        """The placeholders of a case, replaced."""
        known = {
            "A": self.a.url, "B": self.b.url, "H": self.plain.url, "P": self.proxy.url, "A_port": str(self.a.port), "ca": self.certs.ca,
            "other_ca": self.certs.other_ca, "client": self.certs.client[0], "client_key": self.certs.client[1], "dir": str(where),
        }  # fmt: skip
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), value).replace("{{", "{").replace("}}", "}")
        if isinstance(value, dict):
            return {k: self.filled(v, where) for k, v in value.items()}
        return [self.filled(v, where) for v in value] if isinstance(value, list) else value

    def taken(self) -> dict[str, Any]:
        """What came since the last time."""
        servers = (self.a, self.b, self.plain)
        seen = {"requests": [r for s in servers for r in s.records], "proxied": sorted(set(self.proxy.asked))}
        for server in servers:
            server.records.clear()
        self.proxy.asked.clear()
        return seen


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("certs"))
    yield made
    for server in (made.a, made.b, made.plain, made.proxy):
        server.server.shutdown()
        server.server.server_close()


@pytest.fixture(scope="module")
def table(world: World) -> dict[str, Case]:
    return {c.name: c for c in cases(world.certs)}


class _NoCertificates:
    """Enough to learn the names of the cases at collection time."""

    ca = other_ca = os.devnull
    client = (os.devnull, os.devnull)


CASES = [c.name for c in cases(_NoCertificates())]


def prepared(case: Case, world: World, where: Path) -> tuple[dict[str, str], list[str]]:
    """Write the case's files; (environment, flags)."""
    home = where / "home"
    (home / ".kube").mkdir(parents=True)
    paths = []
    for name, content in case.files.items():
        if name.startswith("+"):
            target = where / name[1:] if name != "+.netrc" else home / ".netrc"
            target.write_text(content)
            continue
        path = home / ".kube" / "config" if case.home and not paths else where / name
        paths.append(str(path))
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(world.filled(content, where)))
    env = {"HOME": str(home)}
    if not case.home and paths:
        env["KUBECONFIG"] = os.pathsep.join(paths)
    env |= {k: world.filled(v, where) for k, v in case.env.items()}
    return env, [world.filled(a, where) for a in case.args]


def through_kubectl(env: dict[str, str], args: list[str]) -> bool:
    """A read and a request that deletes, by one start: it deletes what it has listed."""
    assert KUBECTL is not None
    clean = {k: v for k, v in os.environ.items() if k not in NAMES and not k.startswith("KUBE")}
    done = subprocess.run([KUBECTL, *args, "delete", "pods", "--all", "--wait=false"], env={**clean, **env}, capture_output=True, text=True, timeout=60)
    print("kubectl", *args, "->", done.returncode, done.stderr.strip()[:300])
    return done.returncode == 0


def read(args: list[str]) -> None:
    with diagnose.make_context("diagnose", list(args), help_option_names=["-h", "--help"]) as context:
        kube = connect(connection(context))
        kube.get(f"/api/v1/namespaces/{kube.namespace}/pods", {"limit": "500"}, timeout=10, max_bytes=1 << 20)
        kube.close()


def delete(args: list[str]) -> None:
    with fix_cluster_id.make_context("fix-cluster-id", [*args, "x"], help_option_names=["-h", "--help"]) as context:
        kube = connect_writable(connection(context))
        kube.exchange("DELETE", f"/api/v1/namespaces/{kube.namespace}/pods/x", delete_options("uid"), timeout=10)
        kube.close()


def through_ours(env: dict[str, str], args: list[str], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Did the read work, did what deletes."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    worked = []
    for call in (read, delete):
        try:
            call(args)
        except LitefsError as error:
            told = error
        else:
            worked.append(True)
            continue
        print("ours", call.__name__, "->", told.exit_code.name, told.message)
        assert "\n" not in told.message, "an error is one line"
        worked.append(False)
    return worked


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40 and len(set(CASES)) == len(CASES)


@pytest.mark.parametrize("name", CASES)
def test_ours_does_what_kubectl_does(name: str, world: World, table: dict[str, Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read, and a request that deletes: the wrong cluster is the worst place for it."""
    case = table[name]
    env, args = prepared(case, world, tmp_path)
    world.taken()
    theirs_worked = through_kubectl(env, args)
    theirs = world.taken()
    ours_worked = through_ours(env, args, monkeypatch)
    ours = world.taken()
    print(json.dumps({"kubectl": theirs, "ours": ours}, indent=1))
    assert theirs_worked is not case.fails, "the case itself is wrong"
    assert ours_worked == [theirs_worked, theirs_worked]
    assert ours["requests"] == theirs["requests"]
    assert ours["proxied"] == theirs["proxied"]
    assert [r["method"] for r in ours["requests"]] == (["GET", "DELETE"] if theirs_worked else [])
