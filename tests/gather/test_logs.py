"""A long log: its head, then its tail, and a named hole only where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from kubectl_litefs.gather import logs
from kubectl_litefs.model.origin import ObjectRef

POD = ObjectRef("Pod", "abaci", "abaci-app-0")


class Kubelet:
    """`limitBytes` keeps the oldest bytes, `tailLines` the newest lines, as the kubelet does it."""

    def __init__(self, lines: int) -> None:
        self.data = b"".join(b"2026-11-23T12:%02d:%02d.%09dZ line %d\n" % (i // 60 % 60, i % 60, i, i) for i in range(lines))
        self.queries: list[Mapping[str, str]] = []

    def get(self, path: str, query: Mapping[str, str], *, timeout: float, max_bytes: int) -> bytes:
        self.queries.append(query)
        return self.data[: int(query["limitBytes"])]

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str], *, timeout: float) -> Iterator[Iterator[bytes]]:
        self.queries.append(query)
        tail = b"".join(self.data.splitlines(keepends=True)[-int(query["tailLines"]) :])
        yield (tail[i : i + 1000] for i in range(0, len(tail), 1000))


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "HEAD", 10_000)
    monkeypatch.setattr(logs, "TAIL", 5_000)
    monkeypatch.setattr(logs, "TAIL_LINES", 60)


def read(kubelet: Kubelet) -> tuple[bytes, str]:
    log = logs.read_log(kubelet, POD, "app", False, lambda: 5.0)  # type: ignore[arg-type]
    assert b"".join(log.open()) == b"".join(log.open()), "readable again"
    return b"".join(log.open()), log.cut


def test_a_short_log_is_one_request() -> None:
    kubelet = Kubelet(100)
    assert read(kubelet) == (kubelet.data, "")
    assert len(kubelet.queries) == 1


def test_head_and_tail_that_overlap_are_the_whole_log() -> None:
    kubelet = Kubelet(290)
    assert len(kubelet.data) > logs.HEAD
    assert read(kubelet) == (kubelet.data, "")


def test_a_hole_in_the_middle_is_said_and_no_line_is_broken() -> None:
    kubelet = Kubelet(5000)
    text, cut = read(kubelet)
    lines = text.splitlines(keepends=True)
    assert cut.startswith("the middle")
    assert lines[0].endswith(b"line 0\n") and lines[-1].endswith(b"line 4999\n")
    assert set(lines) <= set(kubelet.data.splitlines(keepends=True)) and len(set(lines)) == len(lines)


def test_the_previous_run_is_asked_for_as_such() -> None:
    kubelet = Kubelet(1)
    logs.read_log(kubelet, POD, "app", True, lambda: 5.0)  # type: ignore[arg-type]
    assert kubelet.queries[0]["previous"] == "true" and kubelet.queries[0]["timestamps"] == "true"
