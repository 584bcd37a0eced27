"""How fast a healthy log is read, against the plainest search for the same words.

    python -m benchmarks.logs [MIB]

Prints two ratios, of the processor time that reading takes: in pure Python against `grep -F -f signatures`, and with hyperscan
(`pip install 'kubectl-litefs[fast]'`) against `rg -c -F -f signatures`; the best of five runs each, in turn, and the peak memory.
The clock's time would count what else the machine does. Exits 1 above 6 and above 1. What is not installed is left out and said to be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .log_memory import MIB, generate

SIZE = 512
RUNS = 5
WRAPPED: dict[str, Callable[[int, bytes], bytes]] = {
    "kubectl logs --prefix, 3 pods": lambda pod, line: b"[pod/abaci-app-%d/app] %s\n" % (pod, line),
    "stern, 3 pods": lambda pod, line: b"abaci-app-%d app %s\n" % (pod, line),
    "Docker's json-file": lambda pod, line: json.dumps({"log": line.split(b" ", 1)[1].decode() + "\n", "stream": "stdout", "time": "2026-11-23T12:23:00Z"}).encode() + b"\n",
}


def needles(path: Path) -> None:
    """The literals of all signatures, one a line."""
    from kubectl_litefs.model.signatures import SIGNATURES

    path.write_text("".join(f"{n}\n" for s in SIGNATURES for n in s.needles), "utf8")


def read(path: str) -> None:
    """In a process of its own: prints seconds of processor time and the peak memory in MiB."""
    import resource

    from kubectl_litefs.gather.text_files import chunks, opened
    from kubectl_litefs.parse.log_envelope import Speaker
    from kubectl_litefs.parse.log_streams import Stream, Streams

    streams = Streams()
    began = time.process_time()
    with opened(path) as file:
        streams.read(path, chunks(file), Stream(Speaker("abaci", "abaci-app-0", "app")))
    took = time.process_time() - began
    assert any("connected" in run.hits for run in streams.results().values())
    unit = 1 if sys.platform == "darwin" else 1024
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB)


def run(command: list[str], env: dict[str, str] | None = None) -> tuple[float, float]:
    """(seconds of processor time, peak memory in MiB): what the command prints, or what it takes."""
    began = os.times()
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()
    ended = os.times()
    took = ended.children_user + ended.children_system - began.children_user - began.children_system
    return (float(said[0]), float(said[1])) if command[-2:-1] == ["--read"] else (took, 0.0)


def ours(path: Path, *, fast: bool) -> tuple[float, float]:
    root = Path(__file__).resolve().parent.parent
    env = {**os.environ, "PYTHONPATH": str(root), "KUBECTL_LITEFS_NO_HYPERSCAN": "" if fast else "1"}
    return run([sys.executable, "-m", "benchmarks.logs", "--read", str(path)], env)


def compare(what: str, path: Path, words: Path, other: list[str], limit: float, *, fast: bool) -> bool:
    """Print one ratio. Whether it is within the limit."""
    if shutil.which(other[0]) is None:
        print(f"{what}: {other[0]} is not installed")
        return True
    command = [*other, "-F", "-f", str(words), str(path)]
    pairs = [(run(command), ours(path, fast=fast)) for _ in range(RUNS)]  # in turn: what else the machine does hits both
    theirs, (took, memory) = min(p[0][0] for p in pairs), min(p[1] for p in pairs)
    shown = " ".join([*other, "-F", "-f", "signatures", path.name])
    rate = path.stat().st_size / MIB / took
    print(f"{what}: {took:.2f} s ({rate:.0f} MiB/s), {memory:.0f} MiB at most; `{shown}`: {theirs:.2f} s; ratio {took / theirs:.2f}, at most {limit:g}")
    return took / theirs <= limit


def wrapped(plain: Path, wrap: Callable[[int, bytes], bytes]) -> Path:
    """The first 64 MiB of a log as others write it."""
    path = plain.with_suffix(".wrapped")
    with plain.open("rb") as source, path.open("wb") as out:
        for number, line in enumerate(source):
            out.write(wrap(number % 3, line.rstrip(b"\n")))
            if out.tell() > 64 * MIB:
                break
    return path


def main(size: int) -> int:
    from kubectl_litefs.parse.log_find import hyperscan

    with tempfile.TemporaryDirectory() as folder:
        path, words = Path(folder, "app.log"), Path(folder, "signatures")
        generate(path, size * MIB)
        needles(words)
        print(f"a healthy log of {size} MiB")
        well = compare("pure Python", path, words, ["grep", "-c"], 6, fast=False)
        if hyperscan() is None:
            print("with hyperscan: it is not installed (pip install 'kubectl-litefs[fast]')")
        else:
            well &= compare("with hyperscan", path, words, ["rg", "-c"], 1, fast=True)
        whole, _ = run([sys.executable, "-m", "kubectl_litefs", "diagnose", "--logs", str(path), "--fail-on", "never", "-o", "json"])
        print(f"the whole command, start and judgement included: {whole:.2f} s")
        for what, wrap in WRAPPED.items():
            took, memory = ours(wrapped(path, wrap), fast=True)
            print(f"{what}: {64 / took:.0f} MiB/s, {memory:.0f} MiB at most")
    return 0 if well else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(sys.argv[2])
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SIZE))
