"""Files as a container of a pod finds them: ConfigMaps that are mounted, and what init containers leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from .command import is_litefs
from .container_start import Start, follow, kubelet_expand, start_words
from .image_files import in_image
from .shell_state import ABSENT, Content, Scene, State, resolve
from .unseen import clean

ConfigMaps = Callable[[str], "Obj | Gap | None"]
SpecEnv = Callable[[Obj, Mapping[str, Any], str, ConfigMaps], "tuple[dict[str, str], bool]"]
READ_ONLY = frozenset({"configMap", "secret", "projected", "downwardAPI", "image"})


@dataclass
class Shared:
    """What init containers wrote on the pod's volumes: (volume, path on it) -> file. `unseen` are the volumes where a
    program that cannot be followed may have written, with the container's name."""

    files: dict[tuple[str, str], Content] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)


def follow_in_pod(
    pod: Obj,
    container: Mapping[str, Any],
    where: str,
    configmap: ConfigMaps,
    host_name: str | None,
    spec_env: SpecEnv,
) -> tuple[Start, Scene]:
    """Follow a container's start with the files that its mounts give it, after the init containers before it."""
    shared = Shared()
    for i, init in enumerate(pod.items("spec.initContainers")):
        at = f"spec.initContainers.{i}"
        if at == where:
            break
        start, _ = _follow(pod, init, at, configmap, host_name, spec_env, shared)
        _leave(init, start.state, shared, {})
    else:
        for other in pod.items("spec.containers"):
            if other.get("name") != container.get("name"):
                _note_writer(other, shared)
    return _follow(pod, container, where, configmap, host_name, spec_env, shared)


def _follow(
    pod: Obj,
    container: Mapping[str, Any],
    where: str,
    configmap: ConfigMaps,
    host_name: str | None,
    spec_env: SpecEnv,
    shared: Shared,
) -> tuple[Start, Scene]:
    env, complete = spec_env(pod, container, where, configmap)
    kind = "init container" if where.startswith("spec.initContainers") else "container"

    def read(path: str) -> Content | None:
        found = mounted_file(pod, container, path, configmap, shared, env)
        return in_image(pod, container, path) if found is None else found

    scene = Scene(host_name, read, complete, pod.source, f"the command of {kind} {container.get('name')}")
    for key in ("command", "args"):
        for i, word in enumerate(start_words(container, key)):
            origin = pod.text_origin(*where.split("."), key, str(i)) if "\n" in word else None
            if origin is not None:
                scene.texts.append((word, origin))
    return follow(container, env, scene, is_litefs), scene


def mounted_file(
    pod: Obj,
    container: Mapping[str, Any],
    path: str,
    configmap: ConfigMaps,
    shared: Shared,
    env: Mapping[str, str],
) -> Content | None:
    """The file at an absolute path; None where it is the image's own, or a directory that a volume is mounted on."""
    found = _mount_of(container, path, env)
    if found is None:
        return None
    name, below = found
    volume = next((v for v in pod.items("spec.volumes") if v.get("name") == name), {})
    kind = next((k for k in sorted(volume) if k != "name"), "")
    if kind in ("configMap", "secret", "projected"):
        return _from_sources(list(_sources(volume)), below, configmap)
    if kind == "bind":  # of a compose file, on a path of the host
        unseen = Content(None, "", "", f"is {name} of the host, which was not among the files")
        return in_image(pod, container, path) or unseen
    if (name, below) in shared.files:
        return shared.files[name, below]
    if kind == "emptyDir" and name not in shared.unseen:
        return ABSENT
    writer = f"container {shared.unseen[name]} writes it" if name in shared.unseen else "nobody here sees who writes it"
    return Content(None, "", "", f"lies on volume {name} ({kind or 'of an unknown kind'}), and {writer}")


def _mount_of(container: Mapping[str, Any], path: str, env: Mapping[str, str]) -> tuple[str, str] | None:
    """The volume that a path lies on, and the path on that volume."""
    best: tuple[str, Mapping[str, Any]] | None = None
    for mount in _mounts(container):
        at = resolve("/", str(mount.get("mountPath") or "/")) or "/"
        if (path == at or at == "/" or path.startswith(at + "/")) and (best is None or len(at) > len(best[0])):
            best = (at, mount)
    if best is None:
        return None
    at, mount = best
    prefix = mount.get("subPath") or kubelet_expand(str(mount.get("subPathExpr") or ""), env)
    below = path[len(at) :] if at != "/" else path
    return str(mount.get("name")), (resolve("/", f"/{prefix}/{below}") or "/").strip("/")


