"""`pods/exec` over a WebSocket: the one request that is no plain HTTP. Same server, TLS, credentials and proxy."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import websocket

from ..errors import KubeError
from ..ports import Executed
from .session import Wire
from .words import one_line

PROTOCOL = "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, STATUS = 0, 1, 2, 3
FRAME = 32 * 1024
"""Bytes in one frame to the command."""
MOST = 64 * 1024
"""Bytes of output that are kept."""


def execute(
    base: str,
    path: str,
    container: str,
    command: tuple[str, ...],
    wire: Wire,
    headers: Mapping[str, str],
    timeout: float,
    stdin: Iterable[bytes] | None = None,
    stdout: Callable[[bytes], None] | None = None,
) -> Executed:
    """The command's exit code and output. Raises KubeError where the server refuses or no end is seen in time."""
    words = [("container", container), *(("command", w) for w in command), ("stdout", "true"), ("stderr", "true")]
    words += [("stdin", "true")] if stdin is not None else []
    url = base.replace("http", "ws", 1) + quote(path, safe="/:-._~") + "?" + urlencode(words)
    ends = time.monotonic() + timeout
    try:
        socket = _connect(url, wire, headers, timeout)
    except websocket.WebSocketBadStatusException as error:
        raise _refused(error) from error
    except (websocket.WebSocketException, OSError) as error:
        raise _unreachable(one_line(f"cannot open an exec session with {urlsplit(base).hostname}: {error}", 300)) from error
    try:
        if stdin is not None:
            _send(socket, stdin, ends)
        return _read(socket, ends, stdout)
    except (websocket.WebSocketException, OSError) as error:
        raise _unreachable(one_line(f"the exec session broke off: {error}", 300)) from error
    finally:
        socket.close()


def _connect(url: str, wire: Wire, headers: Mapping[str, str], timeout: float) -> Any:
    options: dict[str, Any] = {"http_no_proxy": ["*"]}  # the proxy variables are kubectl's to interpret
    if wire.proxy:
        proxy = urlsplit(wire.proxy)
        auth = (proxy.username or "", proxy.password or "") if proxy.username else None
        options = {
            "http_proxy_host": proxy.hostname,
            "http_proxy_port": proxy.port or 80,
            "proxy_type": proxy.scheme,
            "http_proxy_auth": auth,
            "http_no_proxy": [""],
        }
    if wire.context is not None:
        options["sslopt"] = {"context": wire.context} | ({"server_hostname": wire.server_name} if wire.server_name else {})
    lines = [f"{k}: {v}" for k, v in (*headers.items(), *wire.impersonation)]
    return websocket.create_connection(
        url, timeout=timeout, header=lines, subprotocols=[PROTOCOL], suppress_origin=True, **options
    )


def _send(socket: Any, stdin: Iterable[bytes], ends: float) -> None:
    """In frames that every server takes. A command that ends early breaks the connection, or its result is read below."""
    for piece in stdin:
        for at in range(0, len(piece), FRAME):
            socket.settimeout(max(0.05, ends - time.monotonic()))
            try:
                socket.send_binary(bytes([STDIN]) + piece[at : at + FRAME])
            except websocket.WebSocketConnectionClosedException:
                return


def _read(socket: Any, ends: float, stdout: Callable[[bytes], None] | None = None) -> Executed:
    output = bytearray()
    while True:
        socket.settimeout(max(0.05, ends - time.monotonic()))
        data = socket.recv()
        data = data.encode() if isinstance(data, str) else bytes(data or b"")
        if not data:
            raise _unreachable("the exec session ended without a result")
        channel, rest = data[0], data[1:]
        if channel == STDOUT and stdout is not None:
            stdout(rest)
        elif channel in (STDOUT, STDERR) and len(output) < MOST:
            output += rest[: MOST - len(output)]
        if channel == STATUS:
            return Executed(_code(rest), output.decode("utf8", "replace"))


def _code(data: bytes) -> int:
    """0 for Success; a Failure names the exit code in its causes, or says why the command could not be run."""
    try:
        status = json.loads(data)
    except ValueError:
        raise _unreachable("the exec session ended with a result that is no JSON") from None
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode" and str(cause.get("message", "")).isdigit():
            return int(cause["message"])
    raise KubeError(
        one_line(str(status.get("message") or "exec failed"), 300),
        status=None,
        reason="ExecFailed",
        verb="create",
        resource="pods/exec",
    )


def _refused(error: websocket.WebSocketBadStatusException) -> KubeError:
    try:
        status = json.loads(error.resp_body or b"{}")
    except ValueError:
        status = {}
    message = one_line(str(status.get("message") or error), 300)
    return KubeError(
        message,
        status=error.status_code,
        reason=str(status.get("reason") or error.status_code),
        verb="create",
        resource="pods/exec",
    )


def _unreachable(message: str) -> KubeError:
    return KubeError(message, status=None, reason="Unreachable", verb="create", resource="pods/exec")
