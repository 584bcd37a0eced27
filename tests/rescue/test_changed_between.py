"""Somebody changes the cluster under a rescue, or between a stop and what comes after it: no good copy goes, nothing is called done that is not."""

from __future__ import annotations

import errno
import json
import os
import shutil
from typing import Any

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.lock import lock_name

from ..fix.sim import Db, Sent, Sim, database
from ..fix.test_interruptions import Killed
from ..harness import APP, CLUSTER_ID
from .conftest import Make, Rescue
from .test_elsewhere import killed_at, posts
from .test_faults import DATA, ONE, OWN, TWO, ZERO, back, elsewhere, safe, watch
from .test_restarted import cut_after, deletions

THIRD = "LFSC00000000000000D4"


def replace_volume(sim: Sim) -> None:
    """The primary's claim and pod are made anew; the application has written into what LiteFS began there."""
    sim.replicates = False
    del sim.objects["pods", ZERO], sim.objects["persistentvolumeclaims", f"litefs-data-{ZERO}"]
    sim.clock.sleep(30)
    volume = sim.volume_of(ZERO)
    volume.cluster_id, volume.databases = THIRD, {"db": Db(9, database("another"))}
    sim.replicates = True


def lose_again(sim: Sim) -> None:
    sim.volume_of(ZERO).databases["db"] = Db(1, database("anew"))


# --- the primary


def lose_and_grow(sim: Sim) -> None:
    """Made anew, and already past the txid of the import."""
    sim.volume_of(ZERO).databases["db"] = Db(99, database("anew"))


@pytest.mark.parametrize("change", [replace_volume, lose_again, lose_and_grow])
def test_a_primary_that_loses_the_data_again_costs_no_further_replica(rescue: Rescue, make: Make, change: object) -> None:
    """The proof of an hour ago is no reason to delete the last copy now."""
    sim = make.recreated()
    sim.volume_of(ZERO).databases["db"] = Db(5, OWN)
    rescue.heard.on_step = lambda at, now: change(sim) if (at, now) == (f"replica {TWO}", "done") else None  # type: ignore[operator]
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and f"{ONE} was not reset: it may hold the only good copy" in outcome.message
    assert sim.volume_of(ONE).cluster_id == CLUSTER_ID and sim.volume_of(ONE).databases["db"].data == DATA and safe(sim)
    assert not [c for c in sim.changes if c.startswith("DELETE") and ONE in c]


