"""The kubelet's port of a played node: the API server asks it for logs."""

from __future__ import annotations

import http.server
import ssl
import threading
import urllib.parse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from .litefs import Log
from .litefs_http import Listener

PORT = 10250
FindLog = Callable[[str, str, str, bool], Log | None]
"""namespace, pod, container, of the run before this one -> its log."""


def select(lines: list[tuple[datetime, str]], query: dict[str, str]) -> bytes:
    """The lines that PodLogOptions ask for."""
    since = query.get("sinceTime")
    if since:
        lines = [(t, x) for t, x in lines if t >= datetime.fromisoformat(since.replace("Z", "+00:00"))]
    if "tailLines" in query:
        tail = int(query["tailLines"])
        lines = lines[-tail:] if tail else []
    stamped = query.get("timestamps") == "true"
    text = "".join(f"{t.isoformat(timespec='microseconds').replace('+00:00', '000Z')} {x}\n" if stamped else f"{x}\n" for t, x in lines)
    return text.encode()[: int(query["limitBytes"]) if "limitBytes" in query else None]


class _Handler(http.server.BaseHTTPRequestHandler):
    find: FindLog

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        if len(parts) != 4 or parts[0] != "containerLogs":
            self._send(404, b"the played node answers for logs only\n")
            return
        _, namespace, pod, container = parts
        if query.get("follow") == "true" or "sinceSeconds" in query:
            self._send(501, b"the played node neither follows logs nor knows sinceSeconds\n")
            return
        previous = query.get("previous") == "true"
        log = self.find(namespace, pod, container, previous)
        if log is None:
            words = f'previous terminated container "{container}" in pod "{pod}" not found' if previous else f'container "{container}" in pod "{pod}" is waiting to start'
            self._send(400, f"{words}\n".encode())
        else:
            self._send(200, select(log.lines(), query))

    def _send(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Kubelet:
    """Listens with TLS on the node's address until it is closed."""

    def __init__(self, address: str, certificate: Path, key: Path, find: FindLog, trouble: list[str]) -> None:
        handler = type("Handler", (_Handler,), {"find": staticmethod(find)})
        self._listener = Listener((address, PORT), handler)
        self._listener.trouble = trouble
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._listener.socket = context.wrap_socket(self._listener.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
