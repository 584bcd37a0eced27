"""rescue where LiteFS is the real one: the rows that only the replicas have come back, by each strategy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..accounts import Account, Audit
from ..api import until
from ..conftest import Cli
from ..reports import diagnosed, errors
from .real_set import RealSet

NewCluster = Callable[..., RealSet]
NewAccount = Callable[..., Account]
PRECIOUS = [f"precious {n}" for n in range(5)]
PRIMARY = "pods/abaci-app-0"
ROLES = {"data-dir": ("run", "data-dir"), "import": ("run", "import"), "import-reset": ("run", "import", "import-reset")}


def rescuer(made: RealSet, cli: Cli, account: NewAccount, *ways: str) -> Account:
    """Who may do exactly what `rbac rescue` prints for these ways."""
    roles = cli("rbac", "rescue", "-n", made.namespace)
    assert roles.returncode == 0, roles.stderr
    names = dict.fromkeys(n for way in ways for n in ROLES[way])
    return account(made.namespace, roles.stdout, also=tuple(f"kubectl-litefs-rescue-{n}" for n in names))


def carried_out(cli: Cli, tool: Account, words: list[str], *run: str) -> Any:
    """The dry run's plan, then that plan and nothing else; the result as a document."""
    shown = cli(*words, "--dry-run", account=tool)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    plan = json.loads(shown.stdout)["plan"]["id"]
    done = cli(*words, *run, "--yes", f"--plan={plan}", account=tool, timeout=500)
    print(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def rescue(made: RealSet, folder: Path, strategy: str, command: str = "run") -> list[str]:
    way = [f"--strategy={strategy}"] if command == "run" else []
    return ["rescue", command, "abaci-app", "-n", made.namespace, *way, f"--backup-dir={folder}", "-o", "json"]


def replaced(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if after[name] != before[name]}


def all_is_well(made: RealSet, cli: Cli, ids: str, audit: Audit, tool: Account) -> None:
    """One id, one position, the rows on every pod, replication goes on, and diagnose agrees."""
    assert {made.info(n)["clusterID"] for n in range(3)} == {ids}
    assert made.positions(0) == made.positions(1) == made.positions(2)
    for ordinal in range(3):
        assert made.rows(ordinal)[1:6] == PRECIOUS, f"every row that was committed is on abaci-app-{ordinal}"
    made.write(0, "insert into t values('after the rescue')")
    for ordinal in (1, 2):
        made.follows(ordinal)
        assert made.rows(ordinal)[-1] == "after the rescue"
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed roles are enough"
    code, report = diagnosed(cli, made.namespace)
    assert (code, errors(report)) == (0, [])


def test_a_new_volume_gets_the_directory_of_a_replica_and_an_undo_brings_its_own_back(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path) -> None:
    made = cluster("primary-volume-recreated")
    tool = rescuer(made, cli, account, "data-dir")
    before, old, new, own = made.uids(), made.info(1)["clusterID"], made.info(0)["clusterID"], made.positions(1)["db"]
    result = carried_out(cli, tool, rescue(made, tmp_path, "data-dir"))
    assert result["plan"]["fault"] == "LFS102" and result["outcome"] == "rescued"
    assert replaced(before, made.uids()) == {PRIMARY}, "no replica's volume, and no replica, was touched"
    assert int(made.positions(0)["db"].txid, 16) >= int(own.txid, 16), "the history goes on"
    all_is_well(made, cli, old, audit, tool)

    kept = {n: (made.positions(n)["db"], made.rows(n)) for n in (1, 2)}
    before = made.uids()
    result = carried_out(cli, tool, rescue(made, tmp_path, "", "undo"))
    assert result["outcome"] == "undone" and replaced(before, made.uids()) == {PRIMARY}
    assert made.info(0)["clusterID"] == new and set(made.rows(0)) == {"1"}, "what the new volume had collected"
    assert {n: (made.positions(n)["db"], made.rows(n)) for n in (1, 2)} == kept, "the replicas keep everything"
    assert {made.info(n)["clusterID"] for n in (1, 2)} == {old}

    carried_out(cli, tool, rescue(made, tmp_path, "data-dir"))
    all_is_well(made, cli, old, audit, tool)


def test_a_new_volume_gets_the_data_by_import_and_the_replicas_follow_one_by_one(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path) -> None:
    made = cluster("primary-volume-recreated")
    tool = rescuer(made, cli, account, "import-reset")
    before, new = made.uids(), made.info(0)["clusterID"]
    result = carried_out(cli, tool, rescue(made, tmp_path, "import"))
    assert result["outcome"] == "rescued" and "db: table t: 6 rows in the copy, 6 now" in result["proof"]
    replicas = {f"{kind}{n}" for n in (1, 2) for kind in ("pods/abaci-app-", "persistentvolumeclaims/litefs-data-abaci-app-")}
    assert replaced(before, made.uids()) == replicas
    all_is_well(made, cli, new, audit, tool)


@pytest.mark.parametrize(
    ("strategy", "opened", "rule"), [("data-dir", True, "LFS110"), ("import", True, "LFS110"), ("data-dir", False, "LFS108")], ids=["data-dir", "import", "data-dir-absent"]
)
def test_a_lost_database_comes_back(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path, strategy: str, opened: bool, rule: str) -> None:
    """The application has opened it, which leaves an empty file, or not yet: then the primary does not even have its name."""
    made = cluster("primary-lost-database")
    if opened:
        made.write(0, "select count(*) from sqlite_master")
    tool = rescuer(made, cli, account, strategy)
    before, old, own = made.uids(), made.info(1)["clusterID"], made.positions(1)["db"]
    code, report = diagnosed(cli, made.namespace)
    assert code == 1 and rule in {r for r, _ in errors(report)}, errors(report)
    result = carried_out(cli, tool, rescue(made, tmp_path, strategy))
    assert result["plan"]["fault"] == "LFS110" and result["plan"]["strategy"] == strategy
    assert replaced(before, made.uids()) == {PRIMARY}, "no replica's volume, and no replica, was touched"
    assert "db: table t: 6 rows in the copy, 6 now" in result["proof"]
    if strategy == "data-dir":
        assert made.positions(1)["db"] == own, "the replicas keep their position: no snapshot was sent"
    all_is_well(made, cli, old, audit, tool)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_application_that_writes_through_the_swap_harms_nothing(cluster: NewCluster, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path, mode: str) -> None:
    """Its writes until the restart are in the directory that was put aside, and never in the one that came back."""
    made = cluster("primary-volume-recreated")
    tool, old = rescuer(made, cli, account, "data-dir"), made.info(1)["clusterID"]
    made.write(0, f"pragma journal_mode = {mode}")
    made.in_pod(0, "sh", "-c", "while :; do sqlite3 /litefs/db \"insert into t values('while it went on')\"; done > /dev/null 2>&1 &")
    started = int(made.positions(0)["db"].txid, 16)
    until("the application writes", lambda: int(made.positions(0)["db"].txid, 16) > started + 5, 30)
    carried_out(cli, tool, rescue(made, tmp_path, "data-dir"))
    assert "while it went on" not in made.rows(0)
    all_is_well(made, cli, old, audit, tool)
