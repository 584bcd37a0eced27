"""Somebody restarts the primary's pod while a swap is half done, and `--resume` finishes all the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted

from ..fix.sim import STRANGER, Db, Sent, Sim, database
from ..fix.test_interruptions import Killed
from ..harness import APP, CLUSTER_ID
from .conftest import Make, Rescue
from .test_faults import DATA, ONE, OWN, TWO, ZERO, back, elsewhere, safe, watch
from .test_undo import after_a_rescue, undone

MOVES = (1, 2, 3, 4)
"""Own data aside, the replica's in, own id aside, the old one in."""


def cut_after(sim: Sim, moves: int) -> None:
    """The container's script dies after so many moves, and nobody reaches the pod from then on."""
    dead = [False]

    def dies(pod: str, command: Sequence[str]) -> Sequence[str]:
        if len(command) > 5 and "from=$2" in command[2] and "mv" in command[2]:
            dead[0] = True
            last = f"|| exit 9; k=$((k + 1)); [ $k -lt {moves} ] || exit 99"
            script = command[2].replace("|| exit 7", last).replace("|| exit 8", last)
            return [*command[:2], "k=0\n" + script, *command[3:]]
        return command

    sim.commands = dies
    sim.before.append(lambda s, sent: KubeError("no route", status=None, reason="Unreachable") if dead[0] and sent.method == "EXEC" else None)


def somebody_restarts(sim: Sim, rescue: Rescue) -> str:
    """The uid of the pod that is there afterwards; it can be reached again."""
    sim.commands = None
    sim.before.clear()
    rescue.heard.on_step = lambda at, now: None
    del sim.objects["pods", ZERO]
    sim.clock.sleep(120)
    return str(sim.pod(0)["metadata"]["uid"])


def writes_on(sim: Sim, rows: Sequence[str]) -> None:
    """The application writes into whatever stands there."""
    txid = max([7, *(d.txid for d in sim.volume_of(ZERO).databases.values())]) + 1 if rows[0] == "one" else 1
    sim.volume_of(ZERO).databases["db"] = Db(txid, database(*rows))
    sim.volume_of(ZERO).disk.write("db", txid, database(*rows))  # type: ignore[union-attr]


@pytest.mark.parametrize("moves", MOVES)
def test_a_pod_restarted_half_way_is_restarted_once_more_and_the_rescue_ends_well(rescue: Rescue, make: Make, moves: int) -> None:
    sim = make.recreated()
    watch(sim)
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    uid = somebody_restarts(sim, rescue)
    assert sim.volume_of(ZERO).cluster_id == (STRANGER, STRANGER, "LFSC00000000000000E5", CLUSTER_ID)[moves - 1]
    sim.sent.clear()
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and safe(sim)
    again = [c for c in sim.changes if c.startswith("DELETE")]
    assert again == ([] if moves == 4 else [f"DELETE pods/{ZERO}"]), "after a whole swap the restart was the right one"
    assert (sim.pod(0)["metadata"]["uid"] == uid) is (moves == 4)
    assert any("restarted by somebody" in w for w in outcome.warnings) is (moves != 4)
    kept = [p.read_bytes() for p in sim.volume_of(ZERO).disk.root.glob("lost-*/dbs/db/database")]  # type: ignore[union-attr]
    assert kept == [OWN]


def test_what_the_application_makes_anew_in_the_gap_is_a_file_and_stays_on_the_volume(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    cut_after(sim, 1)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    somebody_restarts(sim, rescue)
    writes_on(sim, ("anew",))
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)
    since = [p.read_bytes() for p in sim.volume_of(ZERO).disk.root.glob("lost-*/since-1/dbs/db/database")]  # type: ignore[union-attr]
    assert since == [database("anew")]
    assert database("anew") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


@pytest.mark.parametrize("moves", [2, 3])
def test_what_the_application_writes_on_into_the_data_that_is_back_stays(rescue: Rescue, make: Make, moves: int) -> None:
    sim = make.recreated()
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    somebody_restarts(sim, rescue)
    writes_on(sim, ("one", "two", "three", "four"))
    assert int(rescue(sim, resume=True).code) == 0
    assert {sim.volume_of(p).databases["db"].data for p in (ZERO, ONE, TWO)} == {database("one", "two", "three", "four")}


def test_a_run_killed_between_the_swap_it_finished_and_the_restart_is_taken_up_once_more(rescue: Rescue, make: Make) -> None:
    """The id that the pod runs with tells that it began before the swap was complete."""
    sim = make.recreated()
    cut_after(sim, 2)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    somebody_restarts(sim, rescue)

    def killed(at: str, now: str) -> None:
        if (at, now) == ("swap", "done"):
            raise Killed

    rescue.heard.on_step = killed
    with pytest.raises(Killed):
        rescue(sim, resume=True)
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_lost_databases_whose_swap_was_cut_and_whose_pod_was_restarted_come_back(rescue: Rescue, make: Make, moves: int) -> None:
    sim = make.lost()
    sim.volume_of(ZERO).databases["two"] = Db(0, b"", "0" * 16)
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["two"] = Db(4, database("second"))
    watch(sim)
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    somebody_restarts(sim, rescue)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)
    assert sim.volume_of(ZERO).databases["two"].data == database("second")


@pytest.mark.parametrize("moves", MOVES)
def test_an_undo_whose_pod_was_restarted_half_way_ends_well(rescue: Rescue, make: Make, moves: int) -> None:
    sim = after_a_rescue(rescue, make)
    watch(sim)
    cut_after(sim, moves)
    assert int(rescue.undo(sim).code) == 10
    somebody_restarts(sim, rescue)
    assert int(rescue.undo(sim, resume=True).code) == 0 and undone(sim)


