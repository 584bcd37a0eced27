"""What a big log costs: memory for 64 MiB and for 1 GiB, time against reading it with grep.

    python benchmarks/log_memory.py

Exits 1 if reading 1 GiB raises the peak memory by more than 100 MiB. Times are printed, never judged.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MIB = 1024 * 1024
LIMIT = 100 * MIB
STAMP = b"2026-11-23T12:23:%02d.%09dZ "


def generate(path: Path, size: int) -> None:
    """A healthy start, then an application's access log with some of LiteFS's lines in between."""
    start = (
        b"LiteFS v0.5.14, commit=0000000",
        b'level=INFO msg="Using static primary: primary=true hostname=abaci-app-0 advertise-url=http://abaci-app-0:20202"',
        b'level=INFO msg="connected to cluster, ready"',
    )
    page = [STAMP % (0, n) + line for n, line in enumerate(start)]
    for n in range(20_000):
        said = b'10.244.0.%d - - "GET /items/%d?page=%d HTTP/1.1" 200 %d "-" "Mozilla/5.0"' % (n % 250, n, n % 9, n * 37 % 9999)
        if n % 1000 == 0:
            said = b'level=INFO msg="00000000000000A0: stream connected (10.244.0.%d:40002)"' % (n % 250)
        page.append(STAMP % (n % 60, n) + said)
    block = b"\n".join(page[len(start) :]) + b"\n"
    with path.open("wb") as file:
        written = file.write(b"\n".join(page[: len(start)]) + b"\n")
        while written < size:
            written += file.write(block)


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(64 * 1024):
            yield chunk


def measure(path: Path) -> None:
    """In a process of its own: prints seconds and the growth of the peak memory in bytes."""
    import resource

    from kubectl_litefs.parse.logs import read_log

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    run = read_log("logs/abaci/abaci-app-0/app.log", chunks(path))
    took = time.perf_counter() - began
    assert run is not None and run.hits["connected"].count >= 1
    unit = 1 if sys.platform == "darwin" else 1024
    print(took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)


def grep(path: Path) -> float | None:
    """Seconds that `grep -c -F` needs to look for the same literals; None where there is no grep."""
    from kubectl_litefs.model.signatures import SIGNATURES

    if shutil.which("grep") is None:
        return None
    words = [f"-e{n}" for s in SIGNATURES for n in s.needles]
    began = time.perf_counter()
    subprocess.run(["grep", "-c", "-F", *words, str(path)], stdout=subprocess.PIPE, check=False)
    return time.perf_counter() - began


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    env = {**os.environ, "PYTHONPATH": str(root)}
    sys.path.insert(0, str(root))
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for size in (64 * MIB, 1024 * MIB):
            path = Path(folder, "app.log")
            generate(path, size)
            said = subprocess.run(
                [sys.executable, __file__, "--measure", str(path)], env=env, capture_output=True, text=True, check=True
            )
            took, grown = (float(word) for word in said.stdout.split())
            worst = max(worst, int(grown))
            other = grep(path)
            ratio = f", {took / other:.1f} times grep's {other:.2f} s" if other else ""
            print(f"{size // MIB:5d} MiB: {took:.2f} s ({size / MIB / took:.0f} MiB/s){ratio}; memory +{grown / MIB:.1f} MiB")
            path.unlink()
    if worst > LIMIT:
        print(f"too much memory: more than {LIMIT // MIB} MiB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        sys.exit(main())
