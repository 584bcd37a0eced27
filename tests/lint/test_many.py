"""Files that hold very many of something: the work grows as they do, counted in calls, and what would not end is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from types import FrameType
from typing import Any

import pytest

from kubectl_litefs import engine
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.parse.files import fly
from kubectl_litefs.parse.files.fly import groups_in
from kubectl_litefs.parse.files.read import PREFIX
from kubectl_litefs.parse.files.text import Unreadable
from kubectl_litefs.rules.lfs601_fuse_unavailable import RULE

from ..work import profiled

N = 40


def calls(function: Callable[[], object]) -> int:
    """How many functions it calls, those of the interpreter included."""
    found = 0

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    profiled(count, function)
    return found


def services(n: int) -> str:
    return "services:\n" + "".join(f"  s{i}:\n    image: flyio/litefs:0.5\n    command: litefs mount\n    volumes: [v{i}:/data]\n" for i in range(n))


def documents(n: int) -> str:
    return "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\ndata: {{a: b}}\n" for i in range(n))


def groups(n: int) -> str:
    mounts = "".join(f'[[mounts]]\nsource = "v{i}"\ndestination = "/d{i}"\nprocesses = ["g{i}"]\n' for i in range(n))
    return 'primary_region = "ams"\n[processes]\n' + "".join(f'g{i} = "litefs mount"\n' for i in range(n)) + mounts


def judged(name: str, text: str) -> Report:
    item = Item(PREFIX + name, lambda: iter((text.encode(),)))
    snapshot = Snapshot(items={item.path: item}, gaps=(), namespaces=(), taken_at=datetime.now(timezone.utc), source="files", wanted=(item.path,), looked_at=())
    return engine.judge(assemble(snapshot), [RULE])


@pytest.mark.parametrize(("name", "text"), [("compose.yaml", services), ("all.yaml", documents)])
def test_twice_as_many_are_twice_the_work(name: str, text: Callable[[int], str]) -> None:
    judged(name, text(1))  # imports, and what is kept from then on
    once, twice, four = (calls(lambda n=n: judged(name, text(n * N))) for n in (1, 2, 4))  # type: ignore[misc]
    assert once > 1000
    assert (four - twice) <= 2.1 * (twice - once), "a straight line: the second step is twice as long as the first"


def test_every_process_group_is_held_against_every_mount_and_so_many_of_both_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fly, "MAX_PAIRS", 100)
    assert len([o for o in groups_in("fly.toml", groups(10)) if not isinstance(o, Unreadable)]) == 10
    (refused,) = groups_in("fly.toml", groups(11))
    assert isinstance(refused, Unreadable)
    assert (refused.line, str(refused)) == (2, "11 process groups with 11 mounts, files and services are more than this tool looks through")
