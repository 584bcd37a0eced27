"""`status -w` goes on while pods and the API server come and go."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from kubectl_litefs import app
from kubectl_litefs.cli.main import main
from kubectl_litefs.demo import path
from kubectl_litefs.errors import CouldNotLook, UsageError
from kubectl_litefs.gather import bundle
from kubectl_litefs.model.memory import remember
from kubectl_litefs.model.origin import Gap, GapReason
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.render.status import render
from kubectl_litefs.render.status_tree import status_tree
from kubectl_litefs.watching import watch

from ..gather.fake_kube import StoppedClock

Capsys = pytest.CaptureFixture[str]


def healthy(minutes: int = 0) -> Snapshot:
    snapshot = bundle.load(path("healthy"))
    return dataclasses.replace(snapshot, taken_at=snapshot.taken_at + timedelta(minutes=minutes))


def without(snapshot: Snapshot, pod: str) -> Snapshot:
    """The pod's port is closed."""
    gone = {p for p in snapshot.items if p.startswith(f"litefs/abaci/{pod}/")}
    gaps = tuple(Gap(p, GapReason.UNREACHABLE, "dial tcp: connection refused") for p in sorted(gone))
    return dataclasses.replace(snapshot, items={p: i for p, i in snapshot.items.items() if p not in gone}, gaps=gaps)


def deleted(snapshot: Snapshot, pod: str) -> Snapshot:
    """The pod's object is not there, and nothing of it."""
    items = {p: i for p, i in snapshot.items.items() if f"/{pod}/" not in p}
    where = "objects/abaci/pods.json"
    pods = json.loads(items[where].read())
    pods["items"] = [p for p in pods["items"] if p["metadata"]["name"] != pod]
    data = json.dumps(pods).encode()
    return dataclasses.replace(snapshot, items=items | {where: Item(where, lambda: iter((data,)))})


def status(snapshot: Snapshot) -> Report:
    return app._status(snapshot, ())


def looks(*steps: Snapshot | Exception) -> Callable[[], Report]:
    """One step a look; a KeyboardInterrupt after the last."""
    left = iter(steps)

    def look() -> Report:
        step = next(left, KeyboardInterrupt())
        if isinstance(step, BaseException):
            raise step
        return status(step)

    return look


def test_it_waits_between_looks() -> None:
    clock = StoppedClock(healthy().taken_at)
    seen = []
    with pytest.raises(KeyboardInterrupt):
        seen += [at.report.taken_at for at in watch(looks(healthy(), healthy(1), healthy(2)), clock, 5)]
    assert clock.slept == 15.0


def test_the_first_look_must_succeed() -> None:
    with pytest.raises(UsageError):
        next(watch(looks(UsageError("x", "no such namespace")), StoppedClock(healthy().taken_at), 5))


def test_an_api_server_that_goes_away_leaves_the_last_values_marked_as_old() -> None:
    steps = watch(looks(healthy(), CouldNotLook("x", "no route to the server"), healthy(1)), StoppedClock(healthy().taken_at), 5)
    first, during, after = next(steps), next(steps), next(steps)
    assert during.report is first.report
    told = render(during.report, width=80, color=False, memory=during.memory, error=during.error)
    assert told.splitlines()[0].startswith("What follows is OLD, of ")
    assert "no route to the server" in told.splitlines()[0]
    assert status_tree(during.report, during.memory, during.error)["error"] == "no route to the server"
    assert after.error == ""
    assert "OLD" not in render(after.report, width=80, color=False, memory=after.memory)
    assert "Every replica follows the primary." not in told and "How it is now is unknown." in told


