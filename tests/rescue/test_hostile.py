"""What could make a rescue lose the only good copy, or say what is not true: copies that are in no file, answers that are
cut, pods that change between two requests, files that were edited."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs import app
from kubectl_litefs.errors import KubeError, LitefsError
from kubectl_litefs.fix.export import Export
from kubectl_litefs.fix.journal import Journal, entries
from kubectl_litefs.fix.lock import Lock
from kubectl_litefs.model.target import Target
from kubectl_litefs.ports import Answer, Executed
from kubectl_litefs.rescue import base
from kubectl_litefs.rescue import save as save_module
from kubectl_litefs.rescue.directory import Directory
from kubectl_litefs.rescue.options import RescueOptions
from kubectl_litefs.rescue.plan import RescuePlan
from kubectl_litefs.rescue.save import SaveOptions
from kubectl_litefs.rescue.store import MANIFEST, Store, read
from kubectl_litefs.rescue.work import RescueWork

from ..fix.sim import STRANGER, Db, Sent, Sim, SimClock, database
from ..harness import APP, CLUSTER_ID, NOW, NS
from .conftest import Make, Rescue, Save

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))
DATA = database("one", "two", "three")
NEWER = database("one", "two", "three", "four")


def no_export_of(pod: str) -> Callable[[Sim, Sent], KubeError | None]:
    def hook(sim: Sim, sent: Sent) -> KubeError | None:
        return KubeError("no", status=500, reason="InternalError") if f"/{pod}:" in sent.path and sent.path.endswith("/export") else None

    return hook


# --- copies that are in no file


@pytest.mark.parametrize("state", ["recreated", "lost"])
@pytest.mark.parametrize("strategy", ["data-dir", "import"])
@pytest.mark.parametrize("options", [{}, {"source": ONE}], ids=["", "--source"])
def test_a_replica_that_is_further_and_could_not_be_saved_is_not_overwritten(rescue: Rescue, make: Make, state: str, strategy: str, options: dict[str, Any]) -> None:
    sim: Sim = getattr(make, state)()
    sim.volume_of(TWO).databases["db"] = Db(9, NEWER)
    sim.before.append(no_export_of(TWO))
    outcome = rescue(sim, strategy=strategy, **options)
    assert int(outcome.code) == 4 and outcome.refusals[0].id == "S4" and TWO in outcome.message and not sim.changes
    assert outcome.refusals[0].override is None


def test_a_replica_with_other_contents_that_could_not_be_saved_is_not_overwritten_unasked(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.volume_of(TWO).databases["db"] = Db(7, NEWER)
    sim.before.append(no_export_of(TWO))
    outcome = rescue(sim)
    assert int(outcome.code) == 4 and TWO in outcome.message and not sim.changes


def test_a_replica_of_the_same_position_need_not_be_saved_twice(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.before.append(no_export_of(TWO))
    assert int(rescue(sim).code) == 0
    assert sim.volume_of(ZERO).databases["db"].data == DATA


def test_a_damaged_copy_that_is_further_is_found_again_by_the_next_save(save: Save, make: Make) -> None:
    sim = make.recreated()
    sim.volume_of(TWO).databases["db"] = Db(9, DATA[:512] + bytes(512) + DATA[1024:])
    first, second = save.one(sim), save.one(sim)
    assert [c.file for c in second.copies if c.damaged] == [c.file for c in first.copies if c.damaged] != []
    assert [v.reasons for v in second.verdicts] == [v.reasons for v in first.verdicts]


def gone_pod(sim: Sim) -> None:
    """Its claim is there; the controller cannot make the pod (a quota, an admission hook)."""
    sim.controller_up = False
    del sim.objects["pods", TWO]


@pytest.mark.parametrize("state", ["recreated", "lost"])
def test_a_pod_that_is_not_there_may_have_the_best_copy(rescue: Rescue, make: Make, state: str) -> None:
    sim: Sim = getattr(make, state)()
    gone_pod(sim)
    outcome = rescue(sim)
    assert int(outcome.code) == 4 and [r.id for r in outcome.refusals] == ["S2"] and TWO in outcome.message and not sim.changes


def test_a_replica_that_goes_between_the_plan_and_the_last_look_ends_it(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    rescue.heard.on_step = lambda key, state: gone_pod(sim) if (key, state) == ("gate", "doing") else None
    outcome = rescue(sim)
    assert int(outcome.code) in (4, 6) and sim.volume_of(ZERO).cluster_id == STRANGER


# --- pods that change between two requests


def test_a_volume_that_is_replaced_while_it_is_saved_gets_no_copy_under_the_old_id(save: Save, make: Make) -> None:
    sim = make.recreated()

    def hook(s: Sim, sent: Sent) -> None:
        if f"/{TWO}:" in sent.path and sent.path.endswith("/export"):
            s.volume_of(TWO).cluster_id = STRANGER
            s.volume_of(TWO).databases["db"] = Db(9, NEWER)

    sim.before.append(hook)
    result = save(sim)
    (found,) = result.sets
    assert int(result.code) == 7 and [m.pod for m in found.missing] == [TWO]
    assert not [c for c in read(save.folder) if c.pod == TWO and c.cluster_id == CLUSTER_ID]


def test_a_pod_that_is_lost_right_after_its_export_leaves_its_copy(save: Save, make: Make) -> None:
    """The file may be all that there is of it now."""
    sim, lost = make.recreated(), []

    def hook(s: Sim, sent: Sent) -> KubeError | None:
        if f"/{TWO}:" in sent.path and sent.path.endswith("/info") and lost:
            return KubeError("no", status=503, reason="ServiceUnavailable")
        return None

    sim.before.append(hook)
    sim.after.append(lambda s, sent: lost.append(sent) if f"/{TWO}:" in sent.path and sent.path.endswith("/export") else None)
    save(sim)
    assert lost and [c.proven for c in read(save.folder) if c.pod == TWO] == [True]


def test_a_primary_that_is_made_anew_before_the_swap_is_not_called_swapped_half_way(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()

    def commands(pod: str, command: Sequence[str]) -> Sequence[str]:
        if pod == ZERO and 'mv "$from/$x"' in command[2]:
            disk = sim.volume_of(ZERO).disk
            assert disk is not None
            for path in list(disk.root.glob("rescue-*")):
                path.rename(disk.root.parent / path.name)
        return command

    sim.commands = commands
    outcome = rescue(sim, strategy="data-dir")
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 9 and disk is not None and disk.names() == {"dbs", "clusterid"}


def test_an_id_file_that_is_not_what_litefs_runs_with_is_never_brought_over(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    first = iter([True])

    def commands(pod: str, command: Sequence[str]) -> Sequence[str]:
        disk = sim.volume_of(pod).disk
        if pod == ONE and disk is not None and next(first, False):
            (disk.root / "clusterid").write_text("LFSC00000000000000C3\n")
        return command

    sim.commands = commands
    outcome = rescue(sim, strategy="data-dir")
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 9 and "clusterid" in outcome.message
    assert disk is not None and disk.names() == {"dbs", "clusterid"} and disk.read()[0] == STRANGER


# --- commands that end with 0 and did not say or do it


class Cut(Sim):
    """The kubelet loses the end of what some commands say, and calls them a success."""

    cut: Callable[[str, Sequence[str]], int | None] = staticmethod(lambda pod, command: None)

    def execute(self, namespace: str, pod: str, container: str, command: Sequence[str], **more: Any) -> Executed:
        most = self.cut(pod, command)
        if most is None:
            return super().execute(namespace, pod, container, command, **more)
        take, seen = more.pop("stdout", None), bytearray()
        if take is None:
            return Executed(0, super().execute(namespace, pod, container, command, **more).output[:most])
        done = super().execute(namespace, pod, container, command, stdout=seen.extend, **more)
        take(bytes(seen[:most]))
        return Executed(0, done.output)


def cut(sim: Sim, how: Callable[[str, Sequence[str]], int | None]) -> None:
    sim.__class__ = Cut
    sim.cut = how  # type: ignore[attr-defined]


def is_where(command: Sequence[str]) -> bool:
    return command[0] == "sh" and 'for f in "$x"' in command[2]


def test_a_look_after_the_swap_that_lost_its_answer_is_not_called_unchanged(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    swapped: list[bool] = []

    def how(pod: str, command: Sequence[str]) -> int | None:
        swapped.extend([True] * (command[0] == "sh" and 'mv "$from/$x"' in command[2]))
        return 0 if swapped and is_where(command) else None

    cut(sim, how)
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 10, outcome
    disk = sim.volume_of(ZERO).disk
    assert disk is not None and disk.read()[0] == CLUSTER_ID
    cut(sim, lambda pod, command: None)
    sim.clock.sleep(90)
    assert int(rescue(sim, strategy="data-dir", resume=True).code) == 0


def test_a_look_for_what_was_put_aside_that_lost_its_answer_is_not_nothing_to_undo(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    assert int(rescue(sim, strategy="data-dir").code) == 0
    cut(sim, lambda pod, command: 0 if command[0] == "sh" and "lost-*" in command[2] else None)
    outcome = rescue.undo(sim)
    assert int(outcome.code) == 3 and "nothing to undo" not in outcome.message


def test_a_tar_file_that_ends_between_two_files_is_not_whole(rescue: Rescue, make: Make) -> None:
    """All that is compared is in it, and what LiteFS takes its position from is not."""
    sim = make.recreated()

    def how(pod: str, command: Sequence[str]) -> int | None:
        if command[0] != "tar":
            return None
        disk = sim.volume_of(pod).disk
        assert disk is not None
        seen = bytearray()
        Sim.execute(sim, NS, pod, "app", command, timeout=9, stdout=seen.extend)
        return whole_files(bytes(seen))

    cut(sim, how)
    outcome = rescue(sim, strategy="data-dir")
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 9 and "whole" in outcome.message and disk is not None and disk.names() == {"dbs", "clusterid"}


def whole_files(tar: bytes) -> int:
    """Where the archive ends behind its last member, without the end that tar writes."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as file:
        last = file.getmembers()[-1]
        return last.offset_data + (last.size + 511) // 512 * 512


