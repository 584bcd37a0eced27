"""Which HTTP proxy a request goes through, as Go's net/http decides it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from .resolve import Resolved


def proxy_for(resolved: Resolved, environ: Mapping[str, str]) -> str | None:
    """The cluster's proxy-url; else HTTPS_PROXY or HTTP_PROXY by the server's scheme, unless NO_PROXY or loopback.

    ALL_PROXY is ignored. The upper-case variable wins over the lower-case one.
    """
    fixed = resolved.cluster.get("proxy-url")
    if fixed:
        return str(fixed)
    parts = urlsplit(resolved.server)
    name = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    proxy = environ.get(name) or environ.get(name.lower())
    if not proxy or (name == "HTTP_PROXY" and environ.get("REQUEST_METHOD")):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not _wanted(parts.hostname or "", port, environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _wanted(host: str, port: int, no_proxy: str) -> bool:
    """Go's rules: loopback never; `*`; addresses and CIDR blocks; `.a.b` its subdomains, `a.b` itself too."""
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return False
    for entry in (e.strip().lower() for e in no_proxy.split(",")):
        if entry == "*":
            return False
        if entry and _matches(entry, host, port, address):
            return False
    return True


def _matches(entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit() and (":" not in name or name.startswith("[")):
        if int(wanted) != port:
            return False
        entry = name
    own = _address(entry)
    if own is not None:
        return own == address
    entry = entry.removeprefix("*")
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith("." + entry)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
