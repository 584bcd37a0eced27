"""What LiteFS checks after it has read litefs.yml: first all that ends with exit code 2, then what fails later."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..model.config import Problem, ProblemKind, Sight, Value
from ..model.origin import Evidence

LEASE_TYPES = ("consul", "static")
BACKUP_TYPES = ("", "file", "litefs-cloud")
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Checker:
    """Judges values. `only_given` leaves out what merely stands nowhere: LiteFS has complained before."""

    values: Mapping[str, Value]
    only_given: bool

    def run(self) -> Iterator[Problem]:
        yield from self.directories()
        yield from self.lease()
        yield from self.later()
        yield from self.proxy()

    def text(self, key: str) -> str | None:
        """The value at a key as text; None where it is unseen, or stands nowhere and must not be judged."""
        value = self.values[key]
        if value.sight is Sight.UNKNOWN or (self.only_given and not value.given):
            return None
        return "" if value.value is None else str(value.value)

    def problem(
        self, key: str, message: str, *others: str, kind: ProblemKind = ProblemKind.VALUE, suggestion: str | None = None
    ) -> Problem:
        sure = all(self.values[k].sight in (Sight.KNOWN, Sight.UNSET) for k in (key, *others))
        return Problem(kind, key, message, suggestion, sure, self.evidence(key, *others))

    def evidence(self, *keys: str) -> Evidence:
        given = [self.values[k] for k in keys if self.values[k].given]
        return (given or [self.values[keys[0]]])[0].evidence

    def directories(self) -> Iterator[Problem]:
        fuse, data = self.text("fuse.dir"), self.text("data.dir")
        if fuse == "":
            yield self.problem("fuse.dir", "fuse directory required")
        if data == "":
            yield self.problem("data.dir", "data directory required")
        if fuse and fuse == data:
            message = "fuse directory and data directory cannot be the same path"
            yield self.problem("data.dir", message, "fuse.dir", kind=ProblemKind.SAME_DIRECTORY)

    def lease(self) -> Iterator[Problem]:
        kind = self.text("lease.type")
        if kind is not None and kind not in LEASE_TYPES:
            message = f"invalid lease type, must be either 'consul' or 'static', got: '{kind}'"
            near = kind.strip().lower()
            yield self.problem("lease.type", message, suggestion=near if near in LEASE_TYPES else None)
        candidate, databases = self.values["lease.candidate"], self.values["lease.databases"]
        if candidate.value is True and databases.value and candidate.sight is not Sight.UNKNOWN:
            message = "cannot specify a database replication filter on candidate nodes"
            kinds = ProblemKind.FILTER_ON_CANDIDATE
            yield self.problem("lease.databases", message, "lease.candidate", kind=kinds)
        consul = any(v.given for k, v in self.values.items() if k.startswith("lease.consul."))
        if kind == "consul" and consul and self.text("lease.consul.key") == "":
            message = "cannot init consul: cannot connect to consul: must specify a consul key"
            yield self.problem("lease.consul.key", message, "lease.type")

    def later(self) -> Iterator[Problem]:
        form = self.text("log.format")
        if form is not None and form not in LOG_FORMATS:
            near = form.lower() if form.lower() in LOG_FORMATS else None
            message = f"init logger: invalid log format: {json.dumps(form, ensure_ascii=False)}"
            yield self.problem("log.format", message, suggestion=near)
        backup = self.text("backup.type")
        if backup is not None and backup not in BACKUP_TYPES:
            message = f"cannot init store: invalid backup client type: {json.dumps(backup, ensure_ascii=False)}"
            yield self.problem("backup.type", message)
        if backup == "file" and self.text("backup.path") == "":
            message = "cannot init store: open file backup client: backup path required"
            yield self.problem("backup.path", message, "backup.type")
        address = self.text("http.addr")
        fault = listen_fault(address) if address else None
        if fault is not None:
            yield self.problem("http.addr", f"cannot init http server: cannot open http server: listen tcp: {fault}")

    def proxy(self) -> Iterator[Problem]:
        target = self.text("proxy.target")
        if not target:
            return
        kind = ProblemKind.PROXY
        if self.text("proxy.db") == "":
            yield self.problem("proxy.db", "cannot run proxy server: proxy database name required", "proxy.target", kind=kind)
        address = self.text("proxy.addr")
        if address == "":
            yield self.problem("proxy.addr", "cannot run proxy server: proxy bind address required", "proxy.target", kind=kind)
        fault = listen_fault(address) if address else None
        if fault is not None:
            yield self.problem("proxy.addr", f"cannot run proxy server: listen tcp: {fault}", kind=kind)
        if "://" in target:
            message = f"proxy.target takes host:port without a scheme; with {target} every request answers 502"
            yield self.problem("proxy.target", message, kind=kind)
        elif ":" not in target:
            message = f"proxy.target {target} names no port; every request answers 502"
            yield self.problem("proxy.target", message, kind=kind)


def listen_fault(address: str) -> str | None:
    """What Go says to an address that it cannot listen on; None for one that it takes, names of ports included."""
    host, colon, port = address.rpartition(":")
    if not colon or (address.startswith("[") and address.endswith("]")):
        return f"address {address}: missing port in address"
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        return f"address {address}: too many colons in address"
    if port.isascii() and port.isdigit() and (len(port) > 6 or int(port) > 65535):
        return f"address {port}: invalid port"
    return None
