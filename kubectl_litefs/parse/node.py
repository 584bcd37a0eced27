"""One pod object with its answers, logs and config -> a `Pod`, if it runs LiteFS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..model.config import ConfigFile
from ..model.litefs import Sweep
from ..model.logs import LogRun
from ..model.objects import Obj
from ..model.origin import Gap, GapReason, ObjectRef
from ..model.pod import ALONE, Container, Mount, Platform, Pod
from ..model.snapshot import Item, Snapshot
from .command import litefs_command
from .discover import DEFAULT_PORT, Signs, containers_of, mappings, signs
from .env import resolve_env, spec_env
from .find_config import find_config
from .litefs_http import read_info, read_metrics, read_vars
from .logs import read_log
from .mounted import follow_in_pod
from .objects import gap_for

OBSERVED = ("info", "vars", "metrics", "log")
ALONE_TOLD = "this file was given without the pods that use it"
OUTSIDE_TOLD = {Platform.COMPOSE: "Docker Compose runs it, not Kubernetes", Platform.FLY: "it runs on Fly, not on Kubernetes"}

T = TypeVar("T")
ConfigMaps = Callable[[str], "Obj | Gap | None"]


def build_pod(snapshot: Snapshot, obj: Obj, services: Sequence[Obj], configmap: ConfigMaps) -> Pod | None:
    """None for a pod that shows no sign of LiteFS: neither in its spec, nor by an answer, nor in its log."""
    gaps = _unseen_spec(snapshot, obj)
    spec_signs = signs(obj, services)
    containers = _containers(obj, spec_signs)
    sweeps = _sweeps(snapshot, obj, gaps)
    name = spec_signs.container or _likely(snapshot, obj, containers)
    container = next((c for c in containers if c.name == name), None)
    if container is None:
        return None
    log, previous = _logs(snapshot, obj, container, gaps)
    answered = any(s.info is not None for s in sweeps)
    speaks = any(run is not None and run.litefs_lines for run in (log, previous))
    if not (spec_signs.strong or answered or speaks):
        return None
    host_name = _host_name(obj)
    start, scene = follow_in_pod(obj, container.spec, container.field, configmap, host_name, spec_env)
    env, complete = resolve_env(obj, container.spec, container.field, configmap, start)
    config = gaps.get("config") or find_config(obj, container.spec, start, scene, container.litefs, env, complete, host_name)
    if isinstance(config, Gap):
        gaps["config"] = config
    found = config if isinstance(config, ConfigFile) else None
    if obj.ref.kind == ALONE:
        platform = obj.get("outside.platform")
        why = ALONE_TOLD if platform is None else OUTSIDE_TOLD[Platform(platform)]
        gaps.update({k: Gap(f"{k} of {obj.ref.name}", GapReason.OFFLINE, why) for k in (*OBSERVED, "spec")})
    return Pod(
        ref=obj.ref,
        obj=obj,
        workload=workload_of(obj),
        ordinal=_ordinal(obj),
        host_name=host_name,
        container=container,
        containers=containers,
        env=env,
        env_complete=complete,
        http_port=http_port(found),
        config=found,
        sweeps=sweeps,
        log=log,
        previous=previous,
        gaps=gaps,
    )


def _unseen_spec(snapshot: Snapshot, obj: Obj) -> dict[str, Gap]:
    """The gap, under each part, of a pod that only its log tells of: its object holds names and nothing else."""
    gap = next((g for g in snapshot.gaps if g.what == obj.source and g.why is GapReason.OFFLINE), None)
    return dict.fromkeys(("spec", "env", "config"), gap) if gap is not None else {}


def http_port(config: ConfigFile | None) -> int:
    """The port of `http.addr`; LiteFS's default where the config is unseen or names none."""
    addr = config.known("http.addr") if config else None
    port = str(addr).rsplit(":", 1)[-1] if addr else ""
    return int(port) if port.isdigit() and 0 < int(port) < 65536 else DEFAULT_PORT


