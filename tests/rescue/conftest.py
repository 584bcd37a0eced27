"""The commands of `rescue` against the simulated cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs import app
from kubectl_litefs.fix.outcome import Outcome
from kubectl_litefs.model.target import Target
from kubectl_litefs.rescue.options import RescueOptions
from kubectl_litefs.rescue.save import SavedSet, SaveOptions, SaveResult

from ..fix.conftest import Heard
from ..fix.sim import Db, Sim
from ..harness import APP, NS


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


@pytest.fixture(autouse=True)
def _no_disk_waits(synced: list[int]) -> None:
    """Hundreds of runs, each of which waits for the disk at every line of its journal."""


@pytest.fixture
def save(tmp_path: Path) -> Save:
    return Save(tmp_path)


@dataclass
class Rescue:
    """`rescue(sim, **options)` is one agreed run, `rescue.undo(sim)` one undo; `asked` are the plans that were shown."""

    home: Path
    heard: Heard = field(default_factory=Heard)
    asked: list[Any] = field(default_factory=list)
    agree: bool = True
    top: Path = Path()

    def __call__(self, sim: Sim, name: str | None = f"statefulset/{APP}", **options: Any) -> Outcome:
        return self._act(app.rescue_run, sim, name, options)

    def undo(self, sim: Sim, name: str | None = f"statefulset/{APP}", **options: Any) -> Outcome:
        return self._act(app.rescue_undo, sim, name, options)

    def _act(self, do: Callable[..., Outcome], sim: Sim, name: str | None, options: dict[str, Any]) -> Outcome:
        self.heard = Heard(on_step=self.heard.on_step)

        def confirm(plan: Any) -> bool:
            self.asked.append(plan)
            return self.agree

        given = RescueOptions(pod="", namespace=NS, name=name, base=self.home / "saved", **{"strategy": "auto", **options})
        outcome = do(sim, given, sim.clock, self.heard, confirm, {"XDG_STATE_HOME": str(self.home)})
        print(f"exit {int(outcome.code)} {outcome.name}: {outcome.message} [{outcome.hint}]", *outcome.warnings, sep="\n  ")
        print("sent:", *sim.changes, sep="\n  ")
        print("waits:", *dict.fromkeys(f"{k}: {d}" for k, s, d in self.heard.steps if s == "waiting"), sep="\n  ")
        return outcome

    @property
    def folder(self) -> Path:
        return self.home / "saved" / f"{NS}-{APP}"


@pytest.fixture
def rescue(tmp_path: Path) -> Rescue:
    return Rescue(tmp_path, top=tmp_path)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


@dataclass
class Make:
    """Clusters in the states that a rescue is for. Each pod holds its own objects, and replicas follow."""

    home: Path

    def _sim(self, target: int) -> Sim:
        sim = Sim(target=target)
        sim.scratch = self.home / "volumes"
        sim.scratch.mkdir(exist_ok=True)
        sim.replicates = True
        for n in range(3):
            volume = sim.volume_of(f"{APP}-{n}")
            volume.databases = {k: Db(d.txid, d.data, d.checksum) for k, d in volume.databases.items()}
        return sim

    def recreated(self) -> Sim:
        """LFS102: the primary's volume is new and has a few writes; both replicas are at txid 7."""
        return self._sim(0)

    def lost(self) -> Sim:
        """LFS110: the same cluster id, the primary's database is empty."""
        sim = self._sim(-1)
        sim.volume_of(f"{APP}-0").databases["db"] = Db(0, b"", "0" * 16)
        return sim

    def healthy(self) -> Sim:
        return self._sim(-1)
