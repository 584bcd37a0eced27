"""What other tools save of a cluster, as a snapshot: `kubectl cluster-info dump`, a troubleshoot.sh support bundle, a folder of
`kubectl get -o yaml|json` and `kubectl logs`. Files are told by what is in them; only what an object or a line does not tell
itself (the namespace of an empty list, the pod of a log) is looked for in names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..model.objects import Obj, parse_time
from ..model.origin import Gap, GapReason
from ..model.snapshot import Item, Snapshot
from ..parse.discover import signs
from ..parse.log_streams import Stream, Streams
from ..parse.objects import CLUSTER, NAMESPACED, OPTIONAL, OPTIONAL_CLUSTER, as_obj, list_path
from . import redact
from .documents import Unreadable, looks_like_one, objects
from .dump_logs import whose
from .log_files import log_item, newest, redacted
from .safe_files import File, Files
from .text_files import Damaged, plain

MAX_DOCUMENT = 256 * 1024 * 1024
HEAD = 64 * 1024
PLURAL = {kind: plural for plural, kind in (NAMESPACED | OPTIONAL | CLUSTER | OPTIONAL_CLUSTER).items()}
FOLDERS = {
    "pvcs": "PersistentVolumeClaim", "pvs": "PersistentVolume", "storage-classes": "StorageClass", "ingress": "Ingress",
    "network-policy": "NetworkPolicy", "pod-disruption-budgets": "PodDisruptionBudget",
} | (NAMESPACED | CLUSTER)  # fmt: skip
"""Names of folders and files that hold lists of objects without a kind, as troubleshoot.sh writes them."""


class _Read:
    """Everything found so far."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
        """(namespace, plural) -> name -> object."""
        self.whole: set[tuple[str, str]] = set()
        self.texts: dict[str, File] = {}
        self.gaps: list[Gap] = []
        self.times: list[datetime] = []
        self.empty: list[tuple[str, str]] = []
        """(plural, path) of lists in which there was nothing."""

    def add(self, raw: Mapping[str, Any], kind: str, listed: bool, path: str) -> None:
        """One object. Secrets, and what no rule reads, are passed over."""
        kind = kind or _kind_of(path)
        plural = PLURAL.get(kind)
        if plural is None:
            return
        if not raw:
            self.empty.append((plural, path))
            return
        metadata = raw.get("metadata")
        if not isinstance(metadata, Mapping) or not metadata.get("name"):
            return
        self.times += _times(raw)
        scoped = plural in CLUSTER or plural in OPTIONAL_CLUSTER
        namespace = "" if scoped else str(metadata.get("namespace") or "default")
        found = {**redact.obj(raw), "kind": kind}
        self.objects.setdefault((namespace, plural), {})[str(metadata["name"])] = found
        if listed:
            self.whole.add((namespace, plural))

    def listed(self, namespace: str, plural: str) -> list[Mapping[str, Any]] | None:
        found = self.objects.get((namespace, plural))
        return None if found is None else [found[name] for name in sorted(found)]

    def namespaces(self) -> list[str]:
        return sorted({namespace for namespace, _ in self.objects if namespace})


def snapshot(files: Files, where: Path, patterns: tuple[str, ...] = ()) -> Snapshot:
    """`patterns` are looked for in the logs, which are read here. Raises UsageError where nothing in it is an object or a log of LiteFS."""
    read = _Read()
    for path, file in files.found.items():
        _sort(read, path, file)
    _place_empty_lists(read)
    items = _items(read)
    pods = [as_obj(raw, "Pod", list_path("pods", ns)) for (ns, plural), found in read.objects.items() if plural == "pods" for raw in found.values()]
    logs = _logs(read, pods, patterns)
    spoken = {s.speaker.namespace for s, run in logs.items() if run.litefs_lines}
    namespaces = _namespaces(read, pods, spoken)
    items |= {(item := log_item(stream, run, patterns)).path: item for stream, run in logs.items() if stream.speaker.namespace in namespaces}
    if not namespaces:
        raise UsageError(
            "no-bundle",
            f"{where} is no bundle: it has no manifest.json, and holds no Kubernetes object and no log of LiteFS",
            hint="--from wants a bundle, a `kubectl cluster-info dump`, a support bundle, or a folder of `kubectl get -o yaml` files.",
        )
    gaps = [*read.gaps, *_missing(read, namespaces, items)]
    gaps += [Gap(f"files/{name}", GapReason.NOT_ASKED, "a link, which is not followed") for name in files.links[:20]]
    return Snapshot(
        items=items,
        gaps=tuple(gaps),
        namespaces=tuple(namespaces),
        taken_at=max((*read.times, *(t for run in logs.values() for t in newest(run))), default=None),
        source="dump",
        patterns=patterns,
    )