def workload_of(obj: Obj) -> ObjectRef | None:
    """The controller of a pod; for a ReplicaSet the Deployment it belongs to, told by the pod-template hash."""
    if obj.ref.kind == ALONE:
        return obj.ref
    owner = next((o for o in obj.items("metadata.ownerReferences") if o.get("controller")), None)
    if owner is None:
        return None
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    template = obj.labels.get("pod-template-hash")
    if kind == "ReplicaSet" and template and name.endswith("-" + template):
        kind, name = "Deployment", name[: -len(template) - 1]
    return ObjectRef(kind, obj.ref.namespace, name)


def _ordinal(obj: Obj) -> int | None:
    owner = workload_of(obj)
    tail = obj.ref.name.rsplit("-", 1)[-1]
    return int(tail) if owner is not None and owner.kind == "StatefulSet" and tail.isdigit() else None


def _host_name(obj: Obj) -> str | None:
    """The kernel's host name in the pod: the node's with hostNetwork, the FQDN if asked for, else spec.hostname or
    the pod's name, cut at 63 characters. Of a file that stands alone nobody knows."""
    if obj.ref.kind == ALONE:
        named = obj.get("spec.hostname")  # a compose file may say it
        return str(named) if named else None
    if obj.get("spec.hostNetwork"):
        node = obj.get("spec.nodeName")
        return str(node) if node else None
    host = str(obj.get("spec.hostname") or obj.ref.name)[:63].rstrip("-.")
    subdomain = obj.get("spec.subdomain")
    if obj.get("spec.setHostnameAsFQDN") and subdomain:
        return f"{host}.{subdomain}.{obj.ref.namespace}.svc.cluster.local"
    return host


def _containers(obj: Obj, known: Signs) -> tuple[Container, ...]:
    """All containers, each with its status and mounts. `known` are the signs of those that go on running."""
    running = {field for field, _ in containers_of(obj)}
    statuses = {
        str(s.get("name")): s
        for key in ("containerStatuses", "initContainerStatuses")
        for s in obj.items(f"status.{key}")
    }
    volumes = {str(v.get("name")): v for v in obj.items("spec.volumes")}
    found = []
    for plural in ("containers", "initContainers"):
        for i, spec in enumerate(obj.items(f"spec.{plural}")):
            field, name = f"spec.{plural}.{i}", str(spec.get("name") or "")
            words = [w for key in ("command", "args") if isinstance(spec.get(key), list) for w in spec[key]]
            found.append(
                Container(
                    name=name,
                    image=str(spec.get("image") or ""),
                    init=field not in running,
                    spec=spec,
                    status=statuses.get(name, {}),
                    command=tuple(str(w) for w in words),
                    litefs=known.commands.get(field) if field in running else litefs_command(spec, obj, field),
                    mounts=_mounts(obj, spec, field, volumes),
                    field=field,
                    build=obj.image(name),
                )
            )
    return tuple(found)


def _mounts(
    obj: Obj, spec: Mapping[str, Any], field: str, volumes: Mapping[str, Mapping[str, Any]]
) -> tuple[Mount, ...]:
    found = []
    for i, mount in enumerate(mappings(spec.get("volumeMounts"))):
        volume = volumes.get(str(mount.get("name")), {})
        source = next((k for k in sorted(volume) if k != "name"), "unknown")
        claim = volume.get("persistentVolumeClaim")
        found.append(
            Mount(
                path=str(mount.get("mountPath") or ""),
                volume=str(mount.get("name") or ""),
                source=source,
                claim=str(claim.get("claimName")) if isinstance(claim, Mapping) else None,
                sub_path=mount.get("subPath") or mount.get("subPathExpr") or None,
                read_only=bool(mount.get("readOnly")),
                propagation=mount.get("mountPropagation"),
                evidence=obj.at(f"{field}.volumeMounts.{i}", _mount_seen(obj, f"{field}.volumeMounts.{i}", mount)),
            )
        )
    return tuple(found)


