"""A container's log, bounded: its head, and where that was cut its tail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ..model.origin import ObjectRef
from ..model.pod import Pod
from ..ports import Kube
from . import redact, scratch

HEAD = 4 * 1024 * 1024
"""Bytes of the beginning: `limitBytes` keeps the oldest. The start of a run tells the most."""
TAIL_LINES = 2000
TAIL = 1024 * 1024


class Log:
    """A log in a temporary file (in memory while it is small), already redacted. `cut` says what is missing."""

    def __init__(self, data: bytes, cut: str) -> None:
        self._file = scratch.file(256 * 1024)
        self._file.write(data)
        self._size = len(data)
        self.cut = cut

    def open(self) -> Iterator[bytes]:
        at = 0
        while at < self._size:
            self._file.seek(at)
            chunk = self._file.read(64 * 1024)
            at += len(chunk)
            yield chunk


def log_jobs(kube: Kube, pods: Sequence[Pod], timeout: Callable[[], float], *, earlier: bool = True) -> dict[str, Callable[[], Log]]:
    """Bundle path -> what reads that log: of the run that is, and with `earlier` of the one before, where there was one."""
    jobs: dict[str, Callable[[], Log]] = {}
    for pod in pods:
        had_another = bool(pod.container.restarts or pod.container.status.get("lastState"))
        for previous in (False, True) if earlier and had_another else (False,):
            path = f"logs/{pod.namespace}/{pod.name}/{pod.container.name}{'.previous' if previous else ''}.log"
            jobs[path] = partial(read_log, kube, pod.ref, pod.container.name, previous, timeout)
    return jobs


def read_log(kube: Kube, ref: ObjectRef, container: str, previous: bool, timeout: Callable[[], float]) -> Log:
    """The log of one container run. Raises KubeError where there is none to read."""
    url = f"/api/v1/namespaces/{ref.namespace}/pods/{ref.name}/log"
    query = {"container": container, "timestamps": "true", **({"previous": "true"} if previous else {})}
    head = kube.get(url, {**query, "limitBytes": str(HEAD)}, timeout=timeout(), max_bytes=HEAD + 64 * 1024)
    if len(head) < HEAD:
        return Log(redact.log(head), "")
    head = head[: head.rfind(b"\n") + 1] or head
    tail = _read_tail(kube, url, {**query, "tailLines": str(TAIL_LINES)}, timeout())
    newer = _after(tail, _last_stamp(head))
    if newer is None:
        return Log(redact.log(head + tail), f"the middle: only the first {len(head)} and the last {len(tail)} bytes were read")
    return Log(redact.log(head + newer), "")


def _read_tail(kube: Kube, url: str, query: dict[str, str], seconds: float) -> bytes:
    """The last bytes of a stream that may be long; whole lines."""
    kept: deque[bytes] = deque()
    size = 0
    with kube.stream(url, query, timeout=seconds) as chunks:
        for chunk in chunks:
            kept.append(chunk)
            size += len(chunk)
            while size - len(kept[0]) > TAIL:
                size -= len(kept.popleft())
    data = b"".join(kept)
    return data if size <= TAIL else data[data.find(b"\n") + 1 :]


def _last_stamp(data: bytes) -> bytes:
    """The API's timestamp of the last line."""
    return data[data.rstrip(b"\n").rfind(b"\n") + 1 :].split(b" ", 1)[0]


def _after(tail: bytes, stamp: bytes) -> bytes | None:
    """The lines after the one with this timestamp; None where the tail begins later: then something lies between."""
    at = tail.rfind(stamp + b" ") if stamp else -1
    return None if at < 0 else tail[tail.find(b"\n", at) + 1 :] if b"\n" in tail[at:] else b""
