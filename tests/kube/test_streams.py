"""Bytes that go into the cluster: a file as the body of a POST, and a command's stdin and stdout over a WebSocket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.kube.connect import connect_writable
from kubectl_litefs.kube.options import ConnectionOptions
from kubectl_litefs.ports import WritableKube

Serve = Callable[[Callable[[socket.socket], None]], str]
IMPORT = "/api/v1/namespaces/abaci/pods/abaci-app-0:20202/proxy/import"


@pytest.fixture(autouse=True)
def no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that does with its one connection what it is given."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(talk: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            client, _ = listener.accept()
            with client:
                client.settimeout(10)
                talk(client)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(10)
    listener.close()


def to(server: str) -> WritableKube:
    return connect_writable(ConnectionOptions(server=server, namespace="abaci"))


def head_of(client: socket.socket) -> tuple[str, bytes]:
    """The head of a request, and what of the body came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode(), rest


def test_a_file_is_posted_as_it_is_with_its_length_and_an_encoded_name(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(os.urandom(3_000_001))
    seen: dict[str, object] = {}

    def talk(client: socket.socket) -> None:
        head, body = head_of(client)
        length = int(next(line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")))
        while len(body) < length:
            body += client.recv(1 << 20)
        seen.update(line=head.splitlines()[0], length=length, body=body)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with open(path, "rb") as file:
        assert to(serve(talk)).upload(IMPORT, file, query={"name": "a b&c"}, timeout=10).status == 200
    assert seen["line"] == f"POST {IMPORT}?name=a+b%26c HTTP/1.1"
    assert seen["body"] == path.read_bytes() and seen["length"] == 3_000_001


def test_a_connection_that_breaks_in_an_upload_is_an_error_and_not_sent_again(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(bytes(50_000_000))
    arrived: list[int] = []

    def talk(client: socket.socket) -> None:
        head_of(client)
        arrived.append(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with open(path, "rb") as file, pytest.raises(KubeError) as told:
        to(serve(talk)).upload(IMPORT, file, query={"name": "db"}, timeout=10)
    assert told.value.status is None and arrived == [1]


# --- exec


def frame(channel: int, data: bytes) -> bytes:
    payload = bytes([channel]) + data
    size = len(payload)
    head = bytes([0x82, size]) if size < 126 else bytes([0x82, 126]) + size.to_bytes(2, "big")
    return head + payload


class Frames:
    """The client's frames, unmasked."""

    def __init__(self, client: socket.socket, rest: bytes) -> None:
        self.client, self.data = client, rest

    def take(self, count: int) -> bytes:
        while len(self.data) < count:
            more = self.client.recv(1 << 16)
            if not more:
                raise EOFError
            self.data += more
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def next(self) -> bytes:
        size = self.take(2)[1] & 0x7F
        size = int.from_bytes(self.take(2), "big") if size == 126 else int.from_bytes(self.take(8), "big") if size == 127 else size
        mask = self.take(4)
        return bytes(b ^ mask[i % 4] for i, b in enumerate(self.take(size)))


def shake(client: socket.socket) -> tuple[str, Frames]:
    head, rest = head_of(client)
    key = next(line.split(": ")[1] for line in head.splitlines() if line.lower().startswith("sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    client.sendall(
        f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
        "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n".encode()
    )
    return head.splitlines()[0], Frames(client, rest)


SUCCESS = json.dumps({"status": "Success"}).encode()


def failure(code: int) -> bytes:
    return json.dumps({"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}).encode()


def test_stdin_arrives_whole_and_in_order_and_the_code_is_read(serve: Serve) -> None:
    data = os.urandom(100_000)
    seen: dict[str, object] = {}

    def talk(client: socket.socket) -> None:
        line, frames = shake(client)
        got = b""
        while len(got) < len(data):
            piece = frames.next()
            assert piece[0] == 0 and len(piece) <= 32 * 1024 + 1
            got += piece[1:]
        seen.update(line=line, got=got)
        client.sendall(frame(2, b"a warning") + frame(3, SUCCESS))

    pieces = [data[i : i + 33_333] for i in range(0, len(data), 33_333)]
    done = to(serve(talk)).execute("abaci", "abaci-app-0", "app", ("sh", "-c", "x $1", "sh", "/data dir"), timeout=10, stdin=pieces)
    assert seen["got"] == data and (done.code, done.output) == (0, "a warning")
    assert "stdin=true" in str(seen["line"]) and "command=%2Fdata+dir" in str(seen["line"])


def test_stdout_is_handed_on_without_a_limit_and_stderr_is_kept_apart(serve: Serve) -> None:
    data = os.urandom(300_000)
    taken = bytearray()
    seen: list[str] = []

    def talk(client: socket.socket) -> None:
        seen.append(shake(client)[0])
        for i in range(0, len(data), 30_000):
            client.sendall(frame(1, data[i : i + 30_000]))
        client.sendall(frame(2, b"tar: file changed as we read it") + frame(3, failure(1)))

    done = to(serve(talk)).execute("abaci", "abaci-app-1", "app", ("tar",), timeout=10, stdout=taken.extend)
    assert bytes(taken) == data and (done.code, done.output) == (1, "tar: file changed as we read it")
    assert "stdin" not in seen[0]


def test_a_command_that_ends_before_its_input_does(serve: Serve) -> None:
    """Its result, if it still arrives, else an error: never a success."""

    def talk(client: socket.socket) -> None:
        _, frames = shake(client)
        frames.next()
        client.sendall(frame(2, b"No space left on device") + frame(3, failure(2)))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    done = None
    with contextlib.suppress(KubeError):
        done = to(serve(talk)).execute("abaci", "abaci-app-0", "app", ("tar",), timeout=10, stdin=(bytes(30_000) for _ in range(2000)))
    assert done is None or done.code == 2


def test_a_session_that_breaks_in_the_middle_is_an_error(serve: Serve) -> None:
    taken = bytearray()

    def talk(client: socket.socket) -> None:
        shake(client)
        client.sendall(frame(1, b"half"))

    with pytest.raises(KubeError) as told:
        to(serve(talk)).execute("abaci", "abaci-app-1", "app", ("tar",), timeout=10, stdout=taken.extend)
    assert told.value.status is None and bytes(taken) == b"half"
