"""Which pods run LiteFS, told from their spec. A name that contains `litefs` is no sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import LitefsCommand
from .command import litefs_command

DEFAULT_PORT = 20202
CONFIG_NAME = "litefs.yml"
NODE_COMMANDS = frozenset({"mount"})
"""`litefs run`, `export`, `import`, `version` talk to a node or do nothing; they are none."""
USUAL_DIRS = ("/litefs", "/var/lib/litefs")


@dataclass(frozen=True, slots=True)
class Signs:
    """`strong`: surely a LiteFS node. `weak`: worth asking port 20202. `container` is the one that has the best sign.

    `commands` are those that run LiteFS, by the container's field.
    """

    strong: tuple[Evidence, ...]
    weak: tuple[Evidence, ...]
    container: str | None
    commands: Mapping[str, LitefsCommand]


def containers_of(pod: Obj, spec_path: str = "spec") -> list[tuple[str, Mapping[str, Any]]]:
    """(field path, container) of all that run with the pod: containers and native sidecars (restartable init)."""
    found = [(f"{spec_path}.containers.{i}", c) for i, c in enumerate(pod.items(f"{spec_path}.containers"))]
    for i, init in enumerate(pod.items(f"{spec_path}.initContainers")):
        if init.get("restartPolicy") == "Always":
            found.append((f"{spec_path}.initContainers.{i}", init))
    return found


def signs(pod: Obj, services: Sequence[Obj] = (), spec_path: str = "spec") -> Signs:
    """Signs in a pod's spec, or in a workload's template (`spec_path` `spec.template.spec`)."""
    strong: list[Evidence] = []
    weak: list[Evidence] = []
    best: str | None = None
    commands: dict[str, LitefsCommand] = {}
    for field, container in containers_of(pod, spec_path):
        name = str(container.get("name") or "")
        command = litefs_command(container, pod, field)
        if command is not None:
            commands[field] = command
        if command is not None and (command.subcommand in NODE_COMMANDS or command.problem):
            strong.append(command.evidence)
            best = best or name
        elif _mounts_config(pod, container, spec_path):
            strong.append(pod.at(f"{field}.volumeMounts", f"{field}.volumeMounts: {CONFIG_NAME} ({pod.label})"))
            best = best or name
        image = pod.image(name)
        if image is not None and image.litefs is not None:
            strong.append(image.litefs)
            best = best or name
        weak += [pod.at(f"{field}.{what}".partition(": ")[0], f"{field}.{what} ({pod.label})") for what in _weak(container)]
    labels = pod.labels if spec_path == "spec" else pod.mapping("spec.template.metadata.labels")
    weak += [s.seen("spec.ports") for s in services if _selects(s, labels) and DEFAULT_PORT in _ports(s)]
    return Signs(tuple(strong), tuple(weak), best, commands)


def _mounts_config(pod: Obj, container: Mapping[str, Any], spec_path: str) -> bool:
    """Whether the container mounts a file called litefs.yml: by subPath, or by an item of a volume."""
    named = {str(v.get("name")): v for v in pod.items(f"{spec_path}.volumes")}
    for mount in mappings(container.get("volumeMounts")):
        where = str(mount.get("mountPath") or "")
        if where.rsplit("/", 1)[-1] == CONFIG_NAME or str(mount.get("subPath") or "") == CONFIG_NAME:
            return True
        if any(CONFIG_NAME in (i.get("path"), i.get("key")) for i in _items(named.get(str(mount.get("name"))) or {})):
            return True
    return False


def _items(volume: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The key-to-path items of a ConfigMap, Secret or projected volume."""
    sources = [volume.get("configMap"), volume.get("secret")]
    projected = volume.get("projected")
    if isinstance(projected, Mapping):
        for part in mappings(projected.get("sources")):
            sources += [part.get("configMap"), part.get("secret")]
    for source in sources:
        if isinstance(source, Mapping):
            yield from mappings(source.get("items"))


def _weak(container: Mapping[str, Any]) -> list[str]:
    """What makes a container worth a question, as field paths below it."""
    found = []
    for i, port in enumerate(mappings(container.get("ports"))):
        if port.get("containerPort") == DEFAULT_PORT:
            found.append(f"ports.{i}.containerPort: {DEFAULT_PORT}")
    for i, env in enumerate(mappings(container.get("env"))):
        if str(env.get("name") or "").startswith("LITEFS_"):
            found.append(f"env.{i}.name: {env.get('name')}")
    for i, mount in enumerate(mappings(container.get("volumeMounts"))):
        if str(mount.get("mountPath") or "").rstrip("/") in USUAL_DIRS:
            found.append(f"volumeMounts.{i}.mountPath: {mount.get('mountPath')}")
    security = container.get("securityContext")
    if isinstance(security, Mapping) and security.get("privileged") is True:
        found.append("securityContext.privileged: true")
    return found


def _selects(service: Obj, labels: Mapping[str, str]) -> bool:
    selector = service.mapping("spec.selector")
    return bool(selector) and all(labels.get(k) == v for k, v in selector.items())


def _ports(service: Obj) -> list[object]:
    return [p.get(key) for p in service.items("spec.ports") for key in ("port", "targetPort")]


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The mappings in a list; nothing of anything else: objects come from anywhere."""
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
