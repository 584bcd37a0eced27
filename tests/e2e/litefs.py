"""A stand-in for LiteFS in one played pod. It is not LiteFS: what LiteFS really does, only LiteFS shows.

It keeps a cluster id and SQLite files on its volume, answers LiteFS's HTTP API for reading at the pod's address, writes
LiteFS's log lines, makes an id as a candidate, adopts the primary's as an empty replica, and refuses another cluster's.
Whole files are copied in place of transactions."""

from __future__ import annotations

import json
import re
import secrets
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from .databases import Databases
from .litefs_http import Answer, Server

PORT = 20202
LOOK = 0.1
"""How often a replica that is connected looks for something new."""
RETRY = 1.0
"""How often a replica that is refused tries again; LiteFS's own interval."""
_VARIABLE = re.compile(r"""\$\{\s*(?P<name>\w+)\s*(?:(?P<op>==|!=)\s*(?P<right>'[^']*'|"[^"]*"|\w+)\s*)?\}|\$(?P<plain>\w+)""")
_MIGRATION = re.compile(r"""^sh -c 'sqlite3 /litefs/(\S+) "([^"]*)"'$""")
"""The one kind of command in `exec` that is played: SQL for a database, run by the candidate at its start."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """$A, ${A}, ${A == 'b'} and ${A != B}, as LiteFS does it."""

    def value(m: re.Match[str]) -> str:
        if m["plain"]:
            return env.get(m["plain"], "")
        left, right = env.get(m["name"], ""), m["right"]
        if not m["op"]:
            return left
        right = right[1:-1] if right[0] in "'\"" else env.get(right, "")
        return str((left == right) == (m["op"] == "==")).lower()

    return _VARIABLE.sub(value, text)


class Log:
    """What the container has written, one entry a line."""

    def __init__(self) -> None:
        self._lines: list[tuple[datetime, str]] = []
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        with self._lock:
            self._lines.append((datetime.now(timezone.utc), line))

    def info(self, message: str) -> None:
        self.write(f"level=INFO msg={json.dumps(message, ensure_ascii=False)}")

    def lines(self) -> list[tuple[datetime, str]]:
        with self._lock:
            return list(self._lines)


@dataclass
class Peers:
    """Who can be dialled: what DNS and the network are in a cluster. A test may cut a pod off with `cut`."""

    nodes: dict[tuple[str, str], LiteFS] = field(default_factory=dict)
    cut: set[tuple[str, str]] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)
    """Tracebacks of the stand-ins themselves; a test run with any has failed."""

    def dial(self, url: str) -> LiteFS | str:
        """The stand-in behind an advertise-url, or why there is none."""
        host = urllib.parse.urlsplit(url).hostname or ""
        pod, _, namespace, *_ = [*host.split("."), "", "", ""]
        node = self.nodes.get((namespace, pod))
        if node is None:
            return f"dial tcp: lookup {host}: no such host"
        if (namespace, pod) in self.cut or not node.serving:
            return f"dial tcp {node.address}:{PORT}: connect: connection refused"
        return node


class LiteFS:
    """One run of one container."""

    def __init__(self, peers: Peers, namespace: str, pod: str, address: str, volume: Path, config: str, env: Mapping[str, str]) -> None:
        self.peers, self.namespace, self.pod, self.address, self.volume = peers, namespace, pod, address, volume
        settings = yaml.safe_load(expand(config, env))
        lease: dict[str, Any] = settings["lease"]
        self.migrations = [m for e in settings["exec"] if e.get("if-candidate") for m in _MIGRATION.findall(e["cmd"])]
        self.candidate = True if lease.get("candidate") is None else bool(lease["candidate"])
        self.hostname, self.url = str(lease["hostname"]), str(lease["advertise-url"])
        self.id, self.log = secrets.token_hex(8).upper(), Log()
        self.databases = Databases(volume / "dbs")
        self.following, self.serving = False, False
        self.ready = threading.Event()
        """Connected once in this run: from then on it heeds SIGTERM."""
        self.alter: Callable[[str, Answer], Answer] | None = None
        """A test's way to make it lie, fail or hang: gets the path asked for and the true answer."""
        self._ended = threading.Event()
        self._server = Server(self, address, PORT)
        self._thread = threading.Thread(target=self._run, name=f"litefs {namespace}/{pod}", daemon=True)

    @property
    def cluster(self) -> str:
        """The cluster id on the volume; empty where there is none."""
        file = self.volume / "clusterid"
        return file.read_text().strip() if file.exists() else ""

    def adopt(self, cluster: str) -> None:
        (self.volume / "clusterid.tmp").write_text(cluster + "\n")
        (self.volume / "clusterid.tmp").replace(self.volume / "clusterid")

    def start(self) -> None:
        self.log.write("LiteFS stand-in of the tests, this is not LiteFS")
        self.log.info(f"Using static primary: primary={str(self.candidate).lower()} hostname={self.hostname} advertise-url={self.url}")
        if self.cluster:
            self.log.info(f'using existing cluster id: "{self.cluster}"')
        self._server.start()
        self.peers.nodes[self.namespace, self.pod] = self
        self.serving = True
        self._thread.start()

    def stop(self) -> None:
        self.serving = False
        self._ended.set()
        self._thread.join()
        self._server.stop()
        if self.peers.nodes.get((self.namespace, self.pod)) is self:
            del self.peers.nodes[self.namespace, self.pod]

    def say(self, message: str) -> None:
        self.log.info(f"{self.id}: {message}")

    # --- what it answers ---
    def subscribers(self) -> int:
        others = list(self.peers.nodes.values())
        return sum(1 for o in others if o.following and o.peers.dial(o.url) is self) if self.candidate else 0

    def info(self) -> dict[str, Any]:
        primary = self.hostname if self.candidate or self.following else ""
        known = {"clusterID": self.cluster} if self.cluster else {}
        return {**known, "isPrimary": self.candidate, "candidate": self.candidate, "path": "/var/lib/litefs", "primary": {"hostname": primary}}

    def variables(self) -> dict[str, Any]:
        names = ["pending", "shared", "reserved", "write", "ckpt", "recover", *(f"read{i}" for i in range(5)), "dms"]
        dbs = {
            n: {"name": n, "txid": f"{p.txid:016x}", "checksum": f"{p.checksum:016x}", "locks": dict.fromkeys(names, "unlocked")}
            for n, p in self.databases.positions().items()
        }
        return {"cmdline": ["litefs", "mount"], "memstats": {}, "store": {"isPrimary": self.candidate, "candidate": self.candidate, "dbs": dbs}}

    def metrics(self) -> str:
        dbs, peers = self.databases.positions(), self.subscribers()
        rows = [("litefs_db_count", len(dbs)), *((f'litefs_db_txid{{db="{n}"}}', p.txid) for n, p in dbs.items())]
        rows += [("litefs_http_stream_count", peers), ("litefs_is_primary", int(self.candidate)), ("litefs_lag_seconds", 0), ("litefs_subscriber_count", peers)]
        return "".join(f"# TYPE {name.split('{')[0]} gauge\n{name} {value}\n" for name, value in rows)

    # --- what it does ---
    def _run(self) -> None:
        if self.candidate:
            self.say(f"primary lease acquired, advertising as {self.url}")
            if not self.cluster:
                self.adopt("LFSC" + secrets.token_hex(8).upper())
                self.log.info(f'set cluster id on "static" lease "{self.cluster}"')
        for line in ("LiteFS mounted to: /litefs", f"http server listening on: http://localhost:{PORT}", "waiting to connect to cluster"):
            self.log.info(line)
        if self.candidate:
            for database, statements in self.migrations:
                for statement in statements.split(";"):
                    self.databases.execute(database, statement)
            self._connected()
            self._ended.wait()
            return
        while not self._ended.is_set():
            self.say(f'existing primary found ({self.hostname}), connecting as replica to "{self.url}"')
            reason = self._follow()
            self.following = False
            if reason:
                self.say(f"disconnected from primary with error, retrying: {reason}")
            elif not self._ended.is_set():
                self.say("disconnected from primary, retrying")
            self._ended.wait(RETRY)

    def _connected(self) -> None:
        if not self.ready.is_set():
            self.log.info("connected to cluster, ready")
            self.log.info("starting background subprocess: sleep [infinity]")
            self.log.write("waiting for signal or subprocess to exit")
            self.ready.set()

    def _follow(self) -> str:
        """Follow until the connection ends; why it could not be made, or nothing."""
        primary = self.peers.dial(self.url)
        if isinstance(primary, str):
            return f"connect to primary: Post \"{self.url}/stream\": {primary} ('{self.url}')"
        if primary is self:
            return f"connect to primary: invalid response: code=400 ('{self.url}')"
        if not primary.candidate or not primary.cluster:
            return f"connect to primary: invalid response: code=503 ('{self.url}')"
        primary.say(f"stream connected ({self.address}:50000)")
        theirs = primary.cluster
        if not self.cluster:
            self.adopt(theirs)
        if self.cluster != theirs:
            primary.say(f"stream disconnected ({self.address}:50000)")
            return f"cannot stream from primary with a different cluster id: {self.cluster} <> {theirs}"
        while self.peers.dial(self.url) is primary and not self._ended.is_set():
            for name, txid in self.databases.take_over(primary.databases).items():
                primary.log.info(f'writing snapshot "{name}" @ {txid:016x}')
                self.log.info(f'snapshot received for "{name}", removing other ltx files: 0000000000000001-{txid:016x}.ltx')
            self.following = True
            self._connected()
            self._ended.wait(LOOK)
        primary.say(f"stream disconnected ({self.address}:50000)")
        return ""
