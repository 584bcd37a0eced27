"""Start-up: `kubectl-litefs --help` against a bare `python -c "import click"` (budget: 1.3).

Pairs of whole processes, one after the other; prints medians and the ratio, never fails on a time.

    python -m benchmarks.startup [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

BUDGET = 1.3


def timed(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ours = [sys.executable, "-m", "kubectl_litefs", "--help"]
    rival = [sys.executable, "-c", "import click"]
    timed(ours, env), timed(rival, env)
    pairs = [(timed(ours, env), timed(rival, env)) for _ in range(runs)]
    a, b = (statistics.median(p[i] for p in pairs) * 1000 for i in (0, 1))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"--help {a:.0f} ms, import click {b:.0f} ms, ratio {ratio:.2f} (budget {BUDGET}, {runs} pairs)")


if __name__ == "__main__":
    main()
