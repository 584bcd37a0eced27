"""Stopped anywhere: the exit code tells the state, `--resume` ends the same way, and nothing is done twice."""

from __future__ import annotations

import os
import threading

import pytest

from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted
from kubectl_litefs.ports import Answer

from ..harness import APP, CLUSTER_ID
from .conftest import Fix
from .sim import Sent, Sim

ONE, CLAIM = f"{APP}-1", f"litefs-data-{APP}-1"
OLD_CLAIM, OLD_POD = f"uid-persistentvolumeclaim-{CLAIM}", f"uid-pod-{ONE}"


class Killed(BaseException):
    """kill -9: nothing of ours runs any more."""


def stop_at(number: int, when: str, error: BaseException, sim: Sim) -> None:
    """Raise at the n-th request of the main thread, before it is carried out or after it.

    Signals come to the main thread; what it waits for in other threads is covered by the steps."""
    count = [0]

    def hook(sim: Sim, sent: Sent) -> BaseException | Answer | None:
        if threading.current_thread() is not threading.main_thread():
            return None
        count[0] += 1
        return error if count[0] == number else None

    (sim.before if when == "before" else sim.after).append(hook)


def requests_of_a_whole_run(fix: Fix, **options: str) -> list[bool]:
    """Of each request of the main thread, in order: whether it changes something."""
    sim, changes = Sim(), list[bool]()
    sim.before.append(lambda s, sent: changes.append(sent.changes) if threading.current_thread() is threading.main_thread() else None)
    assert int(fix(sim, **options).code) == 0
    return changes


def points(changes: list[bool], step: int) -> list[int]:
    """Every request that changes something with its neighbours, and some of those that look; FIX_EVERY=1 takes each of them."""
    step = int(os.environ.get("FIX_EVERY", "0")) or step
    near = {n for at, c in enumerate(changes, 1) if c for n in (at - 1, at, at + 1)}
    return sorted((near | {*range(1, len(changes) + 1, step)}) & {*range(1, len(changes) + 1)})


def armed(sim: Sim) -> bool:
    """Whether the old claim is past the point of no return."""
    claim = sim.objects.get(("persistentvolumeclaims", CLAIM))
    return claim is None or claim["metadata"]["uid"] != OLD_CLAIM or "deletionTimestamp" in claim["metadata"]


def finished(sim: Sim) -> bool:
    return sim.claim(1)["metadata"]["uid"] != OLD_CLAIM and sim.volume_of(ONE).cluster_id == CLUSTER_ID and ("leases", lock_name(APP)) not in sim.objects


def once_only(sim: Sim) -> None:
    """One claim, one pod, and only the right ones."""
    deleted = {s.body["preconditions"]["uid"] for s in sim.sent if s.changes and s.method == "DELETE" and "/leases/" not in s.path and s.body}
    evicted = {s.body["deleteOptions"]["preconditions"]["uid"] for s in sim.sent if s.changes and s.path.endswith("/eviction") and s.body}
    assert deleted <= {OLD_CLAIM} and evicted <= {OLD_POD}


def elsewhere(fix: Fix, name: object) -> None:
    """The next run keeps its files apart."""
    fix.base = fix.base or fix.home
    fix.home = fix.base / str(name)
    fix.home.mkdir()


def resume(fix: Fix, sim: Sim) -> int:
    sim.before.clear()
    sim.after.clear()
    code = int(fix(sim, resume=True).code)
    if code == 0 and not finished(sim):  # nothing was to be resumed: it starts from the beginning
        code = int(fix(sim).code)
    return code


def spread(total: int, step: int) -> range:
    return range(1, total + 1, step)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_28_a_signal_in_every_request(fix: Fix, signal: str, when: str) -> None:
    changes = requests_of_a_whole_run(fix)
    total, codes = len(changes), set()
    for number in points(changes, 6) if signal == "SIGTERM" else spread(total, 9):
        elsewhere(fix, number)
        sim = Sim()
        stop_at(number, when, Interrupted(signal), sim)
        outcome = fix(sim)
        where = f"request {number} of {total} ({sim.sent[-1].method} {sim.sent[-1].path})"
        code = int(outcome.code)
        codes.add(code)
        if code == 0:
            assert finished(sim), where
            continue
        assert code == (10 if armed(sim) else 9), f"{where}: exit {code}, armed {armed(sim)}"
        assert signal in outcome.message
        assert (("leases", lock_name(APP)) in sim.objects) == armed(sim) or number == total, where
        assert resume(fix, sim) == 0 and finished(sim), where
        once_only(sim)
    assert codes >= {9, 10}


