"""Names of litefs.yml from before 0.5, and the dotted key behind a name that LiteFS's messages print."""

from __future__ import annotations

OLD_FIELDS: dict[str, str] = {
    "mount-dir": "fuse.dir",
    "data-dir": "data.dir",
    "consul": "lease.consul",
    "static": "lease",
    "retention": "data.retention",
    "debug": "fuse.debug",
    "candidate": "lease.candidate",
    "lease.consul.hostname": "lease.hostname",
    "lease.consul.advertise-url": "lease.advertise-url",
}
"""Where versions 0.1 to 0.4 had it -> where 0.5 has it. `static: {primary, hostname, advertise-url}` became `lease`."""

_SECTIONS = {
    "Config": "",
    "DataConfig": "data.",
    "FUSEConfig": "fuse.",
    "HTTPConfig": "http.",
    "ProxyConfig": "proxy.",
    "LeaseConfig": "lease.",
    "BackupConfig": "backup.",
    "LogConfig": "log.",
    "TracingConfig": "tracing.",
    "struct": "lease.consul.",
}
"""The Go type that a message names -> the section (LiteFS, cmd/litefs/config.go)."""


def dotted_key(field: str, go_type: str) -> str:
    """`primary-redirect-url`, `ProxyConfig` -> `proxy.primary-redirect-url`."""
    return _SECTIONS.get(go_type, "") + field


def is_old(key: str) -> bool:
    return key in OLD_FIELDS
