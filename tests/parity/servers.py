"""Loopback API servers and a proxy that write down who came, and test certificates."""

from __future__ import annotations

import json
import select
import socket
import socketserver
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..api import _discovery
from ..servers import serving

Record = dict[str, Any]
ELLIPTIC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
"""Keys that are made, and used, in a fraction of the time that RSA takes."""

NO_GROUPS = {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
"""Pods are all that is asked for: kubectl, new to the server in each case, has nothing to ask of other groups."""


def one_pod(path: str) -> Record:
    """The list of pods of the path's namespace."""
    metadata = {"name": "x", "namespace": path.split("/")[-2]}
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [{"kind": "Pod", "apiVersion": "v1", "metadata": metadata}]}


@dataclass
class Certificates:
    """Paths of PEM files; all signed by `ca`, `other_ca` has signed nothing."""

    ca: str
    other_ca: str
    server: tuple[str, str]
    client: tuple[str, str]


def make_certificates(folder: Path) -> Certificates:
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    for name in ("ca", "other"):
        openssl("req", "-x509", *ELLIPTIC, "-nodes", "-days", "3", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                "-addext", "keyUsage=critical,keyCertSign", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kube.test,IP:0:0:0:0:0:0:0:1\nextendedKeyUsage=serverAuth\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    for name in ("server", "client"):
        openssl("req", *ELLIPTIC, "-nodes", "-subj", f"/CN={name}/O=group", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3", "-out", f"{name}.pem", "-extfile", f"{name}.ext")
    at = {p: str(folder / p) for p in ("ca.pem", "other.pem", "server.pem", "server.key", "client.pem", "client.key")}
    return Certificates(at["ca.pem"], at["other.pem"], (at["server.pem"], at["server.key"]), (at["client.pem"], at["client.key"]))


@dataclass
class ApiServer:
    """Answers what kubectl asks; `records` holds the requests for pods."""

    name: str
    tls: Certificates | None
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # each answer would wait 40 ms for an acknowledgement

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                if path.endswith("/pods"):
                    outer.records.append(outer._record(self, path))
                self.reply(NO_GROUPS if path.endswith("/apis") else _discovery(path.removeprefix("/prefix")) or one_pod(path))

            def do_DELETE(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.records.append(outer._record(self, self.path.split("?")[0]))
                self.reply({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {"name": "x", "kind": "pods"}})

            def reply(self, document: Record) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, address: Any) -> None:
                """A client that refuses our certificate is what some cases want."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if self.tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls.server)
            context.load_verify_locations(self.tls.ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _record(self, handler: BaseHTTPRequestHandler, path: str) -> Record:
        certificate = handler.connection.getpeercert() if isinstance(handler.connection, ssl.SSLSocket) else None
        subject = {k: v for part in (certificate or {}).get("subject", ()) for k, v in part}
        headers = sorted((k.lower(), v) for k, v in handler.headers.items() if k.lower().startswith(("authorization", "impersonate-")))
        return {"server": self.name, "method": handler.command, "host": handler.headers["Host"], "path": path, "headers": headers, "client": subject.get("commonName")}

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"


@dataclass
class Proxy:
    """An HTTP proxy that sends every CONNECT to one server, whatever was asked for, and notes what was asked."""

    to: ApiServer
    plain_to: ApiServer
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        self.server = serving(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (more := client.recv(4096)):
            head += more
        line = head.split(b"\r\n")[0].decode()
        method, target = [*line.split(), "", ""][:2]
        if method == "CONNECT":
            self.asked.append(target)
            upstream = socket.create_connection(("127.0.0.1", self.to.port))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            self.asked.append(target.split("/")[2] if "://" in target else target)
            upstream = socket.create_connection(("127.0.0.1", self.plain_to.port))
            path = "/" + target.split("/", 3)[3]
            upstream.sendall(head.replace(target.encode(), path.encode(), 1))
        while True:
            for side in select.select([client, upstream], [], [], 10)[0]:
                data = side.recv(65536)
                if not data:
                    client.close()
                    upstream.close()
                    return
                (upstream if side is client else client).sendall(data)
