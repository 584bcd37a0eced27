"""Log files alone, as a snapshot: pods that nothing is known of but what they said."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import UsageError
from ..model.logs import Hits, LogLine, LogRun
from ..model.origin import Gap, GapReason
from ..model.snapshot import Item, Snapshot
from ..parse.log_envelope import Speaker
from ..parse.log_lines import parse_time
from ..parse.log_streams import Stream, Streams
from ..parse.objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER, list_path
from ..ports import Observer
from . import redact
from .log_names import Named, named
from .text_files import STDIN, Damaged, chunks, first_bytes, opened

ONLY_LOGS = "only logs were given"
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")


def gather(paths: Sequence[str], namespace: str, observer: Observer, patterns: tuple[str, ...] = ()) -> Snapshot:
    """Read each file once. "Now" is the newest time that a line bears, unknown where none does.

    `patterns` are those of the user's own rules, which are looked for at the same time.

    Raises UsageError for a file that cannot be opened.
    """
    if len(set(paths)) < len(paths):
        raise UsageError("same-file-twice", "a log file was given twice")
    _refuse_archives(paths)
    streams = Streams(patterns)
    gaps: list[Gap] = []
    held: dict[str, set[Stream]] = {}
    binary: set[str] = set()
    for path, stream in _in_order([(p, named("" if p == STDIN else p, namespace)) for p in paths]):
        try:
            with opened(path) as file:
                held[path] = streams.read(source_of(path), _watched(chunks(file), path, observer, gaps, binary), stream)
        except OSError as error:
            raise UsageError("no-such-log", f"{path}: {error.strerror or error}", hint="--logs wants log files, or - for standard input") from None
    observer.progress("")
    if streams.dropped:
        gaps.append(Gap("logs", GapReason.TRUNCATED, f"{streams.dropped} lines of further containers were not read; give fewer at once"))
    runs = {s: redacted(run) for s, run in streams.results().items()}
    return _snapshot(runs, [*gaps, *_silent(held, binary, runs)], paths, patterns)


def _refuse_archives(paths: Sequence[str]) -> None:
    """Files in an archive would run into one another, and all would be one pod's."""
    for path in paths:
        with contextlib.suppress(OSError):  # opening it to read says what is wrong
            if first_bytes(path)[257:262] == b"ustar":
                raise UsageError("log-archive", f"{path} is an archive, not a log", hint=f"kubectl litefs diagnose --from {shlex.quote(path)}")


def _silent(held: Mapping[str, set[Stream]], binary: set[str], runs: Mapping[Stream, LogRun]) -> Iterator[Gap]:
    """Files in which LiteFS says nothing: the wrong container's, or no logs at all. Who gave one thinks that it was judged."""
    for path, streams in held.items():
        if any(runs[s].litefs_lines for s in streams if s in runs):
            continue
        lines = sum(runs[s].lines for s in streams if s in runs)
        told = f"none of its lines is LiteFS's ({lines})" if lines else "the kubelet's word that it has no log" if streams else "it is empty"
        yield Gap(source_of(path), GapReason.ABSENT, "it is no text" if path in binary else told)


def source_of(path: str) -> str:
    """Where evidence says that it is from."""
    return "files/" + ("stdin" if path == STDIN else path)


def _watched(data: Iterable[bytes], path: str, observer: Observer, gaps: list[Gap], binary: set[str]) -> Iterator[bytes]:
    """The same bytes; says how many there were. Of a damaged file those before the damage, and a gap.

    `binary` collects the paths of what begins like no text.
    """
    size = 0
    try:
        for chunk in data:
            if not size and b"\0" in chunk[:4096]:
                binary.add(path)
            size += len(chunk)
            observer.progress(f"reading {path}, {size >> 20} MiB")
            yield chunk
    except Damaged as error:
        gaps.append(Gap(source_of(path), GapReason.TRUNCATED, f"damaged after {size} bytes: {error}"[:300]))


def _in_order(files: list[tuple[str, Named]]) -> list[tuple[str, Stream]]:
    """Files of one container by the time they begin with, as far as they tell; which run each is of.

    Of the kubelet's numbered runs the highest is this one, the next the one before; older ones are left out.
    """
    newest = {w: max(n.restart or 0 for _, n in same) for w, same in _by_speaker(files)}
    ordered: list[tuple[str, Stream]] = []
    for speaker, same in _by_speaker(files):
        begins = {path: _begins(path) for path, _ in same}
        if all(begins.values()):
            same.sort(key=lambda file: begins[file[0]])
        for path, name in same:
            age = 0 if name.restart is None else newest[speaker] - name.restart
            if age < 2:
                ordered.append((path, Stream(speaker, name.previous or age == 1)))
    return ordered


