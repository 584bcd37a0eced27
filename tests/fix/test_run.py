"""The whole command on a cluster that behaves."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.sqlite_file import Checker

from ..harness import APP, CLUSTER_ID
from .conftest import Fix
from .sim import STRANGER, Sim, database, slow_checksum

CLAIM = f"litefs-data-{APP}-1"


def uids(sim: Sim) -> dict[tuple[str, str], str]:
    return {k: o["metadata"]["uid"] for k, o in sim.objects.items() if k[0] in ("pods", "persistentvolumeclaims", "statefulsets")}


def test_the_stranger_follows_again_and_nothing_else_was_touched(fix: Fix) -> None:
    sim = Sim()
    before = uids(sim)
    outcome = fix(sim)
    assert (int(outcome.code), outcome.name) == (0, "fixed")
    assert sim.changes == [f"DELETE persistentvolumeclaims/{CLAIM}", f"POST pods/{APP}-1/eviction"]
    assert sim.volume_of(f"{APP}-1").cluster_id == CLUSTER_ID
    after = uids(sim)
    assert {k for k in before if after[k] != before[k]} == {("pods", f"{APP}-1"), ("persistentvolumeclaims", CLAIM)}
    assert ("leases", lock_name(APP)) not in sim.objects


def test_each_line_of_the_journal_is_on_disk_before_the_next_thing_is_done(fix: Fix, synced: list[int], tmp_path: Path) -> None:
    fix(Sim())
    lines = [line for file in tmp_path.rglob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) > 5
    journal = max(synced, key=synced.count)
    assert synced.count(journal) >= len(lines)


def test_both_deletes_name_the_uid_in_the_body(fix: Fix) -> None:
    sim = Sim()
    claim, pod = sim.claim(1)["metadata"]["uid"], sim.pod(1)["metadata"]["uid"]
    fix(sim)
    bodies = [s.body for s in sim.sent if s.changes and "/leases" not in s.path]
    assert bodies[0] is not None and bodies[1] is not None
    assert bodies[0]["preconditions"]["uid"] == claim and bodies[0]["preconditions"]["resourceVersion"]
    assert bodies[1]["deleteOptions"]["preconditions"]["uid"] == pod


def test_the_backup_is_the_database_and_for_the_owner_only(fix: Fix) -> None:
    sim = Sim()
    data = sim.volume_of(f"{APP}-1").databases["db"].data
    outcome = fix(sim)
    folder = Path(outcome.backup)
    assert (folder / "db-0001.sqlite").read_bytes() == data
    manifest = json.loads((folder / "manifest.json").read_text("utf8"))
    assert manifest["clusterID"] == STRANGER and manifest["databases"][0]["database"] == "db"
    assert [stat.S_IMODE(p.stat().st_mode) for p in (folder, *sorted(folder.iterdir()))] == [0o700, 0o600, 0o600]


def test_a_replica_with_its_primarys_id_is_left_alone(fix: Fix) -> None:
    sim = Sim(target=-1)
    outcome = fix(sim)
    assert (int(outcome.code), outcome.name) == (0, "nothing-to-do")
    assert not sim.changes and not fix.asked


def test_a_stranger_without_data_needs_no_backup(fix: Fix) -> None:
    sim = Sim()
    sim.volume_of(f"{APP}-1").databases = {}
    outcome = fix(sim)
    assert int(outcome.code) == 0 and not outcome.backup
    assert any("nothing can be lost" in w for w in fix.asked[0].warnings)


def test_declining_changes_nothing(fix: Fix) -> None:
    sim = Sim()
    fix.agree = False
    assert int(fix(sim).code) == 8
    assert not [s for s in sim.sent if s.changes]


def test_a_dry_run_sends_reads_only_and_proves_it(fix: Fix) -> None:
    sim = Sim()
    before = {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()}
    outcome = fix(sim, dry_run="client")
    assert (int(outcome.code), outcome.name) == (0, "dry-run") and "nothing was changed" in outcome.message
    assert {s.method for s in sim.sent if "accessreviews" not in s.path} == {"GET"}
    assert {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()} == before


def test_a_server_dry_run_sends_each_call_with_dry_run_in_its_body(fix: Fix) -> None:
    sim = Sim()
    before = {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()}
    outcome = fix(sim, dry_run="server")
    assert int(outcome.code) == 0
    tried = [s for s in sim.sent if s.method != "GET" and "accessreviews" not in s.path]
    assert [s.method for s in tried] == ["DELETE", "POST"]
    assert tried[0].body is not None and tried[0].body["dryRun"] == ["All"] and tried[0].body["preconditions"]["uid"]
    assert tried[1].body is not None and tried[1].body["deleteOptions"]["dryRun"] == ["All"] and tried[1].query == {"dryRun": "All"}
    assert {k: o["metadata"]["resourceVersion"] for k, o in sim.objects.items()} == before


def test_the_plan_id_is_the_same_until_something_that_matters_changes(fix: Fix) -> None:
    sim = Sim()
    first = fix(sim, dry_run="client").plan
    sim.touch("persistentvolumeclaims", CLAIM)
    sim.touch("pods", f"{APP}-1")
    sim.volume_of(f"{APP}-0").databases["db"].txid += 5  # the primary writes on
    again = fix(sim, dry_run="client").plan
    sim.claim(1)["metadata"]["uid"] = "another"
    sim.volumes["another"] = sim.volumes.pop("uid-persistentvolumeclaim-" + CLAIM)
    other = fix(sim, dry_run="client").plan
    assert first is not None and again is not None and other is not None
    assert first.id == again.id != other.id and len(first.id) == 64


def test_a_plan_is_carried_out_only_if_it_is_the_same(fix: Fix) -> None:
    sim = Sim()
    plan = fix(sim, dry_run="client").plan
    assert plan is not None
    assert int(fix(sim, plan_id=plan.id[:12]).code) == 6
    assert int(fix(sim, plan_id="0" * 64).code) == 6
    assert not sim.changes
    assert int(fix(sim, plan_id=plan.id).code) == 0


def test_requests_while_waiting_are_few(fix: Fix) -> None:
    sim = Sim()
    sim.pod(1)["spec"]["terminationGracePeriodSeconds"] = 120
    fix(sim)
    evicted = next(i for i, s in enumerate(sim.sent) if s.path.endswith("/eviction"))
    joined = next(i for i, s in enumerate(sim.sent) if i > evicted and "/proxy/" in s.path)
    assert sum(sim.clock.slept) >= 120 and (joined - evicted) / 121 <= 2


def test_the_checksum_is_litefs_own() -> None:
    for rows in (1, 2, 7, 40):
        data = database(*(f"row {i} {'x' * i * 9}" for i in range(rows)))
        checker = Checker()
        for i in range(0, len(data), 333):
            checker.feed(data[i : i + 333])
        assert checker.problem() is None and checker.checksum() == slow_checksum(data)


def test_strategy_scale_restores_the_replicas(fix: Fix) -> None:
    sim = Sim()
    outcome = fix(sim, strategy="scale")
    assert int(outcome.code) == 0
    owner = sim.objects["statefulsets", APP]
    assert owner["spec"]["replicas"] == 3 and "kubectl-litefs/restore-replicas" not in owner["metadata"].get("annotations", {})
    assert [c.split(" ")[0] for c in sim.changes] == ["PATCH", "PATCH", "DELETE", "PATCH", "PATCH"]
    assert sim.volume_of(f"{APP}-1").cluster_id == CLUSTER_ID


def test_strategy_in_place_keeps_the_volume_and_what_only_it_holds(fix: Fix) -> None:
    sim = Sim()
    mine = sim.volume_of(f"{APP}-1")
    mine.databases["mine"] = mine.databases["db"]
    before = uids(sim)
    outcome = fix(sim, strategy="in-place", accept_loss=frozenset({"mine"}))
    assert int(outcome.code) == 0, outcome
    after = uids(sim)
    assert {k for k in before if after[k] != before[k]} == {("pods", f"{APP}-1")}
    assert mine.cluster_id == CLUSTER_ID and set(mine.databases) == {"db", "mine"}
    assert f"clusterid.bak-{STRANGER}" in mine.files
    assert not [s for s in sim.sent if s.method == "DELETE" and "/leases/" not in s.path]


def test_a_rename_that_fails_leaves_everything_as_it_was(fix: Fix) -> None:
    sim = Sim()
    sim.volume_of(f"{APP}-1").files.clear()
    outcome = fix(sim, strategy="in-place")
    assert int(outcome.code) == 9 and "cannot stat" in outcome.message
    assert not [s for s in sim.sent if s.path.endswith("/eviction")]
