"""Object lists as the API gives them: read in pages, split by namespace, cut down to what concerns LiteFS."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import CouldNotLook, KubeError, UsageError
from ..model.cluster import Facts
from ..model.objects import Obj
from ..parse.objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER, as_obj, list_path
from ..ports import Kube
from . import redact
from .kinds import CLUSTER_PREFIX, GROUPS, PREFIX, list_url

BAD_ANSWER = "BadAnswer"
VERSION = "/version"
PAGE = 500
MAX_PAGE = 256 * 1024 * 1024
MAX_ITEMS = 200_000
MAX_OBJECT = 8 * 1024 * 1024

Raw = Mapping[str, Any]


def read_lists(kube: Kube, plural: str, namespace: str | None, timeout: Callable[[], float]) -> list[Raw]:
    """All objects of a kind, page by page. A continue token that expired (410) starts the list once more."""
    try:
        return list(_pages(kube, plural, namespace, timeout))
    except KubeError as error:
        if error.status != 410:
            raise
    return list(_pages(kube, plural, namespace, timeout))


def _pages(kube: Kube, plural: str, namespace: str | None, timeout: Callable[[], float]) -> Iterator[Raw]:
    query = {"limit": str(PAGE)}
    count = 0
    while True:
        url = list_url(plural, namespace)
        data = kube.get(url, query, timeout=timeout(), max_bytes=MAX_PAGE)
        document = json_object(data, url)
        items, metadata = document.get("items", ()), document.get("metadata") or {}
        if items is None:  # so Go writes an empty list
            items = []
        if not (isinstance(items, list) and all(isinstance(i, Mapping) for i in items) and isinstance(metadata, Mapping)):
            raise bad_answer(url, "is no list of objects")
        yield from items
        count += len(items)
        token = metadata.get("continue")
        if not token:
            return
        if count > MAX_ITEMS:
            raise bad_answer(url, f"is a list of more than {MAX_ITEMS} objects")
        query = {"limit": str(PAGE), "continue": str(token)}


@dataclass(frozen=True)
class Lists:
    """What the first round of requests gave: plural -> raw objects, or the exception. `namespace` None: all of them."""

    results: Mapping[str, Any]
    namespace: str | None

    def raw(self, plural: str) -> list[Raw]:
        got = self.results.get(plural)
        return got if isinstance(got, list) else []

    def objects(self, plural: str) -> list[Obj]:
        """Redacted already: what is judged before the snapshot is complete is what is judged after."""
        kind = (NAMESPACED | CLUSTER | OPTIONAL_CLUSTER)[plural]
        found = []
        for raw in self.raw(plural):
            obj = as_obj(raw, kind, "")
            found.append(Obj(obj.ref, raw, list_path(plural, obj.ref.namespace)))
        return found

    def right(self, path: str) -> str:
        """The right that a list needs (`list statefulsets.apps`)."""
        plural = path.rsplit("/", 1)[-1].removesuffix(".json")
        group = GROUPS.get(plural, "")
        return f"list {plural}.{group}" if group else f"list {plural}"

    def require_pods(self, kube: Kube, timeout: Callable[[], float]) -> None:
        """Without the pods nothing can be judged. A namespace that does not exist is a typo, not an empty one."""
        pods, read = self.results.get("pods"), self.results.get("namespace")
        if isinstance(read, KubeError) and read.status == 404:
            raise UsageError("namespace-not-found", f'namespace "{self.namespace}" not found', hint=_near_namespaces(kube, str(self.namespace), timeout))
        if isinstance(pods, KubeError) and pods.status == 403:
            hint = "Name one namespace with -n." if self.namespace is None else "kubectl litefs rbac diagnose prints the Role that is needed."
            where = "in all namespaces" if self.namespace is None else f"in namespace {self.namespace}"
            raise CouldNotLook("forbidden", f"cannot list pods {where}: {pods.as_kubectl_prints_it()} (needs: list pods)", hint=hint)
        if isinstance(pods, TimeoutError):
            raise CouldNotLook("timeout", f"{kube.server} did not list the pods in time", hint="--request-timeout and --timeout give it longer.")
        if isinstance(pods, BaseException):
            raise pods
        if not pods and isinstance(read, KubeError) and read.status == 403:
            raise CouldNotLook(
                "forbidden",
                f'no pods in namespace "{self.namespace}", and whether it exists cannot be told: {read.as_kubectl_prints_it()} (needs: get namespaces)',
            )

    def looked_at(self, namespaces: Iterable[str], probes: int) -> tuple[str, ...]:
        """For "no LiteFS found"."""
        where = "all namespaces" if self.namespace is None else f"namespace {self.namespace}"
        counts = ", ".join(f"{len(self.raw(p))} {p}" for p in ("pods", "statefulsets", "deployments", "daemonsets"))
        asked = f"; asked port 20202 of {probes} of the pods" if probes else ""
        return (f"{where}: {counts}{asked}",)

    def documents(self, namespaces: tuple[str, ...]) -> dict[str, bytes | BaseException]:
        """Bundle path -> a namespace's redacted list in one canonical JSON, or why there is none.

        Events come later: only those about LiteFS's objects are kept."""
        documents: dict[str, bytes | BaseException] = {}
        for plural in (p for p in PREFIX if p in self.results):
            got = self.results[plural]
            for namespace in namespaces:
                path = list_path(plural, namespace)
                if isinstance(got, BaseException):
                    documents[path] = got
                elif plural != "events":
                    documents[path] = as_list(r for r in got if _namespace(r) == namespace)
        return documents