@pytest.mark.parametrize("state", ["doing", "waiting", "done"])
@pytest.mark.parametrize("key", ["look", "lock", "recheck", "backup", "gate", "claim", "armed", "pod", "wait", "verify"])
def test_28_a_signal_at_every_step(fix: Fix, key: str, state: str) -> None:
    sim = Sim()
    hit = []

    def on_step(at: str, now: str) -> None:
        if (at, now) == (key, state) and not hit:
            hit.append(True)
            raise Interrupted("SIGINT")

    fix.heard.on_step = on_step
    outcome = fix(sim)
    fix.heard.on_step = lambda at, now: None
    if not hit:
        assert state == "waiting" and int(outcome.code) == 0, f"{key} is never {state}"
        return
    late = key == "verify" and state == "done"
    assert int(outcome.code) == (0 if late else 10 if armed(sim) else 9)
    assert resume(fix, sim) == 0 and (finished(sim) or late)
    once_only(sim)


@pytest.mark.parametrize("when", ["before", "after"])
def test_29_kill_9_in_every_request(fix: Fix, when: str) -> None:
    """The lock stays behind; the same user on the same machine may take it up once it has run out."""
    changes = requests_of_a_whole_run(fix)
    total = len(changes)
    for number in points(changes, 6):
        elsewhere(fix, number)
        sim = Sim()
        stop_at(number, when, Killed(), sim)
        with pytest.raises(Killed):
            fix(sim)
        where = f"request {number} of {total} ({sim.sent[-1].method} {sim.sent[-1].path})"
        sim.clock.sleep(3600)  # a laptop asleep: the pod that was evicted is long back
        assert resume(fix, sim) == 0, where
        assert finished(sim), where
        once_only(sim)


def test_29_a_lock_that_is_still_fresh_is_waited_for_and_not_stolen(fix: Fix) -> None:
    sim = Sim()
    stop_at(20, "before", Killed(), sim)
    with pytest.raises(Killed):
        fix(sim)
    before = sum(sim.clock.slept)
    assert resume(fix, sim) == 0 and sum(sim.clock.slept) - before >= 40
    assert fix.heard.waits("lock") and all("is still at work: it must not renew the lock for" in w for w in fix.heard.waits("lock"))


def test_29_without_its_journal_the_lease_is_enough_and_without_the_lease_the_journal(fix: Fix) -> None:
    import shutil

    for lost in ("journal", "lease"):
        sim = Sim()
        sim.after.append(lambda s, sent: Interrupted("SIGINT") if sent.path.endswith("/eviction") else None)
        assert int(fix(sim).code) == 10
        if lost == "journal":
            shutil.rmtree(fix.home / "kubectl-litefs")
        else:
            del sim.objects["leases", lock_name(APP)]
        assert resume(fix, sim) == 0 and finished(sim), lost


def test_29_a_claim_that_is_going_without_any_record_is_backed_up_before_the_pod(fix: Fix) -> None:
    import shutil

    sim = Sim()
    sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.path.endswith("/eviction") else None)
    assert int(fix(sim).code) == 10
    shutil.rmtree(fix.home / "kubectl-litefs")
    shutil.rmtree(fix.home / "backups")
    del sim.objects["leases", lock_name(APP)]
    assert int(fix(sim).code) == 4, "without --resume it is somebody else's"
    sim.before.clear()
    outcome = fix(sim, resume=True)
    assert int(outcome.code) == 0 and outcome.backup and finished(sim)


