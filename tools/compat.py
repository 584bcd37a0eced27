"""The tests on every Python that this machine has, each with the lowest and with the newest dependencies that are allowed.

    python -m tools.compat [PYTEST WORDS]       PYTHONS="3.10 3.13" and SIDES=lowest narrow it; words stand in for the usual tests

Wheel and sdist are built and looked at by twine. For each Python and side: an environment in .compat, the wheel with its
dependencies and the tools of its extra `dev`, `pip check`, the two programs, then pytest. Needs a package index; a Python that
is not there is named, and is no failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".compat"
MINORS = (10, 11, 12, 13)
SIDES = ("lowest", "newest")
USUAL = ("tests/cli", "tests/kube", "tests/render", "tests/fix/test_run.py", "tests/completion/test_protocol.py", "tests/completion/test_values.py", "tests/test_recordings.py")
"""What touches click, rich, PyYAML and kubernetes; rules and parsers are plain Python."""


def interpreters(minors: Sequence[int]) -> dict[int, Path]:
    """Minor version of Python 3 -> one interpreter of it: from pyenv, else on PATH."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found: dict[int, Path] = {}
    for minor in minors:
        on_path = shutil.which(f"python3.{minor}")
        paths = sorted(root.glob(f"3.{minor}.*/bin/python3.{minor}")) + [Path(p) for p in [on_path] if p and "shims" not in p]
        if paths:
            found[minor] = paths[0]
    return found


def lowest(pyproject: str) -> list[str]:
    """`name==version` for the lower bound of each dependency that is always installed."""
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", pyproject, re.MULTILINE | re.DOTALL)
    assert listed is not None
    return [f"{name}=={version}" for name, version in re.findall(r'"([\w-]+)>=([\d.]+)', listed[1])]


def run(*words: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Raises SystemExit with the words and what they printed."""
    done = subprocess.run(list(map(str, words)), cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"$ {' '.join(map(str, words))}\n{(done.stdout + done.stderr)[-8000:]}")


def environment(python: Path, folder: Path, *packages: str | Path) -> Path:
    """A new virtual environment with these; its folder of programs."""
    run(python, "-m", "venv", "--clear", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return folder / "bin"


def distributions() -> Path:
    """The wheel, after twine has looked at it and at the sdist."""
    shutil.rmtree(HOME / "dist", ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", HOME / "dist", ROOT)
    programs = environment(Path(sys.executable), HOME / "twine", "twine")
    run(programs / "twine", "check", "--strict", *sorted((HOME / "dist").iterdir()))
    return next((HOME / "dist").glob("*.whl"))


def check(python: Path, folder: Path, wheel: Path, pins: Sequence[str], words: Sequence[str]) -> None:
    """One combination. Raises SystemExit with what went wrong."""
    programs = environment(python, folder, f"{wheel}[dev]", *pins)
    run(programs / "python", "-m", "pip", "check")
    run(programs / "kubectl-litefs", "demo", "healthy", cwd=HOME)
    run(programs / "kubectl_complete-litefs", "diag", cwd=HOME)
    run(programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)


def versions(folder: Path, names: Sequence[str]) -> str:
    code = "import sys; from importlib.metadata import version; print(', '.join(f'{n} {version(n)}' for n in sys.argv[1:]))"
    return subprocess.run([folder / "bin" / "python", "-c", code, *names], check=True, capture_output=True, text=True).stdout.strip()


def main(words: Sequence[str]) -> int:
    wanted = os.environ.get("PYTHONS", "").split()
    sides = os.environ.get("SIDES", "").split() or SIDES
    minors = [m for m in MINORS if not wanted or f"3.{m}" in wanted]
    found = interpreters(minors)
    pins = lowest((ROOT / "pyproject.toml").read_text("utf8"))
    wheel = distributions()
    print("wheel and sdist: twine finds nothing wrong", flush=True)
    failed = 0
    for minor in minors:
        for side in sides if minor in found else ():
            folder = HOME / f"3.{minor}-{side}"
            try:
                check(found[minor], folder, wheel, pins if side == "lowest" else (), words or USUAL)
            except SystemExit as error:
                failed += 1
                print(f"3.{minor} {side}: FAILED\n{error}", flush=True)
            else:
                print(f"3.{minor} {side}: all right, with {versions(folder, [p.split('==')[0] for p in pins])}", flush=True)
    print("not here:", ", ".join(f"Python 3.{m}" for m in minors if m not in found) or "none")
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
