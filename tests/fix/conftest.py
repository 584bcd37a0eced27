"""One run of the command against the simulated cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs import app
from kubectl_litefs.fix.options import FixOptions
from kubectl_litefs.fix.outcome import Outcome
from kubectl_litefs.fix.plan import Plan

from ..harness import APP
from .call import Call
from .sim import Sim


@dataclass
class Heard:
    """A Ui that writes everything down."""

    steps: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    on_step: Callable[[str, str], None] = lambda key, state: None

    def progress(self, text: str) -> None:
        pass

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        self.steps.append((key, state, detail))
        self.on_step(key, state)

    def say(self, text: str) -> None:
        self.said.append(text)

    def waits(self, key: str) -> list[str]:
        return [d for k, s, d in self.steps if k == key and s == "waiting"]


@dataclass
class Fix:
    """`fix(sim, **options)` runs the command as agreed to; `heard` is what the last run told."""

    home: Path
    heard: Heard = field(default_factory=Heard)
    asked: list[Plan] = field(default_factory=list)
    agree: bool = True
    base: Path | None = None

    def __call__(self, sim: Sim, pod: str = f"{APP}-1", **options: Any) -> Outcome:
        backups = self.home / "backups"
        backups.mkdir(mode=0o700, exist_ok=True)
        options.setdefault("backup_dir", backups)
        self.heard = Heard(on_step=self.heard.on_step)

        def confirm(plan: Plan) -> bool:
            self.asked.append(plan)
            return self.agree

        outcome = app.fix_cluster_id(sim, FixOptions(pod=pod, **options), sim.clock, self.heard, confirm, {"XDG_STATE_HOME": str(self.home)})
        print(f"exit {int(outcome.code)} {outcome.name}: {outcome.message} [{outcome.hint}]")
        print("sent:", *sim.changes, sep="\n  ")
        return outcome


@pytest.fixture(autouse=True)
def _no_disk_waits(synced: list[int]) -> None:
    """Hundreds of runs, each of which waits for the disk at every line of its journal."""


@pytest.fixture
def fix(tmp_path: Path) -> Fix:
    return Fix(tmp_path)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    return Call(monkeypatch, capsys, tmp_path)
