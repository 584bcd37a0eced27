"""What `rescue run` refuses: nothing is sent, and the copies are saved all the same."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ..fix.sim import Db, Sim, database
from ..harness import APP
from .conftest import Make, Rescue

ZERO, ONE, TWO = (f"{APP}-{n}" for n in range(3))


def silent(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: (503, {}, json.dumps({"message": "connection refused", "reason": "ServiceUnavailable"}).encode())


def two_primaries(sim: Sim) -> None:
    sim.infos[TWO] = lambda path: json.dumps({"clusterID": "LFSC00000000000000A1", "isPrimary": True, "candidate": True, "path": "/var/lib/litefs"}).encode() if path == "info" else None


def contradiction(sim: Sim) -> None:
    sim.volume_of(TWO).databases["db"] = Db(7, database("another"))


def three_ids(sim: Sim) -> None:
    sim.volume_of(TWO).cluster_id = "LFSC00000000000000C3"


def odd_name(sim: Sim) -> None:
    for pod in (ZERO, ONE, TWO):
        sim.volume_of(pod).databases = {"../x": sim.volume_of(pod).databases["db"]}


def made_again(sim: Sim) -> None:
    """The primary had cleared its copy and the application made the file anew; the replicas are not connected yet."""
    sim.replicates = False
    sim.volume_of(ZERO).databases["db"] = Db(1, database("new"))
    uid = sim.pod(0)["metadata"]["uid"]
    line = 'level=ERROR msg="invalid database header on \\"db\\", clearing data files"'
    sim.logs[uid].append(f"{sim.logs[uid][0].split(' ')[0]} {line}")


def consul(sim: Sim) -> None:
    config = next(o for (p, _), o in sim.objects.items() if p == "configmaps")
    key = next(iter(config["data"]))
    config["data"][key] = config["data"][key].replace("type: static", "").replace("lease:\n", "lease:\n  type: consul\n  consul:\n    url: http://consul:8500\n    key: litefs\n")
    for uid, lines in sim.logs.items():
        sim.logs[uid] = [x for x in lines if "Using static primary" not in x]


def no_volume(sim: Sim) -> None:
    for volume in sim.pod(0)["spec"]["volumes"]:
        if "persistentVolumeClaim" in volume:
            del volume["persistentVolumeClaim"]
            volume["emptyDir"] = {}


def rollout(sim: Sim) -> None:
    sim.objects["statefulsets", APP]["status"] |= {"currentRevision": "r1", "updateRevision": "r2"}


def bare(sim: Sim) -> None:
    sim.pod(0)["metadata"]["ownerReferences"][0]["uid"] = "another"


def all_corrupt(sim: Sim) -> None:
    sim.exports = lambda pod, name, data: data[:512] + bytes(512) + data[1024:] if pod != ZERO else data


@pytest.mark.parametrize(
    ("state", "spoil", "refusal"),
    [
        ("recreated", silent, "S2"),
        ("recreated", two_primaries, "S1"),
        ("recreated", contradiction, "S3"),
        ("recreated", three_ids, "S3"),
        ("recreated", odd_name, "S5"),
        ("recreated", consul, "S7"),
        ("recreated", no_volume, "S8"),
        ("recreated", rollout, "R15"),
        ("recreated", bare, "R10"),
        ("recreated", all_corrupt, "S4"),
        ("lost", made_again, "S6"),
        ("lost", consul, "S7"),
        ("lost", contradiction, "S3"),
        ("lost", odd_name, "S5"),
        ("lost", silent, "S2"),
    ],
)
def test_refused(rescue: Rescue, make: Make, state: str, spoil: Callable[[Sim], None], refusal: str) -> None:
    sim: Sim = getattr(make, state)()
    spoil(sim)
    outcome = rescue(sim)
    assert int(outcome.code) == 4, outcome
    assert refusal in [r.id for r in outcome.refusals], outcome.refusals
    assert not sim.changes and not rescue.asked
    assert list(rescue.folder.glob("*.sqlite")), "the copies are saved all the same"


def test_a_stranger_that_is_a_replica_is_no_case_for_a_rescue(rescue: Rescue, make: Make) -> None:
    sim = make._sim(1)
    outcome = rescue(sim)
    assert int(outcome.code) == 4 and outcome.refusals[0].id == "S3" and "fix-cluster-id" in outcome.refusals[0].instead


def test_a_person_may_name_the_replica_of_two_that_contradict(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    contradiction(sim)
    outcome = rescue(sim, source=TWO, strategy="import")
    assert [d.pod for d in rescue.asked[0].databases] == [TWO] and [r.id for r in rescue.asked[0].accepted] == ["S3"]
    assert int(outcome.code) == 0 and sim.volume_of(ZERO).databases["db"].data[100:] == database("another")[100:]
    assert database("one", "two", "three") in [p.read_bytes() for p in rescue.folder.glob("*.sqlite")]


def test_the_primarys_own_writes_must_be_saved_first(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.exports = lambda pod, name, data: b"" if pod == ZERO else data
    outcome = rescue(sim)
    assert int(outcome.code) == 7 and ZERO in outcome.message and not sim.changes


def test_a_corrupt_best_copy_is_not_the_source_and_the_next_best_is(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    good = sim.volume_of(TWO).databases["db"].data
    sim.volume_of(TWO).databases["db"] = Db(9, good[:512] + bytes(512) + good[1024:])
    assert int(rescue(sim, dry_run="client").code) == 0
    outcome = rescue(sim, strategy="import")
    assert [d.pod for d in rescue.asked[0].databases] == [ONE]
    assert sim.volume_of(ZERO).databases["db"].data[100:] == good[100:]
    print(outcome)


def missing_tool(pod: str, command: object) -> list[str]:
    words = list(command)  # type: ignore[call-overload]
    return ["sh", "-c", "echo no tar; exit 3"] if words[0] == "sh" and "command -v" in words[2] else words


def full(pod: str, command: object) -> list[str]:
    words = list(command)  # type: ignore[call-overload]
    return ["sh", "-c", "echo '900000 dbs'; echo Filesystem; echo '/dev/x 100 90 10 90% /'"] if words[0] == "sh" and "command -v" in words[2] else words


@pytest.mark.parametrize(("how", "why"), [(missing_tool, "no tar"), (full, "KiB free")])
def test_where_a_directory_cannot_be_copied_the_import_is_taken_and_the_reason_said(rescue: Rescue, make: Make, how: Callable[[str, object], list[str]], why: str) -> None:
    sim = make.recreated()
    sim.commands = how
    assert int(rescue(sim, strategy="data-dir").code) == 4
    plan = rescue(sim, dry_run="client").plan
    assert plan is not None and plan.strategy == "import" and why in str(plan.document()["why"])


def test_without_exec_the_import_is_taken(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    sim.allowed = lambda verb, group, resource, name: resource != "pods/exec"
    plan = rescue(sim, dry_run="client").plan
    assert plan is not None and plan.strategy == "import" and "you may not" in str(plan.document()["why"])
