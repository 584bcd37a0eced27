"""A cluster that lives: an API server with a StatefulSet controller, claim protection and LiteFS nodes, on a clock that
costs nothing. What a run does to it, and what it does to a run, is deterministic.

It plays what was seen on real clusters (Kubernetes 1.34): a claim waits for its pod, the controller makes no pod while
the old claim ends, a mismatched LiteFS takes its whole grace period, a fresh replica adopts the primary's id.
"""

from __future__ import annotations

import functools
import json
import re
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from kubectl_litefs.errors import KubeError
from kubectl_litefs.kube.session import right_for
from kubectl_litefs.ports import Answer, Executed

from ..harness import APP, CLUSTER_ID, NOW, NS, snapshot, stamp
from .disk import Disk

STRANGER = "LFSC00000000000000B2"
PROTECTION = "kubernetes.io/pvc-protection"
FLAG = 1 << 63


def page_size(data: bytes) -> int:
    """Of the header; 65536 does not fit there and stands as 1."""
    size = int.from_bytes(data[16:18], "big")
    return 65536 if size == 1 else size


@functools.cache  # a hundred clusters hold the same few databases
def slow_checksum(data: bytes) -> str:
    """LiteFS's checksum by its definition, page by page: the oracle for the fast one."""
    size = page_size(data)
    total = 0
    for number in range(1, len(data) // size + 1):
        crc = (1 << 64) - 1
        for byte in number.to_bytes(4, "big") + data[(number - 1) * size : number * size]:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ (0xD800000000000000 if crc & 1 else 0)
        total ^= FLAG | (crc ^ ((1 << 64) - 1))
    return f"{FLAG | total:016x}"


@functools.cache
def database(*rows: str) -> bytes:
    """A small SQLite file with these rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "db"
        db = sqlite3.connect(path)
        db.execute("pragma page_size = 512")
        db.execute("create table t (v text)")
        db.executemany("insert into t values (?)", [(r,) for r in rows])
        db.commit()
        db.close()
        return path.read_bytes()


@dataclass
class Db:
    """One database as a node holds it."""

    txid: int
    data: bytes
    checksum: str = ""

    def __post_init__(self) -> None:
        self.checksum = self.checksum or slow_checksum(self.data)


@dataclass
class Volume:
    """What lies on a claim's volume."""

    cluster_id: str | None = None
    databases: dict[str, Db] = field(default_factory=dict)
    files: dict[str, str | None] = field(default_factory=lambda: {"clusterid": None})
    disk: Disk | None = None
    """The directory itself, once a command has looked into it."""


@dataclass
class Sent:
    """A request that arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None

    @property
    def changes(self) -> bool:
        """Whether it would change something: not a read, not a question, not a dry run."""
        body = self.body or {}
        dry = body.get("dryRun") or (body.get("deleteOptions") or {}).get("dryRun") or self.query.get("dryRun")
        if self.method == "DELETE" and self.body is not None:
            dry = body.get("dryRun")
        return self.method != "GET" and "accessreviews" not in self.path and not dry


class SimClock:
    """Sleeping moves the time, and with it the cluster."""

    def __init__(self) -> None:
        self.seconds, self.sim = 0.0, None  # type: float, Sim | None
        self.lock = threading.RLock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self.lock:
            self.slept.append(seconds)
            began, ends = self.seconds, self.seconds + seconds
            while self.seconds < ends:
                step = 0.5 if self.seconds < began + 120 else 30  # in a long sleep little happens after that
                self.seconds = min(ends, self.seconds + step)
                if self.sim is not None:
                    self.sim.advance()


Hook = Callable[["Sim", Sent], "KubeError | BaseException | Answer | None"]


class Sim:
    """A `WritableKube`. `before` and `after` hooks see each request: an exception they return is raised, before the
    request is carried out or after it (its answer is lost)."""

    server, context, cluster, namespace = "https://sim:6443", "sim", "sim-cluster", NS

    def __init__(self, body: Mapping[str, Any] | None = None, *, target: int = 1, replicas: int = 3) -> None:
        self.clock = SimClock()
        self.clock.sim = self
        self.lock = threading.RLock()
        self.sent: list[Sent] = []
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.allowed: Callable[[str, str, str, str], bool] = lambda verb, group, resource, name: True
        self.versions = 1000
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.volumes: dict[str, Volume] = {}
        self.logs: dict[str, list[str]] = {}
        self.primary = f"{APP}-0"
        self.controller_up, self.provisioner_up, self.join_after = True, True, 2.0
        self.fresh_leads, self.replicates = False, False
        self.hanging: dict[str, float] = {}
        """Pod -> the second until which it dials an address that is gone."""
        self.lost_nodes: set[str] = set()
        self.headers: dict[str, str] = {}
        self.infos: dict[str, Any] = {}
        self.scratch: Path | None = None
        """Where the directories of volumes are, once a command is run in a pod."""
        self.commands: Callable[[str, Sequence[str]], Sequence[str]] | None = None
        """Changes a command before it is run: a tool that is missing, a disk that is full."""
        self.exports: Callable[[str, str, bytes], bytes] = lambda pod, name, data: data
        self._load(body or {}, replicas)
        self._litefs(target)

    # --- the beginning

    def _load(self, body: Mapping[str, Any], replicas: int) -> None:
        shot = snapshot(body)
        for path in list(shot.items):
            if path.startswith("objects/"):
                plural = path.rsplit("/", 1)[1].removesuffix(".json")
                for item in json.loads(b"".join(shot.items[path].open()))["items"]:
                    self.put(plural, item)
        owner = self.objects["statefulsets", APP]
        owner["metadata"].setdefault("generation", 1)
        owner["spec"]["replicas"] = replicas
        template = owner["spec"]["volumeClaimTemplates"][0]["spec"]
        template.setdefault("resources", {"requests": {"storage": "1Gi"}})
        template.setdefault("storageClassName", "standard")
        for n in range(replicas, 3):
            self.objects.pop(("pods", f"{APP}-{n}"), None)
            self.objects.pop(("persistentvolumeclaims", f"litefs-data-{APP}-{n}"), None)
        for (plural, _), obj in self.objects.items():
            if plural == "persistentvolumeclaims":
                obj["metadata"].setdefault("finalizers", [PROTECTION])

    def _litefs(self, target: int) -> None:
        mine, theirs = Db(3, database("only here")), Db(7, database("one", "two", "three"))
        for (plural, name), obj in sorted(self.objects.items()):
            if plural != "pods":
                continue
            stranger = name == f"{APP}-{target}"
            claim = self.objects["persistentvolumeclaims", f"litefs-data-{name}"]
            self.volumes[claim["metadata"]["uid"]] = Volume(STRANGER if stranger else CLUSTER_ID, {"db": mine if stranger else theirs})
            self.logs[obj["metadata"]["uid"]] = self._first_log(name, STRANGER if stranger else CLUSTER_ID, stranger)
        if target >= 0:  # the stranger's claim is the younger one, as after a wipe
            self.objects["persistentvolumeclaims", f"litefs-data-{APP}-{target}"]["metadata"]["creationTimestamp"] = stamp(NOW - timedelta(minutes=5))

    def _first_log(self, name: str, cluster_id: str, stranger: bool) -> list[str]:
        lines = ["LiteFS v0.5.14, commit=0000000", f'level=INFO msg="Using static primary: primary={str(name == self.primary).lower()} hostname={self.primary} advertise-url=http://x:20202"']
        lines.append(f'level=INFO msg="using existing cluster id: \\"{cluster_id}\\""')
        if stranger:
            lines.append(f'level=INFO msg="00000000000000A1: disconnected from primary with error, retrying: cannot stream from primary with a different cluster id: {cluster_id} <> {CLUSTER_ID}"')
        else:
            lines.append('level=INFO msg="connected to cluster, ready"')
        return [f"{stamp(self.clock.now() - timedelta(seconds=2))[:-1]}.000000000Z {line}" for line in lines]

    # --- objects

    def put(self, plural: str, obj: dict[str, Any]) -> dict[str, Any]:
        self.versions += 1
        obj.setdefault("metadata", {})
        obj["metadata"]["resourceVersion"] = str(self.versions)
        obj["metadata"].setdefault("uid", f"uid-{plural}-{obj['metadata']['name']}-{self.versions}")
        obj["metadata"].setdefault("creationTimestamp", stamp(self.clock.now()))
        self.objects[plural, obj["metadata"]["name"]] = obj
        return obj

    def touch(self, plural: str, name: str) -> dict[str, Any]:
        """The object, with a new version."""
        return self.put(plural, self.objects[plural, name])

    def pod(self, ordinal: int) -> dict[str, Any]:
        return self.objects["pods", f"{APP}-{ordinal}"]

    def claim(self, ordinal: int) -> dict[str, Any]:
        return self.objects["persistentvolumeclaims", f"litefs-data-{APP}-{ordinal}"]

    def volume_of(self, pod: str) -> Volume:
        return self.volumes[self.objects["persistentvolumeclaims", f"litefs-data-{pod}"]["metadata"]["uid"]]

    def event(self, kind: str, name: str, reason: str, message: str) -> None:
        self.events.append({"type": "Warning", "reason": reason, "message": message, "lastTimestamp": stamp(self.clock.now()), "metadata": {"name": f"e{len(self.events)}", "namespace": NS}, "involvedObject": {"kind": kind, "name": name}})

    # --- what happens by itself

    def advance(self) -> None:
        with self.lock:
            self._kubelet()
            self._claims()
            if self.controller_up:
                self._controller()
            if self.replicates:
                self.replicate()

    def connected(self) -> list[str]:
        """Running replicas with the primary's id that do not hang."""
        lead = self.objects.get(("pods", self.primary))
        if lead is None or lead["status"]["phase"] != "Running" or ("persistentvolumeclaims", f"litefs-data-{self.primary}") not in self.objects:
            return []
        mine = self.volume_of(self.primary).cluster_id
        here = [(n, o) for (p, n), o in sorted(self.objects.items()) if p == "pods" and ("persistentvolumeclaims", f"litefs-data-{n}") in self.objects]
        running = [n for n, o in here if n != self.primary and o["status"]["phase"] == "Running"]
        return [n for n in running if self.volume_of(n).cluster_id == mine and self.clock.seconds >= self.hanging.get(n, 0)]

    def replicate(self) -> None:
        """Connected replicas take whatever the primary has, also where it is less."""
        theirs = self.volume_of(self.primary).databases if ("pods", self.primary) in self.objects else {}
        for name in self.connected():
            self.volume_of(name).databases.update({n: Db(d.txid, d.data, d.checksum) for n, d in theirs.items() if d.txid})

    def _kubelet(self) -> None:
        now = self.clock.seconds
        for (plural, name), obj in list(self.objects.items()):
            if plural != "pods":
                continue
            if "deletionTimestamp" in obj["metadata"]:
                if now >= obj["metadata"]["x-gone-at"] and obj["spec"].get("nodeName") not in self.lost_nodes:
                    del self.objects[plural, name]
                continue
            claim = self.objects.get(("persistentvolumeclaims", f"litefs-data-{name}"))
            bound = claim is not None and claim["status"]["phase"] == "Bound" and "deletionTimestamp" not in claim["metadata"]
            if obj["status"]["phase"] == "Pending" and bound and now - obj["metadata"]["x-born"] >= 1:
                self._start(name, obj, claim or {})
            elif obj["status"].get("x-join-at") is not None and now >= obj["status"]["x-join-at"]:
                self._join(name, obj)

    def _start(self, name: str, obj: dict[str, Any], claim: dict[str, Any]) -> None:
        obj["status"] = {
            "phase": "Running", "podIP": "10.244.0.99", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": stamp(self.clock.now())}}}],
            "x-join-at": self.clock.seconds + self.join_after,
        }  # fmt: skip
        self.put("pods", obj)
        volume = self.volumes.setdefault(claim["metadata"]["uid"], Volume())
        if "clusterid" not in volume.files:  # LiteFS reads it at its start only
            volume.cluster_id = None
        if volume.disk is not None:
            volume.cluster_id, held = volume.disk.read()
            volume.databases = {n: Db(t, d, "" if d else "0" * 16) for n, (t, d) in held.items()}
            if name == self.primary:  # a primary without an id makes one, and its folder
                volume.cluster_id = volume.disk.found_anew(volume.cluster_id or "LFSC00000000000000E5")
        self.logs[obj["metadata"]["uid"]] = [f"{stamp(self.clock.now())[:-1]}.000000000Z LiteFS v0.5.14, commit=0000000"]

    def _join(self, name: str, obj: dict[str, Any]) -> None:
        obj["status"].pop("x-join-at")
        mine = self.volume_of(name)
        if self.fresh_leads:
            mine.cluster_id = "LFSC00000000000000C3"
            return
        lead = self.volume_of(self.primary)
        if mine.cluster_id in (None, lead.cluster_id):
            mine.cluster_id, mine.databases = lead.cluster_id, {**mine.databases, **lead.databases}
            mine.files.setdefault("clusterid", None)
            self.logs[obj["metadata"]["uid"]].append(f'{stamp(self.clock.now())[:-1]}.000000000Z level=INFO msg="connected to cluster, ready"')

    def _claims(self) -> None:
        for (plural, name), obj in list(self.objects.items()):
            if plural != "persistentvolumeclaims":
                continue
            if "deletionTimestamp" in obj["metadata"]:
                used = ("pods", name.removeprefix("litefs-data-")) in self.objects and self.objects["pods", name.removeprefix("litefs-data-")]["status"]["phase"] == "Running"
                finalizers = obj["metadata"].get("finalizers", [])
                if not used and PROTECTION in finalizers:
                    finalizers.remove(PROTECTION)
                if not finalizers:
                    del self.objects[plural, name]
            elif obj["status"]["phase"] == "Pending" and self.provisioner_up:
                obj["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
                obj["spec"]["volumeName"] = f"pv-{obj['metadata']['uid']}"
                self.put(plural, obj)

    def _controller(self) -> None:
        owner = self.objects.get(("statefulsets", APP))
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        replicas = owner["spec"]["replicas"]
        for ordinal in range(replicas):
            name = f"{APP}-{ordinal}"
            if ("pods", name) not in self.objects and self._make(owner, name):
                return
            pod = self.objects.get(("pods", name))
            ready = pod is not None and pod["status"]["phase"] == "Running" and any(c["status"] == "True" for c in pod["status"]["conditions"])
            if not ready and owner["spec"]["podManagementPolicy"] == "OrderedReady":
                return
        for plural, name in list(self.objects):
            if plural == "pods" and name.startswith(APP + "-") and int(name.rsplit("-", 1)[1]) >= replicas:
                self._terminate(self.objects[plural, name])

    def _make(self, owner: dict[str, Any], name: str) -> bool:
        """The claim and then the pod; none of them while the old claim ends."""
        claim = f"litefs-data-{name}"
        found = self.objects.get(("persistentvolumeclaims", claim))
        if found is not None and "deletionTimestamp" in found["metadata"]:
            if not any(e["involvedObject"]["name"] == APP for e in self.events):
                self.event("StatefulSet", APP, "FailedCreate", f"pvc {claim} is being deleted")
            return True
        if found is None:
            template = owner["spec"]["volumeClaimTemplates"][0]["spec"]
            self.put("persistentvolumeclaims", {"kind": "PersistentVolumeClaim", "metadata": {"name": claim, "namespace": NS, "finalizers": [PROTECTION]}, "spec": dict(template), "status": {"phase": "Pending"}})
        spec = json.loads(json.dumps(owner["spec"]["template"]["spec"]))
        spec["volumes"] = [{"name": "litefs-data", "persistentVolumeClaim": {"claimName": claim}}, *spec.get("volumes", [])]
        spec["nodeName"] = "node-1"
        self.put("pods", {
            "kind": "Pod",
            "metadata": {"name": name, "namespace": NS, "labels": {"app": APP, "controller-revision-hash": "r1"}, "x-born": self.clock.seconds,
                         "ownerReferences": [{"kind": "StatefulSet", "name": APP, "controller": True, "uid": owner["metadata"]["uid"]}]},
            "spec": spec, "status": {"phase": "Pending", "conditions": []},
        })  # fmt: skip
        return False

    def _terminate(self, pod: dict[str, Any]) -> None:
        if "deletionTimestamp" not in pod["metadata"]:
            grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            pod["metadata"] |= {"deletionTimestamp": stamp(self.clock.now()), "deletionGracePeriodSeconds": grace, "x-gone-at": self.clock.seconds + grace}
            self.put("pods", pod)

    # --- LiteFS's /import

    def take(self, pod: str, name: str, data: bytes) -> tuple[int, bytes]:
        """What POST /import does: no check but the header's, two fields set to zero, one transaction more."""
        if pod != self.primary:
            return 503, b"lease expired"
        if not data.startswith(b"SQLite format 3\x00"):
            return 500, b"read database header: unexpected EOF"
        head = bytearray(data)
        head[24:28] = head[40:44] = bytes(4)
        size, pages = page_size(data), int.from_bytes(data[28:32], "big")
        if len(data) < size * pages:
            self.volume_of(pod).databases.setdefault(name, Db(0, b"", "0" * 16))
            return 500, f"read page {len(data) // size + 1}: unexpected EOF".encode()
        old = self.volume_of(pod).databases.get(name)
        self.volume_of(pod).databases[name] = Db((old.txid if old else 0) + 1, bytes(head))
        if self.replicates:
            self.replicate()
        return 200, b""

    # --- WritableKube

    def upload(self, path: str, file: BinaryIO, *, query: Mapping[str, str] | None = None, timeout: float) -> Answer:
        """Half of it has arrived where a `before` hook says that it fails."""
        sent = Sent("POST", path, dict(query or {}), None)
        pod = path.split("/pods/")[1].split(":")[0]
        with self.lock:
            self.sent.append(sent)
            if not self.allowed("create", "", "pods/proxy", pod):
                raise KubeError("forbidden", status=403, reason="Forbidden", verb="create", resource="pods/proxy")
            for hook in list(self.before):
                said = hook(self, sent)
                if isinstance(said, BaseException):
                    self.take(pod, sent.query["name"], file.read(700))
                    raise said
            status, body = self.take(pod, sent.query["name"], file.read())
            for hook in list(self.after):
                said = hook(self, sent)
                if isinstance(said, BaseException):
                    raise said
        if status != 200:
            raise KubeError(body.decode(), status=status, reason="InternalError", verb="create", resource="pods/proxy")
        return Answer(200, {}, body)

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int) -> bytes:
        return self.exchange("GET", path, query=query, timeout=timeout).body

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, idle: float | None = None) -> Iterator[Iterator[bytes]]:
        body = self.exchange("GET", path, query=query, timeout=timeout).body
        yield (body[i : i + 1000] for i in range(0, len(body), 1000))

    def close(self) -> None:
        pass

    def exchange(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, query: Mapping[str, str] | None = None, content_type: str = "application/json", timeout: float) -> Answer:
        from .sim_api import answer

        sent = Sent(method, path, dict(query or {}), json.loads(json.dumps(body)) if body is not None else None)
        with self.lock:
            self.sent.append(sent)
            for hook in list(self.before):
                said = hook(self, sent)
                if isinstance(said, Answer):
                    return said
                if said is not None:
                    raise said
            status, headers, data = answer(self, sent)
            for hook in list(self.after):
                said = hook(self, sent)
                if said is not None:
                    assert isinstance(said, BaseException)
                    raise said
        if status >= 300:
            document = json.loads(data)
            verb, resource = right_for(path, method)
            wait = headers.get("retry-after")
            raise KubeError(document.get("message", ""), status=status, reason=document.get("reason", ""), verb=verb, resource=resource, retry_after=float(wait) if wait else None)
        return Answer(status, headers, data)

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str], *, timeout: float, stdin: Iterable[bytes] | None = None, stdout: Callable[[bytes], None] | None = None) -> Executed:
        """`mv -n` and `test -e` on the files `clusterid` and its copies."""
        sent = Sent("EXEC", f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", {}, {"command": list(command)})
        with self.lock:
            self.sent.append(sent)
            for hook in list(self.before):
                said = hook(self, sent)
                if isinstance(said, BaseException):
                    raise said
            if ("pods", pod) not in self.objects:
                raise KubeError(f'pods "{pod}" not found', status=404, reason="NotFound")
            if not all(self.allowed(v, "", "pods/exec", pod) for v in ("create", "get")):
                raise KubeError("forbidden", status=403, reason="Forbidden", verb="create", resource="pods/exec")
            if command[0] not in ("mv", "test"):
                return self._run(sent, pod, command, stdin, stdout)
            files, name = self.volume_of(pod).files, command[-1].rsplit("/", 1)[1]
            if command[0] == "test":
                done = Executed(0 if name in files else 1, "")
            else:
                assert tuple(command[:3]) == ("mv", "-n", "--")
                old = command[3].rsplit("/", 1)[1]
                if old not in files:
                    return Executed(1, f"mv: cannot stat '{old}'")
                if name not in files:
                    files[name] = files.pop(old)
                done = Executed(0, "")
            for hook in list(self.after):
                said = hook(self, sent)
                if isinstance(said, BaseException):
                    raise said
            return done

    def _run(self, sent: Sent, pod: str, command: Sequence[str], stdin: Iterable[bytes] | None, stdout: Callable[[bytes], None] | None) -> Executed:
        """The command itself, in a directory that is as the volume is."""
        volume = self.volume_of(pod)
        if volume.disk is None:
            volume.disk = Disk(self.scratch, volume.cluster_id, {n: (d.txid, d.data) for n, d in volume.databases.items()})
        if self.commands is not None:
            command = self.commands(pod, command)
        code, out, err = volume.disk.run(command, stdin)
        for hook in list(self.after):
            said = hook(self, sent)
            if isinstance(said, BaseException):
                raise said
        if stdout is None:
            return Executed(code, (out + err).decode("utf8", "replace"))
        for i in range(0, len(out), 5000):
            stdout(out[i : i + 5000])
        return Executed(code, err.decode("utf8", "replace"))

    # --- what tests ask

    @property
    def changes(self) -> list[str]:
        """What changed something, the lock aside: `DELETE persistentvolumeclaims/litefs-data-abaci-app-1`."""
        return [f"{s.method} {re.sub(r'^.*/namespaces/[^/]+/', '', s.path)}" for s in self.sent if s.changes and "/leases" not in s.path]
