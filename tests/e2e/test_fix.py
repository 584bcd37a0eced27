"""`fix-cluster-id` on a real API server: its controllers, admission, RBAC and audit log. Numbers as in docs/reliability.md."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted

from .accounts import Account, Audit
from .api import until
from .conftest import Cli, ControlPlane
from .fixing import Fixer
from .litefs_set import LitefsSet
from .played import Node
from .workload import NAME

NewSet = Callable[..., LitefsSet]
ONE, CLAIM = "pods/abaci-app-1", "persistentvolumeclaims/litefs-data-abaci-app-1"
BOTH = {ONE, CLAIM}
SHORT = 34.0
"""Seconds: the least that the pods' grace period of 2 s allows."""
DONE = ["DELETE persistentvolumeclaims/litefs-data-abaci-app-1", "POST abaci-app-1/eviction"]


@pytest.fixture
def fixer(control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixer:
    """With short waits between two samples: what they are good for is tested on the simulated cluster."""
    monkeypatch.setattr("kubectl_litefs.fix.survey.BETWEEN_LOOKS", 0.3)
    monkeypatch.setattr("kubectl_litefs.fix.verify.APART", 1.0)
    return Fixer(control_plane.kubeconfig, control_plane.context, tmp_path)


def replaced(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if after.get(name) != before[name]}


def lease(made: LitefsSet) -> Any:
    return made.api.find(f"/apis/coordination.k8s.io/v1/namespaces/{made.namespace}/leases/{lock_name(NAME)}")


def deletes_claim(method: str, path: str) -> bool:
    return method == "DELETE" and path.endswith("litefs-data-abaci-app-1")


def evicts(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/eviction")


def once(match: Callable[[str, str], bool], act: Callable[[], object]) -> Callable[[str, str], None]:
    """Do something before the first request that matches."""
    left = [True]

    def hook(method: str, path: str) -> None:
        if left and match(method, path):
            left.clear()
            act()

    return hook


def test_the_whole_way_under_exactly_the_printed_role(litefs_set: NewSet, cli: Cli, account: Callable[..., Account], audit: Audit, tmp_path: Path) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    tool = account(made.namespace, cli("rbac", "fix-cluster-id", "abaci-app-1", "-n", made.namespace).stdout)
    before = made.uids()
    words = ["fix-cluster-id", "abaci-app-1", "-n", made.namespace, "--backup-dir", str(tmp_path)]
    refused = cli(*words, "--dry-run", account=tool)
    assert refused.returncode == 4 and "--accept-loss=db" in refused.stdout, refused.stdout
    words.append("--accept-loss=db")
    shown = cli(*words, "--dry-run=server", "-o", "json", account=tool)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert made.uids() == before and not lease(made)
    tried = [r for r in audit(tool.user) if r.mutating]
    assert [r.verb for r in tried] == ["delete", "create"] and all(r.dry_run for r in tried)
    assert tried[0].body["dryRun"] == ["All"] and tried[0].body["preconditions"]["uid"] == before[CLAIM]
    plan = json.loads(shown.stdout)["plan"]["id"]
    done = cli(*words, "--yes", f"--plan={plan}", account=tool)
    print(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert replaced(before, made.uids()) == BOTH and not lease(made)
    made.follows(1)
    assert made.rows(1) == made.rows(0)
    sent = [r for r in audit(tool.user)[len(tried) :] if r.mutating and not r.dry_run and "/leases" not in r.uri]
    assert [r.verb for r in sent] == ["delete", "create"]
    assert sent[0].body["preconditions"]["uid"] == before[CLAIM] and sent[1].body["deleteOptions"]["preconditions"]["uid"] == before[ONE]
    assert not [r for r in audit(tool.user) if r.code == 403], "the printed role is enough"


def test_a_primary_whose_volume_is_new_is_refused_and_nothing_changed(litefs_set: NewSet, cli: Cli) -> None:
    made = litefs_set("primary-volume-recreated")
    before = made.uids()
    for pod in ("abaci-app-1", "abaci-app-2"):
        done = cli("fix-cluster-id", pod, "-n", made.namespace, "--accept-loss=db", "--yes", "--plan=" + "0" * 64)
        assert done.returncode == 4 and "R4" in done.stdout and "odd one out" in done.stdout, done.stdout
    assert made.uids() == before and not lease(made)


def test_09_a_claim_that_somebody_touches(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    note = {"metadata": {"annotations": {"resizer": "was here"}}}
    before = made.uids()
    outcome = fixer(made.namespace, before=once(deletes_claim, lambda: made.api.patch(f"{made.core}/{CLAIM}", note)))
    assert int(outcome.code) == 0 and fixer.changed == [DONE[0], *DONE]
    assert replaced(before, made.uids()) == BOTH


def test_10_a_claim_that_was_swapped(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)

    def swap() -> None:
        old = made.claim(1)
        assert old is not None
        made.api.delete(f"{made.core}/{CLAIM}", uid=old["metadata"]["uid"])
        made.restart(1)

    outcome = fixer(made.namespace, before=once(deletes_claim, swap))
    claim = made.claim(1)
    assert int(outcome.code) == 6 and fixer.changed == DONE[:1]
    assert claim is not None and "deletionTimestamp" not in claim["metadata"]


def test_14_a_disruption_budget_that_never_allows_it(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    made.api.create(
        f"/apis/policy/v1/namespaces/{made.namespace}/poddisruptionbudgets",
        {"metadata": {"name": "none", "namespace": made.namespace}, "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": NAME}}}},
    )
    path = f"/apis/policy/v1/namespaces/{made.namespace}/poddisruptionbudgets/none"
    until("the budget is known", lambda: made.api.get(path)["status"].get("observedGeneration"))
    before = made.uids()
    outcome = fixer(made.namespace, timeout=SHORT)
    assert int(outcome.code) == 10 and "ARMED" in outcome.message and "--disable-eviction" in str(outcome.hint)
    assert made.uids() == before and "disruption budget" in fixer.told.waits("pod")
    assert int(fixer(made.namespace, resume=True, disable_eviction=True).code) == 0, "as the hint says"
    assert replaced(before, made.uids()) == BOTH


def test_16_a_foreign_finalizer(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    claim = made.claim(1)
    assert claim is not None
    finalizers = [*claim["metadata"]["finalizers"], "example.com/snapshot-protection"]
    made.api.patch(f"{made.core}/{CLAIM}", {"metadata": {"finalizers": finalizers}})
    outcome = fixer(made.namespace, timeout=SHORT)
    assert int(outcome.code) == 10 and "example.com/snapshot-protection" in outcome.message
    made.api.patch(f"{made.core}/{CLAIM}", {"metadata": {"finalizers": None}})
    assert int(fixer(made.namespace, resume=True).code) == 0


def test_18_the_controller_makes_no_pod_while_the_old_claim_ends(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    before = made.uids()
    assert int(fixer(made.namespace).code) == 0
    pod, claim = made.pod(1), made.claim(1)
    assert pod is not None and claim is not None and replaced(before, made.uids()) == BOTH
    assert claim["metadata"]["creationTimestamp"] <= pod["metadata"]["creationTimestamp"], "the new pod did not take the old claim"


def test_19_a_lower_ordinal_that_is_not_ready(litefs_set: NewSet, fixer: Fixer, node: Node) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=2)
    low = (made.namespace, "abaci-app-1")

    def unready() -> None:
        node.unready.add(low)
        until("abaci-app-1 is not Ready", lambda: not any(c["type"] == "Ready" and c["status"] == "True" for c in (made.pod(1) or {})["status"]["conditions"]))

    try:
        unready()
        outcome = fixer(made.namespace, "abaci-app-2")
        assert int(outcome.code) == 4 and "R14" in {r.id for r in outcome.refusals}
        node.unready.discard(low)
        made.running(1)
        outcome = fixer(made.namespace, "abaci-app-2", timeout=SHORT, before=once(evicts, unready))
        assert int(outcome.code) == 10 and "ordinal 1 (abaci-app-1) is not Ready" in outcome.message
    finally:
        node.unready.discard(low)
    assert int(fixer(made.namespace, "abaci-app-2", resume=True).code) == 0


def test_21_a_volume_that_waits_for_its_first_consumer(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1, wait_for_consumer=True)
    assert int(fixer(made.namespace).code) == 0


def test_22_provisioning_that_fails(litefs_set: NewSet, fixer: Fixer, node: Node) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)

    def refuse() -> None:
        node.volumes.refuse = "quota exceeded"

    outcome = fixer(made.namespace, timeout=SHORT, before=once(evicts, refuse))
    node.volumes.refuse = ""
    assert int(outcome.code) == 10 and "quota exceeded" in outcome.message
    assert (Path(outcome.backup) / "db-0001.sqlite").exists()
    assert int(fixer(made.namespace, resume=True).code) == 0


@pytest.mark.parametrize("key", ["lock", "backup", "claim", "armed", "pod", "wait"])
def test_28_stopped_at_a_step_and_taken_up(litefs_set: NewSet, fixer: Fixer, key: str) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    before = made.uids()

    def stop(at: str, state: str) -> None:
        if at == key and state in ("done", "waiting"):
            raise Interrupted("SIGINT")

    outcome = fixer(made.namespace, on_step=stop)
    claim = made.claim(1)
    gone = claim is None or "deletionTimestamp" in claim["metadata"] or claim["metadata"]["uid"] != before[CLAIM]
    assert int(outcome.code) == (10 if gone else 9)
    assert bool(lease(made)) == gone
    again = fixer(made.namespace, resume=True)
    assert int(again.code) == 0
    if not gone:
        assert again.name == "nothing-to-do" or replaced(before, made.uids()) == BOTH
        if replaced(before, made.uids()) != BOTH:
            assert int(fixer(made.namespace).code) == 0
    assert replaced(before, made.uids()) == BOTH and not lease(made)


def test_28_a_real_signal_to_a_real_process(litefs_set: NewSet, cli: Cli, control_plane: ControlPlane, tmp_path: Path) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1, grace=8)
    words = ["fix-cluster-id", "abaci-app-1", "-n", made.namespace, "--accept-loss=db", "--backup-dir", str(tmp_path)]
    plan = json.loads(cli(*words, "--dry-run", "-o", "json").stdout)["plan"]["id"]
    root, where = str(Path(__file__).parents[2]), ["--kubeconfig", str(control_plane.kubeconfig), "--context", control_plane.context]
    command = [sys.executable, "-m", "kubectl_litefs", *words, "--yes", f"--plan={plan}", "-o", "json", *where]
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": root}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=root) as process:
        assert process.stderr is not None and process.stdout is not None
        for line in process.stderr:
            event = json.loads(line)
            if (event.get("step"), event.get("state")) == ("wait", "waiting"):
                process.send_signal(signal.SIGTERM)
                break
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 10 and json.loads(out)["exitCode"] == 10, out
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, env=env, cwd=root, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    made.follows(1)


def test_30_fifty_starts_at_once(litefs_set: NewSet, control_plane: ControlPlane, tmp_path: Path) -> None:
    """One runs, the others are locked out: never two armed claims."""
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    before = made.uids()
    codes: list[int] = []
    gate = threading.Barrier(10)

    def start(number: int) -> None:
        home = tmp_path / str(number)
        home.mkdir()
        fixer = Fixer(control_plane.kubeconfig, control_plane.context, home)

        def together(key: str, state: str) -> None:
            if (key, state) == ("lock", "doing"):
                gate.wait(60)

        for _ in range(5):
            outcome = fixer(made.namespace, on_step=together if not codes else None)
            codes.append(int(outcome.code))

    threads = [threading.Thread(target=start, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(codes))
    assert set(codes) <= {0, 4, 5, 6} and codes.count(5) >= 9 and 0 in codes
    assert replaced(before, made.uids()) == BOTH and not lease(made)


def test_33_somebody_scales_back_during_strategy_scale(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    claim = made.uids()[CLAIM]

    def argo(key: str, state: str) -> None:
        if (key, state) == ("down", "done"):
            made.api.patch(made.path, {"spec": {"replicas": 3}})

    outcome = fixer(made.namespace, strategy="scale", on_step=argo)
    assert int(outcome.code) == 9 and "somebody set the replicas to 3" in outcome.message
    assert made.uids()[CLAIM] == claim and made.api.get(made.path)["spec"]["replicas"] == 3


def test_strategy_scale_replaces_one_volume(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    before = made.uids()
    assert int(fixer(made.namespace, strategy="scale").code) == 0
    assert replaced(before, made.uids()) == {*BOTH, "pods/abaci-app-2"}
    owner = made.api.get(made.path)
    assert owner["spec"]["replicas"] == 3 and "kubectl-litefs/restore-replicas" not in owner["metadata"].get("annotations", {})


def test_34_the_set_grows_meanwhile(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    before = made.uids()
    outcome = fixer(made.namespace, before=once(evicts, lambda: made.api.patch(made.path, {"spec": {"replicas": 4}})))
    assert int(outcome.code) == 0 and any("4 replicas now" in w for w in outcome.warnings)
    assert replaced(before, made.uids()) == BOTH


def test_36_the_primary_restarts_after_the_claim(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1)
    outcome = fixer(made.namespace, timeout=180, before=once(evicts, lambda: made.restart(0)))
    assert int(outcome.code) == 0, outcome
    made.follows(1)


def test_when_scaled_delete_is_told_and_only_scale_is_refused(litefs_set: NewSet, fixer: Fixer) -> None:
    made = litefs_set("cluster-id-mismatch", mismatch=1, when_scaled="Delete")
    outcome = fixer(made.namespace, strategy="scale")
    assert int(outcome.code) == 4 and {"R20"} == {r.id for r in outcome.refusals}
    before = made.uids()
    outcome = fixer(made.namespace)
    assert int(outcome.code) == 0 and outcome.plan is not None
    assert any(re.search("whenScaled=Delete", w) for w in outcome.plan.warnings)
    assert replaced(before, made.uids()) == BOTH
