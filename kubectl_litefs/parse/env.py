"""The environment of a container: `env` and `envFrom` as the kubelet builds it, then what its own script exports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..model.config import Sight
from ..model.objects import Obj
from ..model.origin import Evidence, Gap
from ..model.pod import ALONE, EnvVar
from .command import reached
from .container_start import Start
from .mounted import own_text
from .unseen import MARKER, UNKNOWN, clean, has_unknown, shown

ConfigMaps = Callable[[str], "Obj | Gap | None"]
_SERVICE_NAMES = re.compile(r"[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\w+)?)\Z")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]\Z")
_FIELDS = {
    "metadata.name": "metadata.name",
    "metadata.namespace": "metadata.namespace",
    "metadata.uid": "metadata.uid",
    "spec.nodeName": "spec.nodeName",
    "spec.serviceAccountName": "spec.serviceAccountName",
    "status.podIP": "status.podIP",
    "status.hostIP": "status.hostIP",
}
MAX_EXCERPT = 200


def resolve_env(
    pod: Obj, container: Mapping[str, Any], field: str, configmap: ConfigMaps, start: Start
) -> tuple[dict[str, EnvVar], bool]:
    """The variables that LiteFS is started with, and whether no unseen source can add to them; `start` is what the container runs.

    `configmap` gives a ConfigMap by name, a `Gap` where it cannot be read, None where it surely does not exist. The
    image's own ENV is never seen and does not count against completeness. HOSTNAME is left out where nothing sets it.
    """
    env, complete = container_env(pod, container, field, configmap)
    return _with_exports(env, complete, start, pod.at(f"{field}.command", f"{field}.command ({pod.label})"))


def _with_exports(
    env: dict[str, EnvVar], complete: bool, start: Start, evidence: Evidence
) -> tuple[dict[str, EnvVar], bool]:
    """The environment after the container's own script has exported and unset its own."""
    state = reached(start)
    if state is None:
        return env, complete
    result = dict(env)
    for name, var in state.vars.items():
        if not var.exported or (name in env and (env[name].value or UNKNOWN) == var.value):
            continue
        undefined = MARKER.fullmatch(var.value) is not None
        unknown = has_unknown(var.value) or MARKER.search(var.value) is not None
        sight = Sight.UNDEFINED if undefined else Sight.UNKNOWN if unknown else Sight.KNOWN
        excerpt = f"{evidence.excerpt}: exports {name}={shown(var.value)}"[:MAX_EXCERPT]
        value = var.value if sight is Sight.KNOWN else None
        result[name] = EnvVar(name, value, sight, replace(evidence, excerpt=excerpt))
    for name in state.gone:
        unset = replace(evidence, excerpt=f"{evidence.excerpt}: unsets {name}")
        result[name] = EnvVar(name, None, Sight.UNSET, unset)
    return result, complete and not state.anything


def spec_env(
    pod: Obj, container: Mapping[str, Any], field: str, configmap: ConfigMaps
) -> tuple[dict[str, str], bool]:
    """The environment as text with stand-ins, before any script runs."""
    env, complete = container_env(pod, container, field, configmap)
    return {n: v.value if v.value is not None else UNKNOWN for n, v in env.items()}, complete


def container_env(
    pod: Obj, container: Mapping[str, Any], field: str, configmap: ConfigMaps
) -> tuple[dict[str, EnvVar], bool]:
    """What the pod spec gives: `envFrom` first, in order, then `env`, where a later entry may refer to earlier ones."""
    env = _of_image(pod, container)
    complete = pod.ref.kind != ALONE or pod.get("outside.environmentKnown") is True
    for i, source in enumerate(_mappings(container.get("envFrom"))):
        where = f"{field}.envFrom.{i}"
        found = _from_configmap(pod, source, where, configmap)
        if found is None:
            complete = False
            _forget(env, pod, where)
        else:
            env.update(found)
    for i, entry in enumerate(_mappings(container.get("env"))):
        name = entry.get("name")
        if isinstance(name, str) and name:
            where = f"{field}.env.{i}"
            var = _entry(pod, name, entry, where, configmap, env, complete)
            if var is not None:
                env[name] = var
    return env, complete


def _of_image(pod: Obj, container: Mapping[str, Any]) -> dict[str, EnvVar]:
    """What the image's ENV gives, where its Dockerfile is known; everything in the pod's spec wins over it."""
    image = pod.image(str(container.get("name") or ""))
    found = image.env if image else {}
    return {
        n: EnvVar(n, s.value, Sight.UNKNOWN if s.value is None else Sight.KNOWN, s.evidence) for n, s in found.items()
    }