def _sort(read: _Read, path: str, file: File) -> None:
    """Take the objects out of a file, or note it as text."""
    try:
        head = b""
        for chunk in plain(file.open()):
            head += chunk
            if len(head) >= HEAD:
                break
        if not looks_like_one(head):
            read.texts[path] = file
            return
        if file.size > MAX_DOCUMENT:
            raise Unreadable(f"it has {file.size} bytes: more than any real list")
        for raw, kind, listed in objects(b"".join(plain(file.open()))):
            read.add(raw, kind, listed, path)
    except Unreadable as error:
        if re.search(rb'(?m)^\{.*\}\s*$', head) and head.count(b"\n{") > 1:
            read.texts[path] = file  # a log in JSON, line by line
        else:
            read.gaps.append(Gap(f"files/{path}", GapReason.UNPARSED, str(error)))
    except RecursionError:
        read.gaps.append(Gap(f"files/{path}", GapReason.UNPARSED, "nested too deeply"))
    except (Damaged, OSError) as error:
        read.gaps.append(Gap(f"files/{path}", GapReason.UNPARSED, f"damaged: {error}"[:200]))


def _kind_of(path: str) -> str:
    """The kind of a list that does not say it: `cluster-resources/pods/abaci.json`, `cluster-resources/nodes.json`."""
    *folders, name = path.split("/")
    stem = name.split(".")[0]
    return FOLDERS.get(stem) or FOLDERS.get(folders[-1] if folders else "", "")


def _place_empty_lists(read: _Read) -> None:
    """An empty list says that there is none: in the namespace that its path names."""
    known = read.namespaces()
    for plural, path in read.empty:
        words = {*path.split("/")[:-1], path.rsplit("/", 1)[-1].split(".")[0]}
        for namespace in [""] if plural in CLUSTER else [n for n in known if n in words] or (known if len(known) == 1 else []):
            read.objects.setdefault((namespace, plural), {})
            read.whole.add((namespace, plural))


def _items(read: _Read) -> dict[str, Item]:
    return {
        (path := list_path(plural, namespace)): _item(path, read.listed(namespace, plural) or [])
        for namespace, plural in read.objects
    }


def _item(path: str, objects: list[Mapping[str, Any]]) -> Item:
    data = redact.canonical({"items": objects})
    return Item(path, lambda: iter((data,)))


def _logs(read: _Read, pods: list[Obj], patterns: tuple[str, ...]) -> dict[Stream, Any]:
    """The logs of pods that may run LiteFS; where a log's pod is not among the objects, that log, too."""
    services = {ns: [as_obj(raw, "Service", "") for raw in found.values()] for (ns, plural), found in read.objects.items() if plural == "services"}
    likely = {(p.ref.namespace, p.ref.name): (s.strong or s.weak) for p in pods for s in (signs(p, services.get(p.ref.namespace, ())),)}
    streams = Streams(patterns)
    for path, file in read.texts.items():
        stream = whose(path, pods, read.namespaces())
        if stream is None or not likely.get(stream.speaker[:2], True):
            continue
        try:
            streams.read(f"files/{path}", plain(file.open()), stream)
        except (Damaged, OSError) as error:
            read.gaps.append(Gap(f"files/{path}", GapReason.TRUNCATED, f"damaged: {error}"[:200]))
    if streams.dropped:
        read.gaps.append(Gap("logs", GapReason.TRUNCATED, f"{streams.dropped} lines of further containers were not read"))
    return {stream: redacted(run) for stream, run in streams.results().items()}


def _namespaces(read: _Read, pods: list[Obj], spoken: Iterable[str]) -> list[str]:
    """Those in which there is a sign of LiteFS; where there is none, all."""
    owners = [as_obj(raw, "", "") for (_, plural), found in read.objects.items() if plural in ("statefulsets", "deployments", "daemonsets") for raw in found.values()]
    signed = {p.ref.namespace for p in pods if _any_sign(p, "spec")} | {o.ref.namespace for o in owners if _any_sign(o, "spec.template.spec")}
    return sorted({*signed, *spoken}) or read.namespaces()


def _any_sign(obj: Obj, spec: str) -> bool:
    found = signs(obj, (), spec)
    return bool(found.strong or found.weak)


def _missing(read: _Read, namespaces: list[str], items: Mapping[str, Item]) -> Iterator[Gap]:
    """What the files lack: a list that is not there, one of which only single objects are, and LiteFS's answers."""
    where = [(ns, plural) for ns in namespaces for plural in NAMESPACED] + [("", plural) for plural in CLUSTER]
    for namespace, plural in where:
        path = list_path(plural, namespace)
        if path not in items:
            yield Gap(path, GapReason.ABSENT, "not in the files")
        elif (namespace, plural) not in read.whole:
            yield Gap(path, GapReason.TRUNCATED, "only single objects are in the files: there may be more")
    for namespace in namespaces:
        for raw in read.listed(namespace, "pods") or ():
            name = raw["metadata"]["name"]
            yield from (Gap(f"litefs/{namespace}/{name}/{part}", GapReason.NOT_ASKED, "not in the files") for part in ("info.json", "vars.json", "metrics.txt"))


_TIMES = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)"')


def _times(raw: Mapping[str, Any]) -> list[datetime]:
    """The newest time in an object's own record; a deletion's lies ahead."""
    record = {"status": raw.get("status"), "created": raw.get("metadata", {}).get("creationTimestamp")}
    record |= {key: raw.get(key) for key in ("lastTimestamp", "eventTime", "firstTimestamp")}
    found = [t for text in _TIMES.findall(json.dumps(record, default=str)) if (t := parse_time(text))]
    return [max(found)] if found else []
