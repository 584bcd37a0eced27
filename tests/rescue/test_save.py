"""`rescue save`: every copy is a proven file, the best is named, and 0 means that nothing is missing."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.errors import CouldNotLook, KubeError, LitefsError, UsageError
from kubectl_litefs.fix.sqlite_file import MAGIC
from kubectl_litefs.rescue.store import MANIFEST, Store, read

from ..fix.sim import STRANGER, Db, Sent, Sim, database
from ..harness import APP, CLUSTER_ID, NS
from .conftest import Save

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))


def recreated() -> Sim:
    """LFS102: the primary's volume is new, both replicas hold the good copy."""
    return Sim(target=0)


def lost() -> Sim:
    """LFS110: the primary has the same cluster id and an empty database."""
    sim = Sim(target=-1)
    sim.volume_of(ZERO).databases["db"] = Db(0, b"", "0000000000000000")
    return sim


def own_volumes(sim: Sim) -> Sim:
    """Each pod its own database object: the simulated replicas share theirs otherwise."""
    for n in range(3):
        volume = sim.volume_of(f"{APP}-{n}")
        volume.databases = {k: Db(d.txid, d.data, d.checksum) for k, d in volume.databases.items()}
    return sim


def damage(sim: Sim, pod: str, how: Callable[[bytes], bytes]) -> None:
    sim.exports = lambda at, name, data: how(data) if at == pod else data


# --- what is saved


@pytest.mark.parametrize("make", [recreated, lost, lambda: Sim(target=-1), Sim], ids=["LFS102", "LFS110", "healthy", "LFS101"])
def test_every_copy_becomes_a_file_with_its_data_and_a_line(save: Save, make: Callable[[], Sim]) -> None:
    sim = make()
    result = save(sim)
    assert (int(result.code), result.name) == (0, "saved")
    (found,) = result.sets
    held = {(p, n): d for p in (ZERO, ONE, TWO) for n, d in sim.volume_of(p).databases.items() if d.txid}
    assert {(c.pod, c.database) for c in found.copies} == set(held)
    for copy in read(save.folder):
        kept = held[copy.pod, copy.database]
        assert (save.folder / copy.file).read_bytes() == kept.data
        assert (copy.txid, copy.checksum, copy.cluster_id) == (kept.txid, kept.checksum, sim.volume_of(copy.pod).cluster_id)
        assert copy.proven and copy.pod_uid == sim.objects["pods", copy.pod]["metadata"]["uid"] and copy.server == sim.server


def test_files_are_for_their_owner_only_and_bear_no_name_of_a_server(save: Save) -> None:
    sim = recreated()
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases["../../x"] = sim.volume_of(pod).databases["db"]
    assert int(save(sim).code) == 0
    assert stat.S_IMODE(save.folder.stat().st_mode) == 0o700
    files = sorted(save.folder.iterdir())
    assert [f.name for f in files] == [*(f"db-{n:04d}.sqlite" for n in range(1, 6)), MANIFEST]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert sorted(p.name for p in save.home.rglob("*") if p.is_dir()) == [f"{NS}-{APP}", "saved"]


