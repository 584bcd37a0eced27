"""What LiteFS itself answered on its HTTP port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .origin import Evidence


@dataclass(frozen=True, slots=True)
class Info:
    """GET /info, both shapes: up to 0.5.6 `primary` is the boolean, from 0.5.7 `isPrimary` and `primary.hostname`.

    `lines` maps a JSON key (`clusterID`, `isPrimary`, `candidate`, `primary.hostname`) to where it stood.
    """

    source: str
    cluster_id: str | None
    is_primary: bool
    candidate: bool | None
    path: str | None
    primary_hostname: str | None
    lines: Mapping[str, Evidence]

    def seen(self, key: str) -> Evidence:
        return self.lines.get(key) or Evidence(self.source, 1, f"{key} is absent")


@dataclass(frozen=True, slots=True)
class Database:
    """One of `store.dbs` in /debug/vars. `txid` 0 is an empty shell, not data."""

    name: str
    txid: int
    checksum: str
    evidence: Evidence

    @property
    def position(self) -> str:
        """`0000000000000007/aa50e9c731d14fcb`, as LiteFS writes it."""
        return f"{self.txid:016x}/{self.checksum}"


@dataclass(frozen=True, slots=True)
class Metrics:
    """The gauges of GET /metrics that start with `litefs_`, by name with labels as written."""

    source: str
    values: Mapping[str, float]
    lines: Mapping[str, Evidence]

    @property
    def subscribers(self) -> int | None:
        """`litefs_subscriber_count`. Can be too high (half-open connections), is never too low."""
        value = self.values.get("litefs_subscriber_count")
        return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One look at a node. Parts that did not answer are None; the pod's gaps say why."""

    info: Info | None
    databases: tuple[Database, ...] | None
    metrics: Metrics | None

    def database(self, name: str) -> Database | None:
        return next((d for d in self.databases or () if d.name == name), None)

    @property
    def with_data(self) -> tuple[Database, ...]:
        """Databases above txid 0."""
        return tuple(d for d in self.databases or () if d.txid > 0)
