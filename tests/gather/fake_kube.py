"""A `Kube` without a network: a recording, with a fault for any path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_litefs.errors import KubeError
from kubectl_litefs.model.snapshot import Snapshot

from ..api import RecordedApi

Fault = Callable[[str], bytes]


class StoppedClock:
    """The time of the recording; sleeping costs nothing but is counted."""

    def __init__(self, at: datetime) -> None:
        self.at, self.slept = at, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Quiet:
    """Nobody watches."""

    def progress(self, text: str) -> None:
        pass


def right_of(path: str) -> tuple[str, str, str]:
    """(verb, API group, resource) that RBAC asks for a GET of this path."""
    parts = path.strip("/").split("/")
    group, parts = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if parts[0] == "namespaces" and len(parts) > 2:
        parts = parts[2:]
    if len(parts) == 1:
        return "list", group, parts[0]
    return "get", group, parts[0] + (f"/{parts[2]}" if len(parts) > 2 else "")


def refused(status: int, reason: str, message: str) -> Fault:
    def fault(path: str) -> bytes:
        verb, group, resource = right_of(path)
        name = f"{resource}.{group}" if group else resource
        raise KubeError(message, status=status, reason=reason, verb=verb, resource=name)

    return fault


FORBIDDEN = refused(403, "Forbidden", 'User "tool" cannot do that')
UNREACHABLE = refused(503, "ServiceUnavailable", "error trying to reach service: dial tcp 10.0.0.1:20202")


@dataclass
class FakeKube:
    """`faults` maps a pattern (searched in the path) to what happens instead. `allowed` is an RBAC check."""

    snapshot: Snapshot
    faults: Mapping[str, Fault] = field(default_factory=dict)
    allowed: Callable[[str, str, str, str | None], bool] | None = None
    server: str = "https://fake:6443"
    context: str | None = "fake"
    namespace: str = "abaci"

    def __post_init__(self) -> None:
        self.api = RecordedApi(self.snapshot)

    @property
    def requests(self) -> list[str]:
        return self.api.requests

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int) -> bytes:
        assert timeout > 0 and max_bytes > 0
        for pattern, fault in self.faults.items():
            if re.search(pattern, path):
                self.requests.append(path)
                return fault(path)
        if self.allowed is not None and path != "/version":
            verb, group, resource = right_of(path)
            namespace = re.match(r"/apis?/.*?/?namespaces/([^/]+)/", path)
            if not self.allowed(verb, group, resource, namespace[1] if namespace else None):
                return FORBIDDEN(path)
        status, body = self.api.answer(path, dict(query or {}))
        if status != 200:
            error = json.loads(body)
            verb, _, resource = right_of(path)
            raise KubeError(error["message"], status=status, reason=error["reason"], verb=verb, resource=resource)
        return body[:max_bytes]

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float) -> Iterator[Iterator[bytes]]:
        body = self.get(path, query, timeout=timeout, max_bytes=1 << 40)
        yield (body[i : i + 65536] for i in range(0, len(body), 65536))

    def close(self) -> None:
        """Nothing to give up."""
