"""What the core needs from outside. `kube` and `cli` implement these; tests pass fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

JsonObject = dict[str, Any]


class Kube(Protocol):
    """Read access to one API server. Every method is safe to call from several threads.

    There is no method that writes: `diagnose` cannot change a cluster by construction.
    """

    @property
    def server(self) -> str:
        """The API server's URL, for messages."""

    @property
    def context(self) -> str | None:
        """The kubeconfig context in use; None in a pod or with `--server` alone."""

    @property
    def namespace(self) -> str:
        """The namespace to use when none is named: the context's, the pod's own, or `default`."""

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int
    ) -> bytes:
        """The body of a 200 answer to GET `path` (`/api/v1/...`), whole.

        `timeout` is seconds for the whole exchange, slow drips included. Raises KubeError for every other
        status, for a transport failure, when time is up (reason `Timeout`), and when the body is larger than
        `max_bytes` (reason `TooLarge`).
        """

    def stream(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, idle: float | None = None
    ) -> AbstractContextManager[Iterator[bytes]]:
        """Like `get`, but the body comes in chunks of at most 64 KiB and is not bounded in size.

        `idle` is how many seconds may pass without a byte; None: as many as `timeout`.
        """

    def close(self) -> None:
        """Give up all connections. Requests under way in other threads fail soon after."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with a 2xx status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command in a container came to. Output is cut at 64 KiB."""

    code: int
    output: str


class WritableKube(Kube, Protocol):
    """A Kube that can also change the cluster: only the commands that repair get one."""

    @property
    def cluster(self) -> str | None:
        """The kubeconfig's name for the cluster; None in a pod or with `--server` alone."""

    def exchange(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        timeout: float,
    ) -> Answer:
        """One request, sent once: what became of it after a lost answer is for the caller to look up.

        `timeout` is seconds for the whole exchange. Raises KubeError like `get`.
        """

    def upload(self, path: str, file: BinaryIO, *, query: Mapping[str, str] | None = None, timeout: float) -> Answer:
        """POST a file as it is, in pieces. Sent once, like `exchange`."""

    def execute(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        timeout: float,
        stdin: Iterable[bytes] | None = None,
        stdout: Callable[[bytes], None] | None = None,
    ) -> Executed:
        """Run a command in a container, without a shell. Raises KubeError where it cannot be run; its own failure is
        a code.

        `stdin` is sent to it, in pieces; its end is not, so the command must know how much it wants. `stdout` is given
        what it writes there, however much; `Executed.output` is then what it writes to stderr.
        """


class Clock(Protocol):
    """Time, injected so that tests never wait."""

    def now(self) -> datetime:
        """The wall clock, timezone-aware, UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Observer(Protocol):
    """Is told what goes on, for a progress line."""

    def progress(self, text: str) -> None:
        """A short present-tense phrase (`reading pods in abaci`). An empty text clears the line."""