def test_resume_does_not_finish_what_would_now_lose_data(fix: Fix) -> None:
    """Armed, and meanwhile the target became the primary: ending its pod would end the data."""
    sim = Sim()
    sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.path.endswith("/eviction") else None)
    assert int(fix(sim).code) == 10
    sim.before.clear()
    sim.primary = ONE
    outcome = fix(sim, resume=True)
    assert int(outcome.code) == 10 and "ARMED" in outcome.message
    assert ("pods", ONE) in sim.objects and "deletionTimestamp" not in sim.pod(1)["metadata"]


def test_resume_of_a_finished_run_does_nothing(fix: Fix) -> None:
    sim = Sim()
    assert int(fix(sim).code) == 0
    before = len(sim.changes)
    outcome = fix(sim, resume=True)
    assert (int(outcome.code), outcome.name) == (0, "nothing-to-do") and len(sim.changes) == before


def test_resume_of_a_run_at_another_pod_is_locked(fix: Fix) -> None:
    sim = Sim()
    sim.after.append(lambda s, sent: Interrupted("SIGINT") if sent.path.endswith("/eviction") else None)
    assert int(fix(sim).code) == 10
    sim.after.clear()
    outcome = fix(sim, pod=f"{APP}-2", resume=True)
    assert int(outcome.code) == 5 and ONE in str(outcome.hint)


def test_resume_of_another_users_run_is_locked(fix: Fix) -> None:
    sim = Sim()
    sim.after.append(lambda s, sent: Interrupted("SIGINT") if sent.path.endswith("/eviction") else None)
    assert int(fix(sim).code) == 10
    sim.after.clear()
    sim.objects["leases", lock_name(APP)]["spec"]["holderIdentity"] = "eve@else#1"
    assert int(fix(sim, resume=True).code) == 5
    assert int(fix(sim, resume=True, break_lock=True).code) == 0 and finished(sim)


@pytest.mark.parametrize("when", ["before", "after"])
def test_28_strategy_scale_sets_the_replicas_back_wherever_it_stops(fix: Fix, when: str) -> None:
    for number in points(requests_of_a_whole_run(fix, strategy="scale"), 8):
        elsewhere(fix, number)
        again = Sim()
        stop_at(number, when, Interrupted("SIGTERM"), again)
        outcome = fix(again, strategy="scale")
        owner = again.objects["statefulsets", APP]
        where = f"request {number} : {outcome.message}"
        assert owner["spec"]["replicas"] == 3, where
        assert "kubectl-litefs/restore-replicas" not in (owner["metadata"].get("annotations") or {}), where
        assert int(outcome.code) in (0, 9, 10) and (int(outcome.code) == 9) == (not armed(again)), where
        again.before.clear()
        again.after.clear()
        again.clock.sleep(60)  # a pod that was going ends and is made again
        assert resume(fix, again) == 0 and finished(again), where


@pytest.mark.parametrize("when", ["before", "after"])
def test_28_strategy_in_place_puts_the_file_back_until_the_pod_ends(fix: Fix, when: str) -> None:
    for number in points(requests_of_a_whole_run(fix, strategy="in-place"), 8):
        elsewhere(fix, number)
        again = Sim()
        old = again.pod(1)["metadata"]["uid"]
        stop_at(number, when, Interrupted("SIGTERM"), again)
        outcome = fix(again, strategy="in-place")
        where = f"request {number}: {outcome.message}"
        code = int(outcome.code)
        ended = ("pods", ONE) not in again.objects or again.pod(1)["metadata"]["uid"] != old or "deletionTimestamp" in again.pod(1)["metadata"]
        if code == 9:
            assert not ended and list(again.volume_of(ONE).files) == ["clusterid"], where
        else:
            assert code == 0 or (code == 10 and ended) or code == 10, where
        again.before.clear()
        again.after.clear()
        assert int(fix(again, resume=True).code) == 0, where
        if again.volume_of(ONE).cluster_id != CLUSTER_ID:
            assert int(fix(again, strategy="in-place").code) == 0, where
        assert again.volume_of(ONE).cluster_id == CLUSTER_ID and again.claim(1)["metadata"]["uid"] == OLD_CLAIM, where
