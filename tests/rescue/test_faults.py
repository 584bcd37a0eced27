"""Faults of a rescue: after each the cluster is whole, the exit code tells the state, and --resume ends well."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted

from ..fix.sim import STRANGER, Db, Sent, Sim, database
from ..fix.test_interruptions import Killed, stop_at
from ..harness import APP, CLUSTER_ID
from .conftest import Make, Rescue

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))
DATA = database("one", "two", "three")
OWN = database("only here")
WAYS = [("recreated", "data-dir"), ("recreated", "import"), ("lost", "data-dir"), ("lost", "import")]


def back(sim: Sim) -> bool:
    return all(sim.volume_of(p).databases["db"].data[100:] == DATA[100:] for p in (ZERO, ONE, TWO)) and ("leases", lock_name(APP)) not in sim.objects


def safe(sim: Sim) -> bool:
    """What must hold at every moment: some pod still has the rows that count."""
    volumes = list(sim.volumes.values())
    disks = [d for v in volumes if v.disk is not None for _, d in v.disk.read()[1].values()]
    return any(d[100:] == DATA[100:] for d in [*(b.data for v in volumes for b in v.databases.values()), *disks])


def never_the_old_id_before_the_data(sim: Sim) -> None:
    """The id that the replicas obey stands on the primary's disk only over the data that counts."""
    disk = sim.volume_of(ZERO).disk if ("persistentvolumeclaims", f"litefs-data-{ZERO}") in sim.objects else None
    if disk is None:
        return
    cluster_id, held = disk.read()
    if cluster_id == CLUSTER_ID:
        assert held["db"][1] == DATA, "the old id over other data"


def watch(sim: Sim) -> None:
    """Checked at every request."""
    two_ids = len({v.cluster_id for v in sim.volumes.values()}) > 1

    def hook(s: Sim, sent: Sent) -> None:
        if threading.current_thread() is threading.main_thread():
            if two_ids:
                never_the_old_id_before_the_data(s)
            assert safe(s)

    sim.after.append(hook)


REQUESTS: dict[tuple[str, str], int] = {}
"""State and strategy -> the requests of the main thread in a run that nobody disturbs, once one has been counted."""


def requests_of(rescue: Rescue, make: Make, state: str, strategy: str) -> int:
    if (state, strategy) not in REQUESTS:
        sim, count = getattr(make, state)(), [0]

        def hook(s: Sim, sent: Sent) -> None:
            count[0] += threading.current_thread() is threading.main_thread()

        sim.before.append(hook)
        assert int(rescue(sim, strategy=strategy).code) == 0
        REQUESTS[state, strategy] = count[0]
    return REQUESTS[state, strategy]


def elsewhere(rescue: Rescue, make: Make, name: object) -> None:
    """Each run its own place for files: what one leaves must not help another."""
    rescue.home = rescue.top / str(name)
    rescue.home.mkdir()
    make.home = rescue.home


