"""Start-up: `kubectl-litefs --help` against a bare `python -c "import click"` (budget: 1.3), and the Krew archive's launcher
against the script of a virtual environment (budget: 1.2; `make dist` first).

Pairs of whole processes, one after the other; prints medians and the ratio, never fails on a time.

    python -m benchmarks.startup [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path


def timed(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - start


def compare(what: str, ours: list[str], rival: list[str], budget: float, runs: int) -> None:
    """Both with this Python first on PATH, and free to keep their byte code."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    timed(ours, env), timed(rival, env)
    pairs = [(timed(ours, env), timed(rival, env)) for _ in range(runs)]
    a, b = (statistics.median(p[i] for p in pairs) * 1000 for i in (0, 1))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"{what}: {a:.0f} ms, {b:.0f} ms, ratio {ratio:.2f} (budget {budget}, {runs} pairs)")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    compare("--help, import click", [sys.executable, "-m", "kubectl_litefs", "--help"], [sys.executable, "-c", "import click"], 1.3, runs)
    script = Path(sys.executable).with_name("kubectl-litefs")
    archives = sorted((Path(__file__).parent.parent / "dist").glob("kubectl-litefs-*.tar.gz"))
    if not archives or not script.exists():
        print("the archive's launcher: no archive (make dist) or no installed script to compare with")
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archives[-1]) as tar:
            for member in tar.getmembers():
                path, file = Path(folder, member.name), tar.extractfile(member)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read() if file else b"")
                path.chmod(member.mode)
        for words in (["--help"], ["demo", "healthy"]):
            archived, installed = [str(Path(folder, "kubectl-litefs")), *words], [str(script), *words]
            compare(f"{' '.join(words)} from the archive, from a virtual environment", archived, installed, 1.2, runs)


if __name__ == "__main__":
    main()
