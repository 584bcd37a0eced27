"""`rescue run` on a cluster that behaves, by each strategy."""

from __future__ import annotations

import pytest

from kubectl_litefs.fix.lock import lock_name

from ..fix.sim import STRANGER, Db, Sim, database
from ..harness import APP, CLUSTER_ID
from .conftest import Make, Rescue

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))
DATA = database("one", "two", "three")


def claims(sim: Sim) -> dict[str, str]:
    return {n: o["metadata"]["uid"] for (p, n), o in sim.objects.items() if p == "persistentvolumeclaims"}


def pods(sim: Sim) -> dict[str, str]:
    return {n: o["metadata"]["uid"] for (p, n), o in sim.objects.items() if p == "pods"}


def back(sim: Sim) -> bool:
    """Every pod has the rows that only the replicas had."""
    return all(sim.volume_of(p).databases["db"].data[100:] == DATA[100:] for p in (ZERO, ONE, TWO))


def test_the_directory_comes_back_and_only_the_primary_is_restarted(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    before_claims, before_pods = claims(sim), pods(sim)
    outcome = rescue(sim)
    assert (int(outcome.code), outcome.name) == (0, "rescued")
    assert claims(sim) == before_claims
    assert {p for p, u in pods(sim).items() if before_pods[p] != u} == {ZERO}
    assert back(sim) and {sim.volume_of(p).cluster_id for p in (ZERO, ONE, TWO)} == {CLUSTER_ID}
    assert {sim.volume_of(p).databases["db"].txid for p in (ZERO, ONE, TWO)} == {7}, "the history goes on"
    assert [c for c in sim.changes if not c.startswith("EXEC")] == [f"DELETE pods/{ZERO}"]
    assert ("leases", lock_name(APP)) not in sim.objects


def test_what_the_primary_had_is_kept_twice_and_the_rows_are_counted(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    outcome = rescue(sim)
    plan = rescue.asked[0]
    disk = sim.volume_of(ZERO).disk
    assert disk is not None and disk.names() == {"dbs", "clusterid", plan.aside, plan.staging}
    assert (disk.root / plan.aside / "clusterid").read_text().strip() == STRANGER
    assert (disk.root / plan.aside / "dbs/db/database").read_bytes() == database("only here")
    assert database("only here") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]
    assert "db: table t: 3 rows in the copy, 3 now" in outcome.proof
    assert not list(rescue.folder.glob("*.part"))


def test_a_lost_database_is_imported_and_only_the_primary_is_restarted(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    before_claims, before_pods = claims(sim), pods(sim)
    outcome = rescue(sim, strategy="import")
    assert (int(outcome.code), outcome.name) == (0, "rescued")
    assert claims(sim) == before_claims and {p for p, u in pods(sim).items() if before_pods[p] != u} == {ZERO}
    assert back(sim) and {sim.volume_of(p).databases["db"].txid for p in (ZERO, ONE, TWO)} == {1}
    assert [c.split("/")[0] for c in sim.changes] == ["POST pods", "DELETE pods"]


def test_the_directory_of_a_lost_database_comes_back_and_the_replicas_keep_their_position(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    for pod in (ZERO, ONE, TWO):
        sim.volume_of(pod).databases["other"] = Db(3, database("untouched"))
    before_claims, before_pods = claims(sim), pods(sim)
    outcome = rescue(sim)
    plan, disk = rescue.asked[0], sim.volume_of(ZERO).disk
    assert (int(outcome.code), outcome.name, plan.strategy) == (0, "rescued", "data-dir") and disk is not None
    assert claims(sim) == before_claims and {p for p, u in pods(sim).items() if before_pods[p] != u} == {ZERO}
    assert back(sim) and {sim.volume_of(p).databases["db"].txid for p in (ZERO, ONE, TWO)} == {7}
    assert disk.names() == {"dbs", "clusterid", plan.aside, plan.staging} and disk.read()[1]["other"] == (3, database("untouched"))
    assert "best copy of every lost database" in plan.why and "rescue undo" not in str(outcome.hint)


@pytest.mark.parametrize("strategy", ["data-dir", "import"])
def test_a_database_that_the_primary_does_not_even_have_comes_back(rescue: Rescue, make: Make, strategy: str) -> None:
    """LFS108: nobody has opened it since, so there is no empty file."""
    sim = make.lost()
    del sim.volume_of(ZERO).databases["db"]
    outcome = rescue(sim, strategy=strategy)
    assert (int(outcome.code), outcome.name) == (0, "rescued") and back(sim)


def test_a_database_on_one_replica_only_is_named_and_left_alone(rescue: Rescue, make: Make) -> None:
    sim = make.healthy()
    sim.volume_of(ONE).databases["old"] = Db(4, database("left over"))
    outcome = rescue(sim)
    assert outcome.name == "nothing-to-do" and f"old is on {ONE} only" in outcome.message and "LFS108" in outcome.message
    assert not sim.changes and database("left over") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_import_into_a_new_primary_resets_the_replicas_one_by_one_the_best_last(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.volume_of(TWO).databases["db"] = Db(4, database("one"))
    before = claims(sim)
    outcome = rescue(sim, strategy="import")
    assert (int(outcome.code), outcome.name) == (0, "rescued")
    assert back(sim) and {sim.volume_of(p).cluster_id for p in (ZERO, ONE, TWO)} == {STRANGER}
    changed = [c for c in sim.changes if "accessreviews" not in c]
    assert [c.rsplit("/", 1)[1] if "claims" in c else c.split("/")[1] for c in changed] == [
        f"{ZERO}:20202", f"litefs-data-{TWO}", TWO, f"litefs-data-{ONE}", ONE,
    ]  # fmt: skip
    after = claims(sim)
    assert {n for n in before if after[n] != before[n]} == {f"litefs-data-{ONE}", f"litefs-data-{TWO}"}
    assert ("leases", lock_name(APP)) not in sim.objects


def test_a_dry_run_changes_nothing_and_its_plan_is_carried_out_or_nothing(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    versions = {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()}
    first = rescue(sim, dry_run="client")
    assert (int(first.code), first.name) == (0, "dry-run") and first.plan is not None
    assert {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()} == versions
    disk = sim.volume_of(ZERO).disk
    assert disk is not None and disk.names() == {"dbs", "clusterid"}
    sim.volume_of(ZERO).databases["db"] = Db(5, database("only here", "more"))  # the primary writes on
    sim.volume_of(ZERO).disk = None
    assert int(rescue(sim, plan_id="0" * 64).code) == 6
    outcome = rescue(sim, plan_id=first.plan.id)
    assert int(outcome.code) == 0 and back(sim)


def test_declining_changes_nothing(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    rescue.agree = False
    assert int(rescue(sim).code) == 8
    assert [c for c in sim.changes if not c.startswith("EXEC")] == []


def test_a_healthy_cluster_has_nothing_to_rescue(rescue: Rescue, make: Make) -> None:
    sim = make.healthy()
    outcome = rescue(sim)
    assert (int(outcome.code), outcome.name) == (0, "nothing-to-do") and not sim.changes and not rescue.asked


def test_the_only_set_needs_no_name(rescue: Rescue, make: Make) -> None:
    assert int(rescue(make.recreated(), None).code) == 0


@pytest.mark.parametrize("seconds", [73, 135])
def test_a_replica_that_hangs_after_the_restart_is_waited_for(rescue: Rescue, make: Make, seconds: int) -> None:
    sim = make.recreated()

    def hook(s: Sim, sent: object) -> None:
        if getattr(sent, "method", "") == "DELETE" and getattr(sent, "path", "").endswith(f"pods/{ZERO}"):
            s.hanging[TWO] = s.clock.seconds + seconds + 30

    sim.after.append(hook)
    assert int(rescue(sim).code) == 0
    assert any("1 of 2 replicas are connected" in d for d in rescue.heard.waits("verify"))


def test_a_database_only_on_the_primary_is_named_and_saved(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.volume_of(ZERO).databases["new"] = Db(2, database("new rows"))
    assert int(rescue(sim).code) == 0
    assert any("only the primary has new" in w for w in rescue.asked[0].warnings)
    assert database("new rows") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_the_plan_says_how_to_stop_the_writers(rescue: Rescue, make: Make) -> None:
    rescue(make.recreated(), dry_run="client")
    rescue(make.recreated())
    text = " ".join(rescue.asked[0].warnings)
    assert "kill -STOP" in text and "sleep infinity" in text and "Service" in text