# --- a resume that is stopped itself


@pytest.mark.parametrize("moves", [1, 2, 3])
@pytest.mark.parametrize("key", ["lock", "save"])
def test_a_resume_that_is_stopped_before_it_has_looked_clears_nothing_away(rescue: Rescue, make: Make, key: str, moves: int) -> None:
    sim = make.recreated()
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    sim.commands = None
    sim.before.clear()
    sim.clock.sleep(90)
    before = sorted(sim.volume_of(ZERO).disk.root.rglob("*"))  # type: ignore[union-attr]

    def stops(at: str, now: str) -> None:
        if (at, now) == ("lock", "done" if key == "save" else "doing"):
            raise Interrupted("SIGINT")

    rescue.heard.on_step = stops
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) in ((9,) if key == "lock" else (9, 10))
    assert sorted(sim.volume_of(ZERO).disk.root.rglob("*")) == before, "the copy beside stays"  # type: ignore[union-attr]
    rescue.heard.on_step = lambda at, now: None
    elsewhere(rescue, make, "another")
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)


@pytest.mark.parametrize("resume", [True, False])
def test_a_second_run_that_is_locked_out_does_not_take_the_copy_of_the_first_away(rescue: Rescue, make: Make, resume: bool) -> None:
    sim = make.recreated()

    def dies(at: str, now: str) -> None:
        if (at, now) == ("stage", "done"):
            raise Killed

    rescue.heard.on_step = dies
    with pytest.raises(Killed):
        rescue(sim, strategy="data-dir")
    rescue.heard.on_step = lambda at, now: None
    sim.objects["leases", lock_name(APP)]["spec"]["holderIdentity"] = "eve@else#1"
    outcome = rescue(sim, strategy="data-dir", resume=resume)
    assert int(outcome.code) == 5
    staged = [p.read_bytes() for p in sim.volume_of(ZERO).disk.root.glob("rescue-*/dbs/db/database")]  # type: ignore[union-attr]
    assert staged == [DATA]


# --- an import


def two_lost(make: Make) -> Sim:
    sim = make.lost()
    sim.volume_of(ZERO).databases["two"] = Db(0, b"", "0" * 16)
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["two"] = Db(4, database("second"))
    return sim


def somebody_deletes(sim: Sim) -> None:
    """A moment later the pod is another one, and runs."""
    del sim.objects["pods", ZERO]
    sim.clock.sleep(10)


def deletions(sim: Sim) -> list[str]:
    return [c for c in sim.changes if c == f"DELETE pods/{ZERO}"]


def imports(sim: Sim) -> list[str]:
    return [s.query["name"] for s in sim.sent if s.path.endswith("/import")]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize(("done", "again"), [(1, True), (2, False)])
def test_a_pod_that_began_before_the_last_import_is_restarted_once_more(rescue: Rescue, make: Make, done: int, again: bool, where: str) -> None:
    """It is not the restart of the rescue: what it has opened of the second database is the empty file."""
    sim = two_lost(make)

    def killed(s: Sim, sent: Sent) -> None:
        if len(imports(s)) == done + 1 and sent.path.endswith("/import"):
            raise Killed
        if len(imports(s)) == done == 2 and sent.path.endswith("/export"):
            raise Killed

    sim.before.append(killed)
    with pytest.raises(Killed):
        rescue(sim, strategy="import")
    sim.before.clear()
    sim.clock.sleep(90)
    somebody_deletes(sim)
    uid = sim.pod(0)["metadata"]["uid"]
    sim.sent.clear()
    if where == "elsewhere":
        elsewhere(rescue, make, "another")
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and sim.volume_of(TWO).databases["two"].data[100:] == database("second")[100:]
    assert len(deletions(sim)) == again and (sim.pod(0)["metadata"]["uid"] != uid) is again
    assert any("before the import was complete" in w for w in outcome.warnings) is again
    assert rescue.heard.waits("verify") and len(outcome.proof) == 2, "verified as ever"


def test_a_pod_that_somebody_restarts_during_a_run_counts_in_the_same_way(rescue: Rescue, make: Make) -> None:
    sim = two_lost(make)

    def between(s: Sim, sent: Sent) -> None:
        if imports(s) == ["db"] and sent.path.endswith("/export") and not deletions(s):
            sim.after.remove(between)
            somebody_deletes(s)

    sim.after.append(between)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 0 and back(sim) and len(deletions(sim)) == 1 and any("once more" in w for w in outcome.warnings)


def test_a_restart_by_somebody_after_the_imports_is_enough(rescue: Rescue, make: Make) -> None:
    sim = two_lost(make)
    rescue.heard.on_step = lambda at, now: somebody_deletes(sim) if (at, now) == ("restart", "doing") else None
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 0 and back(sim) and not deletions(sim) and not outcome.warnings


@pytest.mark.parametrize("key", ["restart", "wait", "verify"])
def test_replicas_that_hang_after_somebodys_restart_are_waited_for_by_resume(rescue: Rescue, make: Make, key: str) -> None:
    """The wait for the subscribers begins with the look, and is not skipped because the pod is another one."""
    sim = make.lost()

    def killed(at: str, now: str) -> None:
        if (at, now) == (key, "doing"):
            raise Killed

    rescue.heard.on_step = killed
    with pytest.raises(Killed):
        rescue(sim, strategy="import")
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    somebody_deletes(sim)
    sim.hanging[TWO] = sim.clock.seconds + 100
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim)
    assert any("1 of 2 replicas are connected" in d for d in rescue.heard.waits("verify"))