def test_hundreds_of_databases_are_more_than_one_answer_holds(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    plan = rescue(sim, dry_run="client").plan
    assert isinstance(plan, RescuePlan)
    plan = dataclasses.replace(plan, databases=tuple(dataclasses.replace(plan.databases[0], name=f"{n:04d}-{'x' * 100}") for n in range(700)))

    def execute(namespace: str, pod: str, container: str, command: Sequence[str], **_: Any) -> Executed:
        return Executed(0, "".join(f"{'0' * 64}  {name}\n" for name in command[5:])[: 64 * 1024])

    sim.execute = execute  # type: ignore[method-assign]
    lock, journal = Lock(sim, NS, APP, sim.clock, 5), Journal(None, sim.clock)
    work = RescueWork(sim, RescueOptions(pod=ZERO), sim.clock, rescue.heard, plan, lock, journal, 900.0, backup=str(rescue.folder))
    assert len(Directory(work).hashes(("n", ONE, "app"), "/d")) == 1401


# --- files here that are not what they seem


def test_a_line_that_was_edited_makes_no_other_file_a_proven_copy(rescue: Rescue, make: Make) -> None:
    """Size and sha256 are the file's own; its position is not."""
    sim = make.recreated()
    assert int(rescue(sim, dry_run="client").code) == 0
    manifest = rescue.folder / MANIFEST
    lines = [json.loads(x) for x in manifest.read_text().splitlines()]
    mine = next(x for x in lines if x["pod"] == ZERO)
    edited = [{**x, **{k: mine[k] for k in ("file", "sha256", "bytes")}} for x in lines]
    manifest.write_text("".join(json.dumps(x) + "\n" for x in edited))
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 0
    assert all(sim.volume_of(p).databases["db"].data[100:] == DATA[100:] for p in (ZERO, ONE, TWO))


def copy_into(store: Store, database_name: str) -> None:
    part = store.part()
    part.write_bytes(DATA)
    store.add(part, Export(database_name, 7, "c" * 16, len(DATA), "s" * 64), ("s", NS, ONE, CLUSTER_ID, database_name), "u")


def test_a_line_that_was_cut_takes_the_next_one_not_with_it(save: Save) -> None:
    folder = save.home / "cut"
    folder.mkdir()
    (folder / MANIFEST).write_text('{"v": 1, "bytes": 12')
    store = Store(folder, SimClock())
    copy_into(store, "db")
    store.close()
    assert [c.database for c in read(folder)] == ["db"]


def test_a_line_of_the_journal_that_was_cut_takes_the_next_one_not_with_it(save: Save) -> None:
    path = save.home / "j.jsonl"
    path.write_text('{"v": 1, "step": "sta')
    journal = Journal(path, SimClock())
    journal.open()
    journal.write("start", plan="p")
    journal.close()
    assert [e["step"] for e in entries(path)] == ["start"]


def test_a_disk_that_fills_up_in_the_midst_of_a_line_is_no_copy_saved(save: Save, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = os.write, [False]

    def write(file: int, data: Any) -> int:
        line = bytes(data[:1]) == b"{" and b'"sha256"' in bytes(data)
        if full[0]:
            raise OSError(28, "No space left on device")
        if line:
            full[0] = True
            return real(file, bytes(data)[:40])
        return real(file, data)

    monkeypatch.setattr("os.write", write)
    result = app.rescue_save(make.recreated(), SaveOptions(Target(namespace=NS), save.home / "full"), SimClock(), save.heard)
    monkeypatch.setattr("os.write", real)
    assert int(result.code) == 7 and not list(read(save.home / "full" / f"{NS}-{APP}")) and not result.sets[0].copies


def test_a_stream_that_breaks_after_a_damaged_copy_is_not_kept_as_that_copy(save: Save, make: Make) -> None:
    sim, count = make.recreated(), [0]
    broken = DATA[:512] + bytes(512) + DATA[1024:]

    def exports(pod: str, name: str, data: bytes) -> bytes:
        if pod != TWO:
            return data
        count[0] += 1
        return broken if count[0] == 1 else data[:700]

    sim.exports = exports
    save(sim)
    for copy in read(save.folder):
        assert (save.folder / copy.file).stat().st_size == copy.bytes


def test_two_sets_whose_folders_have_one_name_are_both_saved(save: Save, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, plain = make.recreated(), save_module._Saving.look

    def look(self: Any, *, logs: bool) -> Any:
        facts = plain(self, logs=logs)
        (one,) = facts.clusters
        kind = (dataclasses.replace(one.workloads[0], kind="Deployment"),)
        halves = (dataclasses.replace(one, workloads=kind, pods=one.pods[:2]), dataclasses.replace(one, workloads=kind, pods=one.pods[2:]))
        return dataclasses.replace(facts, clusters=halves)

    monkeypatch.setattr(save_module._Saving, "look", look)
    result = save(sim)
    assert int(result.code) == 0 and [len(s.copies) for s in result.sets] == [2, 1]


# --- histories and answers


def test_a_third_history_is_not_passed_over(rescue: Rescue, make: Make) -> None:
    """The primary and one replica tell the story of LFS102; another replica has data under an id of its own."""
    sim = make.recreated()
    sim.volume_of(TWO).cluster_id = "LFSC00000000000000C3"
    sim.volume_of(TWO).databases = {}
    sim.volume_of(TWO).databases["db"] = Db(4, NEWER)
    claim = sim.claim(2)
    claim["metadata"]["creationTimestamp"] = sim.claim(0)["metadata"]["creationTimestamp"]
    outcome = rescue(sim)
    assert int(outcome.code) == 4 and "S3" in [r.id for r in outcome.refusals] and not sim.changes


def test_an_import_that_a_proxy_answers_is_not_proven(rescue: Rescue, make: Make) -> None:
    sim = make.lost()
    sim.upload = lambda *_, **__: Answer(200, {}, b"<html>signed in</html>")  # type: ignore[method-assign]
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and not [c for c in sim.changes if c.startswith("DELETE")]


@pytest.mark.parametrize("strategy", ["data-dir", "import"])
def test_replicas_that_say_no_position_are_no_source_whoever_names_one(rescue: Rescue, make: Make, strategy: str) -> None:
    sim = make.recreated()
    for pod in (ONE, TWO):
        sim.infos[pod] = lambda path: (503, {}, b'{"message": "no", "reason": "ServiceUnavailable"}') if path == "debug/vars" else None
    outcome = rescue(sim, strategy=strategy, source=ONE)
    assert int(outcome.code) == 4 and "S4" in [r.id for r in outcome.refusals] and not sim.changes


def test_what_the_application_makes_while_an_import_fails_is_a_file_before_it_is_sent_again(rescue: Rescue, make: Make) -> None:
    sim, new = make.lost(), database("new")

    def hook(s: Sim, sent: Sent) -> KubeError | None:
        if sent.path.endswith("/import"):
            s.volume_of(ZERO).databases["db"] = Db(1, new)
            s.before.remove(hook)
            return KubeError("connection reset", status=None, reason="Unreachable")
        return None

    sim.before.append(hook)
    sim.replicates = False
    outcome = rescue(sim, strategy="import")
    assert int(outcome.code) == 10 and [c for c in sim.changes if c.startswith("POST")] == ["POST pods/abaci-app-0:20202/proxy/import"]
    sim.replicates = True
    sim.clock.sleep(90)
    rescue(sim, strategy="import", resume=True)
    assert new in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_a_pod_that_may_be_missing_is_told_where_the_set_cannot_be_read(save: Save, make: Make) -> None:
    sim = make.recreated()
    sim.allowed = lambda verb, group, resource, name: resource != "statefulsets"
    gone_pod(sim)
    result = save(sim)
    assert int(result.code) == 7 and "how many pods" in result.message


@pytest.mark.parametrize("state", ["recreated", "healthy"])
def test_a_volume_that_no_pod_has_is_told(rescue: Rescue, save: Save, make: Make, state: str) -> None:
    """Of pods that were scaled away, or renamed by ordinals.start."""
    sim: Sim = getattr(make, state)()
    claim = json.loads(json.dumps(sim.claim(2)))
    claim["metadata"] |= {"name": f"litefs-data-{APP}-5", "uid": "five"}
    sim.put("persistentvolumeclaims", claim)
    assert any(f"litefs-data-{APP}-5" in n for n in save.one(sim).notes)
    outcome = rescue(sim, dry_run="client")
    said = (outcome.message, *(outcome.plan.warnings if outcome.plan else ()))
    assert int(outcome.code) == 0 and any(f"litefs-data-{APP}-5" in text for text in said)


def test_a_primary_that_loses_the_data_during_the_proof_is_not_called_verified(rescue: Rescue, make: Make) -> None:
    """The hint decides whether somebody restarts a replica, which may be the last to have it."""
    sim = make.recreated()

    def loses(at: str, now: str) -> None:
        if (at, now) == ("verify", "waiting") and "db" in sim.volume_of(ZERO).databases and sim.volume_of(ZERO).cluster_id == CLUSTER_ID:
            del sim.volume_of(ZERO).databases["db"]

    sim.hanging[TWO] = 1e9
    rescue.heard.on_step = loses
    outcome = rescue(sim, strategy="data-dir")
    assert int(outcome.code) == 11 and "verified. A replica" not in str(outcome.hint) and "no replica" in str(outcome.hint)


def test_a_folder_that_cannot_be_tidied_is_said_in_words(save: Save, make: Make) -> None:
    (save.home / "saved" / f"{NS}-{APP}" / "db-0001.sqlite.part").mkdir(parents=True)
    with pytest.raises(LitefsError, match="nothing can be saved") as raised:
        app.rescue_save(make.recreated(), SaveOptions(Target(namespace=NS), save.home / "saved"), SimClock(), save.heard)
    assert int(raised.value.exit_code) == 7


def test_of_two_sets_it_is_the_primarys_whose_lock_is_looked_at(rescue: Rescue, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers in a set of their own, which comes first: a stopped reset of the other is no undo's to take over."""
    sim, plain = make.recreated(), base.facts_of

    def facts_of(*given: Any) -> Any:
        facts = plain(*given)
        (one,) = facts.clusters
        return dataclasses.replace(facts, clusters=(dataclasses.replace(one, workloads=(dataclasses.replace(one.workloads[0], name="aa"), *one.workloads)),))

    assert int(rescue(sim, strategy="data-dir").code) == 0
    monkeypatch.setattr(base, "facts_of", facts_of)
    lock = Lock(sim, NS, APP, sim.clock, 5)
    lock.take({"command": "fix-cluster-id", "pod": TWO, "step": "claim"}, print)
    lock.abandon()
    sim.clock.sleep(90)
    outcome = rescue.undo(sim)
    disk = sim.volume_of(ZERO).disk
    assert int(outcome.code) == 5 and disk is not None and any(n.startswith("lost-") for n in disk.names())


# --- clocks, and databases of odd shapes


def test_a_clock_that_jumps_takes_no_lock_from_a_run_that_is_alive(make: Make) -> None:
    """A laptop that slept: the other terminal's run goes on in a moment, and its last renewal looks an hour old."""
    sim = make.healthy()
    first, second = Lock(sim, NS, APP, sim.clock, 5), Lock(sim, NS, APP, sim.clock, 5)
    first.take({"command": "rescue"}, print)
    sim.clock.now = lambda: NOW + timedelta(hours=1, seconds=sim.clock.seconds)  # type: ignore[method-assign]
    plain = sim.clock.sleep

    def sleep(seconds: float) -> None:
        plain(seconds)
        first.tick()

    sim.clock.sleep = sleep  # type: ignore[method-assign]
    with pytest.raises(LitefsError, match="alive"):
        second.take({"command": "rescue"}, print, resume=True)
    first.check()


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize("strategy", ["data-dir", "import"])
def test_a_clock_that_is_set_in_the_midst_of_a_run_changes_nothing(rescue: Rescue, make: Make, hours: int, strategy: str) -> None:
    sim = make.lost()

    def jumps(at: str, now: str) -> None:
        if (at, now) == ("gate", "doing"):
            sim.clock.now = lambda: NOW + timedelta(hours=hours, seconds=sim.clock.seconds)  # type: ignore[method-assign]

    rescue.heard.on_step = jumps
    assert int(rescue(sim, strategy=strategy).code) == 0


def shaped(tmp: Path, *sql: str) -> bytes:
    path = tmp / "shaped"
    db = sqlite3.connect(path, isolation_level=None)
    for line in sql:
        db.execute(line)
    db.close()
    return path.read_bytes()


SHAPES = {
    "one page": ("pragma page_size = 512", "pragma user_version = 3"),
    "pages of 65536": ("pragma page_size = 65536", "create table t (v)", "insert into t values (1)"),
    "WAL": ("pragma page_size = 512", "pragma journal_mode = wal", "create table t (v)", "insert into t values (1)"),
}


@pytest.mark.parametrize("strategy", ["data-dir", "import"])
@pytest.mark.parametrize("shape", SHAPES)
def test_databases_of_odd_shapes_come_back(rescue: Rescue, make: Make, tmp_path: Path, shape: str, strategy: str) -> None:
    sim, data = make.recreated(), shaped(tmp_path, *SHAPES[shape])
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["db"] = Db(7, data)
    assert int(rescue(sim, strategy=strategy).code) == 0
    assert all(sim.volume_of(p).databases["db"].data[100:] == data[100:] for p in (ZERO, ONE, TWO))
