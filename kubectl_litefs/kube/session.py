"""One keep-alive session to one API server. GET only: `writer.py` is the one place that can change a cluster."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3._collections import HTTPHeaderDict

from .. import __version__
from ..errors import KubeError
from .credentials import Credentials
from .resolve import Resolved
from .words import one_line, without_password

CHUNK = 64 * 1024
CONNECTIONS = 24
_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/[^/]+(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)


_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def right_for(path: str, method: str = "GET") -> tuple[str, str]:
    """(verb, resource) that RBAC asks for this request: (`list`, `statefulsets.apps`), (`get`, `pods/log`)."""
    found = _PATH.match(path)
    if found is None:
        return method.lower(), path
    resource = found["resource"] + (f"/{found['sub']}" if found["sub"] else "") + (f".{found['group']}" if found["group"] else "")
    return _VERBS.get(method, "get" if found["name"] else "list"), resource


class _Adapter(HTTPAdapter):
    """Our own TLS context instead of certifi's roots, and headers that may repeat."""

    def __init__(self, context: ssl.SSLContext | None, server_name: str | None, repeated: tuple[tuple[str, str], ...]) -> None:
        self._tls: dict[str, Any] = {"ssl_context": context} if context is not None else {}
        if server_name:
            self._tls |= {"server_hostname": server_name, "assert_hostname": server_name}
        self._repeated = repeated
        super().__init__(pool_connections=2, pool_maxsize=CONNECTIONS, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, **self._tls)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Everything is in the context; the default would trust certifi's roots as well."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        headers = HTTPHeaderDict(request.headers.items())
        for name, value in self._repeated:
            headers.add(name, value)
        request.headers = headers  # type: ignore[assignment]
        return super().send(request, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Wire:
    """How the server is reached, for what is no plain HTTP request."""

    context: ssl.SSLContext | None
    server_name: str | None
    proxy: str | None
    impersonation: tuple[tuple[str, str], ...]


class Session:
    """A `ports.Kube`. Safe in threads: requests' pool is, and no cookie or redirect is kept."""

    def __init__(
        self,
        resolved: Resolved,
        credentials: Credentials,
        context: ssl.SSLContext | None,
        proxy: str | None,
        renew: Callable[[], Credentials] | None = None,
    ) -> None:
        """`renew` fetches new credentials after a 401, as kubectl does with those of a plugin; None: they are fixed."""
        self.server, self.context, self.namespace = without_password(resolved.server), resolved.context, resolved.namespace
        self.cluster: str | None = resolved.cluster_name or None
        self._base = resolved.server
        self._renew = renew
        self.wire = Wire(context, resolved.cluster.get("tls-server-name"), proxy, credentials.impersonation)
        self._insecure = bool(resolved.cluster.get("insecure-skip-tls-verify"))
        self._http = requests.Session()
        self._http.trust_env = False  # netrc, REQUESTS_CA_BUNDLE and the proxy variables are kubectl's to interpret
        self._http.headers.clear()
        self._http.headers["User-Agent"] = f"kubectl-litefs/{__version__}"
        self._http.headers["Accept"] = "application/json, */*"
        self._http.headers["Accept-Encoding"] = "identity"
        if credentials.authorization:
            self._http.headers["Authorization"] = credentials.authorization
        if proxy:
            self._http.proxies = {"http": proxy, "https": proxy}
        adapter = _Adapter(context, resolved.cluster.get("tls-server-name"), credentials.impersonation)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        if self._insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int) -> bytes:
        data = bytearray()
        with self.stream(path, query, timeout=timeout) as chunks:
            for chunk in chunks:
                data += chunk
                if len(data) > max_bytes:
                    verb, resource = right_for(path)
                    message = f"the answer to {path} is larger than {max_bytes} bytes"
                    raise KubeError(message, status=None, reason="TooLarge", verb=verb, resource=resource)
        return bytes(data)

    @contextlib.contextmanager
    def stream(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, idle: float | None = None
    ) -> Iterator[Iterator[bytes]]:
        with self._exchange("GET", path, query, timeout=timeout, idle=idle) as (response, ends):
            yield self._chunks(path, response, ends, timeout)

    @contextlib.contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | BinaryIO | None = None,
        content_type: str = "",
        *,
        timeout: float,
        idle: float | None = None,
    ) -> Iterator[tuple[requests.Response, float]]:
        """(an answer with a 2xx status, when its time is up). Sent once; after a 401 once more with new credentials.
        A file as body is sent from where it stands, in pieces."""
        ends = time.monotonic() + timeout
        url = self._base + quote(path, safe="/:-._~")
        headers = {"Content-Type": content_type} if content_type else None
        quiet = min(timeout, idle or timeout)
        try:
            response = self._send(method, url, query, body, headers, quiet)
            if response.status_code == 401 and self._renew is not None:
                response.close()
                authorization = self._renew().authorization
                if authorization:
                    self._http.headers["Authorization"] = authorization
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
                response = self._send(method, url, query, body, headers, quiet)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise self._unreachable(path, error, timeout, method) from error
        try:
            if response.status_code not in (200, 201, 202) or (method == "GET" and response.status_code != 200):
                raise self._refused(path, response, ends, method)
            yield response, ends
        finally:
            response.close()

    def _send(
        self,
        method: str,
        url: str,
        query: Mapping[str, str] | None,
        body: bytes | BinaryIO | None,
        headers: Mapping[str, str] | None,
        timeout: float,
    ) -> requests.Response:
        return self._http.request(
            method,
            url,
            params=dict(query or {}),
            data=body,
            headers=headers,
            stream=True,
            timeout=timeout,
            allow_redirects=False,
            verify=not self._insecure,
        )

    def _chunks(self, path: str, response: requests.Response, ends: float, timeout: float) -> Iterator[bytes]:
        """Whatever arrives, until the deadline: a server that drips does not get more time for it."""
        raw = response.raw
        read = getattr(raw, "read1", None) or (lambda amount: raw.read(512))
        while True:
            if time.monotonic() > ends:
                raise self._too_slow(path, timeout)
            try:
                chunk = read(CHUNK)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise self._unreachable(path, error, timeout) from error
            if not chunk:
                return
            yield chunk

    def _refused(self, path: str, response: requests.Response, ends: float, method: str) -> KubeError:
        body = bytearray()
        for chunk in self._chunks(path, response, ends, 0):
            body += chunk
            if len(body) > CHUNK:
                break
        status = response.status_code
        reason, message = _status_words(bytes(body), status, response.reason or "")
        verb, resource = right_for(path, method)
        if status == 401:
            message = f"{self.server} refused the credentials: {message}"
            hint = "Log in again, or name another context or user: --context, --user. `kubectl auth whoami` shows who you are."
            return KubeError(message, status=401, reason=reason, verb=verb, resource=resource, hint=hint)
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdigit() else None
        return KubeError(message, status=status, reason=reason, verb=verb, resource=resource, retry_after=seconds)

    def _too_slow(self, path: str, timeout: float, method: str = "GET") -> KubeError:
        verb, resource = right_for(path, method)
        message = f"{self.server} gave no whole answer to {path} within {round(timeout, 1):g} s"
        hint = "Is the API server well? --request-timeout gives it longer."
        return KubeError(message, status=None, reason="Timeout", verb=verb, resource=resource, hint=hint)

    def _unreachable(self, path: str, error: Exception, timeout: float, method: str = "GET") -> KubeError:
        verb, resource = right_for(path, method)
        if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
            return self._too_slow(path, timeout, method)
        text = _ERRNO.sub("", one_line(str(_root(error)), 300))
        if isinstance(error, requests.exceptions.SSLError) or "certificate" in text.lower() or "SSL" in text:
            hint = "Name the cluster's CA: --certificate-authority FILE, or certificate-authority in the kubeconfig."
            return KubeError(f"TLS with {self.server} failed: {text}", status=None, reason="TLS", verb=verb, resource=resource, hint=hint)
        hint = "Is the cluster up, and is this the right context? kubectl config current-context"
        return KubeError(f"cannot reach {self.server}: {text}", status=None, reason="Unreachable", verb=verb, resource=resource, hint=hint)


def _root(error: BaseException) -> BaseException:
    """The innermost cause: `Connection refused` instead of three layers of pools."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        if isinstance(inner, BaseException):
            error = inner
        elif error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__ or error
    return error


def _status_words(body: bytes, status: int, reason: str) -> tuple[str, str]:
    """The API's own reason and message; for anything else a short piece of it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and document.get("kind") == "Status":
        return one_line(str(document.get("reason") or reason or status), 60), one_line(str(document.get("message") or reason), 600)
    text = one_line(re.sub(rb"<[^>]*>", b" ", body[:2000]).decode("utf8", "replace"), 200)
    return one_line(reason or str(status), 60).replace(" ", ""), f"{status} {text or reason}".strip()
