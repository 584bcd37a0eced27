"""The live cluster -> a snapshot. Reads only: lists, ConfigMaps by name, logs, LiteFS's HTTP port through the API server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..errors import KubeError
from ..model.cluster import Cluster, Facts
from ..model.litefs import Info
from ..model.objects import Obj
from ..model.origin import Gap, GapReason, ObjectRef
from ..model.pod import Pod
from ..model.snapshot import Item, Snapshot
from ..model.target import Target
from ..parse.assemble import WORKLOADS, assemble
from ..parse.discover import DEFAULT_PORT, signs
from ..parse.litefs_http import read_info
from ..ports import Clock, Kube, Observer
from . import redact
from .kinds import CLUSTER_PREFIX, PREFIX
from .locks import lock_jobs, read_locks
from .logs import log_jobs
from .objects import (
    BAD_ANSWER,
    VERSION,
    Lists,
    configmap_jobs,
    events_about,
    read_lists,
    read_object,
    used_cluster_objects,
)
from .second_look import wants_second_look
from .selection import wanted as selected
from .spaces import read_spaces, space_jobs
from .workers import run_all

ENDPOINTS = {"info.json": "info", "vars.json": "debug/vars", "metrics.txt": "metrics"}  # file in the bundle -> LiteFS's path
MAX_ANSWER = {"info.json": 1024 * 1024, "vars.json": 8 * 1024 * 1024, "metrics.txt": 8 * 1024 * 1024}
MAX_PROBES = 40  # pods without a sure sign that are asked on port 20202, per namespace


def gather(kube: Kube, target: Target, clock: Clock, observer: Observer) -> Snapshot:
    """Everything that `diagnose` may know of the target, redacted.

    Raises KubeError where not even the pods can be listed, UsageError for names that do not exist. Whatever else
    cannot be read is a gap.
    """
    return _Gathering(kube, target, clock, observer).run()


class _Gathering:
    """One run: what was read so far, and how much time is left."""

    def __init__(self, kube: Kube, target: Target, clock: Clock, observer: Observer) -> None:
        self.kube, self.target, self.clock, self.observer = kube, target, clock, observer
        self.items: dict[str, Item] = {}
        self.gaps: dict[str, Gap] = {}
        self.namespaces: tuple[str, ...] = ()
        self.wanted: tuple[str, ...] = ()
        self.looked_at: tuple[str, ...] = ()
        self.kubernetes = ""
        self.ends = clock.monotonic() + (target.run_timeout or 1e9)

    # --- time and requests

    @property
    def left(self) -> float:
        return max(0.0, self.ends - self.clock.monotonic())

    def timeout(self) -> float:
        """Seconds for the next request."""
        return max(0.05, min(self.target.request_timeout or 1e9, self.left))

    def get(self, path: str) -> dict[str, Any]:
        return read_object(self.kube, path, self.timeout())

    def run_jobs(self, jobs: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        return run_all(jobs, min(self.left, 1e6), min(self.target.request_timeout or 1e6, 1e6))

    def missing(self, path: str, error: BaseException, right: str = "") -> None:
        """Record why something was not seen, in kubectl's words, with the right that was missing."""
        if isinstance(error, KubeError):
            why = {403: GapReason.FORBIDDEN, 401: GapReason.FORBIDDEN}.get(error.status or 0, GapReason.UNREACHABLE)
            if error.status == 404 and path.startswith("objects/"):
                why = GapReason.ABSENT
            elif error.reason == BAD_ANSWER:
                why = GapReason.UNPARSED
            detail = error.as_kubectl_prints_it()
            needs = f"{error.verb} {error.resource}".strip() or right
            if why is GapReason.FORBIDDEN and needs:
                detail += f" (needs: {needs})"
        elif isinstance(error, TimeoutError):
            why, detail = GapReason.UNREACHABLE, "no answer in time"
        else:
            raise error
        self.gaps[path] = Gap(path, why, detail)

    def keep(self, path: str, document: bytes | BaseException, right: str = "") -> None:
        """A part of the bundle, or the gap in its place."""
        if isinstance(document, BaseException):
            self.missing(path, document, right)
        else:
            self.items[path] = Item(path, partial(iter, (document,)))

    # --- the run

    def run(self) -> Snapshot:
        lists = self.lists()
        self.keep_lists(lists)
        facts = self.find_nodes(lists)
        if facts.clusters:
            self.observer.progress(f"asking {sum(len(c.pods) for c in facts.clusters)} LiteFS pods")
            facts = self.ask_nodes(facts)
            self.look_again(facts)
        self.keep_cluster_objects(lists, facts)
        self.observer.progress("")
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        return Snapshot(
            items={p: self.items[p] for p in sorted(self.items)},
            gaps=tuple(self.gaps[p] for p in sorted(self.gaps)),
            namespaces=self.namespaces,
            taken_at=self.clock.now().replace(microsecond=0),
            source="live",
            kubernetes=self.kubernetes,
            wanted=self.wanted,
            looked_at=self.looked_at,
        )

    def lists(self) -> Lists:
        """All object lists, in parallel; the pods must be readable, everything else may be a gap."""
        self.observer.progress("reading objects")
        namespace = None if self.target.all_namespaces else self.target.namespace or self.kube.namespace
        where = dict.fromkeys(PREFIX, namespace) | dict.fromkeys(CLUSTER_PREFIX, None)
        wanted = [p for p in where if self.target.kinds is None or p in self.target.kinds]
        jobs: dict[str, Callable[[], Any]] = {p: partial(read_lists, self.kube, p, where[p], self.timeout) for p in wanted}
        if namespace:
            jobs["namespace"] = partial(self.get, f"/api/v1/namespaces/{namespace}")
        jobs["version"] = partial(self.get, VERSION)
        results = self.run_jobs(jobs)
        return Lists(results, namespace)

    def keep_lists(self, lists: Lists) -> None:
        """Refuse what cannot be judged at all; note the namespaces."""
        lists.require_pods(self.kube, self.timeout)
        version = lists.results.get("version")
        if isinstance(version, dict):
            self.kubernetes = str(version.get("gitVersion") or "")

    def find_nodes(self, lists: Lists) -> Facts:
        """Which pods run LiteFS, and their ConfigMaps."""
        pods, services = lists.objects("pods"), lists.objects("services")
        owners = [o for plural in WORKLOADS for o in lists.objects(plural)]
        if self.target.names or self.target.selector is not None:
            where = f"namespace {lists.namespace}" if lists.namespace else "any namespace"
            known = {plural: lists.objects(plural) for plural in ("pods", *WORKLOADS)}
            self.wanted = selected(self.target.names, self.target.selector, known, where)
        in_namespace: dict[str, list[Obj]] = {}
        for pod in pods:
            in_namespace.setdefault(pod.ref.namespace, []).append(pod)
        probes: dict[str, Callable[[], bytes]] = {}
        strong: list[Obj] = []
        for namespace, members in in_namespace.items():
            near = [s for s in services if s.ref.namespace == namespace]
            looked = [(pod, signs(pod, near)) for pod in members]
            strong += [pod for pod, found in looked if found.strong]
            weak = [p for p, found in looked if not found.strong and (found.weak or {p.ref.name, str(p.ref)} & set(self.wanted))]
            for pod in weak[:MAX_PROBES]:
                probes[_litefs_path(pod.ref, "info.json")] = partial(self.ask, pod.ref, DEFAULT_PORT, "info.json")
        for path, got in self.run_jobs(probes).items():
            if isinstance(got, bytes) and not isinstance(read_info(path, got), Gap):
                self.keep(path, got)
        templates = [o for o in owners if signs(o, (), "spec.template.spec").strong]
        answered = {p for p in self.items if p.startswith("litefs/")}
        nodes = [p for p in pods if p in strong or _litefs_path(p.ref, "info.json") in answered]
        found_in = sorted({o.ref.namespace for o in (*nodes, *templates)})
        self.namespaces = tuple(found_in) if self.target.all_namespaces else (str(lists.namespace),)
        self.looked_at = lists.looked_at(self.namespaces, len(probes))
        for path, document in lists.documents(self.namespaces).items():
            self.keep(path, document, lists.right(path))
        homes = {(o.get("metadata.ownerReferences.0.name"), o.ref.namespace) for o in nodes}
        sets = [] if self.target.kinds else [o for o in owners if o in templates or (o.ref.name, o.ref.namespace) in homes]
        configmaps = configmap_jobs(self.get, [*nodes, *templates])
        results = self.run_jobs(configmaps | lock_jobs(self.get, sets) | space_jobs(self.get, lists, self.namespaces))
        self.keep_configmaps({key: results[key] for key in configmaps})
        named = read_locks(results) | read_spaces(results, lists)
        for path, document in named.items():
            self.keep(path, document, "get " + path.rsplit("/", 1)[-1].removesuffix(".json"))
        return assemble(self.snapshot())

    def keep_configmaps(self, got: Mapping[str, Any]) -> None:
        """Those that were read. One that does not exist is none."""
        for namespace in self.namespaces:
            path = f"objects/{namespace}/configmaps.json"
            found = []
            for key in sorted(k for k in got if k.startswith(f"configmap/{namespace}/")):
                if isinstance(got[key], dict):
                    found.append({"kind": "ConfigMap", **got[key]})
                elif not (isinstance(got[key], KubeError) and got[key].status == 404):
                    self.missing(path, got[key], "get configmaps")
            if found or path not in self.gaps:
                self.keep(path, redact.canonical({"kind": "List", "apiVersion": "v1", "items": [redact.obj(o) for o in found]}))

    # --- LiteFS

    def ask(self, ref: ObjectRef, port: int, file: str) -> bytes:
        port = self.target.port or port
        url = f"/api/v1/namespaces/{ref.namespace}/pods/{ref.name}:{port}/proxy/{ENDPOINTS[file]}"
        data = self.kube.get(url, timeout=self.timeout(), max_bytes=MAX_ANSWER[file])
        return redact.debug_vars(data) if file == "vars.json" else data

    def ask_nodes(self, facts: Facts) -> Facts:
        """Logs and /info of all pods, then vars and metrics: replicas first, the primary last, so that a write in
        between makes no replica look ahead."""
        pods = [p for c in facts.clusters for p in c.pods]
        paths = {_litefs_path(p.ref, "info.json"): p for p in pods}
        jobs: dict[str, Callable[[], Any]] = {w: partial(self.ask, p.ref, p.http_port, "info.json") for w, p in paths.items() if w not in self.items}
        if self.target.followers_only:
            self.keep_answers(self.run_jobs(jobs))
            silent, leaders = self.by_role(pods)
            self.gaps |= {path: Gap(path, GapReason.NOT_ASKED, "") for path in log_jobs(self.kube, leaders, self.timeout, earlier=False)}
            jobs = dict(log_jobs(self.kube, silent, self.timeout, earlier=False))
        else:
            jobs |= log_jobs(self.kube, pods, self.timeout) if self.target.logs else {}
        self.keep_answers(self.run_jobs(jobs))
        replicas, leaders = self.by_role(pods)
        self.read_positions(replicas, ("vars.json", "metrics.txt"))
        self.read_positions(leaders, ("vars.json", "metrics.txt"))
        decided = self.target.second_look is None or self.target.always_look_twice
        return facts if decided else assemble(self.snapshot())  # only whether to look twice hangs on the answers

    def by_role(self, pods: list[Pod]) -> tuple[list[Pod], list[Pod]]:
        """(replicas and the silent, those that just said they are primary)."""
        leaders = [p for p in pods if self.leads(p)]
        return [p for p in pods if p not in leaders], leaders

    def leads(self, pod: Pod) -> bool:
        item = self.items.get(_litefs_path(pod.ref, "info.json"))
        info = item.once("info", lambda: read_info(item.path, item.read())) if item is not None else None
        return isinstance(info, Info) and info.is_primary

    def read_positions(self, pods: list[Pod], files: tuple[str, ...]) -> None:
        """A pod that did not answer /info is not asked again: its silence is already known."""
        jobs: dict[str, Callable[[], Any]] = {}
        for pod in pods:
            silence = self.gaps.get(_litefs_path(pod.ref, "info.json"))
            for file in files:
                path = _litefs_path(pod.ref, file)
                if silence is not None:
                    self.gaps[path] = dataclasses.replace(silence, what=path)
                else:
                    jobs[path] = partial(self.ask, pod.ref, pod.http_port, file)
        self.keep_answers(self.run_jobs(jobs))

    def keep_answers(self, results: Mapping[str, Any]) -> None:
        for path, got in results.items():
            self.gaps.pop(path, None)
            if isinstance(got, BaseException | bytes):
                self.keep(path, got, "get pods/log" if path.startswith("logs/") else "get pods/proxy")
            else:
                self.items[path] = Item(path, got.open)
                if got.cut:
                    self.gaps[path] = Gap(path, GapReason.TRUNCATED, got.cut)

    def look_again(self, facts: Facts) -> None:
        """A second sweep of the clusters that need one; the first moves to sweeps/1."""
        pause = self.target.second_look
        if pause is None:
            return
        again: list[Cluster] = [c for c in facts.clusters if self.target.always_look_twice or wants_second_look(c)]
        if not again or self.left <= pause:
            return
        self.observer.progress("looking a second time")
        self.clock.sleep(pause)
        pods = [p for c in again for p in c.pods]
        for pod in pods:
            for file in ("info.json", "vars.json"):
                path = _litefs_path(pod.ref, file)
                if path in self.items:
                    self.keep(f"sweeps/1/{path}", self.items.pop(path).read())
        self.keep_answers(self.run_jobs({_litefs_path(p.ref, "info.json"): partial(self.ask, p.ref, p.http_port, "info.json") for p in pods}))
        replicas, leaders = self.by_role(pods)
        self.read_positions(replicas, ("vars.json",))
        self.read_positions(leaders, ("vars.json",))

    def keep_cluster_objects(self, lists: Lists, facts: Facts) -> None:
        """Of the cluster-scoped objects and the events only what concerns these namespaces' sets."""
        for path, document in (used_cluster_objects(lists, self.namespaces) | events_about(lists, facts, self.namespaces)).items():
            self.keep(path, document, lists.right(path))


def _litefs_path(ref: ObjectRef, file: str) -> str:
    return f"litefs/{ref.namespace}/{ref.name}/{file}"
