"""Live `diagnose` of a healthy three-pod set against the debugging commands of the user's guide.

Both talk to the same TLS server on loopback, which takes 20 ms for each answer. Prints the wall times and their ratio
(budget: 0.7); never fails on a time. Needs a plain kubectl (KUBECTL=/path to name one).

    python -m benchmarks.live [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kubectl_litefs.gather import bundle
from tests.api import RecordedApi, serve
from tests.test_recordings import recording

DELAY = 0.020
BUDGET = 0.7


def certificate(folder: Path) -> tuple[str, str]:
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def kubeconfig(folder: Path, url: str, ca: str) -> str:
    path = folder / "kubeconfig"
    path.write_text(
        f"apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters:\n- name: b\n  cluster: {{server: '{url}', certificate-authority: {ca}}}\n"
        "users:\n- name: b\n  user: {token: bench}\ncontexts:\n- name: b\n  context: {cluster: b, user: b, namespace: abaci}\n"
    )
    return str(path)


def guide(kubectl: str) -> list[list[str]]:
    """The guide's debugging commands, and the three that everybody types beside them."""
    words = [["logs", "abaci-app-0"], ["logs", "abaci-app-1"], ["logs", "abaci-app-0"], ["logs", "abaci-app-1"], ["get", "pvc"],
             ["get", "pods"], ["describe", "sts", "abaci-app"], ["get", "cm", "-o", "yaml"]]  # fmt: skip
    return [[kubectl, "-n", "abaci", *w] for w in words]


def timed(commands: list[list[str]], env: dict[str, str]) -> float:
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return time.perf_counter() - start


def main() -> None:
    kubectl = os.environ.get("KUBECTL") or "kubectl"
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        tls = certificate(folder)
        api = RecordedApi(bundle.load(recording("healthy")))
        with serve(api, delay=DELAY, tls=tls) as url:
            env = {**os.environ, "KUBECONFIG": kubeconfig(folder, url, tls[0]), "HOME": where}
            ours = [[sys.executable, "-m", "kubectl_litefs", "diagnose", "-n", "abaci"]]
            pairs = []
            timed(ours, env), timed(guide(kubectl), env)  # warm-up: byte code, kubectl's discovery cache
            for _ in range(runs):
                pairs.append((timed(ours, env), timed(guide(kubectl), env)))
    a, b = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"diagnose {a * 1000:.0f} ms, the guide's commands {b * 1000:.0f} ms, ratio {ratio:.2f} (budget {BUDGET}, {runs} pairs)")


if __name__ == "__main__":
    main()
