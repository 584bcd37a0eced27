"""The session: deadlines, bounds, errors in one line, and the rights that a request needs."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import responses

from kubectl_litefs.errors import CouldNotLook, KubeError, LitefsError, UsageError
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.kube.connect import connect
from kubectl_litefs.kube.options import ConnectionOptions
from kubectl_litefs.kube.session import right_for
from kubectl_litefs.ports import Kube

from ..servers import serving

SERVER = "http://api.test:6443"


@pytest.fixture(autouse=True)
def no_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def to(server: str) -> Kube:
    return connect(ConnectionOptions(server=server, namespace="abaci"))


@pytest.fixture
def talker() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A loopback server that answers each connection with a function of the test's."""
    servers: list[socketserver.BaseServer] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(65536)
                with contextlib.suppress(OSError):  # the other side has given up: that is what it is tested for
                    answer(self.request)

        server = serving(Handler)
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_that_drips_gets_no_more_time(talker: Callable[[Callable[[socket.socket], None]], str]) -> None:
    gone = threading.Event()

    def drip(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
        for _ in range(200):  # whoever has the patience gets it whole, after 4 s
            if not gone.wait(0.02):
                client.sendall(b"x")

    with pytest.raises(KubeError) as late:
        to(talker(drip)).get("/api/v1/namespaces/abaci/pods", timeout=0.3, max_bytes=1 << 20)
    gone.set()
    assert late.value.reason == "Timeout" and late.value.status is None


def test_a_server_that_says_nothing_is_a_timeout(talker: Callable[[Callable[[socket.socket], None]], str]) -> None:
    gone = threading.Event()
    with pytest.raises(KubeError) as late:
        to(talker(lambda client: gone.wait(5) and None)).get("/version", timeout=0.2, max_bytes=100)
    gone.set()
    assert late.value.reason == "Timeout"


def test_an_answer_that_is_too_large_is_refused(talker: Callable[[Callable[[socket.socket], None]], str]) -> None:
    body = b"x" * 300_000
    url = talker(lambda client: client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body))
    with pytest.raises(KubeError) as large:
        to(url).get("/api/v1/pods", timeout=5, max_bytes=100_000)
    assert large.value.reason == "TooLarge"


def test_a_closed_port_is_one_line_that_names_the_server() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    with pytest.raises(CouldNotLook) as refused:
        to(url).get("/version", timeout=2, max_bytes=100)
    assert url in refused.value.message and "refused" in refused.value.message.lower() and "\n" not in refused.value.message
    assert refused.value.exit_code is ExitCode.COULD_NOT_LOOK and refused.value.hint


def status(code: int, reason: str, message: str) -> str:
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "code": code})


@responses.activate
def test_refusals_carry_the_apis_own_words_and_the_missing_right() -> None:
    path = "/api/v1/namespaces/abaci/pods/abaci-app-0/log"
    responses.get(SERVER + path, status=403, body=status(403, "Forbidden", "no \x1b[31mlogs\nfor you"))
    with pytest.raises(KubeError) as refused:
        to(SERVER).get(path, timeout=5, max_bytes=100)
    error = refused.value
    assert (error.status, error.reason, error.verb, error.resource) == (403, "Forbidden", "get", "pods/log")
    assert error.as_kubectl_prints_it() == "Error from server (Forbidden): no [31mlogs for you"


@responses.activate
def test_401_names_the_server_and_what_to_do() -> None:
    responses.get(SERVER + "/version", status=401, body=status(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(KubeError) as refused:
        to(SERVER).get("/version", timeout=5, max_bytes=100)
    assert SERVER in refused.value.message and refused.value.hint and refused.value.exit_code is ExitCode.COULD_NOT_LOOK


@pytest.mark.parametrize("body", ["<html><h1>502 Bad\x1b[2J Gateway</h1></html>", "", "[1]", "x" * 100_000])
@responses.activate
def test_an_error_that_is_no_status_is_short_and_clean(body: str) -> None:
    responses.get(SERVER + "/version", status=502, body=body)
    with pytest.raises(KubeError) as refused:
        to(SERVER).get("/version", timeout=5, max_bytes=100)
    assert len(refused.value.message) < 300 and refused.value.message.isprintable() and refused.value.status == 502


@responses.activate
def test_redirects_are_not_followed() -> None:
    responses.get(SERVER + "/version", status=302, headers={"Location": "http://elsewhere.test/"})
    with pytest.raises(KubeError) as refused:
        to(SERVER).get("/version", timeout=5, max_bytes=100)
    assert refused.value.status == 302 and len(responses.calls) == 1


@responses.activate
def test_queries_are_encoded() -> None:
    responses.get(SERVER + "/api/v1/pods", body=b"{}")
    to(SERVER).get("/api/v1/pods", {"continue": "a+b/c=="}, timeout=5, max_bytes=100)
    assert responses.calls[0].request.url == SERVER + "/api/v1/pods?continue=a%2Bb%2Fc%3D%3D"


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/api/v1/namespaces/abaci/pods", ("list", "pods")),
        ("/api/v1/pods", ("list", "pods")),
        ("/apis/apps/v1/namespaces/abaci/statefulsets", ("list", "statefulsets.apps")),
        ("/api/v1/namespaces/abaci/configmaps/x", ("get", "configmaps")),
        ("/api/v1/namespaces/abaci/pods/p/log", ("get", "pods/log")),
        ("/api/v1/namespaces/abaci/pods/p:20202/proxy/debug/vars", ("get", "pods/proxy")),
        ("/api/v1/namespaces/abaci", ("get", "namespaces")),
        ("/api/v1/namespaces", ("list", "namespaces")),
        ("/apis/storage.k8s.io/v1/storageclasses", ("list", "storageclasses.storage.k8s.io")),
    ],
)
def test_each_path_names_its_right(path: str, right: tuple[str, str]) -> None:
    assert right_for(path) == right


