"""Rule cases: a healthy three-pod LiteFS cluster as a snapshot, and the patches that break it.

CONTRIBUTING.md explains the keys of a case. The healthy cluster has the shape of recorded real ones.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kubectl_litefs.model.origin import Gap, GapReason
from kubectl_litefs.model.snapshot import Item, Snapshot

from . import quick_yaml

CASES = Path(__file__).parent / "cases"
NS, APP = "abaci", "abaci-app"
NOW = datetime(2026, 11, 23, 12, 30, 0, tzinfo=timezone.utc)
AGE = timedelta(minutes=10)
CLUSTER_ID = "LFSC00000000000000A1"
CHECKSUM = "b078ce8f0f0f0f0f"
URL = f"http://{APP}-0.{APP}-headless.{NS}.svc.cluster.local:20202"
KEYS = {
    "show", "litefs.yml", "lease-line", "template", "pods", "objects", "info", "vars", "metrics", "logs", "more-log",
    "previous", "sweep1", "gaps", "now", "expect", "also",
}  # fmt: skip

LITEFS_YML = f"""\
fuse:
  dir: /litefs
data:
  dir: /var/lib/litefs
exec:
- cmd: node dist/db/migrate.js
  if-candidate: true
- cmd: node server.js
lease:
  type: static
  hostname: {APP}-0
  advertise-url: {URL}
  candidate: ${{HOSTNAME == '{APP}-0'}}
"""

PLURALS = {
    "StatefulSet": "statefulsets", "Deployment": "deployments", "DaemonSet": "daemonsets", "Pod": "pods",
    "Service": "services", "EndpointSlice": "endpointslices", "ConfigMap": "configmaps",
    "PersistentVolumeClaim": "persistentvolumeclaims", "Event": "events", "NetworkPolicy": "networkpolicies",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers", "PodDisruptionBudget": "poddisruptionbudgets",
    "Ingress": "ingresses", "PersistentVolume": "persistentvolumes", "StorageClass": "storageclasses", "Node": "nodes",
    "Namespace": "namespaces", "Lease": "leases",
}  # fmt: skip
SCOPED = {"PersistentVolume", "StorageClass", "Node", "Namespace"}


@dataclass(frozen=True)
class Case:
    """One named case of one rule file."""

    rule: str
    name: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.name}"


def load_cases(folder: Path = CASES) -> Iterator[Case]:
    """All cases of all files, in order. A typo in a key is an error, not a silently weaker case."""
    for path in sorted(folder.glob("*.yaml")):
        document = quick_yaml.load(path.read_text("utf8"))
        rule = document.pop("rule")
        assert path.stem == rule, f"{path.name} is about {rule}"
        for name, body in document.items():
            unknown = set(body) - KEYS
            assert not unknown, f"{path.name}: {name}: unknown keys {sorted(unknown)}"
            assert "expect" in body, f"{path.name}: {name}: says nothing about what to expect"
            yield Case(rule, name, body)


def snapshot(body: Mapping[str, Any] | None = None) -> Snapshot:
    """The healthy cluster with a case's patches applied."""
    body = body or {}
    world = _World(body)
    return Snapshot(
        items={path: _item(path, data) for path, data in sorted(world.files().items())},
        gaps=tuple(world.gaps),
        namespaces=(NS,),
        taken_at=world.now,
        source="bundle",
        kubernetes="v1.34.4",
        litefs="0.5.14",
    )


def _item(path: str, data: bytes) -> Item:
    return Item(path, lambda: iter((data,)))


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def merge(base: Any, patch: Any) -> Any:
    """A JSON merge patch, but lists of named things merge by name."""
    if isinstance(base, dict) and isinstance(patch, Mapping):
        merged = dict(base)
        for key, value in patch.items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = merge(merged[key], value) if key in merged else copy.deepcopy(value)
        return merged
    named = isinstance(base, list) and isinstance(patch, list) and patch
    if named and all(isinstance(p, Mapping) and "name" in p for p in patch) and all("name" in b for b in base):
        result = [copy.deepcopy(b) for b in base]
        for item in patch:
            at = next((i for i, b in enumerate(result) if b["name"] == item["name"]), None)
            if at is None:
                result.append(copy.deepcopy(dict(item)))
            else:
                result[at] = merge(result[at], item)
        return result
    return copy.deepcopy(patch)


