"""`rescue undo`: the former directory comes back as long as no replica has lost anything, and no copy is ever lost by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.outcome import Outcome
from kubectl_litefs.fix.work import Interrupted

from ..fix.sim import STRANGER, Db, Sent, Sim, database
from ..fix.test_interruptions import Killed, stop_at
from ..harness import APP, CLUSTER_ID, NS
from .conftest import Make, Rescue
from .test_faults import DATA, OWN, back, elsewhere, points, watch
from .test_run import claims, pods

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))


@pytest.fixture
def rescued(rescue: Rescue, make: Make) -> Sim:
    return after_a_rescue(rescue, make)


def after_a_rescue(rescue: Rescue, make: Make) -> Sim:
    """A cluster that `data-dir` has brought back. From here on nothing has been sent yet."""
    sim = make.recreated()
    assert int(rescue(sim).code) == 0
    sim.sent.clear()
    sim.clock.sleep(30)
    return sim


def undone(sim: Sim) -> bool:
    """The primary has what it had, the replicas what the rescue left them, and the lock is gone."""
    disk = sim.volume_of(ZERO).disk
    assert disk is not None
    former = disk.read() == (STRANGER, {"db": (3, OWN)}) and sim.volume_of(ZERO).cluster_id == STRANGER
    kept = all(sim.volume_of(p).cluster_id == CLUSTER_ID and sim.volume_of(p).databases["db"].data == DATA for p in (ONE, TWO))
    return former and kept and ("leases", lock_name(APP)) not in sim.objects


def finish(rescue: Rescue, sim: Sim) -> bool:
    """--resume, and where nothing was recorded a fresh undo: as a person would."""
    sim.before.clear()
    sim.after.clear()
    sim.commands = None
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    assert int(rescue.undo(sim, resume=True).code) == 0
    if not undone(sim):
        assert int(rescue.undo(sim).code) == 0
    return undone(sim)


def writes(sim: Sim) -> list[str]:
    return [c for c in sim.changes if not c.startswith("EXEC")]


# --- when all goes well


def test_the_former_directory_comes_back_and_only_the_primary_is_restarted(rescue: Rescue, rescued: Sim) -> None:
    before_claims, before_pods = claims(rescued), pods(rescued)
    outcome = rescue.undo(rescued)
    assert (int(outcome.code), outcome.name) == (0, "undone") and undone(rescued)
    assert claims(rescued) == before_claims
    assert {p for p, u in pods(rescued).items() if before_pods[p] != u} == {ZERO}
    assert writes(rescued) == [f"DELETE pods/{ZERO}"]


def test_what_the_rescue_had_brought_stays_on_the_volume_and_here(rescue: Rescue, rescued: Sim) -> None:
    rescued.volume_of(ZERO).disk.write("db", 9, newer := database("one", "two", "three", "later"))  # type: ignore[union-attr]
    for pod in (ZERO, ONE, TWO):
        rescued.volume_of(pod).databases["db"] = Db(9, newer)
    outcome = rescue.undo(rescued)
    disk, plan = rescued.volume_of(ZERO).disk, rescue.asked[-1]
    assert int(outcome.code) == 0 and disk is not None
    assert (disk.root / plan.undone / "dbs/db/database").read_bytes() == newer
    assert newer in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]
    assert {rescued.volume_of(p).databases["db"].data for p in (ONE, TWO)} == {newer}
    assert any("still at 0000000000000009/" in line for line in outcome.proof) and plan.undone in str(outcome.hint)


def test_a_rescue_can_follow_an_undo_and_an_undo_that(rescue: Rescue, rescued: Sim) -> None:
    for _ in range(2):
        assert int(rescue.undo(rescued).code) == 0 and undone(rescued)
        assert int(rescue(rescued).code) == 0
        assert rescued.volume_of(ZERO).databases["db"].data == DATA
        assert rescued.volume_of(ZERO).cluster_id == CLUSTER_ID


def test_the_plan_names_what_comes_back_and_its_dry_run_changes_nothing(rescue: Rescue, rescued: Sim) -> None:
    outcome = rescue.undo(rescued, dry_run="client")
    assert (int(outcome.code), outcome.name) == (0, "dry-run") and outcome.plan is not None
    document = outcome.plan.document()
    assert document["kind"] == "RescueUndoPlan" and document["formerClusterID"] == STRANGER
    assert [b["name"] for b in document["before"]] == ["db"] and document["comesBack"].startswith("lost-")
    assert not writes(rescued) and rescued.volume_of(ZERO).cluster_id == CLUSTER_ID
    assert int(rescue.undo(rescued, plan_id="0" * 64).code) == 6 and not writes(rescued)
    assert int(rescue.undo(rescued, plan_id=outcome.plan.id).code) == 0 and undone(rescued)


def test_from_another_machine_it_is_found_on_the_volume(rescue: Rescue, make: Make, rescued: Sim) -> None:
    """No journal and no copies from before: the volume tells what was put aside."""
    elsewhere(rescue, make, "another")
    assert int(rescue.undo(rescued).code) == 0 and undone(rescued)


def test_declining_changes_nothing(rescue: Rescue, rescued: Sim) -> None:
    rescue.agree = False
    assert int(rescue.undo(rescued).code) == 8 and not writes(rescued)
    assert rescued.volume_of(ZERO).cluster_id == CLUSTER_ID


@pytest.mark.parametrize("state", ["healthy", "recreated", "lost"])
def test_where_nothing_was_put_aside_there_is_nothing_to_undo(rescue: Rescue, make: Make, state: str) -> None:
    sim: Sim = getattr(make, state)()
    outcome = rescue.undo(sim)
    assert (int(outcome.code), outcome.name) == (0, "nothing-to-do") and not writes(sim) and not rescue.asked


@pytest.mark.parametrize("strategy", ["import", "data-dir"])
def test_after_a_lost_database_came_back_there_is_nothing_to_undo(rescue: Rescue, make: Make, strategy: str) -> None:
    """The way back would be an empty database, which every replica would take."""
    sim = make.lost()
    assert int(rescue(sim, strategy=strategy).code) == 0
    sim.sent.clear()
    outcome = rescue.undo(sim)
    assert outcome.name == "nothing-to-do" and "import the saved file again" in str(outcome.hint) and not writes(sim)


# --- what it refuses


def wiped(sim: Sim) -> None:
    sim.volume_of(TWO).databases = {}
    sim.replicates = False


def behind(sim: Sim) -> None:
    sim.volume_of(TWO).databases["db"] = Db(4, database("one"))
    sim.replicates = False


def other_content(sim: Sim) -> None:
    sim.volume_of(TWO).databases["db"] = Db(7, database("another"))
    sim.replicates = False


def nobody_has_it(sim: Sim) -> None:
    """The replicas hang, and the application has written on."""
    sim.replicates = False
    sim.volume_of(ZERO).databases["db"] = Db(9, database("one", "two", "three", "new"))


def silent(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: (503, {}, b'{"message": "connection refused", "reason": "ServiceUnavailable"}')


def would_obey(sim: Sim) -> None:
    """A replica that was reset under the new id."""
    sim.volume_of(TWO).cluster_id = STRANGER


def second_primary(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: b'{"clusterID": "' + CLUSTER_ID.encode() + b'", "isPrimary": true, "path": "/var/lib/litefs"}' if path == "info" else None


def two_directories(sim: Sim) -> None:
    disk = sim.volume_of(ZERO).disk
    assert disk is not None
    (disk.root / "lost-0123456789ab" / "dbs").mkdir(parents=True)


def hostile_id(sim: Sim) -> None:
    disk = sim.volume_of(ZERO).disk
    assert disk is not None
    (aside,) = [disk.root / n for n in disk.names() if n.startswith("lost-")]
    (aside / "clusterid").write_text("LFSC\x1b[2J;rm -rf /\n")


def rollout(sim: Sim) -> None:
    sim.objects["statefulsets", APP]["status"] |= {"currentRevision": "r1", "updateRevision": "r2"}


REFUSED = [
    (wiped, "U4"), (behind, "U4"), (other_content, "U4"), (nobody_has_it, "U5"), (silent, "U2"), (would_obey, "U3"),
    (second_primary, "U1"), (two_directories, "U6"), (hostile_id, "U3"), (rollout, "R15"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "refusal"), REFUSED, ids=[f.__name__ for f, _ in REFUSED])
def test_refused(rescue: Rescue, rescued: Sim, spoil: Callable[[Sim], None], refusal: str) -> None:
    asked = len(rescue.asked)
    spoil(rescued)
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 4 and refusal in [r.id for r in outcome.refusals], outcome.refusals
    assert not writes(rescued) and len(rescue.asked) == asked


def test_a_history_that_a_person_gave_up_in_the_rescue_is_not_brought_back_by_an_undo(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.volume_of(TWO).databases["db"] = Db(7, database("another"))
    assert int(rescue(sim, source=ONE).code) == 0
    outcome = rescue.undo(sim)
    assert int(outcome.code) == 4 and {r.id for r in outcome.refusals} == {"U4"}


@pytest.mark.parametrize("spoil", [behind, nobody_has_it, would_obey], ids=lambda f: str(f.__name__))
def test_what_happens_between_the_plan_and_the_last_look_ends_it(rescue: Rescue, rescued: Sim, spoil: Callable[[Sim], None]) -> None:
    rescue.heard.on_step = lambda key, state: spoil(rescued) if (key, state) == ("lock", "done") else None
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 4 and "since the plan" in outcome.message and not writes(rescued)
    assert ("leases", lock_name(APP)) not in rescued.objects


def test_a_primary_that_was_restarted_since_the_plan_ends_it(rescue: Rescue, rescued: Sim) -> None:
    def restart(key: str, state: str) -> None:
        if (key, state) == ("lock", "done"):
            rescued.pod(0)["metadata"]["uid"] = "another"

    rescue.heard.on_step = restart
    assert int(rescue.undo(rescued).code) == 6 and not writes(rescued)


def test_without_exec_it_says_so_and_nothing_happens(rescue: Rescue, rescued: Sim) -> None:
    rescued.allowed = lambda verb, group, resource, name: resource != "pods/exec"
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 3 and f"you may not: create pods/exec {ZERO}" in outcome.message and not writes(rescued)


def test_the_primarys_writes_since_the_rescue_must_be_saved_first(rescue: Rescue, rescued: Sim) -> None:
    for pod in (ZERO, ONE, TWO):
        rescued.volume_of(pod).databases["db"] = Db(8, database("one", "two", "three", "four"))
    rescued.exports = lambda pod, name, data: b"" if pod == ZERO else data
    assert int(rescue.undo(rescued).code) == 7 and not writes(rescued)


def test_where_no_primary_is_seen_it_does_not_say_that_there_is_nothing(rescue: Rescue, make: Make) -> None:
    sim = make.healthy()
    sim.infos[ZERO] = lambda path: json.dumps({"clusterID": CLUSTER_ID, "isPrimary": False, "path": "/var/lib/litefs"}).encode() if path == "info" else None
    outcome = rescue.undo(sim)
    assert int(outcome.code) == 3 and "cannot be seen" in outcome.message and not writes(sim)


# --- a rescue that was stopped


@pytest.mark.parametrize("key", ["restart", "wait", "verify"])
def test_an_undo_takes_the_place_of_a_rescue_that_was_stopped_after_the_swap(rescue: Rescue, make: Make, key: str) -> None:
    sim = make.recreated()
    rescue.heard.on_step = stop_when(key)
    assert int(rescue(sim).code) == 10
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    assert int(rescue.undo(sim).code) == 0 and undone(sim)


@pytest.mark.parametrize("line", ['mv "$x" "$to/$x" || exit 7', 'mv "$from/$x" "$x" || exit 8'])
def test_an_undo_brings_back_a_rescue_whose_swap_was_cut_half_way(rescue: Rescue, make: Make, line: str) -> None:
    sim = make.recreated()
    cut(sim, line)
    assert int(rescue(sim, strategy="data-dir").code) == 10
    sim.commands = None
    sim.before.clear()
    sim.clock.sleep(90)
    assert int(rescue.undo(sim).code) == 0 and undone(sim)


@pytest.mark.parametrize("key", ["restart", "wait", "verify"])
def test_an_undo_that_was_stopped_after_the_swap_is_not_nothing_to_undo(rescue: Rescue, rescued: Sim, key: str) -> None:
    rescue.heard.on_step = stop_when(key)
    assert int(rescue.undo(rescued).code) == 10
    rescue.heard.on_step = lambda at, now: None
    rescued.clock.sleep(90)
    sent = len(writes(rescued))
    again = rescue.undo(rescued)
    assert int(again.code) == 5 and f"rescue undo {APP} -n {NS} --resume" in str(again.hint) and len(writes(rescued)) == sent
    assert int(rescue.undo(rescued, resume=True).code) == 0 and undone(rescued)


def stopped_rescue(rescue: Rescue, make: Make, key: str = "restart") -> Sim:
    """A rescue that was stopped with 10 after its swap; from here on on a machine that has no journal of it."""
    sim = make.recreated()
    rescue.heard.on_step = stop_when(key)
    assert int(rescue(sim).code) == 10
    rescue.heard.on_step = lambda at, now: None
    sim.clock.sleep(90)
    sim.sent.clear()
    elsewhere(rescue, make, "another")
    return sim


def stop_when(key: str) -> Callable[[str, str], None]:
    def on_step(at: str, now: str) -> None:
        if (at, now) == (key, "doing"):
            raise Interrupted("SIGINT")

    return on_step


def takes_up_the_rescue(rescue: Rescue, make: Make, sim: Sim) -> bool:
    """`rescue run --resume` where no journal helps."""
    elsewhere(rescue, make, "a third")
    rescue.heard.on_step = lambda at, now: None
    rescue.agree = True
    sim.before.clear()
    sim.after.clear()
    sim.clock.sleep(90)
    return int(rescue(sim, resume=True).code) == 0 and back(sim)


@pytest.mark.parametrize("key", ["survey", "lock", "gate", "swap"])
def test_an_undo_that_stops_before_it_moves_anything_leaves_the_rescues_record(rescue: Rescue, make: Make, key: str) -> None:
    sim = stopped_rescue(rescue, make)
    before = sim.objects["leases", lock_name(APP)]["metadata"]["annotations"]
    rescue.heard.on_step = stop_when(key)
    outcome = rescue.undo(sim)
    assert int(outcome.code) == 9 and not writes(sim)
    assert sim.objects["leases", lock_name(APP)]["metadata"]["annotations"] == before
    if key in ("gate", "swap"):
        assert f"rescue run {APP} -n {NS} --resume" in str(outcome.hint)
    assert takes_up_the_rescue(rescue, make, sim)


def test_an_undo_that_refuses_at_its_last_look_leaves_the_rescues_record(rescue: Rescue, make: Make) -> None:
    sim = stopped_rescue(rescue, make, "verify")
    kept = dict(sim.volume_of(TWO).databases)

    def loses(at: str, now: str) -> None:
        if (at, now) == ("lock", "done"):
            behind(sim)

    rescue.heard.on_step = loses
    assert int(rescue.undo(sim).code) == 4 and not writes(sim)
    sim.volume_of(TWO).databases, sim.replicates = kept, True
    assert takes_up_the_rescue(rescue, make, sim)


@pytest.mark.parametrize("agree", [True, False])
def test_an_undo_that_was_killed_before_it_moved_anything_keeps_the_rescues_record(rescue: Rescue, make: Make, agree: bool) -> None:
    sim = stopped_rescue(rescue, make)

    def killed(at: str, now: str) -> None:
        if (at, now) == ("gate", "done"):
            raise Killed

    rescue.heard.on_step = killed
    with pytest.raises(Killed):
        rescue.undo(sim)
    sim.clock.sleep(90)
    rescue.heard.on_step, rescue.agree = stop_when("gate") if agree else lambda at, now: None, agree
    assert int(rescue.undo(sim, resume=True).code) == (9 if agree else 8) and not writes(sim)
    assert takes_up_the_rescue(rescue, make, sim)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_signal_while_the_lock_is_taken_over_leaves_the_rescues_record(rescue: Rescue, make: Make, when: str) -> None:
    sim = stopped_rescue(rescue, make)
    once: list[bool] = []

    def hook(s: Sim, sent: Sent) -> Interrupted | None:
        if sent.method != "PUT" or once:
            return None
        once.append(True)
        return Interrupted("SIGTERM")

    (sim.before if when == "before" else sim.after).append(hook)
    assert int(rescue.undo(sim).code) == 9 and not writes(sim) and once
    assert takes_up_the_rescue(rescue, make, sim)


def test_an_undo_that_is_done_ends_the_rescue_it_took_the_place_of(rescue: Rescue, make: Make) -> None:
    sim = stopped_rescue(rescue, make)
    assert int(rescue.undo(sim).code) == 0 and undone(sim)
    assert rescue(sim, resume=True).name == "nothing-to-do"


def cut(sim: Sim, line: str) -> None:
    """The script of the swap dies after this line, and nobody reaches the pod from then on."""
    dead = [False]

    def dies(pod: str, command: Sequence[str]) -> Sequence[str]:
        if len(command) > 5 and "from=$2" in command[2] and "mv" in command[2]:
            dead[0] = True
            return [*command[:2], command[2].replace(line, line + "; exit 99"), *command[3:]]
        return command

    sim.commands = dies
    sim.before.append(lambda s, sent: KubeError("no route", status=None, reason="Unreachable") if dead[0] and sent.method == "EXEC" else None)


def test_a_stopped_reset_of_a_replica_is_not_taken_over(rescue: Rescue, rescued: Sim) -> None:
    notes = {"kubectl-litefs/pod": ONE, "kubectl-litefs/plan": "x"}
    rescued.put("leases", {"kind": "Lease", "metadata": {"name": lock_name(APP), "annotations": notes}, "spec": {"holderIdentity": "eve@else#1", "leaseDurationSeconds": 1}})
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 5 and f"fix-cluster-id {ONE}" in str(outcome.hint) and not writes(rescued)


def test_a_rescue_does_not_take_up_an_undo_and_says_what_does(rescue: Rescue, rescued: Sim) -> None:
    rescued.before.append(lambda s, sent: Interrupted("SIGINT") if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") else None)
    assert int(rescue.undo(rescued).code) == 10
    rescued.before.clear()
    outcome = rescue(rescued, resume=True)
    assert int(outcome.code) == 5 and f"rescue undo {APP}" in str(outcome.hint)
    assert finish(rescue, rescued)


# --- stopped anywhere


def test_taken_up_elsewhere_the_copies_are_told_to_be_where_it_began(rescue: Rescue, rescued: Sim, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second stop, too: the folder is that of the first machine."""

    def undo(machine: str, stops: bool, **options: bool) -> Outcome:
        elsewhere(rescue, make, machine)
        monkeypatch.setattr("kubectl_litefs.rescue.undo.who", lambda: f"ada@{machine}")
        rescue.heard.on_step = stop_when("wait") if stops else lambda at, now: None
        rescued.clock.sleep(90)
        return rescue.undo(rescued, **options)

    assert int(undo("first", stops=True).code) == 10
    rescue.home.rename(rescue.top / "out of reach")
    assert int(undo("second", stops=True, resume=True).code) == 10
    ends = undo("third", stops=False, resume=True)
    assert int(ends.code) == 0 and f"{rescue.top}/first/" in str(ends.hint) and " of ada@first." in str(ends.hint)