def _mount_seen(obj: Obj, field: str, mount: Mapping[str, Any]) -> str:
    told = f"{mount.get('mountPath')} from {mount.get('name')}"
    return told if obj.ref.kind == ALONE else f"{field}: {told} ({obj.label})"


def _likely(snapshot: Snapshot, obj: Obj, containers: tuple[Container, ...]) -> str | None:
    """Where the spec does not say which container runs LiteFS: the one whose log speaks LiteFS, the one that
    declares port 20202, else the first."""
    standing = [c for c in containers if not c.init]
    for container in standing:
        item = snapshot.items.get(_log_path(obj, container.name))
        run = _read(item, True, snapshot.patterns) if item else None
        if run is not None and run.litefs_lines:
            return container.name
    for container in standing:
        if any(p.get("containerPort") == DEFAULT_PORT for p in mappings(container.spec.get("ports"))):
            return container.name
    return standing[0].name if standing else None


def _log_path(obj: Obj, container: str, previous: bool = False) -> str:
    return f"logs/{obj.ref.namespace}/{obj.ref.name}/{container}{'.previous' if previous else ''}.log"


def _read(item: Item, complete: bool, patterns: tuple[str, ...]) -> LogRun | None:
    return item.once((complete, patterns), lambda: read_log(item.path, item.open(), complete=complete, patterns=patterns))


def _logs(
    snapshot: Snapshot, obj: Obj, container: Container, gaps: dict[str, Gap]
) -> tuple[LogRun | None, LogRun | None]:
    """The current and the previous run's log. No previous log is expected of a container that never restarted."""
    runs: list[LogRun | None] = []
    for key, previous in (("log", False), ("previous", True)):
        path = _log_path(obj, container.name, previous)
        item = snapshot.items.get(path)
        recorded = gap_for(snapshot, path)
        whole = recorded.why is not GapReason.TRUNCATED
        run = _read(item, whole, snapshot.patterns) if item is not None else None
        if run is None and (not previous or container.restarts > 0 or "spec" in gaps):
            gaps[key] = recorded if item is None else Gap(path, GapReason.ABSENT, "the kubelet no longer has it")
        elif run is not None and not run.lines:
            gaps[key] = Gap(path, GapReason.ABSENT, "it is empty")
        runs.append(run)
    return runs[0], runs[1]


def _sweeps(snapshot: Snapshot, obj: Obj, gaps: dict[str, Gap]) -> tuple[Sweep, ...]:
    """All looks at the pod's HTTP port, the newest last; gaps are those of the newest."""
    below = f"litefs/{obj.ref.namespace}/{obj.ref.name}/"
    earlier = sorted({int(p.split("/")[1]) for p in snapshot.items if p.startswith("sweeps/") and p.split("/")[1].isdigit()})
    sweeps = []
    for prefix in [*(f"sweeps/{n}/" for n in earlier), ""]:
        sweep, missing = _sweep(snapshot, prefix + below)
        if prefix == "":
            gaps.update(missing)
        if sweep.info is not None or sweep.databases is not None or sweep.metrics is not None:
            sweeps.append(sweep)
        elif prefix == "" and sweeps:
            sweeps.append(sweep)  # it answered before and does not now: the newest look is an empty one
    return tuple(sweeps)


def _sweep(snapshot: Snapshot, below: str) -> tuple[Sweep, dict[str, Gap]]:
    gaps: dict[str, Gap] = {}

    def seen(key: str, name: str, read: Callable[[str, bytes], T | Gap]) -> T | None:
        item = snapshot.items.get(below + name)
        found = gap_for(snapshot, below + name) if item is None else item.once(key, lambda: read(item.path, item.read()))
        if isinstance(found, Gap):
            gaps[key] = found
            return None
        return found

    return Sweep(seen("info", "info.json", read_info), seen("vars", "vars.json", read_vars), seen("metrics", "metrics.txt", read_metrics)), gaps
