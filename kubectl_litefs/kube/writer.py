"""The session of the commands that repair: it can also write. Each write is sent once and never repeated by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO

from ..errors import KubeError
from ..ports import Answer, Executed, JsonObject
from .session import Session, right_for

MAX_ANSWER = 8 * 1024 * 1024


class WritingSession(Session):
    """A `ports.WritableKube`."""

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
        payload = None if body is None else json.dumps(body).encode()
        return self._whole(method, path, payload, query, content_type if payload is not None else "", timeout)

    def upload(self, path: str, file: BinaryIO, *, query: Mapping[str, str] | None = None, timeout: float) -> Answer:
        return self._whole("POST", path, file, query, "application/octet-stream", timeout)

    def _whole(
        self, method: str, path: str, body: bytes | BinaryIO | None, query: Mapping[str, str] | None, kind: str, timeout: float
    ) -> Answer:
        with self._exchange(method, path, query, body, kind, timeout=timeout) as (response, ends):
            data = bytearray()
            for chunk in self._chunks(path, response, ends, timeout):
                data += chunk
                if len(data) > MAX_ANSWER:
                    verb, resource = right_for(path, method)
                    message = f"the answer to {path} is larger than {MAX_ANSWER} bytes"
                    raise KubeError(message, status=None, reason="TooLarge", verb=verb, resource=resource)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, bytes(data))

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
        from .execute import execute

        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        headers = {k: str(v) for k, v in self._http.headers.items() if k in ("Authorization", "User-Agent")}
        return execute(self._base, path, container, tuple(command), self.wire, headers, timeout, stdin, stdout)
