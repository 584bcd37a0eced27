"""A Kube that waits where the server asks for it, and tries again where it stumbles. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from ..errors import KubeError
from ..ports import Clock, Kube

BACKOFF = (0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of a read that a 5xx has answered."""
STUMBLES = (500, 502, 503, 504)


class Patient:
    """Wraps a Kube. `left` is how many seconds may still be spent; `each` bounds one request, in seconds.

    A 429 is waited for as told, a 5xx of the API server tried five times. A pod that does not answer (503 through its
    proxy) is a fact and not a stumble, and a server that cannot be reached at all is said at once.
    """

    def __init__(self, kube: Kube, clock: Clock, left: Callable[[], float], each: float) -> None:
        self.kube, self.clock, self.left, self.each = kube, clock, left, each
        self.server, self.context, self.namespace = kube.server, kube.context, kube.namespace

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int) -> bytes:
        return self.again(path, lambda: self.kube.get(path, query, timeout=min(timeout, self.each), max_bytes=max_bytes))

    def stream(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, idle: float | None = None
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self.kube.stream(path, query, timeout=min(timeout, self.each), idle=idle)

    def close(self) -> None:
        self.kube.close()

    def again(self, path: str, send: Callable[[], bytes]) -> bytes:
        """The answer, after as many tries as it takes. Raises the last KubeError."""
        tries = 0
        while True:
            try:
                return send()
            except KubeError as error:
                wait = pause(error, path, tries)
                if wait is None or wait > self.left():
                    raise
                tries += 1
                self.clock.sleep(wait)


def pause(error: KubeError, path: str, tries: int) -> float | None:
    """Seconds until it is worth trying again; None where it is not."""
    if error.status == 429:
        return error.retry_after if error.retry_after is not None else 1.0
    if error.status in STUMBLES and "/proxy/" not in path and tries < len(BACKOFF):
        return max(BACKOFF[tries], error.retry_after or 0.0)
    return None
