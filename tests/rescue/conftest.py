"""`rescue save` against the simulated cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs import app
from kubectl_litefs.model.target import Target
from kubectl_litefs.rescue.save import SavedSet, SaveOptions, SaveResult

from ..fix.conftest import Heard
from ..fix.sim import Sim
from ..harness import NS


@dataclass
class Save:
    """`save(sim)` runs the command; `folder` is where it saves."""

    home: Path
    heard: Heard = field(default_factory=Heard)

    def __call__(self, sim: Sim, *names: str, **options: Any) -> SaveResult:
        target = Target(namespace=NS, names=names)
        result = app.rescue_save(sim, SaveOptions(target, self.home / "saved", **options), sim.clock, self.heard)
        print(f"exit {int(result.code)} {result.name}: {result.message}")
        for found in result.sets:
            print(found)
        assert not sim.changes, "it only reads"
        assert not list(self.home.rglob("*.part")), "no half is left"
        return result

    def one(self, sim: Sim, **options: Any) -> SavedSet:
        (found,) = self(sim, **options).sets
        return found

    @property
    def folder(self) -> Path:
        (found,) = (self.home / "saved").iterdir()
        return found


@pytest.fixture
def save(tmp_path: Path) -> Save:
    return Save(tmp_path)
