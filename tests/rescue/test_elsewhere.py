"""A rescue that was stopped is taken up on another machine, where neither the journal nor the copies of the first are."""

from __future__ import annotations

import json
import os

import pytest

from kubectl_litefs.fix.lock import PREFIX, lock_name
from kubectl_litefs.fix.outcome import Outcome

from ..fix.sim import Db, Sim, database
from ..fix.test_interruptions import Killed
from ..harness import APP
from .conftest import Make, Rescue
from .test_faults import ONE, TWO, ZERO, back, elsewhere, killed_after, points, requests_of, watch
from .test_faults import WAYS as EVERY_WAY

MORE = database("one", "two", "three", "four")


def killed_at(rescue: Rescue, sim: Sim, strategy: str, key: str, state: str = "done") -> None:
    """The process is gone at this point of its first run, and with it its machine."""

    def on_step(at: str, now: str) -> None:
        if (at, now) == (key, state):
            raise Killed

    rescue.heard.on_step = on_step
    with pytest.raises(Killed):
        rescue(sim, strategy=strategy)
    rescue.heard.on_step = lambda at, now: None
    sim.sent.clear()


def other_machine(rescue: Rescue, make: Make, sim: Sim, name: str = "another") -> None:
    """Nothing of what the first has written can be read there."""
    (rescue.home / "saved").rename(rescue.home / "out of reach")
    elsewhere(rescue, make, name)
    sim.clock.sleep(90)


def taken_up(rescue: Rescue, make: Make, sim: Sim) -> Outcome:
    other_machine(rescue, make, sim)
    return rescue(sim, resume=True)


def posts(sim: Sim) -> list[str]:
    return [s.query["name"] for s in sim.sent if s.path.endswith("/import")]


def restarted(sim: Sim) -> bool:
    return str(sim.pod(0)["metadata"]["uid"]) != f"uid-pod-{ZERO}"


def notes(sim: Sim) -> dict[str, str]:
    return {k.removeprefix(PREFIX): v for k, v in sim.objects["leases", lock_name(APP)]["metadata"]["annotations"].items()}


WAYS = [
    *(("recreated", "data-dir", k) for k in ("stage", "wait")),
    ("lost", "data-dir", "swap"),
    *(("recreated", "import", k) for k in ("import", f"replica {TWO}")),
    *(("lost", "import", k) for k in ("gate", "import")),
]


@pytest.mark.parametrize(("state", "strategy", "key"), WAYS, ids=["-".join(w) for w in WAYS])
def test_it_ends_as_it_would_have_on_the_first(rescue: Rescue, make: Make, state: str, strategy: str, key: str) -> None:
    sim: Sim = getattr(make, state)()
    watch(sim)
    killed_at(rescue, sim, strategy, key)
    outcome = taken_up(rescue, make, sim)
    assert (int(outcome.code), outcome.name) == (0, "rescued") and back(sim)
    assert restarted(sim) is (strategy == "data-dir" or state == "lost"), "connections that the pod has open keep the empty schema"
    assert posts(sim) == (["db"] if strategy == "import" and key == "gate" else []), "what is proven is not sent again"
    assert any(line.endswith(("3 now", "3 rows now, not compared with the copy")) for line in outcome.proof)


@pytest.mark.parametrize(("state", "strategy", "key"), [("lost", "import", "import"), ("recreated", "data-dir", "wait"), ("recreated", "import", f"replica {ONE}")])
def test_where_no_pod_has_the_copy_any_more_the_checksum_proves_it_and_that_is_said(rescue: Rescue, make: Make, state: str, strategy: str, key: str) -> None:
    sim: Sim = getattr(make, state)()
    killed_at(rescue, sim, strategy, key)
    outcome = taken_up(rescue, make, sim)
    gone = strategy == "import"
    assert int(outcome.code) == 0 and any("proven by its checksum" in w and str(rescue.top) in w for w in outcome.warnings) is gone
    assert outcome.proof == (("db: table t: 3 rows now, not compared with the copy",) if gone else ("db: table t: 3 rows in the copy, 3 now",))
    assert outcome.backup == str(rescue.folder) and str(rescue.top / "saved") in str(outcome.hint)


def write_on(sim: Sim) -> None:
    """The application, and every replica follows."""
    txid = sim.volume_of(ZERO).databases["db"].txid + 1
    for pod in (ZERO, ONE, TWO):
        sim.volume_of(pod).databases["db"] = Db(txid, MORE)
    disk = sim.volume_of(ZERO).disk
    if disk is not None:
        disk.write("db", txid, MORE)


