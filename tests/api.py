"""A snapshot served as a Kubernetes API: what the API server, the kubelet and LiteFS would answer.

`RecordedApi.answer` is pure; `responses` and the loopback server in `serve` both go through it.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubectl_litefs.model.origin import GapReason
from kubectl_litefs.model.snapshot import Snapshot

GROUPS: dict[str, tuple[str, dict[str, tuple[str, bool]]]] = {
    "v1": ("/api/v1", {
        "pods": ("Pod", True), "services": ("Service", True), "configmaps": ("ConfigMap", True),
        "persistentvolumeclaims": ("PersistentVolumeClaim", True), "events": ("Event", True),
        "persistentvolumes": ("PersistentVolume", False), "nodes": ("Node", False), "namespaces": ("Namespace", False),
    }),
    "apps/v1": ("/apis/apps/v1", {
        "statefulsets": ("StatefulSet", True), "deployments": ("Deployment", True), "daemonsets": ("DaemonSet", True),
    }),
    "discovery.k8s.io/v1": ("/apis/discovery.k8s.io/v1", {"endpointslices": ("EndpointSlice", True)}),
    "networking.k8s.io/v1": ("/apis/networking.k8s.io/v1", {"networkpolicies": ("NetworkPolicy", True), "ingresses": ("Ingress", True)}),
    "autoscaling/v2": ("/apis/autoscaling/v2", {"horizontalpodautoscalers": ("HorizontalPodAutoscaler", True)}),
    "policy/v1": ("/apis/policy/v1", {"poddisruptionbudgets": ("PodDisruptionBudget", True)}),
    "coordination.k8s.io/v1": ("/apis/coordination.k8s.io/v1", {"leases": ("Lease", True)}),
    "storage.k8s.io/v1": ("/apis/storage.k8s.io/v1", {"storageclasses": ("StorageClass", False)}),
}  # fmt: skip

Answer = tuple[int, bytes]


@dataclass
class RecordedApi:
    """`requests` records each path with its query, in the order of arrival."""

    snapshot: Snapshot
    requests: list[str] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        shown = "&".join(f"{k}={v}" for k, v in sorted(query.items()))
        self.requests.append(path + ("?" + shown if shown else ""))
        discovered = _discovery(path)
        if discovered is not None:
            return 200, json.dumps(discovered).encode()
        for version, (prefix, resources) in GROUPS.items():
            if path.startswith(prefix + "/"):
                return self._resource(path[len(prefix) + 1 :].split("/"), query, version, resources)
        return _status(404, "NotFound", "the server could not find the requested resource")

    def _resource(self, parts: list[str], query: dict[str, str], version: str, resources: dict[str, tuple[str, bool]]) -> Answer:
        namespace = None
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        plural, name, rest = parts[0], parts[1] if len(parts) > 1 else None, parts[2:]
        if plural not in resources:
            return _status(404, "NotFound", "the server could not find the requested resource")
        if plural == "pods" and rest[:1] == ["log"]:
            return self._log(str(namespace), str(name), query)
        if plural == "pods" and name and rest[:1] == ["proxy"]:
            return self._litefs(str(namespace), name.split(":")[0], "/".join(rest[1:]))
        kind, namespaced = resources[plural]
        if plural == "namespaces":
            items: list[dict[str, Any]] | None = [{"metadata": {"name": n}} for n in self.snapshot.namespaces]
        else:
            where = [namespace] if namespace else list(self.snapshot.namespaces) if namespaced else ["_cluster"]
            lists = [self._list(w, plural) for w in where]
            items = None if None in lists else [o for one in lists for o in one or ()]
        if items is None:
            return self._gap(f"objects/{where[0]}/{plural}.json")
        if name is None:
            return 200, json.dumps({"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}).encode()
        found = next((o for o in items if o["metadata"]["name"] == name), None)
        if found is None:
            return _status(404, "NotFound", f'{plural} "{name}" not found')
        return 200, json.dumps({"kind": kind, "apiVersion": version, **found}).encode()

    def _list(self, namespace: str, plural: str) -> list[dict[str, Any]] | None:
        item = self.snapshot.items.get(f"objects/{namespace}/{plural}.json")
        if item is not None:
            return list(json.loads(item.read())["items"])
        gap = next((g for g in self.snapshot.gaps if g.what == f"objects/{namespace}/{plural}.json"), None)
        return None if gap is not None and gap.why is not GapReason.NOT_ASKED else []

    def _log(self, namespace: str, pod: str, query: dict[str, str]) -> Answer:
        previous = ".previous" if query.get("previous") in ("true", "1") else ""
        below = f"logs/{namespace}/{pod}/"
        container = query.get("container") or next(
            (p[len(below) :].split(".")[0] for p in sorted(self.snapshot.items) if p.startswith(below)), "app"
        )
        item = self.snapshot.items.get(f"{below}{container}{previous}.log")
        if item is None:
            return self._gap(f"{below}{container}{previous}.log", 400)
        data = item.read()
        if "tailLines" in query:
            data = b"".join(data.splitlines(keepends=True)[-int(query["tailLines"]) :])
        if query.get("timestamps") not in ("true", "1"):
            data = re.sub(rb"(?m)^\d{4}-\d\d-\d\dT\S+ ", b"", data)
        return 200, data[: int(query.get("limitBytes", len(data)))]

    def _litefs(self, namespace: str, pod: str, path: str) -> Answer:
        name = {"info": "info.json", "debug/vars": "vars.json", "metrics": "metrics.txt"}.get(path)
        item = self.snapshot.items.get(f"litefs/{namespace}/{pod}/{name}") if name else None
        return self._gap(f"litefs/{namespace}/{pod}/{name}", 503) if item is None else (200, item.read())

    def _gap(self, path: str, status: int = 404) -> Answer:
        """The error that led to a recorded gap."""
        gap = next((g for g in self.snapshot.gaps if g.what == path), None)
        detail = re.fullmatch(r"Error from server \((\w+)\): (.*?)(?: \(needs: [^)]*\))?", gap.detail, re.DOTALL) if gap else None
        if detail:
            codes = {"Forbidden": 403, "NotFound": 404, "BadRequest": 400, "ServiceUnavailable": 503, "Timeout": 504}
            return _status(codes.get(detail[1], status), detail[1], detail[2])
        return _status(status, {404: "NotFound", 400: "BadRequest"}.get(status, "ServiceUnavailable"), "not in the recording")


def _status(code: int, reason: str, message: str) -> Answer:
    return code, json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code}).encode()


def _discovery(path: str) -> dict[str, Any] | None:
    """What kubectl asks before it does anything."""
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.4"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [g.split("/") for g in GROUPS if "/" in g]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": g, "versions": [{"groupVersion": f"{g}/{v}", "version": v}], "preferredVersion": {"groupVersion": f"{g}/{v}", "version": v}}
            for g, v in groups
        ]}  # fmt: skip
    for version, (prefix, resources) in GROUPS.items():
        if path == prefix:
            named = [
                {"name": p, "singularName": k.lower(), "namespaced": n, "kind": k, "verbs": ["get", "list"],
                 "shortNames": {"persistentvolumeclaims": ["pvc"], "statefulsets": ["sts"], "configmaps": ["cm"]}.get(p, [])}
                for p, (k, n) in resources.items()
            ]  # fmt: skip
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": named}
    return None


@contextmanager
def serve(api: RecordedApi, *, delay: float = 0.0, tls: tuple[str, str] | None = None) -> Iterator[str]:
    """The API on a loopback port; yields its URL. `delay` seconds before each answer; `tls` is (cert, key) files."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
            if delay:
                time.sleep(delay)
            status, body = api.answer(parts.path, query)
            text = "/log" in parts.path or parts.path.endswith("metrics")
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if text and status == 200 else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silence: the tests read api.requests."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # five, the default, drops connections of a parallel client for a second

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
