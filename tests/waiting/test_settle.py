"""`diagnose --wait`: looks again until all is well, or waiting cannot help, or the time is up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kubectl_litefs import app
from kubectl_litefs.demo import path
from kubectl_litefs.errors import CouldNotLook, KubeError, LitefsError, UsageError
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.settled import Verdict
from kubectl_litefs.watching import Patience, settle

from ..cli.run import Done, run
from ..gather.fake_kube import StoppedClock
from ..harness import NOW, snapshot
from ..test_recordings import recording

Capsys = pytest.CaptureFixture[str]
WELL = app.judge(snapshot())
UPDATING = app.judge(snapshot({"objects": [{"kind": "StatefulSet", "name": "abaci-app", "patch": {"status": {"readyReplicas": 2}}}]}))
PENDING = app.diagnose_bundle(recording("pvc-pending"))
STRANGER = app.diagnose_bundle(path("cluster-id-mismatch"))
AWAY = KubeError("no route", status=None, reason="Unreachable")
FORBIDDEN = KubeError("no", status=403, reason="Forbidden")
GONE = UsageError("not-found", 'pod "abaci-app-1" not found')
NOTHING = CouldNotLook("no-litefs-found", "no LiteFS found")
MAY_NOT_LIST = CouldNotLook("forbidden", "cannot list pods")

Step = Report | LitefsError


class Play:
    """Each look is the next step, and the last for ever; says what was told and how often it looked."""

    def __init__(self, *steps: Step) -> None:
        self.steps, self.looked = list(steps), 0
        self.told: list[tuple[str, float]] = []
        self.clock = StoppedClock(NOW)

    def look(self) -> Report:
        step = self.steps[min(self.looked, len(self.steps) - 1)]
        self.looked += 1
        if isinstance(step, LitefsError):
            raise step
        return step

    def settle(self, seconds: float = 20, interval: float = 5) -> tuple[Report, Verdict]:
        return settle(self.look, self.clock, Patience(seconds, interval, Severity.ERROR, False), lambda why, left: self.told.append((why, left)))


def test_it_ends_as_soon_as_all_is_well() -> None:
    play = Play(PENDING, UPDATING, WELL, STRANGER)
    report, seen = play.settle()
    assert report is WELL
    assert (seen.code, play.looked, play.clock.slept) == (ExitCode.OK, 3, 10.0)
    assert [left for _, left in play.told] == [20.0, 15.0]
    assert "LFS402" in play.told[0][0]
    assert "2 of 3 pods are ready" in play.told[1][0]


def test_it_ends_at_once_on_what_cannot_heal() -> None:
    play = Play(STRANGER)
    report, seen = play.settle()
    assert (report, seen.code, play.looked, play.clock.slept, play.told) == (STRANGER, ExitCode.FINDINGS, 1, 0.0, [])


def test_what_cannot_heal_ends_it_also_later() -> None:
    play = Play(UPDATING, STRANGER)
    assert play.settle()[0] is STRANGER
    assert play.looked == 2


@pytest.mark.parametrize(("step", "code"), [(PENDING, ExitCode.FINDINGS), (UPDATING, ExitCode.FINDINGS)])
def test_when_the_time_is_up_the_last_look_decides(step: Report, code: ExitCode) -> None:
    play = Play(step)
    _, seen = play.settle(seconds=12)
    assert (seen.waits, seen.code) == (True, code)
    assert (play.looked, play.clock.slept) == (4, 12.0), "the last pause is cut, so that the last look is made when the time is up"


@pytest.mark.parametrize("error", [AWAY, NOTHING])
def test_an_error_that_may_pass_is_waited_for(error: LitefsError) -> None:
    play = Play(error, error, WELL)
    assert play.settle()[0] is WELL
    assert play.told[0][0] == error.message
    with pytest.raises(type(error)):
        Play(error).settle()
    with pytest.raises(type(error)):
        Play(PENDING, error).settle()


@pytest.mark.parametrize("error", [FORBIDDEN, MAY_NOT_LIST, GONE])
def test_an_error_that_cannot_pass_ends_it_at_once(error: LitefsError) -> None:
    play = Play(error, WELL)
    with pytest.raises(type(error)):
        play.settle()
    assert play.looked == 1


def test_a_pod_that_was_there_and_is_being_made_anew_is_waited_for() -> None:
    play = Play(UPDATING, GONE, WELL)
    assert play.settle()[0] is WELL


# --- the command

Gate = Callable[..., Done]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> Gate:
    """`diagnose --wait` over these steps, on a clock that nobody waits for."""

    def call(*steps: Step, flags: tuple[str, ...] = ()) -> Done:
        play = Play(*steps)
        monkeypatch.setattr("kubectl_litefs.app.diagnose_live", lambda *_: play.look())
        monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock", lambda: play.clock)
        return run(capsys, "diagnose", "-s", "http://api.test:6443", "-n", "abaci", "--wait", "20s", *flags)

    return call


def test_only_the_last_report_is_printed(gate: Gate) -> None:
    done = gate(PENDING, PENDING, UPDATING, WELL, flags=("-o", "json"))
    assert done.code == 0
    assert json.loads(done.out)["summary"]["error"] == 0
    told = done.err.splitlines()
    assert len(told) == 2, "a line whenever the reason changes, no more"
    assert told[0].startswith("waiting, at most 20 s more: LFS402 volume-claim-unbound on ")


def test_to_wait_for_0_is_to_look_once_as_with_kubectl_wait(gate: Gate) -> None:
    done = gate(UPDATING, WELL, flags=("--wait", "0"))
    assert done.code == 1
    assert done.err == "the time is up: statefulset/abaci-app: 2 of 3 pods are ready\n"


def test_what_cannot_heal_is_said(gate: Gate) -> None:
    done = gate(STRANGER)
    assert done.code == 1
    assert "LFS101 cluster-id-mismatch" in done.out
    assert done.err == "waiting cannot heal this: LFS101 cluster-id-mismatch on pod/abaci-app-1\n"


@pytest.mark.parametrize(("flags", "code"), [((), 1), (("-o", "json"), 1), (("-o", "junit"), 1), (("--fail-on", "never"), 0)])
def test_a_rollout_that_does_not_end_is_no_pass_in_any_format(gate: Gate, flags: tuple[str, ...], code: int) -> None:
    done = gate(UPDATING, flags=flags)
    assert done.code == code
    assert done.err.splitlines()[-1] == "the time is up: statefulset/abaci-app: 2 of 3 pods are ready"


def test_an_api_server_that_never_answers_is_no_pass(gate: Gate) -> None:
    done = gate(AWAY)
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[-1] == "error: no route"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--wait", "1m", "--from", str(path("healthy"))), "--wait watches a cluster"),
        (("--interval", "2s"), "--interval goes with --wait"),
        (("--wait", "1m", "--interval", "0"), "--interval wants at least 1s"),
        (("--wait", "soon"), "is no duration"),
    ],
)
def test_flags_that_contradict_each_other(capsys: Capsys, words: tuple[str, ...], says: str) -> None:
    done = run(capsys, "diagnose", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