def points(total: int, when: str) -> range:
    """Some of the requests; RESCUE_EVERY=1 takes each of them (minutes)."""
    every = int(os.environ.get("RESCUE_EVERY", "0")) or max(1, total // 2)
    return range(1 if when == "before" else 1 + every // 2, total + 1, every)


def resume(rescue: Rescue, sim: Sim, strategy: str) -> int:
    sim.before.clear()
    sim.after.clear()
    sim.clock.sleep(90)
    return int(rescue(sim, strategy=strategy, resume=True).code)


def finish(rescue: Rescue, sim: Sim, strategy: str) -> bool:
    """--resume, and where nothing was recorded a fresh run: as a person would."""
    assert resume(rescue, sim, strategy) == 0
    if not back(sim):
        assert int(rescue(sim, strategy=strategy).code) == 0
    return back(sim)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("state", "strategy"), WAYS)
def test_a_signal_in_every_request_of_the_main_thread(rescue: Rescue, make: Make, state: str, strategy: str, when: str) -> None:
    total = requests_of(rescue, make, state, strategy)
    codes = set()
    for number in points(total, when):
        elsewhere(rescue, make, number)
        sim: Sim = getattr(make, state)()
        watch(sim)
        stop_at(number, when, Interrupted("SIGTERM"), sim)
        outcome = rescue(sim, strategy=strategy)
        where = f"request {number} of {total} ({sim.sent[-1].method} {sim.sent[-1].path})"
        codes.add(int(outcome.code))
        if int(outcome.code) == 9:
            assert not [c for c in sim.changes if c.startswith(("DELETE", "POST"))], where
            assert sim.volume_of(ZERO).databases["db"].data in (OWN, b""), where
            disk = sim.volume_of(ZERO).disk
            assert disk is None or disk.names() == {"dbs", "clusterid"}, where
            assert ("leases", lock_name(APP)) not in sim.objects, where
        else:
            assert int(outcome.code) in (0, 10), where
        assert safe(sim) and finish(rescue, sim, strategy), where
    assert codes & {9, 10}


def killed_after(rescue: Rescue, make: Make, state: str, strategy: str, number: int) -> Sim:
    """A cluster on which a rescue of its own was killed behind its request of that number."""
    elsewhere(rescue, make, number)
    sim: Sim = getattr(make, state)()
    watch(sim)
    stop_at(number, "after", Killed(), sim)
    with pytest.raises(Killed):
        rescue(sim, strategy=strategy)
    return sim


@pytest.mark.parametrize(("state", "strategy"), WAYS)
def test_kill_9_in_every_request_of_the_main_thread(rescue: Rescue, make: Make, state: str, strategy: str) -> None:
    total = requests_of(rescue, make, state, strategy)
    for number in points(total - 1, "after"):
        sim = killed_after(rescue, make, state, strategy, number)
        where = f"request {number} of {total} ({sim.sent[-1].method} {sim.sent[-1].path})"
        assert safe(sim) and finish(rescue, sim, strategy), where


STEPS = [
    *(("recreated", "data-dir", k) for k in ("survey", "lock", "recheck", "stage", "gate", "swap", "restart", "wait", "verify")),
    *(("lost", "import", k) for k in ("import", "restart")),
    *(("lost", "data-dir", k) for k in ("stage", "swap", "restart")),
    ("recreated", "import", f"replica {ONE}"),
]


@pytest.mark.parametrize(("state", "strategy", "key"), STEPS, ids=["-".join(s) for s in STEPS])
def test_a_signal_as_a_step_begins(rescue: Rescue, make: Make, state: str, strategy: str, key: str) -> None:
    sim: Sim = getattr(make, state)()
    watch(sim)
    hit: list[bool] = []

    def on_step(at: str, now: str) -> None:
        if (at, now) == (key, "doing") and not hit:
            hit.append(True)
            raise Interrupted("SIGINT")

    rescue.heard.on_step = on_step
    outcome = rescue(sim, strategy=strategy)
    rescue.heard.on_step = lambda at, now: None
    late = key in ("restart", "wait", "verify", f"replica {ONE}")
    assert hit and int(outcome.code) == (10 if late else 9), outcome
    assert finish(rescue, sim, strategy)


# --- the upload


def upload_breaks(times: int) -> Callable[[Sim, Sent], KubeError | None]:
    left = [times]

    def hook(s: Sim, sent: Sent) -> KubeError | None:
        if sent.path.endswith("/import") and left[0]:
            left[0] -= 1
            return KubeError("connection reset", status=None, reason="Unreachable")
        return None

    return hook


def test_a_connection_lost_half_way_through_an_upload_is_tried_once_more_where_nothing_stands_there(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.before.append(upload_breaks(1))
    assert int(rescue(sim, strategy="import").code) == 0 and back(sim)
    assert len([s for s in sim.sent if s.path.endswith("/import")]) == 2


def test_a_connection_that_stays_broken_changes_nothing_where_nothing_stands_there(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.before.append(upload_breaks(9))
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 9 and "nothing is lost" in outcome.message
    assert not [s for s in sim.sent if s.method == "DELETE" and "/leases" not in s.path]
    sim.before.clear()
    assert int(rescue(sim, strategy="import").code) == 0 and back(sim)


def test_a_connection_lost_over_data_stops_with_10_and_names_the_copy(rescue: Rescue, make: Make) -> None:
    """With a write-ahead log what stood there may be damaged."""
    sim = make.recreated()
    sim.before.append(upload_breaks(1))
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and "may be damaged" in outcome.message and str(rescue.folder) in outcome.message
    assert {sim.volume_of(p).databases["db"].data for p in (ONE, TWO)} == {DATA}
    assert resume(rescue, sim, "import") == 0 and back(sim)


def test_an_import_whose_answer_is_lost_is_found_by_its_checksum(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.after.append(upload_breaks(1))
    assert int(rescue(sim, strategy="import").code) == 0 and back(sim)
    assert len([s for s in sim.sent if s.path.endswith("/import")]) == 1


def test_a_full_disk_on_the_primary_is_named_during_an_import(rescue: Rescue, make: Make) -> None:
    sim = make.lost()

    def hook(s: Sim, sent: Sent) -> KubeError | None:
        return KubeError("write: no space left on device", status=500, reason="InternalError") if sent.path.endswith("/import") else None

    sim.before.append(hook)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 9 and "no space left" in outcome.message
    assert len([s for s in sim.sent if s.path.endswith("/import")]) == 1, "a refusal is not repeated"
    sim.before.clear()
    assert int(rescue(sim, strategy="import").code) == 0 and back(sim)


def test_a_full_disk_on_the_primary_leaves_no_half_directory(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def fails(pod: str, command: Sequence[str]) -> Sequence[str]:
        if "head -c" in " ".join(command) and "tar" in command[2] and len(command) == 6:
            return ["sh", "-c", f"mkdir -p {command[4]}/dbs; echo 'tar: write error: No space left on device'; exit 2"]
        return command

    sim.commands = fails
    outcome = rescue(sim, strategy="data-dir")
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 9 and "No space left" in outcome.message
    assert disk is not None and disk.names() == {"dbs", "clusterid"}
    sim.commands = None
    assert int(rescue(sim).code) == 0 and back(sim)


# --- others act meanwhile


def test_an_application_that_writes_on_stops_an_import_before_any_replica_is_touched(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def writes(s: Sim, sent: Sent) -> None:
        if sent.path.endswith("/import"):
            old = s.volume_of(ZERO).databases["db"]
            s.volume_of(ZERO).databases["db"] = Db(old.txid + 1, database("one", "two", "three", "new"))

    sim.after.append(writes)
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and "the application wrote into it" in outcome.message and "Stop the writers" in str(outcome.hint)
    assert not [s for s in sim.sent if s.method == "DELETE" and "/leases" not in s.path]
    assert resume(rescue, sim, "import") == 0 and back(sim)
    assert database("one", "two", "three", "new") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")], "what was written meanwhile is a file"


@pytest.mark.parametrize("strategy", ["data-dir", "import"])
def test_a_replica_that_connects_in_between_ends_it_with_the_copies_saved(rescue: Rescue, make: Make, strategy: str) -> None:
    """The application makes the file anew between the plan and the last look: every replica takes it."""
    sim = make.lost()

    def on_step(key: str, state: str) -> None:
        if (key, state) == ("lock", "done"):
            sim.volume_of(ZERO).databases["db"] = Db(1, database())
            sim.replicate()

    rescue.heard.on_step = on_step
    outcome = rescue(sim, strategy=strategy)
    assert int(outcome.code) == 6 and not [c for c in sim.changes if not c.startswith("EXEC")], outcome
    assert DATA in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_a_primary_that_writes_on_is_no_reason_to_stop_before_the_swap(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def on_step(key: str, state: str) -> None:
        if (key, state) == ("stage", "done"):
            sim.volume_of(ZERO).databases["db"] = Db(4, database("only here", "and this"))

    rescue.heard.on_step = on_step
    assert int(rescue(sim).code) == 0 and back(sim)
    assert database("only here", "and this") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")], "its newer writes are a file, too"


@pytest.mark.parametrize("strategy", ["data-dir", "import"])
def test_a_second_run_is_locked_out(rescue: Rescue, make: Make, strategy: str) -> None:
    sim = make.recreated()
    sim.put("leases", {"kind": "Lease", "metadata": {"name": lock_name(APP)}, "spec": {"holderIdentity": "eve@else#1", "leaseDurationSeconds": 60}})
    assert int(rescue(sim, strategy=strategy).code) == 5
    assert not [c for c in sim.changes if not c.startswith("EXEC")] and sim.volume_of(ZERO).cluster_id == STRANGER


def test_fix_cluster_id_does_not_take_up_a_rescue(rescue: Rescue, make: Make) -> None:
    from kubectl_litefs import app
    from kubectl_litefs.fix.options import FixOptions

    sim = make.recreated()
    sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") else None)
    assert int(rescue(sim).code) == 10
    sim.before.clear()
    outcome = app.fix_cluster_id(sim, FixOptions(pod=ONE, resume=True, backup_dir=rescue.home), sim.clock, rescue.heard, lambda plan: True, {"XDG_STATE_HOME": str(rescue.home)})
    assert int(outcome.code) == 5 and "rescue run abaci-app" in str(outcome.hint)


# --- the directory


def spoil_staging(pod: str, command: Sequence[str]) -> Sequence[str]:
    """One byte changes on its way into the primary."""
    if "head -c" in " ".join(command) and len(command) == 6:
        return [*command[:2], command[2] + '\nprintf x >> "$1/dbs/db/database"', *command[3:]]
    return command


def test_a_directory_that_arrives_changed_is_not_swapped_in(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.commands = spoil_staging
    outcome = rescue(sim, strategy="data-dir")
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 9 and "sha256" in outcome.message
    assert disk is not None and disk.names() == {"dbs", "clusterid"} and disk.read()[0] == STRANGER


def test_a_tar_file_with_a_link_in_it_is_refused(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def linked(pod: str, command: Sequence[str]) -> Sequence[str]:
        if command[0] == "tar":
            return ["sh", "-c", f"cd {sim.volume_of(pod).disk.root} && ln -sf /etc/passwd dbs/evil && tar -cf - clusterid dbs"]
        return command

    sim.commands = linked
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 9 and "no plain file" in outcome.message


@pytest.mark.parametrize("cut", ["mv x", "mv from"])
def test_a_swap_that_is_cut_half_way_is_finished_by_resume(rescue: Rescue, make: Make, cut: str) -> None:
    """The container's own script dies between two moves, and nobody can reach the pod for a while."""
    sim = make.recreated()
    dead = [False]

    def dies(pod: str, command: Sequence[str]) -> Sequence[str]:
        if len(command) > 5 and "from=$2" in command[2] and "mv" in command[2]:
            script = command[2]
            line = 'mv "$x" "$to/$x" || exit 7' if cut == "mv x" else 'mv "$from/$x" "$x" || exit 8'
            dead[0] = True
            return [*command[:2], script.replace(line, line + "; exit 99"), *command[3:]]
        return command

    def unreachable(s: Sim, sent: Sent) -> KubeError | None:
        return KubeError("no route", status=None, reason="Unreachable") if dead[0] and sent.method == "EXEC" else None

    sim.commands = dies
    sim.before.append(unreachable)
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 10
    never_the_old_id_before_the_data(sim)
    assert ("pods", ZERO) in sim.objects and sim.pod(0)["metadata"]["uid"] == f"uid-pod-{ZERO}", "the pod is not deleted"
    sim.commands = None
    assert resume(rescue, sim, "data-dir") == 0 and back(sim)


def test_a_lost_database_whose_swap_is_cut_half_way_is_finished_by_resume(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.volume_of(ZERO).databases["two"] = Db(0, b"", "0" * 16)
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["two"] = Db(4, database("second"))
    dead = [False]

    def dies(pod: str, command: Sequence[str]) -> Sequence[str]:
        if len(command) > 5 and "from=$2" in command[2] and "mv" in command[2]:
            dead[0] = True
            return [*command[:2], command[2].replace('mv "$from/$x" "$x" || exit 8', 'mv "$from/$x" "$x" || exit 8; exit 99'), *command[3:]]
        return command

    sim.commands = dies
    sim.before.append(lambda s, sent: KubeError("no route", status=None, reason="Unreachable") if dead[0] and sent.method == "EXEC" else None)
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 10 and not [c for c in sim.changes if c.startswith("DELETE")]
    sim.commands = None
    assert resume(rescue, sim, "data-dir") == 0 and back(sim)
    assert sim.volume_of(ZERO).databases["two"].data == database("second")


# --- the proof


def test_data_that_does_not_come_back_is_told(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def spoil(s: Sim, sent: Sent) -> None:
        disk = s.volume_of(ZERO).disk if ("persistentvolumeclaims", f"litefs-data-{ZERO}") in s.objects else None
        if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") and disk is not None:
            disk.write("db", 7, OWN)

    sim.replicates = False
    sim.after.append(spoil)
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 11 and "what went back has" in outcome.message and "restart no replica" in str(outcome.hint)


def test_a_replica_that_never_connects_is_named_and_the_primary_is_called_good(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.hanging[TWO] = 1e9
    outcome = rescue(sim)
    assert int(outcome.code) == 11 and "1 of 2 replicas are connected" in outcome.message
    assert "The primary's data is verified" in str(outcome.hint)
    sim.hanging.clear()
    assert resume(rescue, sim, "auto") == 0 and back(sim)


def test_the_container_that_keeps_its_primary_never_leads_with_two(rescue: Rescue, make: Make) -> None:
    """At no request do two pods report isPrimary."""
    from ..fix.sim_api import litefs

    sim = make.recreated()

    def count(s: Sim, sent: Sent) -> None:
        said: list[Any] = [litefs(s, p, "info", {}) for p in (ZERO, ONE, TWO)]
        assert sum(b'"isPrimary": true' in body for _, _, body in said) <= 1

    sim.after.append(count)
    assert int(rescue(sim).code) == 0
