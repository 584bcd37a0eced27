"""Run the command line, in this process or in a fresh one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_litefs.cli.main import main

ROOT = Path(__file__).parent.parent.parent
LIBRARIES = os.pathsep.join(dict.fromkeys([str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))
STARTS = f"PYTHONPATH={shlex.quote(LIBRARIES)} exec {shlex.quote(sys.executable)} -S -m kubectl_litefs"
"""A line of shell that becomes this checkout's program. With -S it starts in half the time: what site-packages does at each start stays out."""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *args: str) -> Done:
    code = main(args)
    captured = capsys.readouterr()
    return Done(code, captured.out, captured.err)


def spawn(args: Sequence[str], *, code: str = "", **env: str) -> Done:
    """A process of its own: `python -m kubectl_litefs ARGS`, or `python -c CODE ARGS`."""
    words = [sys.executable, *(["-c", code] if code else ["-m", "kubectl_litefs"]), *args]
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf8", timeout=60
    )
    return Done(done.returncode, done.stdout, done.stderr)


def executable(file: Path, script: str) -> Path:
    """A program of these lines of shell."""
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file