def _mounts(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    value = container.get("volumeMounts")
    if isinstance(value, list):
        yield from (m for m in value if isinstance(m, Mapping))


def _sources(volume: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The sources of a ConfigMap, Secret or projected volume, in the shape of a projected one."""
    projected = volume.get("projected")
    if isinstance(projected, Mapping):
        found = projected.get("sources")
        yield from (s for s in found or () if isinstance(s, Mapping)) if isinstance(found, list) else ()
    for kind in ("configMap", "secret"):
        source = volume.get(kind)
        if isinstance(source, Mapping):
            yield {kind: source}


def _from_sources(sources: list[Mapping[str, Any]], below: str, configmap: ConfigMaps) -> Content | None:
    """The file that one of the sources gives; the last one wins, as in a projected volume."""
    unseen: Content | None = None
    for source in reversed(sources):
        content = _from_configmap(source["configMap"], below, configmap) if "configMap" in source else _hidden(source, below)
        if content is not None and not content.missing:
            if content.text is not None:
                return content if unseen is None else unseen
            unseen = unseen or content
    if unseen is not None or not below:
        return unseen
    names = [str(s["configMap"].get("name")) for s in sources if isinstance(s.get("configMap"), Mapping)]
    lost = [n for n in names if configmap(n) is None]
    why = f"ConfigMap {', '.join(names)} has no {below}" if names else f"the mounted volume has no {below}"
    if lost:
        why = f"there is no ConfigMap {', '.join(lost)}" + (f", and {', '.join(n for n in names if n not in lost)} has no {below}" if lost != names else "")
    return Content(None, "", "", why, GapReason.ABSENT, fixed=True, missing=True)


def _from_configmap(ref: object, below: str, configmap: ConfigMaps) -> Content | None:
    if not isinstance(ref, Mapping):
        return None
    name = str(ref.get("name"))
    found = configmap(name)
    label = f"ConfigMap {name}"
    if isinstance(found, Gap):
        detail = found.detail or found.why.value
        return Content(None, label, found.what, f"comes from {label}, which could not be read: {detail}", found.why, True)
    key = _key(ref, below)
    if found is None or key is None:
        return ABSENT
    text = found.mapping("data").get(key)
    if isinstance(text, str):
        origin = found.text_origin("data", key)
        return Content(own_text(found, text), f"{label}, key {key}", found.source, fixed=True, origin=origin)
    if key in found.mapping("binaryData"):
        why = f"is binary data of {label}"
        return Content(None, f"{label}, key {key}", found.source, why, GapReason.UNPARSED, True)
    return ABSENT


def own_text(obj: Obj, text: str) -> str:
    """A text of an object without foreign characters that would be taken for stand-ins; those that its reader put in stay."""
    return text if obj.written is not None and obj.written.partly else clean(text)


def _key(ref: Mapping[str, Any], below: str) -> str | None:
    """The key behind a file name: through `items`, where there are some."""
    items = ref.get("items")
    if not isinstance(items, list):
        return below
    return next((str(i.get("key")) for i in items if isinstance(i, Mapping) and i.get("path") == below), None)


def _hidden(source: Mapping[str, Any], below: str) -> Content | None:
    """A source that is never read: a Secret, a token, the downward API."""
    secret = source.get("secret")
    if isinstance(secret, Mapping):
        if _key(secret, below) is None:
            return None
        name = secret.get("secretName") or secret.get("name")
        return Content(None, f"Secret {name}", "", f"comes from Secret {name}, which is never read", fixed=True)
    api = source.get("downwardAPI")
    if isinstance(api, Mapping) and _key(api, below) is not None:
        return Content(None, "", "", "comes from the downward API", fixed=True)
    return None


def _leave(container: Mapping[str, Any], state: State, shared: Shared, env: Mapping[str, str]) -> None:
    """Keep what an init container wrote on volumes."""
    for path, content in state.files.items():
        found = _mount_of(container, path, env)
        if found is not None:
            shared.files[found] = content
    if state.ran_unseen:
        _note_writer(container, shared)


def _note_writer(container: Mapping[str, Any], shared: Shared) -> None:
    for mount in _mounts(container):
        if not mount.get("readOnly"):
            shared.unseen.setdefault(str(mount.get("name")), str(container.get("name")))
