"""Storage of the played cluster: a directory for each claim of the played storage classes."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

from .api import Api, ApiError, Mirror, Object

PROVISIONER = "e2e.kubectl-litefs/played"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def storage_class(name: str, labels: dict[str, str], *, reclaim: str = "Delete", wait_for_consumer: bool = False) -> Object:
    """A StorageClass whose claims are bound by `Volumes`."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "labels": labels},
        "provisioner": PROVISIONER,
        "reclaimPolicy": reclaim,
        "volumeBindingMode": "WaitForFirstConsumer" if wait_for_consumer else "Immediate",
    }


class Volumes:
    """Makes and removes PersistentVolumes as the claims want it. `look` does what is to be done now."""

    def __init__(self, api: Api, root: Path, labels: dict[str, str], claims: Mirror, volumes: Mirror) -> None:
        self._api, self._root, self._labels, self._claims, self._volumes = api, root, labels, claims, volumes
        self.refuse = ""
        """Where it is not empty nothing is provisioned, and an event on the claim says this."""
        self._told: set[str] = set()
        self.mine: set[str] = set()
        """Volumes that were made here and are still there."""

    def directory(self, volume: str) -> Path:
        return self._root / volume

    def look(self) -> None:
        classes: dict[str, Object] | None = None
        there = {v["metadata"]["name"] for v in self._volumes.all()}
        for claim in self._claims.all():
            name = f"pvc-{claim['metadata']['uid']}"
            if claim["spec"].get("volumeName") or name in there or name in self.mine or claim["metadata"].get("deletionTimestamp"):
                continue
            if classes is None:
                listed = self._api.get("/apis/storage.k8s.io/v1/storageclasses")["items"]
                classes = {c["metadata"]["name"]: c for c in listed if c["provisioner"] == PROVISIONER}
            kind = classes.get(claim["spec"].get("storageClassName", ""))
            waits = kind is not None and kind.get("volumeBindingMode") == "WaitForFirstConsumer"
            if kind is None or (waits and SELECTED_NODE not in claim["metadata"].get("annotations", {})):
                continue
            if self.refuse:
                self._tell(claim)
            else:
                self._make(name, claim, kind)
        for volume in self._volumes.all():
            name, released = volume["metadata"]["name"], volume["status"].get("phase") == "Released"
            if name in self.mine and released and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
                self.remove(name)

    def remove(self, name: str) -> None:
        """The volume and what is on it."""
        self._api.delete(f"/api/v1/persistentvolumes/{name}", missing_ok=True)
        shutil.rmtree(self.directory(name), ignore_errors=True)
        self.mine.discard(name)

    def _make(self, name: str, claim: Object, kind: Object) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        ref = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        body: Object = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "labels": self._labels, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
                "storageClassName": kind["metadata"]["name"],
                "hostPath": {"path": str(self.directory(name))},
                "claimRef": ref,
            },
        }
        self.directory(name).mkdir(parents=True)
        self.mine.add(name)
        try:
            self._api.create("/api/v1/persistentvolumes", body)
        except ApiError:
            self.remove(name)
            raise

    def _tell(self, claim: Object) -> None:
        meta = claim["metadata"]
        if meta["uid"] in self._told:
            return
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
            "type": "Warning",
            "reason": "ProvisioningFailed",
            "message": f'failed to provision volume with StorageClass "{claim["spec"]["storageClassName"]}": {self.refuse}',
            "source": {"component": PROVISIONER},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._api.create(f"/api/v1/namespaces/{meta['namespace']}/events", event)
        self._told.add(meta["uid"])