@pytest.mark.parametrize("server", ["ftp://x", "https://", "http://[", "https://x:port"])
def test_an_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(LitefsError) as refused:
        to(server)
    assert "\n" not in refused.value.message


def test_without_a_kubeconfig_there_is_no_guess(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match="no kubeconfig"):
        connect(ConnectionOptions())
    (tmp_path / "c").write_text("{}")
    with pytest.raises(UsageError):
        connect(ConnectionOptions(kubeconfig=str(tmp_path / "c"), context="x"))


@responses.activate
def test_a_write_is_sent_once_with_its_body_whatever_becomes_of_it() -> None:
    """urllib3 would repeat a DELETE by itself."""
    from kubectl_litefs.kube.connect import connect_writable

    kube = connect_writable(ConnectionOptions(server=SERVER, namespace="abaci"))
    path = "/api/v1/namespaces/abaci/persistentvolumeclaims/c"
    for failure in (ConnectionResetError("reset"), responses.ConnectionError("gone")):
        sent = responses.add(responses.DELETE, SERVER + path, body=failure)
        with pytest.raises(KubeError) as told:
            kube.exchange("DELETE", path, {"preconditions": {"uid": "u"}}, timeout=2)
        assert told.value.status is None and sent.call_count == 1
        assert json.loads(sent.calls[0].request.body or b"") == {"preconditions": {"uid": "u"}}
        responses.reset()


def test_a_delete_that_gets_no_answer_arrives_exactly_once(talker: Callable[[Callable[[socket.socket], None]], str]) -> None:
    from kubectl_litefs.kube.connect import connect_writable

    arrived: list[int] = []

    def hang_up(client: socket.socket) -> None:
        arrived.append(1)

    kube = connect_writable(ConnectionOptions(server=talker(hang_up), namespace="abaci"))
    with pytest.raises(KubeError):
        kube.exchange("DELETE", "/api/v1/namespaces/abaci/pods/x", {"kind": "DeleteOptions"}, timeout=2)
    assert arrived == [1]


@responses.activate
def test_a_401_renews_credentials_of_a_plugin_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from kubectl_litefs.kube.credentials import Credentials
    from kubectl_litefs.kube.resolve import resolve
    from kubectl_litefs.kube.writer import WritingSession

    server = "https://api.test:6443"
    resolved = resolve(ConnectionOptions(server=server, namespace="abaci"), {"KUBECONFIG": "/none"})
    renewals: list[int] = []

    def renew() -> Credentials:
        renewals.append(1)
        return Credentials("Bearer new", None, ())

    kube = WritingSession(resolved, Credentials("Bearer old", None, ()), None, None, renew)
    url = server + "/api/v1/namespaces/abaci/pods/x"
    responses.add(responses.DELETE, url, status=401, json={"kind": "Status", "reason": "Unauthorized"})
    responses.add(responses.DELETE, url, status=200, json={"kind": "Status", "status": "Success"})
    assert kube.exchange("DELETE", "/api/v1/namespaces/abaci/pods/x", {}, timeout=2).status == 200
    assert [c.request.headers["Authorization"] for c in responses.calls] == ["Bearer old", "Bearer new"]
    responses.add(responses.DELETE, url, status=401, json={"kind": "Status", "reason": "Unauthorized"})
    responses.add(responses.DELETE, url, status=401, json={"kind": "Status", "reason": "Unauthorized"})
    with pytest.raises(KubeError) as told:
        kube.exchange("DELETE", "/api/v1/namespaces/abaci/pods/x", {}, timeout=2)
    assert told.value.status == 401 and len(renewals) == 2


@responses.activate
def test_retry_after_is_kept() -> None:
    responses.add(responses.GET, SERVER + "/api/v1/pods", status=429, headers={"Retry-After": "7"}, json={"kind": "Status", "reason": "TooManyRequests"})
    with pytest.raises(KubeError) as told:
        to(SERVER).get("/api/v1/pods", timeout=2, max_bytes=100)
    assert (told.value.status, told.value.retry_after) == (429, 7)