@pytest.mark.parametrize("lose", [without, deleted])
def test_a_pod_that_goes_away_keeps_its_last_values_marked_as_old(lose: Callable[[Snapshot, str], Snapshot]) -> None:
    first = status(healthy())
    memory = remember({}, first)
    second = status(lose(healthy(3), "abaci-app-2"))
    memory = remember(memory, second)
    row = next(r for r in render(second, width=120, color=False, memory=memory).splitlines() if "abaci-app-2" in r)
    assert "db at 2/e04f" in row
    assert f"OLD, of {first.taken_at:%H:%M:%S} UTC" in row
    pod = next(p for p in status_tree(second, memory)["clusters"][0]["pods"] if p["pod"] == "abaci-app-2")
    assert (pod["oldSince"], pod["databases"][0]["txid"]) == (f"{first.taken_at:%Y-%m-%dT%H:%M:%SZ}", "0000000000000002")
    assert status_tree(second, memory)["clusters"][0]["allFollow"] is False
    third = status(healthy(4))
    assert "OLD" not in render(third, width=120, color=False, memory=remember(memory, third))


def test_what_is_old_is_of_the_newest_look_that_had_it() -> None:
    steps = watch(looks(healthy(), healthy(2), without(healthy(3), "abaci-app-2")), StoppedClock(healthy().taken_at), 5)
    last = [next(steps) for _ in range(3)][-1]
    assert f"OLD, of {healthy(2).taken_at:%H:%M:%S} UTC" in render(last.report, width=120, color=False, memory=last.memory)


def test_a_pod_that_nobody_asks_for_any_more_is_forgotten() -> None:
    memory = remember({}, status(healthy()))
    smaller = deleted(healthy(1), "abaci-app-2")
    where = "objects/abaci/statefulsets.json"
    sets = json.loads(smaller.items[where].read())
    sets["items"][0]["spec"]["replicas"] = 2
    data = json.dumps(sets).encode()
    smaller = dataclasses.replace(smaller, items=smaller.items | {where: Item(where, lambda: iter((data,)))})
    assert {r.name for r in remember(memory, status(smaller))} == {"abaci-app-0", "abaci-app-1"}


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Each look of the command is the next of these steps; no cluster, no waiting."""

    def arrange(*steps: Snapshot | Exception) -> None:
        look = looks(*steps)
        monkeypatch.setattr("kubectl_litefs.app.status_live", lambda *_: look())
        monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock.sleep", lambda self, seconds: None)

    return arrange


WATCH = ("status", "-w", "-s", "http://api.test:6443", "-n", "abaci")


def test_a_pipe_gets_a_block_only_when_something_changed(capsys: Capsys, play: Callable[..., None]) -> None:
    play(healthy(), healthy(1), healthy(2), without(healthy(3), "abaci-app-2"), without(healthy(4), "abaci-app-2"))
    assert main(WATCH) == 130
    done = capsys.readouterr()
    assert done.err.strip() == ""
    assert done.out.count("--- ") == 2
    assert "\x1b" not in done.out
    assert "OLD" in done.out.split("--- ")[2]


def test_json_of_a_watch_is_one_document_for_each_change(capsys: Capsys, play: Callable[..., None]) -> None:
    play(healthy(), healthy(1), CouldNotLook("x", "away"), CouldNotLook("x", "away"))
    assert main((*WATCH, "-o", "json")) == 130
    decoder, rest, trees = json.JSONDecoder(), capsys.readouterr().out, []
    while rest.strip():
        tree, end = decoder.raw_decode(rest.lstrip())
        trees.append(tree)
        rest = rest.lstrip()[end:]
    assert [t["error"] for t in trees] == [None, "away"]


def test_a_reader_who_leaves_ends_the_watch(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    play(healthy(), healthy(1))
    monkeypatch.setattr("kubectl_litefs.cli.main.drop_stdout", lambda: None)

    class Closed:
        encoding = "utf8"

        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            """Nothing to do."""

    monkeypatch.setattr("sys.stdout", Closed())
    assert main(WATCH) == 0


def test_on_a_terminal_it_redraws_in_place(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    play(healthy(), healthy(1))
    monkeypatch.setattr("kubectl_litefs.cli.status.is_terminal", lambda stream: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(WATCH) == 130
    told = capsys.readouterr().out
    assert "\x1b[" in told
    assert "every 5 s, Ctrl-C ends" in told
    assert "every replica follows" in told.lower()