def test_the_furthest_copies_are_asked_for_first(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = own_volumes(recreated())
    sim.volume_of(TWO).databases["db"].txid += 1
    begun: list[str] = []
    lock = threading.Lock()

    def hook(s: Sim, sent: Sent) -> None:
        if "/export" in sent.path:
            with lock:
                begun.append(sent.path)

    sim.before.append(hook)
    monkeypatch.setattr("kubectl_litefs.rescue.save.AT_ONCE", 1)
    save(sim)
    assert [p for p in (ZERO, ONE, TWO) if p in begun[0]] == [TWO]


def test_positions_are_read_and_exports_begin_before_any_log_is_read(save: Save) -> None:
    sim = lost()
    save(sim)
    paths = [s.path for s in sim.sent]
    first_log = next(i for i, p in enumerate(paths) if p.endswith("/log"))
    assert max(i for i, p in enumerate(paths) if "/export" in p) < first_log


# --- a second run


def test_a_second_run_keeps_what_is_there_and_takes_up_what_is_missing(save: Save) -> None:
    sim = own_volumes(recreated())
    sim.infos[TWO] = lambda path: (503, {}, json.dumps({"message": "connection refused", "reason": "ServiceUnavailable"}).encode())
    assert int(save(sim).code) == 7
    before = {p.name: (p.stat().st_ino, p.read_bytes()) for p in save.folder.glob("*.sqlite")}
    sim.infos.clear()
    sim.sent.clear()
    found = save.one(sim)
    assert found.kept == 2 and {c.pod for c in found.copies} == {ZERO, ONE, TWO}
    assert [s for s in sim.sent if "/export" in s.path and TWO not in s.path] == []
    assert before.items() <= {p.name: (p.stat().st_ino, p.read_bytes()) for p in save.folder.glob("*.sqlite")}.items()


def test_a_database_that_moved_on_is_saved_beside_its_older_state(save: Save) -> None:
    sim = own_volumes(Sim(target=-1))
    save(sim)
    old = sorted(save.folder.glob("*.sqlite"))
    for n in range(3):
        sim.volume_of(f"{APP}-{n}").databases["db"] = Db(8, database("one", "two", "three", "four"))
    found = save.one(sim)
    assert found.kept == 0 and {c.txid for c in found.copies} == {8}
    assert all(p.exists() for p in old) and len(list(save.folder.glob("*.sqlite"))) == 6


@pytest.mark.parametrize("spoil", [lambda p: p.write_bytes(p.read_bytes()[:-1] + b"x"), Path.unlink, lambda p: p.write_bytes(b"")])
def test_a_saved_file_that_was_changed_is_saved_anew_and_left_alone(save: Save, spoil: Callable[[Path], Any]) -> None:
    sim = recreated()
    save(sim)
    victim = save.folder / "db-0001.sqlite"
    spoil(victim)
    left = victim.read_bytes() if victim.exists() else None
    found = save.one(sim)
    assert found.kept == 2 and "db-0004.sqlite" in [c.file for c in found.copies]
    assert (victim.read_bytes() if victim.exists() else None) == left


def test_lines_of_a_manifest_that_are_no_ours_are_passed_over(save: Save) -> None:
    sim = recreated()
    save(sim)
    with open(save.folder / MANIFEST, "ab") as file:
        file.write(b'\x00garbage\n{"v": 9}\n{"v": 1, "file": "../../etc/passwd"}\n[[[\n{"v": 1, "file"')
    line = json.loads((save.folder / MANIFEST).read_bytes().split(b"\n")[0])
    with open(save.folder / MANIFEST, "ab") as file:
        file.write(b"\n" + json.dumps({**line, "file": "../db-0001.sqlite"}).encode() + b"\n")
    found = save.one(sim)
    assert found.kept == 3 and len(list(read(save.folder))) == 3


def test_halves_of_a_run_that_was_killed_go_and_their_numbers_are_not_used_again(save: Save) -> None:
    folder = save.home / "saved" / f"{NS}-{APP}"
    folder.mkdir(parents=True)
    (folder / "db-0007.sqlite.part").write_bytes(b"half")
    (folder / "db-0009.sqlite").write_bytes(b"somebody's")
    assert int(save(recreated()).code) == 0
    assert (folder / "db-0009.sqlite").read_bytes() == b"somebody's"
    assert sorted(c.file for c in read(folder)) == [f"db-{n:04d}.sqlite" for n in (10, 11, 12)]


def test_two_runs_do_not_write_into_one_folder(save: Save) -> None:
    sim = recreated()
    other = Store(save.home / "saved" / f"{NS}-{APP}", sim.clock)
    try:
        with pytest.raises(LitefsError) as error:
            save(sim)
        assert int(error.value.exit_code) == 5
    finally:
        other.close()
    assert int(save(sim).code) == 0


# --- never 0 when a copy is missing


def refuse(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: (503, {}, json.dumps({"message": "connection refused", "reason": "ServiceUnavailable"}).encode())


def gone(sim: Sim) -> None:
    del sim.objects["pods", TWO]


def no_positions(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: b"<html>" if path == "debug/vars" else None


def breaks(sim: Sim) -> None:
    def hook(s: Sim, sent: Sent) -> KubeError | None:
        return KubeError("connection reset", status=None, reason="Unreachable") if "/export" in sent.path and TWO in sent.path else None

    sim.after.append(hook)


def cut(sim: Sim) -> None:
    damage(sim, TWO, lambda data: data[:700] + b"read page 2: unexpected EOF")


def nothing(sim: Sim) -> None:
    damage(sim, TWO, lambda data: b"")


@pytest.mark.parametrize("spoil", [refuse, gone, no_positions, breaks, cut, nothing])
def test_what_is_missing_is_named_and_the_rest_is_saved(save: Save, spoil: Callable[[Sim], None]) -> None:
    sim = recreated()
    spoil(sim)
    result = save(sim)
    assert (int(result.code), result.name) == (7, "incomplete") and TWO in result.message
    (found,) = result.sets
    assert [m.pod for m in found.missing] == [TWO] and found.missing[0].why
    assert {c.pod for c in found.copies} == {ZERO, ONE} and len(list(save.folder.glob("*.sqlite"))) == 2


def test_nothing_above_txid_0_is_no_success(save: Save) -> None:
    sim = lost()
    for pod in (ONE, TWO):
        sim.volume_of(pod).databases = {}
    result = save(sim)
    assert (int(result.code), result.name) == (7, "nothing-saved")


def test_not_one_pod_that_answers_is_no_state_to_speak_of(save: Save) -> None:
    sim = recreated()
    for pod in (ZERO, ONE, TWO):
        sim.infos[pod] = lambda path: (403, {}, json.dumps({"message": "forbidden", "reason": "Forbidden"}).encode())
    with pytest.raises(CouldNotLook, match="no LiteFS pod answers"):
        save(sim)


def test_a_name_that_does_not_exist(save: Save) -> None:
    with pytest.raises(UsageError, match="abaci-ap"):
        save(recreated(), "abaci-ap")


def test_the_time_limit_ends_it_and_says_what_is_missing(save: Save) -> None:
    sim = recreated()
    ends = sim.clock.seconds + 100

    def hook(s: Sim, sent: Sent) -> None:
        if "/export" in sent.path:
            s.clock.seconds = ends

    sim.before.append(hook)
    result = save(sim, timeout=50.0)
    assert int(result.code) == 7 and "--timeout" in result.sets[0].missing[0].why


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_disk_here_costs_that_copy_only(save: Save, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.write

    def write(file: int, data: Any) -> int:
        if bytes(data[:16]) == MAGIC:
            raise OSError(number, os.strerror(number))
        return real(file, data)

    monkeypatch.setattr("kubectl_litefs.fix.export.os.write", write)
    result = save(recreated())
    assert int(result.code) == 7 and os.strerror(number) in result.sets[0].missing[0].why
    assert not list(save.folder.glob("*.sqlite")) and not list(read(save.folder))


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_asked(save: Save) -> None:
    (save.home / "saved").write_text("a file")
    with pytest.raises(LitefsError) as error:
        save(recreated())
    assert int(error.value.exit_code) == 7 and "Nothing was changed" in error.value.message


def test_ctrl_c_keeps_what_is_saved_and_the_next_run_saves_the_rest(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    import kubectl_litefs.rescue.save as module

    sim, real = recreated(), module.run_all

    def stopped(jobs: dict[str, Callable[[], Any]], seconds: float, **more: Any) -> dict[str, Any]:
        first = next(iter(jobs))
        real({first: jobs[first]}, seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_all", stopped)
    result = save(sim)
    assert (int(result.code), result.name) == (130, "stopped") and len(list(read(save.folder))) == 1
    assert len(result.sets[0].missing) == 2
    monkeypatch.undo()
    assert save.one(sim).kept == 1


# --- which copy is the best


def test_replicas_of_one_content_are_proven_the_same(save: Save) -> None:
    found = save.one(recreated())
    best = next(v for v in found.verdicts if v.cluster_id == CLUSTER_ID)
    assert [c.pod for c in best.best] == [ONE, TWO] and best.sure == "proven"
    assert found.history.cluster_id == CLUSTER_ID and ZERO in found.history.words[0] and STRANGER in found.history.words[0]
    own = next(v for v in found.verdicts if v.cluster_id == STRANGER)
    assert [c.pod for c in own.best] == [ZERO] and own.sure == "only"


def test_the_higher_txid_of_one_id_is_likely_the_later_state(save: Save) -> None:
    sim = own_volumes(recreated())
    sim.volume_of(TWO).databases["db"] = Db(4, database("one"))
    best = next(v for v in save.one(sim).verdicts if v.cluster_id == CLUSTER_ID)
    assert [c.pod for c in best.best] == [ONE] and best.sure == "likely"
    assert f"{TWO} at txid 4 is an earlier state" in best.reasons[0]


def test_one_txid_and_two_contents_are_for_a_person_to_decide(save: Save) -> None:
    sim = own_volumes(recreated())
    sim.volume_of(TWO).databases["db"] = Db(7, database("another"))
    result = save(sim)
    best = next(v for v in result.sets[0].verdicts if v.cluster_id == CLUSTER_ID)
    assert best.best == () and best.sure == "open" and "two histories at txid 7" in best.reasons[0]
    assert int(result.code) == 0 and len(result.sets[0].copies) == 3, "both are kept"


def test_of_two_ids_without_proof_none_is_called_right(save: Save) -> None:
    sim = Sim()  # one stranger among three, as after a repaired candidate
    found = save.one(sim)
    assert found.history.cluster_id is None and "cannot be compared" in found.history.words[0]


def test_a_corrupt_best_copy_is_kept_apart_and_the_next_best_is_taken(save: Save) -> None:
    sim = own_volumes(recreated())
    good = sim.volume_of(TWO).databases["db"].data
    bad = good[:512] + b"\x00" * 512 + good[1024:]
    sim.volume_of(TWO).databases["db"] = Db(9, bad)
    result = save(sim)
    best = next(v for v in result.sets[0].verdicts if v.cluster_id == CLUSTER_ID)
    assert [c.pod for c in best.best] == [ONE]
    assert any(f"{TWO} is further, at txid 9, but its copy is damaged" in r for r in best.reasons)
    assert int(result.code) == 7 and [m.pod for m in result.sets[0].missing] == [TWO]
    (kept,) = save.folder.glob("*.damaged.sqlite")
    assert kept.read_bytes() == bad
    save(sim)
    assert len(list(save.folder.glob("*.damaged.sqlite"))) == 1, "the same damage is kept once"


def test_a_better_copy_that_could_not_be_saved_is_named_beside_the_best(save: Save) -> None:
    sim = own_volumes(recreated())
    sim.volume_of(TWO).databases["db"].txid = 9
    cut(sim)
    best = next(v for v in save.one(sim).verdicts if v.cluster_id == CLUSTER_ID)
    assert [c.pod for c in best.best] == [ONE] and any(f"{TWO} is further, at txid 9" in r for r in best.reasons)


def test_a_lost_database_is_told(save: Save) -> None:
    found = save.one(lost())
    assert any("has lost database db" in w for w in found.history.words)
    (best,) = found.verdicts
    assert [c.pod for c in best.best] == [ONE, TWO]


def test_a_database_that_is_written_to_all_the_while_is_whole_but_its_position_is_open(save: Save) -> None:
    sim = own_volumes(Sim(target=-1))
    count = [7]

    def moving(path: str) -> Any:
        if path != "debug/vars":
            return None
        count[0] += 1
        return json.dumps({"store": {"dbs": {"db": {"name": "db", "txid": f"{count[0]:016x}", "checksum": f"{count[0]:016x}"}}}}).encode()

    sim.infos[ZERO] = moving
    result = save(sim)
    mine = next(c for c in result.sets[0].copies if c.pod == ZERO)
    assert int(result.code) == 0 and not mine.proven and mine.later is not None and mine.later > mine.txid
    best = result.sets[0].verdicts[0]
    assert best.sure == "likely" and "between txid" in best.reasons[0]


def test_a_position_that_fits_the_file_proves_it_although_it_moved_on(save: Save) -> None:
    sim = own_volumes(Sim(target=-1))
    old, new = sim.volume_of(ZERO).databases["db"], Db(8, database("later"))

    def commit(s: Sim, sent: Sent) -> None:
        if "/export" in sent.path and ZERO in sent.path:
            s.volume_of(ZERO).databases["db"] = new  # the export saw the state before

    sim.after.append(commit)
    sim.exports = lambda pod, name, data: old.data if pod == ZERO else data
    mine = next(c for c in save.one(sim).copies if c.pod == ZERO)
    assert mine.proven and (mine.txid, mine.checksum) == (7, old.checksum)


def test_a_copy_that_is_replaced_while_it_is_saved_is_told(save: Save) -> None:
    """LFS110's race: the application makes the file anew, and every replica takes it."""
    sim = own_volumes(lost())

    def commit(s: Sim, sent: Sent) -> None:
        if sent.path.endswith("/log"):
            for n in range(3):
                s.volume_of(f"{APP}-{n}").databases["db"] = Db(1, database())

    sim.before.append(commit)
    found = save.one(sim)
    assert [c.txid for c in found.copies] == [7, 7]
    assert len([n for n in found.notes if "what is left of it" in n]) == 2


def test_logs_that_cannot_be_read_do_not_keep_it_from_saving(save: Save) -> None:
    sim = recreated()

    def hook(s: Sim, sent: Sent) -> KubeError | None:
        over = len([x for x in s.sent if "/export" in x.path]) >= 3
        return KubeError("gone", status=None, reason="Unreachable") if over and sent.path.endswith("/pods") else None

    sim.before.append(hook)
    result = save(sim)
    assert int(result.code) == 0 and any("without the logs" in n for n in result.sets[0].notes)
