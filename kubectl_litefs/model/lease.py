"""The lease a pod really runs with, from whatever shows it: the log, LiteFS's own answers, litefs.yml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from .origin import Evidence
from .pod import Pod


@dataclass(frozen=True, slots=True)
class Seen:
    """A value with where it was seen. `observed` is True for what LiteFS itself said (log, /info), False for
    what a file asks for."""

    value: str | bool
    evidence: Evidence
    observed: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """Each part is None where nothing shows it. Observed values win: a file may have changed since the start."""

    type: Seen | None
    candidate: Seen | None
    hostname: Seen | None
    advertise_url: Seen | None
    consul_key: Seen | None

    @property
    def is_static(self) -> bool:
        return self.type is not None and self.type.value == "static"

    @property
    def is_consul(self) -> bool:
        return self.type is not None and self.type.value == "consul"

    @property
    def url(self) -> str | None:
        """The advertise-url; None when unknown or empty."""
        return str(self.advertise_url.value) or None if self.advertise_url else None


@lru_cache(maxsize=64)
def lease_of(pod: Pod) -> Lease:
    """The newest run's start-up line first (`Using static primary: ...`), then /info, then the config.

    The rules ask it of each pod some hundred times. A pod never changes and is equal only to itself.
    """
    start = next((run.lease for run in pod.runs if run.lease), None)

    def from_config(key: str) -> Seen | None:
        value = pod.config.get(key) if pod.config else None
        if value is None or not value.known or value.value is None:
            return None
        return Seen(value.value, value.evidence, observed=False)

    kind, candidate = from_config("lease.type"), from_config("lease.candidate")
    hostname, url = from_config("lease.hostname"), from_config("lease.advertise-url")
    if start is not None:
        kind = Seen(start.type, start.line.evidence, observed=True)
        if start.type == "static":
            hostname = Seen(start.hostname, start.line.evidence, observed=True)
            url = Seen(start.advertise_url, start.line.evidence, observed=True)
            if start.primary is not None:
                candidate = Seen(start.primary, start.line.evidence, observed=True)
    if pod.info is not None and pod.info.candidate is not None:
        candidate = Seen(pod.info.candidate, pod.info.seen("candidate"), observed=True)
    return Lease(kind, candidate, hostname, url, from_config("lease.consul.key"))


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an advertise-url as LiteFS dials it. `port` is 80 or 443 where none is written."""

    scheme: str
    host: str
    port: int
    port_given: bool


def parse_url(url: str) -> Address | None:
    """None where LiteFS would refuse the URL (no scheme but http/https, no host, blanks, a bad port)."""
    if not url or re.search(r"[\s\x00-\x1f\x7f{}]", url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname:
        return None
    return Address(scheme, parts.hostname, port or (443 if scheme == "https" else 80), port is not None)
