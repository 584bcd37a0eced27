"""LiteFS's HTTP API for reading, and its import, in front of a stand-in."""

from __future__ import annotations

import http.server
import json
import socketserver
import sys
import threading
import traceback
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .litefs import LiteFS

CHUNK = 1 << 20


@dataclass
class Answer:
    """An answer before it is sent. `body` may be given piece by piece."""

    code: int
    kind: str
    body: bytes | Iterable[bytes]
    headers: dict[str, str] = field(default_factory=dict)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "litefs-stand-in", ""
    litefs: LiteFS

    def log_message(self, format: str, *args: Any) -> None:
        """The container's log has LiteFS's lines only."""

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        name = urllib.parse.parse_qs(url.query).get("name", [""])[0]
        if url.path == "/export" and name in self.litefs.databases.positions():
            with self.litefs.databases.snapshot(name) as copy:
                self._send(url.path, Answer(200, "application/octet-stream", _pieces(copy)))
        else:
            self._send(url.path, self._read(url.path, name))

    def do_POST(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        name = urllib.parse.parse_qs(url.query).get("name", [""])[0]
        data = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else b"".join(self._chunks())
        if url.path != "/import":
            self._send(url.path, Answer(404, "text/plain; charset=utf-8", b"404 page not found\n"))
        elif not self.litefs.candidate:
            self._send(url.path, Answer(503, "text/plain; charset=utf-8", b"lease expired\n"))
        else:
            why_not = self.litefs.databases.take_in(name, data) if name else "name required"
            self._send(url.path, Answer(500 if why_not else 200, "text/plain; charset=utf-8", why_not.encode()))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _read(self, path: str, name: str) -> Answer:
        if path == "/info":
            return Answer(200, "application/json", (json.dumps(self.litefs.info(), indent=2) + "\n").encode())
        if path == "/debug/vars":
            return Answer(200, "application/json; charset=utf-8", (json.dumps(self.litefs.variables(), indent=1) + "\n").encode())
        if path == "/metrics":
            return Answer(200, "text/plain; version=0.0.4; charset=utf-8", self.litefs.metrics().encode())
        if path == "/export":
            return Answer(404 if name else 400, "text/plain; charset=utf-8", b"database not found\n" if name else b"name required\n")
        return Answer(404, "text/plain; charset=utf-8", b"404 page not found\n")

    def _send(self, path: str, answer: Answer) -> None:
        answer.headers.setdefault("Litefs-Id", self.litefs.id)
        if self.litefs.cluster:
            answer.headers.setdefault("Litefs-Cluster-Id", self.litefs.cluster)
        if self.litefs.alter is not None:
            answer = self.litefs.alter(path, answer)
        whole = answer.body if isinstance(answer.body, bytes) else None
        self.send_response(answer.code)
        self.send_header("Content-Type", answer.kind)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header(*(("Transfer-Encoding", "chunked") if whole is None else ("Content-Length", str(len(whole)))))
        self.send_header("Connection", "close")  # a kept connection would outlive the pod
        self.end_headers()
        try:
            if whole is not None:
                self.wfile.write(whole)
                return
            for piece in answer.body:
                assert isinstance(piece, bytes)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return  # the client has gone


class Listener(http.server.ThreadingHTTPServer):
    """Keeps what went wrong in its handlers for the tests to see, instead of printing it."""

    daemon_threads = True
    trouble: list[str]

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own asks DNS for the machine's name

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            self.trouble.append(traceback.format_exc())


class Server:
    """Listens from start to stop. Connections that are still open at the end are left to their daemon threads."""

    def __init__(self, litefs: LiteFS, address: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"litefs": litefs})
        self._listener = Listener((address, port), handler, bind_and_activate=False)
        self._listener.trouble = litefs.peers.trouble
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def start(self) -> None:
        self._listener.server_bind()
        self._listener.server_activate()
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