class _World:
    """A healthy cluster, then the patches, then files."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        offset = re.fullmatch(r"([+-]\d+)s", str(body.get("now", "+0s")))
        assert offset, f"now: {body.get('now')!r} is no offset like +30s"
        self.now = NOW + timedelta(seconds=int(offset[1]))
        self.born = NOW - AGE
        self.gaps: list[Gap] = []
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.pods = [f"{APP}-{i}" for i in range(3)]
        self._healthy_objects()
        self._patch_objects()

    # --- objects

    def _add(self, kind: str, name: str, body: dict[str, Any], created: datetime | None = None) -> None:
        meta: dict[str, Any] = {"name": name, "creationTimestamp": stamp(created or self.born), "uid": f"uid-{kind.lower()}-{name}"}
        if kind not in SCOPED:
            meta["namespace"] = NS
        self.objects[kind, name] = merge({"kind": kind, "metadata": meta}, body)

    def _healthy_objects(self) -> None:
        template = {
            "metadata": {"labels": {"app": APP}},
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "image": "registry.example/abaci:1",
                        "command": ["litefs", "mount", "-config", "/config/litefs.yml"],
                        "ports": [{"name": "litefs", "containerPort": 20202, "protocol": "TCP"}],
                        "securityContext": {"privileged": True, "runAsUser": 0, "runAsGroup": 0},
                        "volumeMounts": [
                            {"name": "litefs-data", "mountPath": "/var/lib/litefs"},
                            {"name": "config", "mountPath": "/config"},
                        ],
                    }
                ],
                "volumes": [{"name": "config", "configMap": {"name": "abaci-litefs"}}],
                "terminationGracePeriodSeconds": 30,
            },
        }
        template = merge(template, self.body.get("template") or {})
        self.template = template
        self._add("StatefulSet", APP, {
            "spec": {
                "replicas": 3, "serviceName": f"{APP}-headless", "selector": {"matchLabels": {"app": APP}},
                "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate"},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "template": template,
                "volumeClaimTemplates": [{"metadata": {"name": "litefs-data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
            },
            "status": {"replicas": 3, "readyReplicas": 3, "currentRevision": "r1", "updateRevision": "r1", "observedGeneration": 1},
        })  # fmt: skip
        self._add("Service", f"{APP}-headless", {"spec": {
            "clusterIP": "None", "type": "ClusterIP", "selector": {"app": APP}, "publishNotReadyAddresses": True,
            "ports": [{"name": "litefs", "port": 20202, "targetPort": 20202, "protocol": "TCP"}],
        }})  # fmt: skip
        text = self.body.get("litefs.yml", LITEFS_YML)
        self._add("ConfigMap", "abaci-litefs", {"data": {} if text is None else {"litefs.yml": text}})
        self._add("StorageClass", "standard", {"provisioner": "example/csi", "volumeBindingMode": "Immediate"})
        self._add("Node", "node-1", {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        self._add("Namespace", NS, {})
        for ordinal, name in enumerate(self.pods):
            claim = f"litefs-data-{name}"
            self._add("PersistentVolumeClaim", claim, {
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard", "volumeName": f"pv-{name}"},
                "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
            })  # fmt: skip
            self._add("PersistentVolume", f"pv-{name}", {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
            self._add("Pod", name, self._pod(ordinal, name, claim))

    def _pod(self, ordinal: int, name: str, claim: str) -> dict[str, Any]:
        volume = {"name": "litefs-data", "persistentVolumeClaim": {"claimName": claim}}
        spec = merge(self.template["spec"], {
            "hostname": name, "subdomain": f"{APP}-headless", "nodeName": "node-1", "enableServiceLinks": True,
        })  # fmt: skip
        spec["volumes"] = [volume, *(v for v in spec.get("volumes", []) if v["name"] != "litefs-data" or "emptyDir" in v)]
        if any(v["name"] == "litefs-data" and "emptyDir" in v for v in spec["volumes"]):
            spec["volumes"] = [v for v in spec["volumes"] if v is not volume]
        started = stamp(self.born + timedelta(seconds=5 + 5 * ordinal))
        return {
            "metadata": {
                "labels": {**self.template["metadata"]["labels"], "controller-revision-hash": "r1"},
                "ownerReferences": [{"kind": "StatefulSet", "name": APP, "controller": True, "uid": f"uid-statefulset-{APP}"}],
            },
            "spec": spec,
            "status": {
                "phase": "Running", "podIP": f"10.244.0.{10 + ordinal}",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [
                    {"name": c["name"], "ready": True, "restartCount": 0, "state": {"running": {"startedAt": started}}}
                    for c in spec["containers"]
                ],
            },
        }  # fmt: skip

    def _patch_objects(self) -> None:
        for name, patch in (self.body.get("pods") or {}).items():
            if patch is None:
                del self.objects["Pod", name]
                self.pods.remove(name)
                continue
            if ("Pod", name) not in self.objects:
                self._add("Pod", name, {})
                self.pods.append(name)
            self.objects["Pod", name] = merge(self.objects["Pod", name], patch)
        for change in self.body.get("objects") or ():
            key = change["kind"], change["name"]
            assert key[0] in PLURALS, f"no plural known for {key[0]}"
            if change.get("delete"):
                del self.objects[key]
                continue
            if key not in self.objects:
                self._add(*key, {})
            self.objects[key] = merge(self.objects[key], change.get("patch") or {})

    # --- LiteFS's answers and logs

    def _info(self, name: str) -> dict[str, Any]:
        primary = name == f"{APP}-0"
        return {
            "clusterID": CLUSTER_ID, "isPrimary": primary, "candidate": primary, "path": "/var/lib/litefs",
            "primary": {"hostname": f"{APP}-0"},
        }  # fmt: skip

    def _vars(self, name: str, databases: Mapping[str, str]) -> dict[str, Any]:
        dbs = {}
        for db, position in databases.items():
            txid, _, checksum = position.partition("/")
            dbs[db] = {"name": db, "txid": txid.rjust(16, "0"), "checksum": checksum or CHECKSUM, "locks": {}}
        return {"store": {"isPrimary": name == f"{APP}-0", "candidate": name == f"{APP}-0", "dbs": dbs}}

    def _answers(self, prefix: str, over: Mapping[str, Any], only: bool = False) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        infos, dbs, gauges = (over.get(k) or {} for k in ("info", "vars", "metrics"))
        for name in self.pods:
            below = f"{prefix}litefs/{NS}/{name}/"
            if name in infos and infos[name] is None:
                if not prefix:
                    self.gaps += [Gap(below + f, GapReason.UNREACHABLE, "Error from server (ServiceUnavailable): error trying to reach service") for f in ("info.json", "vars.json", "metrics.txt")]
                continue
            info = merge(self._info(name), infos.get(name) or {})
            files[below + "info.json"] = json.dumps(info, indent=2).encode()
            databases = dbs.get(name, {"db": "5"}) if name in dbs else {"db": "5"}
            if databases is None:
                self.gaps.append(Gap(below + "vars.json", GapReason.UNREACHABLE, "Error from server (Timeout): timed out"))
            else:
                files[below + "vars.json"] = json.dumps(self._vars(name, databases), indent=1).encode()
            values = {"litefs_is_primary": int(bool(info.get("isPrimary"))), "litefs_db_count": 1, "litefs_lag_seconds": 0,
                      "litefs_subscriber_count": 2 if name == f"{APP}-0" else 0}  # fmt: skip
            if not only:
                lines = [f"{k} {v}" for k, v in merge(values, gauges.get(name) or {}).items()]
                files[below + "metrics.txt"] = "\n".join(["# TYPE go_goroutines gauge", "go_goroutines 17", *lines, ""]).encode()
        return files

    def _log(self, name: str, ordinal: int) -> str:
        line = (self.body.get("lease-line") or {}).get(name)
        line = line or f"primary={str(ordinal == 0).lower()} hostname={APP}-0 advertise-url={URL}"
        start = f'-{int((self.now - self.born).total_seconds()) - 5 - 5 * ordinal}s '
        words = [
            "LiteFS v0.5.14, commit=0000000", _msg("no backup client configured, skipping"),
            _msg(f"Using static primary: {line}"), _msg(f'using existing cluster id: "{CLUSTER_ID}"'),
        ]  # fmt: skip
        if ordinal == 0:
            words += [_msg(f"00000000000000A0: primary lease acquired, advertising as {URL}"), _msg(f'set cluster id on "static" lease "{CLUSTER_ID}"')]
        else:
            words += [_msg(f'00000000000000A{ordinal}: existing primary found ({APP}-0), connecting as replica to "{URL}"')]
        words += [_msg("LiteFS mounted to: /litefs"), _msg("http server listening on: http://localhost:20202"),
                  _msg("waiting to connect to cluster"), _msg("connected to cluster, ready")]  # fmt: skip
        run = _msg if ordinal == 0 else lambda text: _msg(text.replace("executing command", "node is not a candidate, skipping command execution"))
        words += [run("executing command: node [dist/db/migrate.js]"), _msg("starting background subprocess: node [server.js]"),
                  "waiting for signal or subprocess to exit"]  # fmt: skip
        return start + "\n".join(words) + "\n"

    def _stamped(self, text: str) -> bytes:
        """Lines with the API's timestamps; an offset `-70s ` in front of a line moves the clock."""
        at, lines = self.now, []
        for line in text.splitlines():
            offset = re.match(r"-(\d+)s ", line)
            if offset:
                at, line = self.now - timedelta(seconds=int(offset[1])), line[offset.end() :]
            lines.append(f"{at.strftime('%Y-%m-%dT%H:%M:%S')}.000000000Z {line}\n")
        return "".join(lines).encode()

    def _logs(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        given, more, previous = (self.body.get(k) or {} for k in ("logs", "more-log", "previous"))
        for name in self.pods:
            tail = name.rsplit("-", 1)[-1]
            container = self.objects["Pod", name]["spec"]["containers"][0]["name"]
            path = f"logs/{NS}/{name}/{container}.log"
            text = given[name] if name in given else self._log(name, int(tail) if tail.isdigit() else 9) + more.get(name, "")
            if text is None:
                self.gaps.append(Gap(path, GapReason.FORBIDDEN, 'Error from server (Forbidden): pods "x" is forbidden (needs: get pods/log)'))
            else:
                files[path] = self._stamped(text)
            if previous.get(name) is not None:
                files[path.replace(".log", ".previous.log")] = self._stamped(previous[name])
        return files

    def files(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        lists: dict[str, list[dict[str, Any]]] = {
            f"objects/{'_cluster' if kind in SCOPED else NS}/{plural}.json": [] for kind, plural in PLURALS.items()
        }
        for (kind, _), obj in self.objects.items():
            lists[f"objects/{'_cluster' if kind in SCOPED else NS}/{PLURALS[kind]}.json"].append(obj)
        for path, items in lists.items():
            files[path] = json.dumps({"kind": "List", "apiVersion": "v1", "items": items}).encode()
        files |= self._answers("", self.body)
        if self.body.get("sweep1"):
            files |= self._answers("sweeps/1/", self.body["sweep1"], only=True)
        files |= self._logs()
        for gap in self.body.get("gaps") or ():
            files.pop(gap["what"], None)
            self.gaps.append(Gap(gap["what"], GapReason(gap["why"]), gap.get("detail", "")))
        return files


def _msg(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'level=INFO msg="{escaped}"'
