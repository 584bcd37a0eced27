"""What proves who we are: headers and a client certificate, as kubectl would send them."""

from __future__ import annotations

import base64
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..errors import CouldNotLook
from .kubeconfig import Entry, unusable
from .resolve import Resolved
from .words import one_line


@dataclass(frozen=True, slots=True)
class Credentials:
    """`certificate` is (certificate, key), each a path or PEM bytes. `impersonation` may repeat a header."""

    authorization: str | None = field(repr=False)
    certificate: tuple[str | bytes, str | bytes] | None = field(repr=False)
    impersonation: tuple[tuple[str, str], ...]


def credentials(resolved: Resolved) -> Credentials:
    """Over plain http only the impersonation headers: kubectl sends no secret in clear.

    Raises CouldNotLook where credentials cannot be had; it never goes on without them.
    """
    user = resolved.user
    if not resolved.secure:
        return Credentials(None, None, _impersonation(user))
    if not resolved.user_known:
        return Credentials(None, None, _impersonation(user))
    certificate, authorization = _certificate(user), _static(user)
    if authorization is None and (user.get("exec") is not None or user.get("auth-provider") is not None):
        authorization, plugged = _from_loader(resolved)
        certificate = certificate or plugged
    return Credentials(authorization, certificate, _impersonation(user))


def _static(user: Entry) -> str | None:
    """The token file wins over the token; basic only without both."""
    if user.get("tokenFile"):
        try:
            token = Path(user["tokenFile"]).read_text("utf8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if not user.get("token"):
                raise unusable(f"the token file {user['tokenFile']} cannot be read: {error}") from error
            token = user["token"]
        return f"Bearer {token}" if token else None
    if user.get("token"):
        return f"Bearer {user['token']}"
    if user.get("username") or user.get("password"):
        pair = f"{user.get('username') or ''}:{user.get('password') or ''}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    return None


def _certificate(user: Entry) -> tuple[str | bytes, str | bytes] | None:
    parts = [_pem(user, key) for key in ("client-certificate", "client-key")]
    return (parts[0], parts[1]) if parts[0] and parts[1] else None


def _pem(entry: Entry, key: str) -> str | bytes:
    data = entry.get(f"{key}-data")
    if data:
        return decoded(data, key)
    return str(entry.get(key) or "")


def decoded(data: str, key: str) -> bytes:
    try:
        return base64.b64decode(data, validate=False)
    except ValueError as error:
        raise unusable(f"{key}-data is no base64: {error}") from error


def _impersonation(user: Entry) -> tuple[tuple[str, str], ...]:
    headers = [("Impersonate-User", user["as"])] if user.get("as") else []
    headers += [("Impersonate-Uid", user["as-uid"])] if user.get("as-uid") else []
    headers += [("Impersonate-Group", group) for group in user.get("as-groups") or []]
    for key, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{_header(key)}", value) for value in values or []]
    return tuple(headers)


def _header(key: str) -> str:
    """Percent-encode what cannot stand in a header's name, as client-go does."""
    token = set("!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return "".join(c if c in token else "".join(f"%{b:02X}" for b in c.encode()) for c in key)


def _from_loader(resolved: Resolved) -> tuple[str | None, tuple[str | bytes, str | bytes] | None]:
    """Exec plugins and auth providers, by the `kubernetes` package, fed one resolved entry of each kind.

    The package logs a plugin's failure and goes on anonymously: here that ends the run, with the plugin's install hint.
    """
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader

    name = resolved.user_name or "user"
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": _cluster(resolved)}],
        "users": [{"name": name, "user": dict(resolved.user)}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": name}}],
    }  # fmt: skip
    loaded: Any = SimpleNamespace(api_key={}, cert_file=None, key_file=None, verify_ssl=True, ssl_ca_cert=None, host="")
    plugin = resolved.user.get("exec") or {}
    with _log_kept() as said:
        try:
            KubeConfigLoader(config_dict=config, config_base_path="").load_and_set(loaded)
        except (ConfigException, OSError, ValueError, KeyError) as error:
            said.append(str(error))
    token = next((str(v) for v in loaded.api_key.values()), None)
    certificate = _read_pair(loaded.cert_file, loaded.key_file)
    if token is None and certificate is None:
        what = f"exec plugin {plugin.get('command')}" if plugin else "auth-provider"
        reason = one_line("; ".join(said) or "it gave neither a token nor a certificate", 300)
        raise CouldNotLook("no-credentials", f"the {what} of user {name} gave no credentials: {reason}", hint=_hint(plugin))
    return token, certificate


def _hint(plugin: Any) -> str | None:
    hint = plugin.get("installHint") if isinstance(plugin, dict) else None
    return one_line(hint, 600) if isinstance(hint, str) else None


def _read_pair(cert: str | None, key: str | None) -> tuple[bytes, bytes] | None:
    if not cert or not key:
        return None
    return Path(cert).read_bytes(), Path(key).read_bytes()


def _cluster(resolved: Resolved) -> dict[str, Any]:
    """With a plugin that wants the cluster's data the CA goes along as data, as kubectl passes it."""
    cluster = {**resolved.cluster, "server": resolved.server}
    file = cluster.pop("certificate-authority", None)
    if file and not cluster.get("certificate-authority-data"):
        cluster["certificate-authority-data"] = base64.b64encode(Path(file).read_bytes()).decode()
    return cluster


@contextlib.contextmanager
def _log_kept() -> Iterator[list[str]]:
    """What the package says to the root logger goes into our one line instead of onto the terminal."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    root = logging.getLogger()
    before, root.handlers = root.handlers, [Keep()]
    try:
        yield said
    finally:
        root.handlers = before
