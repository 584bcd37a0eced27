"""Kubeconfigs, flags and environments: what kubectl does with them is what this tool must do.

`{A}` and `{B}` are TLS servers, `{H}` a plain one, `{P}` a proxy, `{ca}` and the like certificate files, `{dir}` the case's
own folder. `fails` marks cases in which no request may be made.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    name: str
    files: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    fails: bool = False
    home: bool = False
    """The first file is ~/.kube/config and no KUBECONFIG is set."""


def config(server: str = "{A}", *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, namespace: str | None = "ns", name: str = "x", current: str | None = "x") -> dict[str, Any]:
    entry = {"server": server, "certificate-authority": "{ca}", **(cluster or {})}
    if server.startswith("{H}") or "certificate-authority-data" in entry or entry.get("insecure-skip-tls-verify"):
        entry.pop("certificate-authority", None) if not (cluster or {}).get("certificate-authority") else None
    context = {"cluster": name, "user": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "v1", "kind": "Config", **({"current-context": current} if current else {}),
        "clusters": [{"name": name, "cluster": {k: v for k, v in entry.items() if v is not None}}],
        "users": [{"name": name, "user": {"token": "tok-" + name} if user is None else user}],
        "contexts": [{"name": name, "context": context}],
    }  # fmt: skip


def b64(path: str) -> str:
    return base64.b64encode(Path(path).read_bytes()).decode()


def two() -> dict[str, Any]:
    """Two contexts in one file."""
    a, b = config(name="a", current="a"), config("{B}", name="b", namespace="other")
    return {**a, **{k: a[k] + b[k] for k in ("clusters", "users", "contexts")}}


def plugin(script: str, **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script], "interactiveMode": "Never", **more}}


TOKEN = """echo '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"from-plugin"}}}}'"""
ONE = {"config": config()}
IMPERSONATE = {"token": "t", "as": "jane", "as-groups": ["g1", "g2"], "as-uid": "42", "as-user-extra": {"scopes": ["a", "b"]}}


def cases(certs: Any) -> list[Case]:
    ca_data = b64(certs.ca)
    client_data = {"client-certificate-data": b64(certs.client[0]), "client-key-data": b64(certs.client[1])}
    client_files = {"client-certificate": "{client}", "client-key": "{client_key}"}
    return [
        Case("one-file", ONE),
        Case("home-config", ONE, home=True),
        Case("first-of-two-wins-the-context", {"a": config(name="a", current="a"), "b": config("{B}", name="b", current="b")}),
        Case("context-of-the-second-file", {"a": config(name="a", current="a"), "b": config("{B}", name="b", current="b")}, args=("--context", "b")),
        Case("same-name-first-wins", {"a": config(name="x"), "b": config("{B}", name="x")}),
        Case("missing-file-in-the-list", {"missing": None, "b": config("{B}")}),
        Case("empty-file-in-the-list", {"empty": "", "b": config("{B}")}),
        Case("empty-variable-is-home", {"config": config()}, env={"KUBECONFIG": ""}, home=True),
        Case("kubeconfig-flag-beats-the-variable", {"a": config(), "b": config("{B}")}, args=("--kubeconfig", "{dir}/b")),
        Case("kubeconfig-flag-must-exist", ONE, args=("--kubeconfig", "{dir}/none"), fails=True),
        Case("broken-yaml", {"config": "clusters: [\n"}, fails=True),
        Case("unknown-context", ONE, args=("--context", "nope"), fails=True),
        Case("unknown-cluster", ONE, args=("--cluster", "nope"), fails=True),
        Case("unknown-user", ONE, args=("--user", "nope"), fails=True),
        Case("current-context-that-is-not-there", {"config": config(current="gone")}, fails=True),
        Case("another-cluster", {"config": two()}, args=("--cluster", "b")),
        Case("another-user", {"config": two()}, args=("--user", "b")),
        Case("another-context", {"config": two()}, args=("--context", "b")),
        Case("namespace-flag", ONE, args=("-n", "flag")),
        Case("context-without-namespace", {"config": config(namespace=None)}),
        Case("server-flag", ONE, args=("-s", "{B}")),
        Case("server-flag-with-token", ONE, args=("--server", "{B}", "--token", "flag")),
        Case("server-flag-alone-over-http", {}, args=("--server", "{H}", "--token", "flag")),
        Case("token-flag", ONE, args=("--token", "flag")),
        Case("token-file", {"config": config(user={"tokenFile": "{dir}/token"}), "+token": "from-file\n"}),
        Case("token-file-beats-token", {"config": config(user={"token": "inline", "tokenFile": "{dir}/token"}), "+token": "from-file\n"}),
        Case("token-flag-and-token-file", {"config": config(user={"tokenFile": "{dir}/token"}), "+token": "from-file\n"}, args=("--token", "flag")),
        Case("basic", {"config": config(user={"username": "u", "password": "p"})}),
        Case("token-and-basic", {"config": config(user={"token": "t", "username": "u", "password": "p"})}, fails=True),
        Case("no-token-over-http", {"config": config("{H}")}),
        Case("impersonation-over-http", {"config": config("{H}", user=IMPERSONATE)}),
        Case("impersonation-in-the-user-entry", {"config": config(user=IMPERSONATE)}),
        Case("as-flag", ONE, args=("--as", "jane")),
        Case("as-flag-with-groups-and-uid", ONE, args=("--as", "jane", "--as-group", "a", "--as-group", "b", "--as-uid", "7")),
        Case("as-flag-over-the-entry", {"config": config(user=IMPERSONATE)}, args=("--as", "joe")),
        Case("as-group-without-as", ONE, args=("--as-group", "a"), fails=True),
        Case("client-certificate-files", {"config": config(user=client_files)}),
        Case("client-certificate-data", {"config": config(user=client_data)}),
        Case("client-certificate-and-token", {"config": config(user={**client_data, "token": "t"})}),
        Case("client-certificate-by-flags", {"config": config(user={})}, args=("--client-certificate", "{client}", "--client-key", "{client_key}")),
        Case("client-certificate-without-key", {"config": config(user={"client-certificate": "{client}"})}, fails=True),
        Case("relative-paths", {"sub/config": config(cluster={"certificate-authority": "../rel-ca.pem"}), "+rel-ca.pem": Path(certs.ca).read_text()}),
        Case("ca-data", {"config": config(cluster={"certificate-authority-data": ca_data})}),
        Case("ca-file-and-data", {"config": config(cluster={"certificate-authority": "{ca}", "certificate-authority-data": ca_data})}, fails=True),
        Case("ca-flag", {"config": config(cluster={"certificate-authority": None})}, args=("--certificate-authority", "{ca}")),
        Case("wrong-ca", {"config": config(cluster={"certificate-authority": "{other_ca}"})}, fails=True),
        Case("no-ca", {"config": config(cluster={"certificate-authority": None})}, fails=True),
        Case("ssl-cert-file", {"config": config(cluster={"certificate-authority": None})}, env={"SSL_CERT_FILE": "{ca}"}),
        Case("requests-ca-bundle-is-ignored", {"config": config(cluster={"certificate-authority": None})}, env={"REQUESTS_CA_BUNDLE": "{ca}"}, fails=True),
        Case("insecure", {"config": config(cluster={"insecure-skip-tls-verify": True})}),
        Case("insecure-flag", {"config": config(cluster={"certificate-authority": "{other_ca}"})}, args=("--insecure-skip-tls-verify",)),
        Case("tls-server-name", {"config": config(cluster={"tls-server-name": "kube.test"})}),
        Case("tls-server-name-flag", ONE, args=("--tls-server-name", "kube.test")),
        Case("wrong-tls-server-name", {"config": config(cluster={"tls-server-name": "nope.test"})}, fails=True),
        Case("exec-token", {"config": config(user=plugin(TOKEN))}),
        Case("exec-fails", {"config": config(user=plugin("exit 3"))}, fails=True),
        Case("exec-says-nothing", {"config": config(user=plugin("true"))}, fails=True),
        Case("exec-missing", {"config": config(user=plugin("x", command="no-such-plugin-here", installHint="get it"))}, fails=True),
        Case("exec-and-token", {"config": config(user={"token": "t", **plugin(TOKEN)})}),
        Case("proxy-url", {"config": config("https://kube.test:6443", cluster={"proxy-url": "{P}"})}),
        Case("proxy-url-for-loopback", {"config": config(cluster={"proxy-url": "{P}"})}),
        Case("https-proxy", {"config": config("https://kube.test:6443")}, env={"HTTPS_PROXY": "{P}"}),
        Case("https-proxy-lower-case", {"config": config("https://kube.test:6443")}, env={"https_proxy": "{P}"}),
        Case("https-proxy-not-for-loopback", ONE, env={"HTTPS_PROXY": "{P}"}),
        Case("no-proxy-host", {"config": config("https://kube.test:6443")}, env={"HTTPS_PROXY": "{P}", "NO_PROXY": "kube.test"}, fails=True),
        Case("no-proxy-other-host", {"config": config("https://kube.test:6443")}, env={"HTTPS_PROXY": "{P}", "NO_PROXY": "other.test,.example"}),
        Case("all-proxy-is-ignored", ONE, env={"ALL_PROXY": "http://127.0.0.1:9"}),
        Case("server-with-a-prefix", {"config": config("{A}/prefix")}),
        Case("server-with-a-slash", {"config": config("{A}/")}),
        Case("server-localhost", {"config": config("https://localhost:{A_port}")}),
        Case("netrc-is-ignored", {"config": config(user=client_files), "+.netrc": "machine 127.0.0.1 login u password p\n"}),
        Case("no-kubeconfig", {}, fails=True),
    ]