def requests(rescue: Rescue, sim: Sim) -> int:
    count = [0]
    sim.before.append(lambda s, sent: count.append(1))
    assert int(rescue.undo(sim).code) == 0
    return len(count) - 1


@pytest.mark.parametrize(("error", "when"), [(Interrupted("SIGTERM"), "before"), (Interrupted("SIGTERM"), "after"), (Killed(), "after")])
def test_a_stop_in_every_request(rescue: Rescue, make: Make, error: BaseException, when: str) -> None:
    elsewhere(rescue, make, "whole")
    total = requests(rescue, after_a_rescue(rescue, make))
    for number in points(total, when):
        elsewhere(rescue, make, f"{number}")
        sim = after_a_rescue(rescue, make)
        watch(sim)
        stop_at(number, when, error, sim)
        where = f"request {number} of {total}"
        try:
            code = int(rescue.undo(sim).code)
        except Killed:
            code = -1
        if code == 9:
            assert not writes(sim) and sim.volume_of(ZERO).disk.read()[0] == CLUSTER_ID, where  # type: ignore[union-attr]
            assert ("leases", lock_name(APP)) not in sim.objects, where
        assert code in (-1, 0, 9, 10), where
        assert finish(rescue, sim), where


@pytest.mark.parametrize("key", ["survey", "lock", "gate", "swap", "restart", "wait", "verify"])
def test_a_signal_as_a_step_begins(rescue: Rescue, rescued: Sim, key: str) -> None:
    watch(rescued)
    rescue.heard.on_step = stop_when(key)
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == (10 if key in ("restart", "wait", "verify") else 9), outcome
    assert finish(rescue, rescued)