def _by_speaker(files: list[tuple[str, Named]]) -> list[tuple[Speaker, list[tuple[str, Named]]]]:
    groups: dict[Speaker, list[tuple[str, Named]]] = {}
    for path, name in files:
        groups.setdefault(name.speaker, []).append((path, name))
    return list(groups.items())


def _begins(path: str) -> str:
    """The first time in the file, so written that texts sort as times do; empty where there is none."""
    try:
        found = _STAMP.search(first_bytes(path))
    except OSError:
        return ""  # opening it to read says what is wrong
    at = parse_time(found[0].decode("ascii")) if found else None
    return at.isoformat(timespec="microseconds") if at else ""


def redacted(run: LogRun) -> LogRun:
    """Without secrets in any line that is kept."""

    def line(one: LogLine) -> LogLine:
        fields = {k: redact.text(v) for k, v in one.fields.items()} if one.fields else one.fields
        return dataclasses.replace(one, text=redact.text(one.text), fields=fields)

    return dataclasses.replace(
        run,
        hits={n: Hits(h.count, line(h.first), line(h.last), tuple(map(line, h.distinct))) for n, h in run.hits.items()},
        lease=dataclasses.replace(run.lease, line=line(run.lease.line)) if run.lease else None,
        head=tuple(map(line, run.head)),
        tail=tuple(map(line, run.tail)),
    )


def log_item(stream: Stream, run: LogRun, patterns: tuple[str, ...]) -> Item:
    """The log's place in a bundle. Its facts are in it; its bytes are not read again."""
    return Item(log_path(stream), lambda: iter(()), {(complete, patterns): run for complete in (True, False)})


def log_path(stream: Stream) -> str:
    """Where a bundle has the log."""
    namespace, pod, container = stream.speaker
    return f"logs/{namespace}/{pod}/{container}{'.previous' if stream.previous else ''}.log"


def _snapshot(runs: Mapping[Stream, LogRun], gaps: list[Gap], paths: Sequence[str], patterns: tuple[str, ...]) -> Snapshot:
    items = {(item := log_item(stream, run, patterns)).path: item for stream, run in runs.items()}
    namespaces = sorted({s.speaker.namespace for s in runs})
    for namespace in namespaces:
        pods = sorted({s.speaker.pod for s in runs if s.speaker.namespace == namespace})
        path = list_path("pods", namespace)
        raw = [_pod(namespace, pod, sorted({s.speaker.container for s in runs if s.speaker[:2] == (namespace, pod)})) for pod in pods]
        items[path] = _document(path, {"items": _with_sets(raw)})
        gaps += [Gap(list_path(plural, namespace), GapReason.OFFLINE, ONLY_LOGS) for plural in NAMESPACED]
        for pod in pods:
            gaps += [Gap(f"litefs/{namespace}/{pod}/{name}", GapReason.OFFLINE, ONLY_LOGS) for name in ("info.json", "vars.json", "metrics.txt")]
    for speaker in dict.fromkeys(s.speaker for s in runs):
        both = (Stream(speaker), Stream(speaker, previous=True))
        gaps += [Gap(log_path(s), GapReason.OFFLINE, "this run's log was not given") for s in both if s not in runs]
    gaps += [Gap(list_path(plural, ""), GapReason.OFFLINE, ONLY_LOGS) for plural in (*CLUSTER, *OPTIONAL_CLUSTER)]
    lines = sum(run.lines for run in runs.values())
    return Snapshot(
        items=items,
        gaps=tuple(gaps),
        namespaces=tuple(namespaces),
        taken_at=max((t for run in runs.values() for t in newest(run)), default=None),
        source="logs",
        patterns=patterns,
        looked_at=(
            f"{len(paths)} log file{'s' * (len(paths) != 1)} with {lines} line{'s' * (lines != 1)}, none of them LiteFS's",
            *(f"{g.what.removeprefix('files/')} is {g.detail}" for g in gaps if g.why is GapReason.TRUNCATED),
        ),
    )


def newest(run: LogRun) -> Iterator[datetime]:
    """When it was last heard, as far as its lines bear times."""
    yield from (line.time for line in (*run.tail[::-1], *(h.last for h in run.hits.values())) if line.time)


def _document(path: str, tree: Any) -> Item:
    data = json.dumps(tree).encode()
    return Item(path, lambda: iter((data,)))


def _pod(namespace: str, name: str, containers: list[str]) -> dict[str, Any]:
    """As much of a pod as its log shows: names. The list of pods is a gap at the same time, so nothing else counts."""
    return {"kind": "Pod", "metadata": {"namespace": namespace, "name": name}, "spec": {"containers": [{"name": c} for c in containers]}}


def _with_sets(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pods whose names end in a number are taken for a StatefulSet's: so they belong together."""
    for pod in pods:
        found = re.fullmatch(r"(.+)-\d{1,4}", pod["metadata"]["name"])
        if found:
            pod["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": found[1], "controller": True}]
    return pods
