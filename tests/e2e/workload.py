"""A StatefulSet with LiteFS in a namespace of its own, brought into a known state the way it comes about in life."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any

from .api import Api, Object, until

NAME = "abaci-app"
SERVICE = "abaci-app-headless"
CONFIG = "abaci-litefs"
STATES = ("healthy", "cluster-id-mismatch", "primary-volume-recreated", "primary-lost-database")
START = "case $(hostname) in *-0) LITEFS_CANDIDATE=true;; *) LITEFS_CANDIDATE=false;; esac; export LITEFS_CANDIDATE; exec litefs mount -config /config/litefs.yml"
LITEFS_YML = """\
fuse:
  dir: /litefs
data:
  dir: /var/lib/litefs
exec:
  - cmd: sh -c 'sqlite3 /litefs/db "create table if not exists t(x); insert into t values(1)"'
    if-candidate: true
  - cmd: sleep infinity
proxy:
  addr: ":8080"
  target: localhost:3000
  db: db
lease:
  type: static
  hostname: abaci-app-0
  advertise-url: http://abaci-app-0.abaci-app-headless.{namespace}.svc.cluster.local:20202
  candidate: {candidate}
"""


class Workload(ABC):
    """The objects, through the API server, and the way into each state. Subclasses know what runs in the pods."""

    def __init__(
        self, api: Api, namespace: str, storage_class: str, *, image: str, placement: Object, ordinals: int, grace: int, when_scaled: str
    ) -> None:
        self.api, self.namespace, self.ordinals, self.name = api, namespace, ordinals, NAME
        self.core = f"/api/v1/namespaces/{namespace}"
        self.path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{NAME}"
        meta = {"namespace": namespace}
        api.create(f"{self.core}/configmaps", {"metadata": {**meta, "name": CONFIG}, "data": {"litefs.yml": self.config()}})
        ports = [{"name": "litefs", "port": 20202}, {"name": "http", "port": 8080}]
        service = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {"app": NAME}, "ports": ports}
        api.create(f"{self.core}/services", {"metadata": {**meta, "name": SERVICE}, "spec": service})
        spec = stateful_set(image, placement, storage_class, ordinals=ordinals, grace=grace, when_scaled=when_scaled)
        api.create(self.path.rpartition("/")[0], {"metadata": {**meta, "name": NAME}, "spec": spec})

    def config(self, candidate: str = "${LITEFS_CANDIDATE}") -> str:
        return LITEFS_YML.format(namespace=self.namespace, candidate=candidate)

    def set_config(self, text: str) -> None:
        """Pods that start from now on see it."""
        self.api.patch(f"{self.core}/configmaps/{CONFIG}", {"data": {"litefs.yml": text}})

    # --- names and objects ---
    def pod_name(self, ordinal: int) -> str:
        return f"{NAME}-{ordinal}"

    def claim_name(self, ordinal: int) -> str:
        return f"litefs-data-{NAME}-{ordinal}"

    def pod(self, ordinal: int) -> Object | None:
        return self.api.find(f"{self.core}/pods/{self.pod_name(ordinal)}")

    def claim(self, ordinal: int) -> Object | None:
        return self.api.find(f"{self.core}/persistentvolumeclaims/{self.claim_name(ordinal)}")

    def uids(self) -> dict[str, str]:
        """Of all pods and claims: who was replaced, and who was not."""
        out = {}
        for kind in ("pods", "persistentvolumeclaims"):
            for item in self.api.get(f"{self.core}/{kind}")["items"]:
                out[f"{kind}/{item['metadata']['name']}"] = item["metadata"]["uid"]
        return out

    def proxied(self, ordinal: int, path: str) -> Any:
        """JSON that LiteFS answers through the API server."""
        return self.api.get(f"{self.core}/pods/{self.pod_name(ordinal)}:20202/proxy{path}")

    # --- waiting ---
    def running(self, ordinal: int, not_uid: str = "") -> None:
        """Until there is a pod (another than the one of `not_uid`) that the API server calls Ready, and LiteFS answers in it."""

        def look() -> bool:
            pod = self.pod(ordinal)
            if pod is None or pod["metadata"]["uid"] == not_uid or pod["metadata"].get("deletionTimestamp"):
                return False
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
            return ready and self.answers(ordinal, pod["metadata"]["uid"])

        until(f"{self.pod_name(ordinal)} is Ready", look, 60)

    @abstractmethod
    def answers(self, ordinal: int, uid: str) -> bool:
        """Whether LiteFS runs in the pod of this uid, which is Ready."""

    @abstractmethod
    def leads(self, ordinal: int) -> None:
        """Until the pod is a primary whose application has made its tables."""

    @abstractmethod
    def follows(self, ordinal: int) -> None:
        """Until the replica is connected and has what abaci-app-0 has."""

    @abstractmethod
    def refused(self, ordinal: int) -> None:
        """Until the replica has logged that its primary is of another cluster."""

    # --- doing ---
    @abstractmethod
    def write(self, ordinal: int, sql: str) -> None:
        """One statement, committed to `db` in the pod."""

    @abstractmethod
    def lose(self, ordinal: int) -> None:
        """The files of `db` go from the pod's volume; a LiteFS that runs does not see it until it starts again."""

    @abstractmethod
    def rows(self, ordinal: int) -> list[str]:
        """What the table `t` holds in the pod."""

    def restart(self, ordinal: int) -> None:
        """Delete the pod and wait for the next one."""
        pod = self.pod(ordinal)
        assert pod is not None
        self.api.delete(f"{self.core}/pods/{self.pod_name(ordinal)}", uid=pod["metadata"]["uid"])
        self.running(ordinal, not_uid=pod["metadata"]["uid"])

    def wipe(self, ordinal: int) -> None:
        """The pod comes back with a new volume: claim first, so that the controller makes a new one."""
        claim = self.claim(ordinal)
        assert claim is not None
        self.api.delete(f"{self.core}/persistentvolumeclaims/{self.claim_name(ordinal)}", uid=claim["metadata"]["uid"])
        self.restart(ordinal)

    def fill(self, replicas: range) -> None:
        """Rows that only matter if they are lost, on every pod."""
        for number in range(5):
            self.write(0, f"insert into t values('precious {number}')")
        for ordinal in replicas:
            self.follows(ordinal)

    def become(self, state: str, mismatch: int) -> None:
        """From nothing to one of STATES."""
        for ordinal in range(self.ordinals):
            self.running(ordinal)
        replicas = range(1, self.ordinals)
        for ordinal in replicas:
            self.follows(ordinal)
        if state == "cluster-id-mismatch":
            # abaci-app-`mismatch` is a primary of its own for a while, as when the candidate's line was wrong once.
            self.set_config(self.config("true"))
            self.wipe(mismatch)
            self.leads(mismatch)
            self.write(mismatch, f"insert into t values('only on {self.pod_name(mismatch)}')")
            self.set_config(self.config())
            self.restart(mismatch)
            self.refused(mismatch)
        elif state == "primary-volume-recreated":
            self.fill(replicas)
            self.wipe(0)
            for ordinal in replicas:
                self.refused(ordinal)
        elif state == "primary-lost-database":
            # The files went from the volume, and the application does not make them anew.
            self.fill(replicas)
            self.set_config(re.sub(r"  - cmd: sh -c .*\n    if-candidate: true\n", "", self.config()))
            self.lose(0)
            self.restart(0)
        elif state != "healthy":
            raise ValueError(f"no state {state}: {', '.join(STATES)}")


def stateful_set(image: str, placement: Object, storage_class: str, *, ordinals: int, grace: int, when_scaled: str) -> Object:
    """The spec. `placement` is what the pods need to come to their node."""
    container: Object = {
        "name": "app",
        "image": image,
        "command": ["sh", "-c", START],
        "securityContext": {"privileged": True, "runAsUser": 0, "runAsGroup": 0},
        "ports": [{"name": "litefs", "containerPort": 20202}, {"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "litefs-data", "mountPath": "/var/lib/litefs"}, {"name": "config", "mountPath": "/config"}],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": "64Mi"}}}
    return {
        "serviceName": SERVICE,
        "replicas": ordinals,
        "selector": {"matchLabels": {"app": NAME}},
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": when_scaled, "whenDeleted": "Retain"},
        "template": {
            "metadata": {"labels": {"app": NAME}},
            "spec": {
                "terminationGracePeriodSeconds": grace,
                **placement,
                "containers": [container],
                "volumes": [{"name": "config", "configMap": {"name": CONFIG}}],
            },
        },
        "volumeClaimTemplates": [{"metadata": {"name": "litefs-data"}, "spec": claim}],
    }