def as_list(items: Iterable[Raw]) -> bytes:
    redacted = [redact.obj(r) for r in items]
    return redact.canonical({"kind": "List", "apiVersion": "v1", "items": redacted})


def _namespace(raw: Raw) -> str:
    metadata = raw.get("metadata")
    return str(metadata.get("namespace") or "") if isinstance(metadata, Mapping) else ""


def _near_namespaces(kube: Kube, wanted: str, timeout: Callable[[], float]) -> str | None:
    try:
        data = kube.get("/api/v1/namespaces", {"limit": str(PAGE)}, timeout=timeout(), max_bytes=MAX_PAGE)
        names = [str(i["metadata"]["name"]) for i in json.loads(data)["items"]]
    except (KubeError, ValueError, KeyError, TypeError):
        return None  # without the right to list namespaces there is nothing to offer
    near = difflib.get_close_matches(wanted, names, 3, 0.5)
    return f"Did you mean {' or '.join(near)}?" if near else f"There is: {', '.join(sorted(names)[:10])}"


def referenced_configmaps(obj: Obj) -> set[str]:
    """Names of the ConfigMaps that a pod, or a workload's template, mounts or takes variables from."""
    spec = obj.mapping("spec.template.spec") or obj.mapping("spec")
    names: set[Any] = set()
    for volume in _mappings(spec.get("volumes")):
        names.add(_name(volume.get("configMap"), "name"))
        projected = volume.get("projected")
        for source in _mappings(projected.get("sources") if isinstance(projected, Mapping) else None):
            names.add(_name(source.get("configMap"), "name"))
    for container in (*_mappings(spec.get("containers")), *_mappings(spec.get("initContainers"))):
        names |= {_name(e.get("configMapRef"), "name") for e in _mappings(container.get("envFrom"))}
        for env in _mappings(container.get("env")):
            given = env.get("valueFrom")
            names.add(_name(given.get("configMapKeyRef") if isinstance(given, Mapping) else None, "name"))
    return {str(n) for n in names if n and n != "kube-root-ca.crt"}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _name(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def used_cluster_objects(lists: Lists, namespaces: tuple[str, ...]) -> dict[str, bytes | BaseException]:
    """Volumes, storage classes and nodes that the namespaces' claims and pods use; nothing else of the cluster."""
    claims = [c for c in lists.objects("persistentvolumeclaims") if c.ref.namespace in namespaces]
    pods = [p for p in lists.objects("pods") if p.ref.namespace in namespaces]
    volumes = [v for v in lists.objects("persistentvolumes") if v.get("spec.claimRef.namespace") in namespaces]
    used = {
        "persistentvolumes": {v.ref.name for v in volumes},
        "storageclasses": {o.get("spec.storageClassName") for o in (*claims, *volumes)},
        "nodes": {p.get("spec.nodeName") for p in pods},
    }
    documents: dict[str, bytes | BaseException] = {}
    for plural in (p for p in CLUSTER_PREFIX if p in lists.results):
        got = lists.results[plural]
        path = list_path(plural, "")
        documents[path] = got if isinstance(got, BaseException) else as_list(o.raw for o in lists.objects(plural) if o.ref.name in used[plural])
    return documents


def events_about(lists: Lists, facts: Facts, namespaces: tuple[str, ...]) -> dict[str, bytes | BaseException]:
    """Events about LiteFS pods, their sets and their claims."""
    if not isinstance(lists.results.get("events"), list):
        return {}
    names = {p.name for c in facts.clusters for p in c.pods} | {w.name for c in facts.clusters for w in c.workloads}
    names |= {m.claim for c in facts.clusters for p in c.pods for m in p.container.mounts if m.claim}
    documents: dict[str, bytes | BaseException] = {}
    for namespace in namespaces:
        about = [e.raw for e in lists.objects("events") if e.ref.namespace == namespace and e.get("involvedObject.name") in names]
        documents[list_path("events", namespace)] = as_list(about)
    return documents


def json_object(data: bytes, url: str) -> dict[str, Any]:
    """The JSON object that answers `url`. Raises KubeError for everything else: a proxy's page, half an answer."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise bad_answer(url, "is no JSON") from None
    if not isinstance(document, dict):
        raise bad_answer(url, "is no object")
    return document


def read_object(kube: Kube, url: str, seconds: float) -> dict[str, Any]:
    """One object, or the server's version. Raises KubeError also where the answer is none."""
    found = json_object(kube.get(url, timeout=seconds, max_bytes=MAX_OBJECT), url)
    if url != VERSION and not isinstance(found.get("metadata"), dict):
        raise bad_answer(url, "is no object of Kubernetes")
    return found


_OTHER_SERVER = "A proxy or a sign-in page may have answered in the API server's place: kubectl cluster-info shows which address is asked."


def bad_answer(url: str, what: str) -> KubeError:
    """A 200 that is not what was asked for, so nothing was seen."""
    return KubeError(f"the answer to {url} {what}", status=None, reason=BAD_ANSWER, hint=_OTHER_SERVER)


def configmap_jobs(get: Callable[[str], Any], users: list[Obj]) -> dict[str, Callable[[], Any]]:
    """What reads the ConfigMaps that LiteFS pods (or the templates of LiteFS sets) refer to, each by name."""
    names = sorted({(o.ref.namespace, name) for o in users for name in referenced_configmaps(o)})
    return {f"configmap/{ns}/{name}": partial(get, f"/api/v1/namespaces/{ns}/configmaps/{name}") for ns, name in names}