@pytest.mark.parametrize("line", ['mv "$x" "$to/$x" || exit 7', 'mv "$from/$x" "$x" || exit 8'])
def test_a_swap_back_that_is_cut_half_way_is_finished_by_resume(rescue: Rescue, rescued: Sim, line: str) -> None:
    watch(rescued)
    cut(rescued, line)
    outcome = rescue.undo(rescued)
    rescued.before.clear()
    assert int(outcome.code) == 10 and f"rescue undo {APP}" in str(outcome.hint)
    assert not writes(rescued), "the pod is not deleted"
    assert finish(rescue, rescued)


# --- the proof


def test_a_replica_that_loses_something_meanwhile_is_told(rescue: Rescue, rescued: Sim) -> None:
    def after(s: Sim, sent: Sent) -> None:
        if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}"):
            s.replicates = False
            s.volume_of(TWO).databases["db"] = Db(3, OWN)

    rescued.after.append(after)
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 11 and f"{TWO} had db at 0000000000000007/" in outcome.message


def test_a_primary_that_comes_back_with_another_id_is_told(rescue: Rescue, rescued: Sim) -> None:
    def after(s: Sim, sent: Sent) -> None:
        if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}"):
            (s.volume_of(ZERO).disk.root / "clusterid").write_text("LFSC00000000000000D4\n")  # type: ignore[union-attr]

    rescued.after.append(after)
    outcome = rescue.undo(rescued)
    assert int(outcome.code) == 11 and "LFSC00000000000000D4" in outcome.message and "Restart and reset no replica" in str(outcome.hint)
