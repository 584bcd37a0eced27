"""Every key of litefs.yml: type, default, the first version that knows it (LiteFS 0.5.14, cmd/litefs/config.go)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MINUTE, HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Field:
    """`type` is bool, int, string, duration (seconds) or list (of strings). `since` None: all of 0.5."""

    type: str
    default: Any = ""
    since: str | None = None


FIELDS: dict[str, Field] = {
    "exit-on-error": Field("bool", True),
    "skip-sync": Field("bool", False),
    "strict-verify": Field("bool", False),
    "data.dir": Field("string", "/var/lib/litefs"),
    "data.compress": Field("bool", True),
    "data.retention": Field("duration", 10 * MINUTE),
    "data.retention-monitor-interval": Field("duration", MINUTE),
    "fuse.dir": Field("string", "/litefs"),
    "fuse.allow-other": Field("bool", False),
    "fuse.debug": Field("bool", False),
    "http.addr": Field("string", ":20202"),
    "http.snapshot-timeout": Field("duration", 0.0, "0.5.5"),
    "proxy.addr": Field("string"),
    "proxy.target": Field("string"),
    "proxy.db": Field("string"),
    "proxy.max-lag": Field("duration", 10.0, "0.5.3"),
    "proxy.debug": Field("bool", False),
    "proxy.passthrough": Field("list", []),
    "proxy.always-forward": Field("list", [], "0.5.8"),
    "proxy.primary-redirect-timeout": Field("duration", 5.0, "0.5.7"),
    "proxy.read-timeout": Field("duration", 0.0, "0.5.9"),
    "proxy.read-header-timeout": Field("duration", 10.0, "0.5.9"),
    "proxy.write-timeout": Field("duration", 0.0, "0.5.9"),
    "proxy.idle-timeout": Field("duration", 30.0, "0.5.9"),
    "lease.type": Field("string"),
    "lease.hostname": Field("string"),
    "lease.advertise-url": Field("string"),
    "lease.candidate": Field("bool", True),
    "lease.promote": Field("bool", False),
    "lease.reconnect-delay": Field("duration", 1.0),
    "lease.demote-delay": Field("duration", 10.0),
    "lease.databases": Field("list", [], "0.5.7"),
    "lease.consul.url": Field("string"),
    "lease.consul.key": Field("string"),
    "lease.consul.ttl": Field("duration", 10.0),
    "lease.consul.lock-delay": Field("duration", 1.0),
    "backup.type": Field("string"),
    "backup.path": Field("string"),
    "backup.url": Field("string"),
    "backup.cluster": Field("string"),
    "backup.auth-token": Field("string"),
    "log.format": Field("string", "text"),
    "log.timestamp": Field("bool", False),
    "log.debug": Field("bool", False),
    "tracing.enabled": Field("bool", True, "0.5.3"),
    "tracing.path": Field("string"),
    "tracing.max-size": Field("int", 64),
    "tracing.max-count": Field("int", 8),
    "tracing.compress": Field("bool", True),
}

SECTIONS: dict[str, str] = {
    "": "main.Config",
    "data": "main.DataConfig",
    "fuse": "main.FUSEConfig",
    "http": "main.HTTPConfig",
    "proxy": "main.ProxyConfig",
    "lease": "main.LeaseConfig",
    "lease.consul": 'struct { URL string "yaml:\\"url\\""; Key string "yaml:\\"key\\""; '
    'TTL time.Duration "yaml:\\"ttl\\""; LockDelay time.Duration "yaml:\\"lock-delay\\"" }',
    "backup": "main.BackupConfig",
    "log": "main.LogConfig",
    "tracing": "main.TracingConfig",
}
"""Section -> the name of its Go type, which LiteFS's messages print."""

GO_TYPES = {"bool": "bool", "int": "int", "string": "string", "duration": "time.Duration", "list": "[]string"}
EXEC_KEYS = ("cmd", "if-candidate")

_GONE = frozenset({"proxy.primary-redirect-url", "lease.is-primary", "log.level"})
"""People write them; there is no such setting, and the nearest name means something else."""


def join_key(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def children(section: str) -> list[str]:
    """The names that may stand in a section."""
    prefix = f"{section}." if section else ""
    keys = [*FIELDS, *SECTIONS, *(["exec"] if not section else [])]
    names = {k[len(prefix) :].split(".")[0] for k in keys if k.startswith(prefix) and k != section}
    return sorted(n for n in names if n)


def suggest(section: str, name: str) -> str | None:
    """The dotted key that an unknown name most likely means; None where there is no such setting."""
    key = join_key(section, name)
    if key in _GONE:
        return None
    plain = name.replace("_", "-").lower()
    valid = {n.replace("-", ""): n for n in children(section)}
    if plain.replace("-", "") in valid:
        return join_key(section, valid[plain.replace("-", "")])
    near = difflib.get_close_matches(plain[:100], children(section), 1, 0.8)
    if near:
        return join_key(section, near[0])
    elsewhere = [k for k in [*FIELDS, *SECTIONS] if k.split(".")[-1] == name]
    return elsewhere[0] if len(elsewhere) == 1 else None


def nearest(name: str, known: Sequence[str]) -> str:
    """`did you mean X?`, or all there are: the second half of a complaint."""
    near = difflib.get_close_matches(name[:100], list(known), 1, 0.6)
    return f"did you mean {near[0]}?" if near else "there is " + ", ".join(known)
