"""The checks kubectl makes on a cluster and a user entry before it sends anything.

They follow `tools/clientcmd/validation.go` of client-go: what kubectl refuses is refused here, too.
"""

from __future__ import annotations

from typing import Any

from ..errors import LitefsError, UsageError
from .kubeconfig import Entry, text, unusable

_CLUSTER_TEXTS = ("server", "certificate-authority", "certificate-authority-data", "tls-server-name", "proxy-url")
_USER_TEXTS = (
    "token", "tokenFile", "username", "password", "as", "as-uid",
    "client-certificate", "client-certificate-data", "client-key", "client-key-data",
)  # fmt: skip
PROXY_SCHEMES = ("http", "https", "socks5")
EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def check_cluster(cluster: Entry, name: str) -> None:
    """Raises CouldNotLook, as kubectl fails."""
    where = f"cluster {name}" if name else "the cluster"
    for key in _CLUSTER_TEXTS:
        text(cluster, key, where)
    for key in ("insecure-skip-tls-verify", "disable-compression"):
        if not isinstance(cluster.get(key, False), bool):
            raise unusable(f"{where}: {key} is neither true nor false")
    if cluster.get("certificate-authority") and cluster.get("certificate-authority-data"):
        raise unusable(f"{where} has both certificate-authority and certificate-authority-data: keep one")
    _readable(cluster, "certificate-authority", where)
    proxy = cluster.get("proxy-url")
    if proxy and proxy.partition("://")[0].lower() not in PROXY_SCHEMES:
        raise unusable(f"{where}: proxy-url must begin with http://, https:// or socks5://")


def check_user(user: Entry, name: str, *, by_flags: bool) -> None:
    """Raises CouldNotLook, as kubectl fails; UsageError where only the impersonation flags are wrong."""
    where = f"user {name}" if name else "the user"
    for key in _USER_TEXTS:
        text(user, key, where)
    _check_certificate(user, where)
    if user.get("token") and (user.get("username") or user.get("password")):
        raise unusable(f"{where} has both a token and a user name or password: only one can be used")
    if user.get("exec") is not None:
        _check_exec(user, where)
    _check_impersonation(user, where, by_flags)


def _check_certificate(user: Entry, where: str) -> None:
    if not (user.get("client-certificate") or user.get("client-certificate-data")):
        return
    for key in ("client-certificate", "client-key"):
        if user.get(key) and user.get(f"{key}-data"):
            raise unusable(f"{where} has both {key} and {key}-data: keep one")
    if not (user.get("client-key") or user.get("client-key-data")):
        raise unusable(f"{where} has a client certificate but no client-key")
    _readable(user, "client-certificate", where)
    _readable(user, "client-key", where)


def _check_exec(user: Entry, where: str) -> None:
    plugin = user["exec"]
    if not isinstance(plugin, dict):
        raise unusable(f"{where}: exec holds no fields")
    if user.get("auth-provider") is not None:
        raise unusable(f"{where} has both exec and auth-provider: only one can be used")
    for key in ("command", "apiVersion"):
        if not text(plugin, key, f"{where}: exec"):
            raise unusable(f"{where}: exec has no {key}")
    version = plugin["apiVersion"]
    if version not in EXEC_VERSIONS:
        raise unusable(f"{where}: exec has apiVersion {version}; {' and '.join(EXEC_VERSIONS)} are known")
    for key, kind in (("args", str), ("env", dict)):
        value = plugin.get(key) or []
        if not isinstance(value, list) or not all(isinstance(v, kind) for v in value):
            raise unusable(f"{where}: exec has {key} that are no list of {'texts' if kind is str else 'name and value'}")
    for variable in plugin.get("env") or []:
        if not text(variable, "name", f"{where}: exec.env"):
            raise unusable(f"{where}: exec has an environment variable without a name")
        text(variable, "value", f"{where}: exec.env")
    mode = text(plugin, "interactiveMode", f"{where}: exec") or ("IfAvailable" if version.endswith("v1beta1") else "")
    if mode not in ("Never", "IfAvailable", "Always"):
        raise unusable(f"{where}: exec needs interactiveMode Never, IfAvailable or Always" + (f", not {mode}" if mode else ""))


def _check_impersonation(user: Entry, where: str, by_flags: bool) -> None:
    groups, extra = user.get("as-groups") or [], user.get("as-user-extra") or {}
    if not isinstance(groups, list) or not all(isinstance(g, str) for g in groups):
        raise unusable(f"{where}: as-groups is no list of texts")
    if not isinstance(extra, dict) or not all(isinstance(k, str) and _texts(v) for k, v in extra.items()):
        raise unusable(f"{where}: as-user-extra is no map of names to lists of texts")
    if (groups or extra or user.get("as-uid")) and not user.get("as"):
        wrong: LitefsError
        if by_flags:
            wrong = UsageError("impersonation-without-user", "--as-group and --as-uid need --as USER")
        else:
            wrong = unusable(f"{where} impersonates groups, a uid or extra fields, but no user: as is missing")
        raise wrong


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _readable(entry: Entry, key: str, where: str) -> None:
    if not entry.get(key):
        return
    try:
        with open(entry[key], "rb"):
            return
    except OSError as error:
        raise unusable(f"{where}: {key} {entry[key]} cannot be read: {error.strerror}") from error
