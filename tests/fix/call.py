"""The program's own command line against the simulated cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.cli.main import main

from .sim import Sim

ONE = "abaci-app-1"


class Call:
    """`call(*words)` runs the program against the simulated cluster; `out`, `err` are what it said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.sim, self.capsys, self.home = Sim(), capsys, home
        self.out = self.err = ""
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setattr("kubectl_litefs.kube.connect.connect_writable", lambda options: self.connected(options))
        monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock", lambda: self.sim.clock)
        self.monkeypatch = monkeypatch

    def connected(self, options: Any) -> Sim:
        return self.sim

    def __call__(self, *words: str) -> int:
        self.capsys.readouterr()
        code = main(["fix-cluster-id", *words])
        self.out, self.err = self.capsys.readouterr()
        print("fix-cluster-id", *words, "-> exit", code, "\n", self.out, self.err)
        assert "Traceback" not in self.err
        return code

    def typed(self, text: str) -> None:
        """What a person at a terminal types."""
        import io

        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        self.monkeypatch.setattr("sys.stdin", Terminal(text))

    @property
    def untouched(self) -> bool:
        return not self.sim.changes

    def plan(self) -> str:
        assert self(ONE, "--dry-run", "-o", "json") == 0
        return str(json.loads(self.out)["plan"]["id"])
