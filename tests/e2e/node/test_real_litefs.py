"""diagnose and fix-cluster-id where LiteFS is the real one, with FUSE, on a real kubelet."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ..accounts import Account, Audit
from ..conftest import Cli
from ..databases import checksum
from ..reports import diagnosed, errors
from .real_set import RealSet

NewCluster = Callable[..., RealSet]
NewAccount = Callable[..., Account]
POD = "abaci-app-1"
REPLACED = {"pods/abaci-app-1", "persistentvolumeclaims/litefs-data-abaci-app-1"}


def fixing(made: RealSet, backups: Path, pod: str = POD) -> list[str]:
    return ["fix-cluster-id", pod, "-n", made.namespace, "--accept-loss=db", f"--backup-dir={backups}", "-o", "json"]


def may_fix(made: RealSet, cli: Cli, account: NewAccount, also: tuple[str, ...] = ()) -> Account:
    """Who may do exactly what `rbac fix-cluster-id` prints for the pod. `also` names Roles that it prints but does not bind."""
    roles = cli("rbac", "fix-cluster-id", POD, "-n", made.namespace)
    assert roles.returncode == 0, roles.stderr
    return account(made.namespace, roles.stdout, also=also)


def test_in_a_healthy_cluster_diagnose_finds_no_error(cluster: NewCluster, cli: Cli) -> None:
    made = cluster("healthy")
    assert "/litefs fuse" in made.in_pod(1, "cat", "/proc/mounts"), "LiteFS is mounted"
    made.write(0, "insert into t values('written later')")
    for ordinal in (1, 2):
        made.follows(ordinal)
        assert made.rows(ordinal) == ["1", "written later"]
    code, report = diagnosed(cli, made.namespace)
    assert (code, errors(report)) == (0, [])
    assert [p["role"] for p in report["clusters"][0]["pods"]] == ["primary", "following", "following"]
    assert not report.get("gaps"), "all of it could be seen"


def test_a_cluster_id_mismatch_is_found_and_fixed(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path) -> None:
    made = cluster("cluster-id-mismatch", mismatch=1)
    code, report = diagnosed(cli, made.namespace)
    found = errors(report)
    assert code == 1 and [who for rule, who in found if rule == "LFS101"] == [POD] and not [x for x in found if x[0] == "LFS102"], found

    tool, words = may_fix(made, cli, account), fixing(made, tmp_path)
    lost, before, versions, own = made.rows(1), made.uids(), made.versions(), made.positions(1)["db"]
    shown = cli(*words, "--dry-run=server", account=tool)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert made.versions() == versions, "a dry run changes nothing"
    done = cli(*words, "--yes", f"--plan={json.loads(shown.stdout)['plan']['id']}", account=tool, timeout=400)
    print(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr

    after = made.uids()
    assert {name for name in before if after.get(name) != before[name]} == REPLACED and after.keys() == before.keys()
    assert made.info(1)["clusterID"] == made.info(0)["clusterID"] == made.info(2)["clusterID"]
    assert made.positions(0) == made.positions(1) == made.positions(2)
    assert made.rows(1) == made.rows(0) and "only on abaci-app-1" in lost
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed role is enough"
    kept = Path(json.loads(done.stdout)["backup"]) / "db-0001.sqlite"
    assert f"{checksum(kept):016x}" == own.checksum, "the copy is what LiteFS had"
    with closing(sqlite3.connect(kept)) as copy:
        assert [str(x) for (x,) in copy.execute("select x from t order by rowid")] == lost
    made.write(0, "insert into t values('after the repair')")
    made.follows(1)
    assert made.rows(1)[-1] == "after the repair", "it is a replica again"
    code, report = diagnosed(cli, made.namespace)
    assert (code, errors(report)) == (0, [])


@pytest.mark.parametrize(
    ("strategy", "replaced"),
    [("scale", {*REPLACED, "pods/abaci-app-2"}), ("in-place", {"pods/abaci-app-1"})],
    ids=["scale", "in-place"],
)
def test_the_other_strategies_bring_the_replica_back(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path, strategy: str, replaced: set[str]) -> None:
    made = cluster("cluster-id-mismatch", mismatch=1)
    tool = may_fix(made, cli, account, (f"kubectl-litefs-fix-{strategy}",))
    words, before = [*fixing(made, tmp_path), f"--strategy={strategy}"], made.uids()
    shown = cli(*words, "--dry-run", account=tool)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    done = cli(*words, "--yes", f"--plan={json.loads(shown.stdout)['plan']['id']}", account=tool, timeout=400)
    print(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    after = made.uids()
    assert {name for name in before if after.get(name) != before[name]} == replaced and after.keys() == before.keys()
    assert made.info(1)["clusterID"] == made.info(0)["clusterID"]
    assert made.positions(1) == made.positions(0) and made.rows(1) == made.rows(0)
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed roles are enough"


def test_a_primary_whose_volume_is_new_is_refused_and_nothing_is_changed(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path) -> None:
    made = cluster("primary-volume-recreated")
    assert made.rows(0) == ["1"] and len(made.rows(1)) == len(made.rows(2)) == 6, "the replicas hold the only good copy"
    code, report = diagnosed(cli, made.namespace)
    assert code == 1 and "LFS102" in {rule for rule, _ in errors(report)}, errors(report)

    tool, versions = may_fix(made, cli, account), made.versions()
    for pod, who in ((POD, tool), ("abaci-app-2", None)):  # the second as one who may do everything
        for more in (("--dry-run",), ("--yes", "--plan=" + "0" * 64)):
            done = cli(*fixing(made, tmp_path, pod), *more, account=who)
            assert done.returncode == 4 and "R4" in [r["id"] for r in json.loads(done.stdout)["refusals"]], done.stdout + done.stderr
    assert not [r for r in audit(tool.user) if r.mutating], "nothing was even tried"
    assert made.versions() == versions
    assert len(made.rows(1)) == len(made.rows(2)) == 6
