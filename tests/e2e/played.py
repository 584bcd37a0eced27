"""Plays the nodes of a control plane that has none.

A played node is a Node object that is kept Ready, a kubelet's port for logs, and for each pod that the scheduler puts on it
a container status, an address that the API server can reach, and a stand-in for LiteFS there. Pods that are deleted go when
their LiteFS has ended, or at the end of their grace period: LiteFS heeds SIGTERM only once it has been connected."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from urllib3.exceptions import HTTPError

from .api import Api, ApiError, Mirror, Object
from .kubelet import PORT, Kubelet
from .litefs import LiteFS, Log, Peers
from .volumes import Volumes

LABEL = "e2e.kubectl-litefs/run"
"""On everything that a test run makes, and as the key of its nodes' taint: nobody else's pods are to come here."""
Key = tuple[str, str]


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class World:
    """What the nodes of one test run share."""

    api: Api
    run: str
    addresses: Iterator[ipaddress.IPv4Address]
    certificate: tuple[Path, Path]
    root: Path
    peers: Peers


@dataclass
class Played:
    """A pod on the node."""

    uid: str
    container: str
    litefs: LiteFS | None = None
    before: Log | None = None
    restarts: int = 0


class Node:
    """One node. Everything that a test may turn is a plain attribute; it counts from the next look on."""

    def __init__(self, world: World, name: str, own: str) -> None:
        api, peers = world.api, world.peers
        self.api, self.run, self.name, self.address, self.peers = api, world.run, name, own, peers
        self.hold: set[Key] = set()
        """(namespace, pod): its container waits with ImagePullBackOff."""
        self.unready: set[Key] = set()
        """(namespace, pod): runs, and its readiness probe fails."""
        self.linger: dict[Key, float] = {}
        """(namespace, pod): seconds that it takes to end even though LiteFS heeds SIGTERM."""
        self.pods: dict[Key, Played] = {}
        self._addresses = world.addresses
        self._lock = threading.RLock()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._kubelet = Kubelet(own, *world.certificate, self._log, peers.trouble)
        self._register()
        wake = self._wake.set
        self._pods = Mirror(api, "/api/v1/pods", wake, fieldSelector=f"spec.nodeName={name}")
        self._claims = Mirror(api, "/api/v1/persistentvolumeclaims", wake)
        self._volumes = Mirror(api, "/api/v1/persistentvolumes", wake)
        self.volumes = Volumes(api, world.root, {LABEL: world.run}, self._claims, self._volumes)
        self._terminated: dict[str, float] = {}
        self._beat = 0.0
        self._thread = threading.Thread(target=self._run, name=f"node {name}", daemon=True)
        self._thread.start()

    # --- the node itself ---
    def _register(self) -> None:
        sizes = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
        body: Object = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", LABEL: self.run}},
            "spec": {"taints": [{"key": LABEL, "value": self.run, "effect": "NoSchedule"}]},
        }
        self.api.create("/api/v1/nodes", body)
        status: Object = {
            "capacity": sizes,
            "allocatable": sizes,
            "addresses": [{"type": "InternalIP", "address": self.address}, {"type": "Hostname", "address": self.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": PORT}},
            "nodeInfo": {"kubeletVersion": "v0.0.0-played", "operatingSystem": "linux", "architecture": "amd64"},
        }
        self.api.patch(f"/api/v1/nodes/{self.name}/status", {"status": status})
        self._heartbeat()

    def _heartbeat(self) -> None:
        """Every 5 s: after 40 s without, the node's pods would be evicted."""
        self._beat = time.monotonic()
        ready = {"type": "Ready", "status": "True", "reason": "Played", "message": "", "lastHeartbeatTime": now(), "lastTransitionTime": now()}
        self.api.patch(f"/api/v1/nodes/{self.name}/status", {"status": {"conditions": [ready]}})

    def close(self) -> None:
        """End the stand-ins, and take node, pods and volumes out of the cluster."""
        self._ended.set()
        self._wake.set()
        self._thread.join()
        for mirror in (self._pods, self._claims, self._volumes):
            mirror.end()
        for (namespace, pod), played in self.pods.items():
            if played.litefs:
                played.litefs.stop()
            self.api.delete(f"/api/v1/namespaces/{namespace}/pods/{pod}", uid=played.uid, grace=0, missing_ok=True)
        for volume in list(self.volumes.mine):
            self.volumes.remove(volume)
        self.api.delete(f"/api/v1/nodes/{self.name}", missing_ok=True)
        self._kubelet.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(0.25)
            self._wake.clear()
            try:
                if time.monotonic() - self._beat > 5:
                    self._heartbeat()
                with self._lock:
                    self.volumes.look()
                    for pod in self._pods.all():
                        self._look(pod)
                    self._forget()
            except ApiError as e:
                # Somebody else was faster, or an object went in between: the next look sees how it is now.
                if e.code not in (404, 409):
                    self.peers.trouble.append(traceback.format_exc())
            except (HTTPError, OSError):
                self._ended.wait(0.5)  # the API server is away
            except BaseException:
                self.peers.trouble.append(traceback.format_exc())
                raise

    # --- its pods ---
    def _look(self, pod: Object) -> None:
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        played = self.pods.get(key)
        if played is not None and played.uid != meta["uid"]:
            self._end(key, played)
            played = None
        if meta.get("deletionTimestamp"):
            self._terminate(key, pod, played)
            return
        if played is None:
            played = self.pods[key] = Played(meta["uid"], pod["spec"]["containers"][0]["name"])
        if key in self.hold:
            self._report(key, pod, played)
        else:
            if played.litefs is None:
                directory = self._directory(pod)
                if directory is None:
                    return  # its claim is not bound yet
                self._run_litefs(key, pod, played, directory, str(next(self._addresses)))
            self._report(key, pod, played)

    def _directory(self, pod: Object) -> Path | None:
        names = [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"].get("volumes", []) if "persistentVolumeClaim" in v]
        for claim in self._claims.all():
            if claim["metadata"]["namespace"] == pod["metadata"]["namespace"] and claim["metadata"]["name"] in names:
                bound = claim.get("status", {}).get("phase") == "Bound" and not claim["metadata"].get("deletionTimestamp")
                return self.volumes.directory(claim["spec"]["volumeName"]) if bound else None
        return None

    def _run_litefs(self, key: Key, pod: Object, played: Played, directory: Path, address: str) -> None:
        config = next(v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v)
        text: str = self.api.get(f"/api/v1/namespaces/{key[0]}/configmaps/{config}")["data"]["litefs.yml"]
        played.litefs = LiteFS(self.peers, *key, address, directory, text, environment(pod))
        played.litefs.start()

    def _report(self, key: Key, pod: Object, played: Played) -> None:
        runs = played.litefs is not None
        ready = "True" if runs and key not in self.unready else "False"
        old = pod.get("status", {})
        container = pod["spec"]["containers"][0]
        current = {c["type"]: c["status"] for c in old.get("conditions", [])}
        if runs == bool(old.get("podIP")) and current.get("Ready") == ready and _restarts(old) == played.restarts:
            return
        kept = [c for c in old.get("conditions", []) if c["type"] not in ("Initialized", "ContainersReady", "Ready")]
        conditions = [{"type": t, "status": s, "lastTransitionTime": now()} for t, s in (("Initialized", "True"), ("ContainersReady", ready), ("Ready", ready))]
        state: Object = {"running": {"startedAt": now()}} if runs else {"waiting": {"reason": "ImagePullBackOff", "message": "held by the test"}}
        status: Object = {
            "phase": "Running" if runs else "Pending",
            "conditions": [*kept, *conditions],
            "hostIP": self.address,
            "hostIPs": [{"ip": self.address}],
            "startTime": old.get("startTime") or now(),
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "played",
                    "containerID": f"played://{pod['metadata']['uid']}",
                    "restartCount": played.restarts,
                    "ready": ready == "True",
                    "started": runs,
                    "state": state,
                    **({"lastState": {"terminated": {"exitCode": 1, "finishedAt": now()}}} if played.restarts else {}),
                }
            ],
        }
        if played.litefs:
            status |= {"podIP": played.litefs.address, "podIPs": [{"ip": played.litefs.address}]}
        self.api.patch(f"/api/v1/namespaces/{key[0]}/pods/{key[1]}/status", {"metadata": {"uid": played.uid}, "status": status})

    def _terminate(self, key: Key, pod: Object, played: Played | None) -> None:
        """SIGTERM has been sent. The pod goes when LiteFS has heeded it, or killed at the end of its grace period."""
        meta = pod["metadata"]
        since = self._terminated.setdefault(meta["uid"], time.monotonic())
        passed = time.monotonic() - since
        if played and played.litefs:
            heeds = played.litefs.ready.is_set() and passed >= self.linger.get(key, 0)
            if not heeds and passed < float(meta.get("deletionGracePeriodSeconds") or 0):
                return
        if played:
            self._end(key, played)
        self.api.delete(f"/api/v1/namespaces/{key[0]}/pods/{key[1]}", uid=meta["uid"], grace=0, missing_ok=True)

    def _end(self, key: Key, played: Played) -> None:
        if played.litefs:
            played.litefs.stop()
        self.pods.pop(key, None)

    def _forget(self) -> None:
        """Pods that were deleted by force."""
        there = {p["metadata"]["uid"] for p in self._pods.all()}
        for key, played in list(self.pods.items()):
            if played.uid not in there:
                self._end(key, played)

    def restart(self, namespace: str, pod: str) -> None:
        """The container ends and is started again, on the same volume and at the same address."""
        with self._lock:
            played = self.pods[namespace, pod]
            old = played.litefs
            assert old is not None, f"{pod} does not run"
            old.stop()
            played.before, played.restarts = old.log, played.restarts + 1
            self._run_litefs((namespace, pod), self.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}"), played, old.volume, old.address)
        self._wake.set()

    def _log(self, namespace: str, pod: str, container: str, previous: bool) -> Log | None:
        played = self.pods.get((namespace, pod))
        if played is None or container != played.container:
            return None
        if previous:
            return played.before
        return played.litefs.log if played.litefs else None


def _restarts(status: Object) -> int:
    with contextlib.suppress(IndexError):
        return int(status.get("containerStatuses", [])[0]["restartCount"])
    return 0


def environment(pod: Object) -> dict[str, str]:
    """What LiteFS sees: the container's own variables, HOSTNAME, and what the set's start script makes of it."""
    name = pod["metadata"]["name"]
    container = pod["spec"]["containers"][0]
    env = {"HOSTNAME": name, **{e["name"]: e.get("value", "") for e in container.get("env", [])}}
    if "*-0) LITEFS_CANDIDATE=true" in " ".join(container.get("command", [])):
        env["LITEFS_CANDIDATE"] = str(name.endswith("-0")).lower()
    return env
