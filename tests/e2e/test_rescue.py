"""`rescue` on a real API server: its proxy, controllers, RBAC and audit log. The played node has no exec, so the way is the import."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.errors import KubeError
from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted

from .accounts import Account, Audit
from .conftest import Cli, ControlPlane
from .fixing import Rescuer
from .litefs_set import LitefsSet
from .reports import diagnosed, errors
from .test_fix import replaced
from .workload import NAME

NewSet = Callable[..., LitefsSet]
NewAccount = Callable[..., Account]
PRECIOUS = ["1", *(f"precious {n}" for n in range(5))]
PRIMARY = "pods/abaci-app-0"
RESET = {f"{kind}{n}" for n in (1, 2) for kind in ("pods/abaci-app-", "persistentvolumeclaims/litefs-data-abaci-app-")}


@pytest.fixture
def rescuer(control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rescuer:
    """With short waits between two samples: what they are good for is tested on the simulated cluster."""
    monkeypatch.setattr("kubectl_litefs.fix.survey.BETWEEN_LOOKS", 0.3)
    monkeypatch.setattr("kubectl_litefs.fix.verify.APART", 1.0)
    monkeypatch.setattr("kubectl_litefs.rescue.proof.APART", 1.0)
    return Rescuer(control_plane.kubeconfig, control_plane.context, tmp_path)


def as_account(rescuer: Rescuer, made: LitefsSet, cli: Cli, account: NewAccount, *ways: str) -> Account:
    """From here on the rescuer may do exactly what `rbac rescue` prints for these ways."""
    roles = cli("rbac", "rescue", "-n", made.namespace).stdout
    tool = account(made.namespace, roles, also=tuple(f"kubectl-litefs-rescue-{w}" for w in ways))
    rescuer.kubeconfig, rescuer.context = tool.kubeconfig, tool.context
    return tool


def lease(made: LitefsSet) -> Any:
    return made.api.find(f"/apis/coordination.k8s.io/v1/namespaces/{made.namespace}/leases/{lock_name(NAME)}")


def everybody_has_it(made: LitefsSet) -> bool:
    for ordinal in (1, 2):
        made.follows(ordinal)
    return all(made.rows(n) == PRECIOUS for n in range(3)) and not lease(made)


def test_save_reads_only_and_has_every_copy(litefs_set: NewSet, cli: Cli, account: NewAccount, audit: Audit, tmp_path: Path) -> None:
    made = litefs_set("primary-volume-recreated")
    tool = account(made.namespace, cli("rbac", "rescue", "-n", made.namespace).stdout)
    before = made.uids()
    done = cli("rescue", "save", "-n", made.namespace, "--backup-dir", str(tmp_path), account=tool)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the older history is" in " ".join(done.stdout.split()), done.stdout
    assert len(list(tmp_path.rglob("*.sqlite"))) == 3 and made.uids() == before
    sent = audit(tool.user)
    assert not [r for r in sent if r.mutating] and not [r for r in sent if r.code == 403]
    assert len([r for r in sent if re.search(r"/proxy/export\?name=db", r.uri)]) == 3


def test_a_new_volume_gets_the_data_by_import_under_exactly_the_printed_roles(litefs_set: NewSet, rescuer: Rescuer, cli: Cli, account: NewAccount, audit: Audit) -> None:
    made = litefs_set("primary-volume-recreated")
    tool, before, new = as_account(rescuer, made, cli, account, "run", "import-reset"), made.uids(), made.litefs(0).cluster
    outcome = rescuer(made.namespace)
    assert (int(outcome.code), outcome.name) == (0, "rescued")
    assert "you may not create pods/exec" in rescuer.plans[0].why
    assert rescuer.changed == [
        "IMPORT abaci-app-0",
        *(line for n in (2, 1) for line in (f"DELETE persistentvolumeclaims/litefs-data-abaci-app-{n}", f"POST abaci-app-{n}/eviction")),
    ], "the best copy's replica is the last"
    assert replaced(before, made.uids()) == RESET and everybody_has_it(made)
    assert {made.litefs(n).cluster for n in range(3)} == {new}
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed roles are enough"
    code, report = diagnosed(cli, made.namespace)
    assert (code, errors(report)) == (0, [])


def test_a_lost_database_comes_back_and_only_the_primary_is_restarted(litefs_set: NewSet, rescuer: Rescuer, cli: Cli, account: NewAccount, audit: Audit) -> None:
    made = litefs_set("primary-lost-database")
    made.write(0, "select count(*) from sqlite_master")  # the application has opened it
    code, report = diagnosed(cli, made.namespace)
    assert code == 1 and "LFS110" in {rule for rule, _ in errors(report)}, errors(report)
    tool, before = as_account(rescuer, made, cli, account, "run", "import"), made.uids()
    outcome = rescuer(made.namespace)
    assert (int(outcome.code), outcome.name) == (0, "rescued") and "db: table t: 6 rows in the copy, 6 now" in outcome.proof
    assert rescuer.changed == ["IMPORT abaci-app-0", "DELETE pods/abaci-app-0"]
    assert replaced(before, made.uids()) == {PRIMARY} and everybody_has_it(made)
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed roles are enough"


def test_without_an_exec_that_works_the_plan_says_so_and_takes_the_import(litefs_set: NewSet, rescuer: Rescuer) -> None:
    """One who may exec, on a node that cannot."""
    made = litefs_set("primary-volume-recreated")
    before = made.uids()
    outcome = rescuer(made.namespace, dry_run="client")
    assert outcome.plan is not None and outcome.plan.strategy == "import"
    assert "exec in abaci-app-1 is not possible" in str(outcome.plan.document()["why"])
    assert int(rescuer(made.namespace, strategy="data-dir").code) == 4
    assert made.uids() == before and not lease(made)


def test_stopped_and_taken_up(litefs_set: NewSet, rescuer: Rescuer) -> None:
    """A signal as the first replica is to be evicted: --resume ends the same way, and imports nothing twice."""
    made = litefs_set("primary-volume-recreated")
    before, left = made.uids(), [True]

    def stop(method: str, path: str) -> None:
        if path.endswith("/eviction") and left:
            left.clear()
            raise Interrupted("SIGTERM")

    outcome = rescuer(made.namespace, before=stop)
    assert int(outcome.code) == 10 and lease(made) is not None
    assert {n: len(made.rows(n)) for n in (1, 2)} == {1: 6, 2: 6}, "no replica has lost anything"
    outcome = rescuer(made.namespace, resume=True)
    assert int(outcome.code) == 0 and everybody_has_it(made)
    assert "IMPORT abaci-app-0" not in rescuer.changed
    assert replaced(before, made.uids()) == RESET


def test_an_import_whose_answer_is_lost_is_found_and_not_sent_again(litefs_set: NewSet, rescuer: Rescuer, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubectl_litefs.kube.writer import WritingSession

    made, real = litefs_set("primary-lost-database"), WritingSession.upload

    def lost(*given: Any, **named: Any) -> Any:
        real(*given, **named)
        raise KubeError("connection reset", status=None, reason="Unreachable")

    monkeypatch.setattr(WritingSession, "upload", lost)
    outcome = rescuer(made.namespace, strategy="import")
    assert int(outcome.code) == 0 and everybody_has_it(made)
    assert rescuer.changed == ["IMPORT abaci-app-0", "DELETE pods/abaci-app-0"]