def _forget(env: dict[str, EnvVar], pod: Obj, where: str) -> None:
    """An unseen source may override whatever came before it."""
    for name in env:
        env[name] = EnvVar(name, None, Sight.UNKNOWN, pod.at(where, f"{where} may override {name} ({pod.label})"))


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (v for v in value if isinstance(v, Mapping))


def _from_configmap(
    pod: Obj, source: Mapping[str, Any], where: str, configmap: ConfigMaps
) -> dict[str, EnvVar] | None:
    """The variables of one `envFrom` entry; None where it cannot be seen what it defines."""
    ref = source.get("configMapRef")
    if not isinstance(ref, Mapping):
        return None
    name = str(ref.get("name"))
    found = configmap(name)
    if isinstance(found, Gap):
        return None
    prefix = str(source.get("prefix") or "")
    result = {}
    for key, value in (found.mapping("data") if found is not None else {}).items():
        full = prefix + str(key)
        text = own_text(found, str(value)) if found is not None else ""
        excerpt = f"{where}: {full}={shown(text)} from ConfigMap {name} ({pod.label})"[:MAX_EXCERPT]
        known = not has_unknown(text)
        result[full] = EnvVar(full, text if known else None, Sight.KNOWN if known else Sight.UNKNOWN, pod.at(where, excerpt))
    return result


def _entry(
    pod: Obj,
    name: str,
    entry: Mapping[str, Any],
    where: str,
    configmap: ConfigMaps,
    env: Mapping[str, EnvVar],
    complete: bool,
) -> EnvVar | None:
    """One entry of `env`; None where it defines nothing (an optional source that is not there)."""
    source = entry.get("valueFrom")
    if isinstance(source, Mapping):
        value, origin = _value_from(pod, source, configmap)
        if value is None:
            return None
    else:
        text = entry.get("value")
        value, origin = _references(clean(text) if isinstance(text, str) else "", env, complete), "value"
    known = not has_unknown(value)
    excerpt = f"{where}: {name}={shown(value)} ({origin}, {pod.label})"[:MAX_EXCERPT]
    sight = Sight.KNOWN if known else Sight.UNKNOWN
    return EnvVar(name, value if known else None, sight, pod.at(where, excerpt))


def _references(text: str, env: Mapping[str, EnvVar], complete: bool) -> str:
    """`$(NAME)` in a value. A name that is not defined before it stays as it is written."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        found = env.get(match[2])
        if found is not None:
            return found.value if found.value is not None else UNKNOWN
        return match[0] if complete and not _SERVICE_NAMES.match(match[2]) else UNKNOWN

    return re.sub(r"\$(?:(\$)|\(([^()]*)\))", value, text)


def _value_from(pod: Obj, source: Mapping[str, Any], configmap: ConfigMaps) -> tuple[str | None, str]:
    """(the value, with a stand-in where it is not seen; None where nothing is defined) and where it is from, in words."""
    ref = source.get("configMapKeyRef")
    if isinstance(ref, Mapping):
        name, key = str(ref.get("name")), str(ref.get("key"))
        found = configmap(name)
        origin = f"ConfigMap {name}, key {key}"
        if isinstance(found, Gap):
            return UNKNOWN, origin
        value = found.mapping("data").get(key) if found is not None else None
        return (own_text(found, value) if found is not None and isinstance(value, str) else None), origin
    ref = source.get("fieldRef")
    if isinstance(ref, Mapping):
        path = str(ref.get("fieldPath"))
        return _field(pod, path), path
    kind = next(iter(sorted(source)), "valueFrom")
    secret = source.get("secretKeyRef")
    if isinstance(secret, Mapping):
        return UNKNOWN, f"Secret {secret.get('name')}, key {secret.get('key')}"
    return UNKNOWN, kind


def _field(pod: Obj, path: str) -> str:
    """The downward API. A label that is not there is an empty value; an address not given yet is unknown."""
    keyed = _KEYED.match(path)
    if keyed:
        return clean(str(pod.mapping(f"metadata.{keyed[1]}").get(keyed[2], "")))
    value = pod.get(_FIELDS[path]) if path in _FIELDS else None
    return clean(str(value)) if value else UNKNOWN