@pytest.mark.parametrize("state", ["recreated", "lost"])
def test_a_directory_that_was_written_to_and_whose_copy_is_out_of_reach_is_not_called_verified(rescue: Rescue, make: Make, state: str) -> None:
    sim: Sim = getattr(make, state)()
    killed_at(rescue, sim, "data-dir", "wait")
    sim.clock.sleep(60)
    write_on(sim)
    outcome = taken_up(rescue, make, sim)
    assert int(outcome.code) == 11 and "written to since" in outcome.message and "every replica follows" in outcome.message
    assert str(rescue.top / "saved") in outcome.message and "delete lease litefs-fix-abaci-app" in str(outcome.hint)
    (rescue.top / "out of reach").rename(rescue.top / "saved")
    sim.clock.sleep(90)
    outcome = rescue(sim, resume=True)
    assert int(outcome.code) == 0 and outcome.proof == ("db: table t: 3 rows in the copy, 4 now",)


def test_an_import_that_was_proven_and_written_to_is_left_alone(rescue: Rescue, make: Make) -> None:
    """A second import would put the old state over what was written since."""
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    write_on(sim)
    outcome = taken_up(rescue, make, sim)
    assert int(outcome.code) == 0 and restarted(sim) and not posts(sim)
    assert {sim.volume_of(p).databases["db"].data for p in (ZERO, ONE, TWO)} == {MORE}
    assert outcome.proof == ("db: table t: 4 rows now, not compared with the copy",) and any("its checksum" in w for w in outcome.warnings)


def test_an_import_that_was_not_proven_and_whose_copy_is_out_of_reach_says_where_to_go_on(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.after.append(lambda s, sent: write_on(s) if sent.path.endswith("/import") else None)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and "the application wrote into it" in outcome.message
    sim.after.clear()
    sim.sent.clear()
    outcome = taken_up(rescue, make, sim)
    assert int(outcome.code) == 10 and "on no pod" in outcome.message and not sim.changes
    assert str(rescue.top / "saved") in str(outcome.hint) and "--resume" in str(outcome.hint) and "@" in str(outcome.hint)
    assert MORE in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")], "what was written is a file here, too"
    (rescue.top / "out of reach").rename(rescue.top / "saved")
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim) and restarted(sim)


@pytest.mark.parametrize("key", ["lock", "record", "restart"])
def test_a_second_machine_that_is_lost_as_well_forgets_nothing_for_the_third(rescue: Rescue, make: Make, key: str) -> None:
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    other_machine(rescue, make, sim)
    before = notes(sim)
    rescue.heard.on_step = lambda at, now: (_ for _ in ()).throw(Killed()) if (at, now) == (key, "done") else None
    with pytest.raises(Killed):
        rescue(sim, resume=True)
    rescue.heard.on_step = lambda at, now: None
    assert {k: notes(sim)[k] for k in ("began", "imported")} == {k: before[k] for k in ("began", "imported")}
    assert json.loads(before["imported"])["db"]["txid"] == 1
    elsewhere(rescue, make, "third")
    sim.clock.sleep(90)
    assert int(rescue(sim, resume=True).code) == 0 and back(sim) and restarted(sim) and not posts(sim)


def test_a_plan_that_no_lease_could_hold_is_not_nothing_to_resume(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    del sim.objects["leases", lock_name(APP)]["metadata"]["annotations"][PREFIX + "plan-document"]
    outcome = taken_up(rescue, make, sim)
    assert int(outcome.code) == 5 and "cannot be read from here" in outcome.message
    assert "@" in str(outcome.hint) and "rescue run abaci-app -n abaci --resume" in str(outcome.hint)


def test_a_rescue_that_was_stopped_is_not_nothing_to_rescue(rescue: Rescue, make: Make) -> None:
    """Without --resume: the data is in, and the pod was not restarted yet."""
    sim = make.lost()
    killed_at(rescue, sim, "import", "import")
    outcome = rescue(sim)
    assert int(outcome.code) == 5 and "rescue run abaci-app -n abaci --resume" in str(outcome.hint) and not sim.changes


@pytest.mark.parametrize(("state", "strategy"), EVERY_WAY)
def test_kill_9_in_every_request_and_taken_up_elsewhere(rescue: Rescue, make: Make, state: str, strategy: str) -> None:
    """One of the requests; RESCUE_EVERY=1 takes each: the end is the same whichever it was."""
    total = requests_of(rescue, make, state, strategy)
    for number in list(points(total - 1, "after"))[: None if "RESCUE_EVERY" in os.environ else 1]:
        sim = killed_after(rescue, make, state, strategy, number)
        where = f"request {number} of {total} ({sim.sent[-1].method} {sim.sent[-1].path})"
        sim.before.clear()
        sim.after.clear()
        sent = len(posts(sim))
        other_machine(rescue, make, sim, f"{number} another")
        first = rescue(sim, resume=True)
        assert int(first.code) == 0, where
        if first.name != "rescued" and not back(sim):  # nothing was recorded: a fresh run, as a person would
            assert not sent and int(rescue(sim, strategy=strategy).code) == 0, where
        assert back(sim) and restarted(sim) is (strategy == "data-dir" or state == "lost"), where