def test_a_volume_that_was_replaced_since_the_import_begins_anew_and_is_asked_for(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    watch(sim)
    killed_at(rescue, sim, "import", "import")
    sim.after.clear()
    sim.clock.sleep(90)
    replace_volume(sim)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and posts(sim) == ["db"] and len(rescue.asked) == 2
    assert rescue.asked[1].strategy == "import", "as was asked for"
    assert any("its volume is another one" in s and "starting over" in s for s in rescue.heard.said)
    assert database("another") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_a_lost_database_that_is_lost_once_more_begins_anew(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    sim.clock.sleep(90)
    sim.replicates = False
    sim.volume_of(ZERO).databases["db"] = Db(0, b"", "0" * 16)
    outcome = rescue(sim, resume=True)
    assert posts(sim) == ["db"] and deletions(sim) and any("lost it again" in s for s in rescue.heard.said)
    assert outcome.plan is not None and sim.volume_of(ZERO).databases["db"].data[100:] == DATA[100:]


def test_what_is_written_while_another_database_is_sent_is_a_file_and_is_named(rescue: Rescue, make: Make) -> None:
    """The last save may be minutes ago by then."""
    sim = make.recreated()
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["big"] = Db(4, database("big"))
    written = Db(9, database("only here", "and this"))
    sim.after.append(lambda s, sent: s.volume_of(ZERO).databases.update(db=written) if sent.path.endswith("/import") and sent.query["name"] == "big" else None)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 0 and back(sim)
    (file,) = [p for p in rescue.folder.glob("*.sqlite") if p.read_bytes() == written.data]
    assert any("db was written to" in w and str(file) in w for w in outcome.warnings)
    assert not any("big" in w for w in outcome.warnings)


def test_what_the_primary_holds_and_nobody_can_save_is_not_imported_over(rescue: Rescue, make: Make) -> None:
    """Taken up after the application wrote over an import: that is the only copy of what it wrote."""
    sim = make.recreated()
    written = Db(9, database("one", "two", "three", "new"))
    sim.after.append(lambda s, sent: s.volume_of(ZERO).databases.update(db=written) if sent.path.endswith("/import") else None)
    assert int(rescue(sim, strategy="import").code) == 10
    sim.after.clear()
    sim.sent.clear()
    sim.clock.sleep(90)
    sim.exports = lambda pod, name, data: data[:600] if pod == ZERO else data
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 10 and "could not be saved" in outcome.message and not sim.changes
    assert sim.volume_of(ZERO).databases["db"] is written


def test_an_application_that_writes_on_between_the_resets_is_no_loss(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def writes(at: str, now: str) -> None:
        if (at, now) == (f"replica {TWO}", "done"):
            for pod in (ZERO, TWO):
                sim.volume_of(pod).databases["db"] = Db(99, database("two", "three", "four"))

    rescue.heard.on_step = writes
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 0 and {sim.volume_of(p).databases["db"].txid for p in (ZERO, ONE, TWO)} == {99}


# --- the set


def test_a_set_that_was_scaled_down_keeps_its_replicas_and_says_what_to_type(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    killed_at(rescue, sim, "import", "import")
    sim.objects["statefulsets", APP]["spec"]["replicas"] = 2
    sim.clock.sleep(120)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 10 and "was scaled to 2" in outcome.message and not sim.changes
    assert "kubectl -n abaci scale statefulset abaci-app --replicas=3" in str(outcome.hint) and ("leases", lock_name(APP)) in sim.objects
    sim.objects["statefulsets", APP]["spec"]["replicas"] = 3
    sim.clock.sleep(120)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)


def test_a_replica_that_was_scaled_away_is_no_replica_that_follows(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    killed_at(rescue, sim, "data-dir", "restart")
    sim.objects["statefulsets", APP]["spec"]["replicas"] = 2
    sim.clock.sleep(120)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 11 and f"{TWO} is not there" in outcome.message
    assert "--replicas=3" in str(outcome.hint) and "delete pod" not in str(outcome.hint)


@pytest.mark.parametrize(("strategy", "key", "code"), [("data-dir", "recheck", 6), ("import", f"replica {TWO}", 10)])
def test_a_set_that_goes_under_a_run_is_no_wrong_name(rescue: Rescue, make: Make, strategy: str, key: str, code: int) -> None:
    sim = make.recreated()

    def goes(at: str, now: str) -> None:
        if (at, now) == (key, "doing"):
            sim.objects.pop(("statefulsets", APP))
            for pod in (ONE, TWO):
                sim.objects.pop(("pods", pod))

    rescue.heard.on_step = goes
    outcome = rescue(sim, strategy=strategy)
    assert int(outcome.code) == code and (("leases", lock_name(APP)) in sim.objects) is (code == 10)
    assert ("Nothing was changed" in outcome.message) is (code == 6) and "What was copied" not in str(outcome.hint)


# --- a second person


@pytest.mark.parametrize(("moves", "dry_run"), [(1, "client"), (2, "none")])
def test_a_new_run_over_a_half_swapped_directory_is_refused_whatever_lock_it_breaks(rescue: Rescue, make: Make, moves: int, dry_run: str) -> None:
    """It would unpack over what is to be moved in."""
    sim = make.recreated()
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    sim.commands = None
    sim.before.clear()
    sim.sent.clear()
    sim.clock.sleep(90)
    before = sorted(sim.volume_of(ZERO).disk.root.rglob("*"))  # type: ignore[union-attr]
    elsewhere(rescue, make, "another person")
    outcome = rescue(sim, break_lock=True, dry_run=dry_run)
    assert int(outcome.code) == 5 and "--resume" in str(outcome.hint) and "--break-lock" in str(outcome.hint)
    assert sorted(sim.volume_of(ZERO).disk.root.rglob("*")) == before and not sim.changes  # type: ignore[union-attr]
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)


@pytest.mark.parametrize("moves", [1, 3])
def test_where_all_records_are_gone_a_new_run_finishes_the_swap_that_it_finds(rescue: Rescue, make: Make, moves: int) -> None:
    sim = make.recreated()
    watch(sim)
    cut_after(sim, moves)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    sim.commands = None
    sim.before.clear()
    sim.sent.clear()
    del sim.objects["leases", lock_name(APP)]
    elsewhere(rescue, make, "another person")
    outcome = rescue(sim)
    assert int(outcome.code) == 0 and back(sim)
    assert not [s for s in sim.sent if s.method == "EXEC" and "head -c" in " ".join((s.body or {})["command"]) and "tar" in (s.body or {})["command"][2]]


def test_a_swap_that_had_only_made_its_folder_leaves_nothing_and_can_begin_anew(rescue: Rescue, make: Make) -> None:
    """An empty folder beside must not look like a swap once the copy is taken away."""
    sim = make.recreated()
    cut_after(sim, 0)
    outcome = rescue(sim, strategy="data-dir")
    sim.commands = None
    sim.before.clear()
    disk = sim.volume_of(ZERO).disk
    assert disk is not None
    (disk.root / rescue.asked[0].aside).mkdir(exist_ok=True)
    for folder in ("dbs", "clusterid"):
        moved = disk.root / rescue.asked[0].aside / folder
        if moved.exists():
            moved.rename(disk.root / folder)
    sim.clock.sleep(90)
    rescue.agree = False
    assert int(outcome.code) == 10 and int(rescue(sim, resume=True).code) == 8
    assert disk.names() == {"dbs", "clusterid"}
    rescue.agree = True
    assert int(rescue(sim, resume=True).code) == 0 and int(rescue(sim).code) == 0 and back(sim)


# --- an answer that does not come


@pytest.mark.parametrize("blind", [True, False])
def test_a_file_that_was_sent_whole_and_whose_answer_is_lost_is_not_called_unchanged(rescue: Rescue, make: Make, blind: bool) -> None:
    """LiteFS may have all of it and wait for the lock of a transaction."""
    sim = make.lost()
    held: list[bytes] = []
    real = sim.take

    def take(pod: str, name: str, data: bytes) -> tuple[int, bytes]:
        held.append(data)
        return 504, b"timeout"

    def unseen(s: Sim, sent: Sent) -> KubeError | None:
        return KubeError("forbidden", status=403, reason="Forbidden") if held and sent.path.endswith("/vars") else None

    sim.take = take  # type: ignore[method-assign]
    if blind:
        sim.before.append(unseen)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and "may still arrive" in outcome.message and len(held) == 1
    assert "Nothing was changed" not in outcome.message and "--resume" in str(outcome.hint) and ("leases", lock_name(APP)) in sim.objects
    sim.before.clear()
    sim.take = real  # type: ignore[method-assign]
    assert sim.take(ZERO, "db", held[0])[0] == 200
    sim.sent.clear()
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim) and not posts(sim) and len(deletions(sim)) == 1


def killed_at_import(rescue: Rescue, sim: Sim, hooks: list[Any]) -> None:
    """`hooks` are those before a request arrives, or those after it."""
    hooks.append(lambda s, sent: Killed() if sent.path.endswith("/import") else None)
    with pytest.raises(Killed):
        rescue(sim, strategy="import")
    hooks.clear()


def test_a_kill_in_the_gap_is_still_found(rescue: Rescue, make: Make) -> None:
    """Between the file's arrival and its proof."""
    sim = make.lost()
    killed_at_import(rescue, sim, sim.after)
    sim.sent.clear()
    elsewhere(rescue, make, "another")
    sim.clock.sleep(90)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and not posts(sim) and len(deletions(sim)) == 1


# --- the folder


def test_a_folder_that_was_emptied_between_a_proof_and_its_end_is_said_and_no_failure(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    shutil.rmtree(rescue.home / "saved")
    sim.clock.sleep(90)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and any("could not be compared" in w for w in outcome.warnings)


def test_a_copy_that_was_changed_is_no_copy_and_another_pods_is_taken(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    killed_at_import(rescue, sim, sim.before)
    lines = [json.loads(line) for line in (rescue.folder / "manifest.jsonl").read_text().splitlines()]
    (file,) = (rescue.folder / entry["file"] for entry in lines if entry["pod"] == rescue.asked[0].databases[0].pod == ONE)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    sim.exports = lambda pod, name, data: data[:600] if pod == ONE else data
    sim.clock.sleep(90)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and back(sim) and posts(sim) == ["db", "db"]


CUTS = [("data-dir", "stage", 9, "No such file"), ("import", "import", 7, "is not to be had"), ("import", "verify", 11, "No such file"), ("data-dir", "verify", 11, "No such file")]


@pytest.mark.parametrize(("strategy", "key", "code", "words"), CUTS, ids=[f"{c[0]}-{c[1]}" for c in CUTS])
def test_a_folder_that_goes_under_a_run_ends_it_in_words(rescue: Rescue, make: Make, strategy: str, key: str, code: int, words: str) -> None:
    """As does a disk that is full: the code tells the state, and nothing of it is a bug."""
    sim = make.lost()
    rescue.heard.on_step = lambda at, now: shutil.rmtree(rescue.home / "saved") if (at, now) == (key, "doing") else None
    outcome = rescue(sim, strategy=strategy)
    assert int(outcome.code) == code and words in outcome.message and str(rescue.folder) in outcome.message
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    assert int(rescue(sim, strategy=strategy, resume=code == 11).code) == 0 and back(sim)


def test_a_full_disk_between_an_import_and_its_proof_is_taken_up(rescue: Rescue, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = make.lost()
    full = [False]
    real = os.open

    def no_room(path: object, *given: int, **named: int) -> int:
        if full[0] and str(path).endswith(".part"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, *given, **named)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(os, "open", no_room)
    sim.after.append(lambda s, sent: full.__setitem__(0, True) if sent.path.endswith("/import") else None)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and "No space left" in outcome.message and "--resume" in str(outcome.hint)
    full[0] = False
    sim.after.clear()
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim)


# --- the proof


def test_rows_that_are_fewer_than_in_the_copy_are_not_passed_over(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def deletes(at: str, now: str) -> None:
        if (at, now) == ("verify", "doing"):
            sim.clock.sleep(10)
            for pod in (ZERO, ONE, TWO):
                sim.volume_of(pod).databases["db"] = Db(8, database("one"))

    rescue.heard.on_step = deletes
    outcome = rescue(sim)
    assert int(outcome.code) == 0 and outcome.proof == ("db: table t: 3 rows in the copy, 1 now",)
    assert any("1 now: the application has deleted rows since, or they did not come back" in w and str(rescue.folder) in w for w in outcome.warnings)


def test_a_lease_that_moved_is_named_and_not_called_verified(rescue: Rescue, make: Make) -> None:
    """Consul's is refused: somebody has changed the set's configuration meanwhile."""
    sim = make.lost()

    def moves(at: str, now: str) -> None:
        if (at, now) == ("verify", "doing"):
            sim.primary = ONE

    rescue.heard.on_step = moves
    outcome = rescue(sim)
    assert int(outcome.code) == 11 and f"{ONE} is primary now, not {ZERO}" in outcome.message


@pytest.mark.parametrize("early", [False, True])
def test_a_proof_of_a_run_that_was_begun_anew_counts_no_more(rescue: Rescue, make: Make, early: bool) -> None:
    """The same plan, for nothing that it names has changed: but what was proven then is lost, and the application has written past its txid."""
    sim = make.recreated()
    killed_at(rescue, sim, "import", "import")
    sim.clock.sleep(90)
    sim.volume_of(ZERO).databases["db"] = Db(1, OWN)

    def killed(at: str, now: str) -> None:
        if (at, now) == ("gate", "doing"):
            raise Killed

    def killed_before_it_lets_go(s: Sim, sent: Sent) -> BaseException | None:
        return Killed() if sent.method == "DELETE" and "/leases/" in sent.path else None

    rescue.heard.on_step = killed
    sim.before += [killed_before_it_lets_go] if early else []
    with pytest.raises(Killed):
        rescue(sim, resume=True)
    rescue.heard.on_step = lambda at, now: None
    sim.before.clear()
    assert early or rescue.asked[0].id == rescue.asked[1].id
    sim.volume_of(ZERO).databases["db"] = Db(9, database("only here", "and more"))
    sim.clock.sleep(90)
    sim.sent.clear()
    assert int(rescue(sim, resume=True).code) == 0 and posts(sim) == ["db"] and back(sim)


def test_a_container_that_stops_under_the_swap_is_looked_into_when_it_is_back(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    swapped: list[float] = []

    def stopped(s: Sim, sent: Sent) -> KubeError | None:
        if sent.method == "EXEC" and "mv \"$from" in sent.body["command"][2]:  # type: ignore[index]
            swapped.append(s.clock.seconds)
        down = swapped and s.clock.seconds < swapped[0] + 6 and sent.method == "EXEC"
        return KubeError("cannot exec in a stopped state", status=500, reason="InternalError") if down else None

    sim.after.append(stopped)
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 0 and back(sim) and len(swapped) == 1
    assert any("stopped state" in d for d in rescue.heard.waits("swap"))
