"""The StatefulSet on a real node, with the real LiteFS in its pods."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..api import Api, ApiError, Object, until
from ..workload import Workload

HANG = 120
"""Seconds. A replica may dial its primary's old address, which DNS still gives for a while, until the kernel gives up (lab/node.sh)."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl, for what needs more than requests: commands in a container."""

    program: str
    kubeconfig: Path
    context: str

    def __call__(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        where = ["--kubeconfig", str(self.kubeconfig), "--context", self.context]
        return subprocess.run([self.program, *where, *words], input=stdin, capture_output=True, timeout=60, check=False)


class Position(NamedTuple):
    """How far a database has come, in LiteFS's own words."""

    txid: str
    checksum: str


class RealSet(Workload):
    """The objects, and LiteFS behind them. What is asked of LiteFS goes through the API server."""

    def __init__(self, api: Api, kubectl: Kubectl, namespace: str, storage_class: str, *, image: str, ordinals: int, grace: int, when_scaled: str) -> None:
        self.kubectl = kubectl
        super().__init__(api, namespace, storage_class, image=image, placement={}, ordinals=ordinals, grace=grace, when_scaled=when_scaled)

    # --- looking ---
    def info(self, ordinal: int) -> Object:
        answer: Object = self.proxied(ordinal, "/info")
        return answer

    def positions(self, ordinal: int) -> dict[str, Position]:
        """Of every database of the pod."""
        dbs = self.proxied(ordinal, "/debug/vars")["store"]["dbs"]
        return {name: Position(db["txid"], db["checksum"]) for name, db in dbs.items()}

    def log(self, ordinal: int) -> str:
        """Of the container's present run."""
        return self.api.text("GET", f"{self.core}/pods/{self.pod_name(ordinal)}/log")

    def versions(self) -> dict[str, str]:
        """Of every object that a repair might touch: equal before and after means that nothing was done to any of them."""
        apps, locks = (f"/apis/{group}/namespaces/{self.namespace}" for group in ("apps/v1", "coordination.k8s.io/v1"))
        paths = [f"{self.core}/{kind}" for kind in ("pods", "persistentvolumeclaims", "configmaps", "services")]
        paths += [f"{apps}/statefulsets", f"{apps}/controllerrevisions", f"{locks}/leases"]
        found = [(path, item) for path in paths for item in self.api.get(path)["items"]]
        volumes = "/api/v1/persistentvolumes"
        found += [(volumes, v) for v in self.api.get(volumes)["items"] if v["spec"].get("claimRef", {}).get("namespace") == self.namespace]
        return {f"{path}/{item['metadata']['name']}": item["metadata"]["resourceVersion"] for path, item in found}

    def told(self) -> str:
        """What each pod is doing, for the report of a wait that was in vain."""
        out = []
        for pod in self.api.get(f"{self.core}/pods")["items"]:
            name, states = pod["metadata"]["name"], [c["state"] for c in pod["status"].get("containerStatuses", [])]
            log = self.kubectl("logs", "--namespace", self.namespace, "--tail=30", name)
            out.append(f"--- {name}: {pod['status'].get('phase')} {states}\n{(log.stdout + log.stderr).decode(errors='replace')}")
        return "\n".join(out)

    # --- waiting ---
    def answers(self, ordinal: int, uid: str) -> bool:
        try:
            return bool(self.info(ordinal))
        except ApiError:
            return False

    def leads(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} is a primary with a table", partial(self._leads, ordinal), 60)

    def _leads(self, ordinal: int) -> bool:
        return bool(self.info(ordinal)["isPrimary"]) and self._sqlite(ordinal, "select x from t").returncode == 0

    def follows(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} follows", partial(self._in_step, ordinal), HANG)

    def _in_step(self, ordinal: int) -> bool:
        own, primary = self.positions(ordinal), self.positions(0)
        same = self.info(ordinal).get("clusterID") == self.info(0)["clusterID"]
        return bool(own) and own == primary and same and "connected to cluster, ready" in self.log(ordinal)

    def refused(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} is refused", lambda: "different cluster id" in self.log(ordinal), HANG)

    # --- doing ---
    def in_pod(self, ordinal: int, *command: str, stdin: bytes = b"") -> str:
        """What the command printed in the pod's container; it must end well."""
        done = self._execute(ordinal, *command, stdin=stdin)
        assert done.returncode == 0, f"{command} in {self.pod_name(ordinal)}: {done.stderr.decode()}{done.stdout.decode()}"
        return done.stdout.decode()

    def _execute(self, ordinal: int, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.kubectl("exec", "--namespace", self.namespace, "--stdin", self.pod_name(ordinal), "--", *command, stdin=stdin)

    def _sqlite(self, ordinal: int, sql: str) -> subprocess.CompletedProcess[bytes]:
        return self._execute(ordinal, "sqlite3", "/litefs/db", sql)

    def write(self, ordinal: int, sql: str) -> None:
        self.in_pod(ordinal, "sqlite3", "/litefs/db", sql)

    def lose(self, ordinal: int) -> None:
        self.in_pod(ordinal, "rm", "-r", "/var/lib/litefs/dbs/db")

    def rows(self, ordinal: int) -> list[str]:
        return self.in_pod(ordinal, "sqlite3", "/litefs/db", "select x from t order by rowid").splitlines()


