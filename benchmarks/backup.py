"""What a backup costs: an export of 1 GiB through the API server's proxy path, checked whole.

    python -m benchmarks.backup [MIB]

The rival is what a person would type: `curl` of the same URL into a file, then `sqlite3 FILE 'PRAGMA integrity_check'`.
Prints the ratio of the times (budget 2) and the growth of the peak memory (budget 100 MiB), and exits 1 above either.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MIB = 1024 * 1024
RATIO, MEMORY = 2.0, 100 * MIB
PAIRS = 3


def generate(path: Path, size: int) -> None:
    """A database of about this size, in rollback mode."""
    db = sqlite3.connect(path)
    db.execute("pragma journal_mode = off")
    db.execute("create table t (id integer primary key, v blob)")
    row = os.urandom(64 * 1024)
    with db:
        db.executemany("insert into t (v) values (?)", ((row,) for _ in range(size // len(row))))
    db.close()


def checksum(path: Path) -> str:
    """In one pass; it is tested against LiteFS's definition elsewhere."""
    from kubectl_litefs.fix.sqlite_file import Checker

    checker = Checker()
    with path.open("rb") as file:
        while chunk := file.read(MIB):
            checker.feed(chunk)
    return checker.checksum()


def serve(path: Path) -> ThreadingHTTPServer:
    """`/export` and `/debug/vars` of one pod, below the proxy path."""
    position = json.dumps({"store": {"dbs": {"db": {"name": "db", "txid": f"{7:016x}", "checksum": checksum(path)}}}}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            export = "/export" in self.path
            self.send_response(200)
            self.send_header("Content-Length", str(path.stat().st_size if export else len(position)))
            self.end_headers()
            if not export:
                self.wfile.write(position)
                return
            with path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 256 * 1024)

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ours(url: str, folder: str) -> None:
    """In a process of its own: prints seconds and the growth of the peak memory in bytes."""
    import resource
    from types import SimpleNamespace
    from typing import Any, cast

    from kubectl_litefs.cli.live import SystemClock
    from kubectl_litefs.fix.backup import export_all
    from kubectl_litefs.fix.work import Work
    from kubectl_litefs.kube.connect import connect_writable
    from kubectl_litefs.kube.options import ConnectionOptions

    kube = connect_writable(ConnectionOptions(server=url, namespace="abaci"))
    plan = SimpleNamespace(id="0" * 64, namespace="abaci", pod="abaci-app-1", port=20202, pod_uid="u", claim="c", claim_uid="u", target_cluster_id="LFSC0123456789ABCDEF", backup_dir=folder, databases=[SimpleNamespace(name="db")])
    quiet = SimpleNamespace(step=lambda *a: None, say=lambda text: None, progress=lambda text: None)
    lock = SimpleNamespace(tick=lambda: None)
    clock = SystemClock()
    options = SimpleNamespace(request_timeout=30.0)
    work = Work(kube, cast("Any", options), clock, cast("Any", quiet), cast("Any", plan), cast("Any", lock), cast("Any", None), clock.monotonic() + 3600)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    export_all(work)
    took = time.perf_counter() - began
    print(json.dumps({"seconds": took, "bytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024}))


def main(size: int) -> int:
    missing = [t for t in ("curl", "sqlite3") if shutil.which(t) is None]
    if missing:
        print(f"no {' and no '.join(missing)} to compare with: skipped")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.db"
        generate(source, size)
        server = serve(source)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        ratios, grown = [], 0
        for n in range(PAIRS):
            place, copy = Path(folder) / f"b{n}", Path(folder) / "copy.db"
            place.mkdir()
            told = subprocess.run([sys.executable, "-m", "benchmarks.backup", "--ours", url, str(place)], check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
            mine = json.loads(told.stdout)
            began = time.perf_counter()
            subprocess.run(["curl", "-sf", "-o", str(copy), f"{url}/api/v1/namespaces/abaci/pods/abaci-app-1:20202/proxy/export?name=db"], check=True)
            said = subprocess.run(["sqlite3", str(copy), "PRAGMA integrity_check"], check=True, capture_output=True, text=True).stdout.strip()
            theirs = time.perf_counter() - began
            assert said == "ok", said
            shutil.rmtree(place)
            copy.unlink()
            ratios.append(mine["seconds"] / theirs)
            grown = max(grown, mine["bytes"])
            print(f"{source.stat().st_size // MIB} MiB: {mine['seconds']:.1f} s, +{mine['bytes'] // MIB} MiB; curl and sqlite3: {theirs:.1f} s; ratio {ratios[-1]:.2f}")
        server.shutdown()
    ratio = sorted(ratios)[len(ratios) // 2]
    print(f"backup against curl + sqlite3 integrity_check: median ratio {ratio:.2f} (budget {RATIO}), peak memory +{grown // MIB} MiB (budget {MEMORY // MIB})")
    return 0 if ratio <= RATIO and grown <= MEMORY else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(int(sys.argv[1]) * MIB if len(sys.argv) > 1 else 1024 * MIB))
