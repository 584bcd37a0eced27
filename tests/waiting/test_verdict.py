"""What waiting can heal, and when all is well: pure judgements over a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from kubectl_litefs import app
from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.model.custom import Custom
from kubectl_litefs.model.rule import Heals, Severity
from kubectl_litefs.model.settled import Verdict, verdict
from kubectl_litefs.model.suppression import Suppression
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.rules import ALL

from ..harness import snapshot
from ..test_recordings import recording

Patch = Mapping[str, Any]
BAD_KEY = "fuse: {dir: /litefs}\ndata: {dir: /var/lib/litefs}\nprimary-redirect-url: x\nlease: {type: static}\n"
UPDATING: Patch = {"status": {"updateRevision": "r2", "updatedReplicas": 1}}
NEW: Patch = {"metadata": {"labels": {"controller-revision-hash": "r2"}}}


def judged(body: Patch, *ignored: str, fail_on: Severity | None = Severity.ERROR, strict: bool = False) -> Verdict:
    custom = Custom(tuple(Suppression(rule=r, by="a test", reason="known") for r in ignored))
    return verdict(app.judge(snapshot(body), custom), fail_on, strict)


def set_with(**patch: Any) -> list[Patch]:
    return [{"kind": "StatefulSet", "name": "abaci-app", "patch": patch}]


def test_every_rule_says_whether_its_finding_heals() -> None:
    assert {r.id for r in ALL if r.heals is None} == set()
    assert {r.heals for r in ALL} == set(get_args(Heals))


def test_what_lies_on_a_volume_never_heals() -> None:
    lineage = {r.id: r.heals for r in ALL if r.id in ("LFS101", "LFS102", "LFS106", "LFS107", "LFS110", "LFS411", "LFS803")}
    assert set(lineage.values()) == {"no"}


def test_the_documented_rules_are_those_that_time_heals() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "wait.md").read_text("utf8")
    row = next(line for line in page.splitlines() if line.startswith("| with time |"))
    assert re.findall(r"LFS\d{3}", row) == [r.id for r in ALL if r.heals == "with time"]
    for kind in ("no", "with a new pod"):
        row = next(line for line in page.splitlines() if line.startswith(f"| {kind} |"))
        assert {r.heals for r in ALL if r.id in re.findall(r"LFS\d{3}", row)} == {kind}


def test_a_healthy_set_is_well() -> None:
    assert judged({}) == Verdict(False, (), ExitCode.OK)


@pytest.mark.parametrize("name", ["healthy", "rolling-restart-healthy", "parallel-probe-healthy", "short-advertise-url-healthy"])
def test_recorded_healthy_sets_are_well(name: str) -> None:
    assert verdict(app.diagnose_bundle(recording(name)), Severity.ERROR, False) == Verdict(False, (), ExitCode.OK)


@pytest.mark.parametrize("name", ["cluster-id-mismatch", "primary-volume-recreated", "all-candidates", "primary-redirect-url", "bad-migrate-path", "two-faults"])
def test_recorded_faults_that_stay_end_the_wait(name: str) -> None:
    seen = verdict(app.diagnose_bundle(recording(name)), Severity.ERROR, False)
    assert (seen.waits, seen.code) == (False, ExitCode.FINDINGS)
    assert seen.reasons


@pytest.mark.parametrize("name", ["pvc-pending", "consul-missing"])
def test_recorded_faults_that_may_pass_are_waited_for(name: str) -> None:
    seen = verdict(app.diagnose_bundle(recording(name)), Severity.ERROR, False)
    assert (seen.waits, seen.code) == (True, ExitCode.FINDINGS)


# --- a rollout


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"metadata": {"generation": 2}}, "has not looked at the newest spec"),
        ({"metadata": {"generation": 1}, "status": {"observedGeneration": None}}, "has not looked at the newest spec"),
        (UPDATING, "1 of 3 pods are updated"),
        ({"status": {"updateRevision": "r2", "updatedReplicas": 3}}, "the last old pod is being replaced"),
        ({"status": {"readyReplicas": 2}}, "2 of 3 pods are ready"),
        ({"status": {"readyReplicas": None}}, "0 of 3 pods are ready"),
        ({"spec": {"replicas": 2}, "status": {"readyReplicas": 2}}, "1 pods are still to go"),
        ({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}, **UPDATING}, "1 of 2 pods are updated"),
    ],
)
def test_a_rollout_under_way_is_waited_for_though_no_rule_speaks(patch: Patch, says: str) -> None:
    seen = judged({"objects": set_with(**patch)})
    assert seen.waits
    assert says in "; ".join(seen.reasons)
    assert seen.code is ExitCode.FINDINGS, "when the time is up it is no pass"
    assert judged({"objects": set_with(**patch)}, fail_on=None).code is ExitCode.OK


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"generation": 1}},
        {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}, **UPDATING},
        {"spec": {"updateStrategy": {"type": "OnDelete"}}, **UPDATING},
    ],
)
def test_what_nobody_will_carry_out_is_not_waited_for(patch: Patch) -> None:
    assert judged({"objects": set_with(**patch)}) == Verdict(False, (), ExitCode.OK)


def test_a_rollout_that_cannot_be_seen_is_no_pass() -> None:
    gap = {"what": "objects/abaci/statefulsets.json", "why": "UNREACHABLE", "detail": "x"}
    seen = judged({"gaps": [gap]})
    assert (seen.waits, seen.code) == (True, ExitCode.COULD_NOT_LOOK)
    assert "cannot be seen (statefulsets)" in seen.reasons[0]


def crashing(*pods: str) -> dict[str, Any]:
    """These pods' LiteFS does not start: its log says that a command failed."""
    log = "LiteFS v0.5.14, commit=0000000\nERROR: cannot exec: sync cmd: cannot run command: exec: \"nope\": executable file not found in $PATH\n"
    down = {"status": {"containerStatuses": [{"name": "app", "restartCount": 3, "state": {"running": None, "waiting": {"reason": "CrashLoopBackOff"}}}]}}
    return {"logs": dict.fromkeys(pods, log), "info": dict.fromkeys(pods), "pods": {p: dict(down) for p in pods}}


def test_a_fault_of_an_old_pod_is_waited_for_while_the_rollout_replaces_it() -> None:
    body = crashing("abaci-app-1")
    assert (judged(body).waits, judged(body).reasons[0][:6]) == (False, "LFS701")
    body["objects"] = set_with(**UPDATING)
    assert judged(body).waits
    body["pods"]["abaci-app-1"] |= NEW
    assert not judged(body).waits, "the new pod shows it: no waiting helps"


def test_a_fault_is_waited_for_before_the_controller_has_looked_at_its_correction() -> None:
    body = {**crashing("abaci-app-1"), "objects": set_with(metadata={"generation": 2})}
    assert judged(body).waits


def test_a_fault_of_the_set_is_waited_for_while_old_pods_are_there() -> None:
    wrong = {"litefs.yml": BAD_KEY, "objects": set_with(**UPDATING)}
    assert judged(wrong).waits
    done = {"litefs.yml": BAD_KEY}
    assert not judged(done).waits


def test_what_lies_on_the_volume_is_not_waited_for_whatever_rolls() -> None:
    stranger = {"info": {"abaci-app-1": {"clusterID": "LFSC00000000000000B2"}}, "objects": set_with(**UPDATING)}
    seen = judged(stranger)
    assert (seen.waits, seen.reasons[0]) == (False, "LFS101 cluster-id-mismatch on pod/abaci-app-1")


# --- pods


def test_a_pod_that_does_not_answer_yet_is_waited_for() -> None:
    seen = judged({"info": {"abaci-app-1": None}})
    assert (seen.waits, seen.reasons) == (True, ("abaci-app-1 does not answer",))


def test_a_pod_that_may_not_be_asked_is_not_waited_for() -> None:
    refused = [{"what": f"litefs/abaci/abaci-app-1/{f}", "why": "FORBIDDEN", "detail": "x"} for f in ("info.json", "vars.json", "metrics.txt")]
    assert judged({"gaps": refused}) == Verdict(False, (), ExitCode.OK)
    strictly = judged({"gaps": refused}, strict=True)
    assert (strictly.waits, strictly.code) == (False, ExitCode.COULD_NOT_LOOK)
    assert "no right to read info.json of abaci-app-1" in strictly.reasons[0] and "rbac diagnose" in strictly.reasons[0]


def test_a_rollout_that_may_not_be_looked_at_is_not_waited_for() -> None:
    """No waiting brings a right; an API server that gives no answer may give one later."""
    for why, waits in (("FORBIDDEN", False), ("UNREACHABLE", True)):
        seen = judged({"gaps": [{"what": "objects/abaci/statefulsets.json", "why": why, "detail": "x"}]})
        assert (seen.waits, seen.code) == (waits, ExitCode.COULD_NOT_LOOK)
        assert "statefulsets" in seen.reasons[0]


def test_pods_of_which_nothing_may_be_read_are_not_waited_for() -> None:
    pods = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
    answers = [{"what": f"litefs/abaci/{p}/{f}", "why": "FORBIDDEN", "detail": "x"} for p in pods for f in ("info.json", "vars.json", "metrics.txt")]
    seen = judged({"gaps": answers, "logs": dict.fromkeys(pods)})
    assert (seen.waits, seen.code) == (False, ExitCode.COULD_NOT_LOOK)


def test_a_pod_that_is_missing_is_waited_for() -> None:
    seen = judged({"pods": {"abaci-app-2": None}})
    assert "pod/abaci-app-2 is asked for and not there" in seen.reasons


def test_a_set_without_a_leader_is_waited_for_also_where_no_rule_dares_to_say_so() -> None:
    seen = judged({"pods": {"abaci-app-0": None}, "more-log": dict.fromkeys(("abaci-app-1", "abaci-app-2"), "-5s 00000000000000A1: disconnected from primary, retrying\n")})
    assert seen.waits
    assert "no pod leads" in seen.reasons


def test_what_somebody_has_accepted_is_not_waited_for() -> None:
    cut_off = {"more-log": {"abaci-app-1": "".join(f"-{n}s 00000000000000A1: disconnected from primary with error, retrying: connect to primary: dial tcp: connection refused\n" for n in range(60, 0, -1))}, "vars": {"abaci-app-1": {"db": "4"}}, "metrics": {"abaci-app-0": {"litefs_subscriber_count": 1}}}  # fmt: skip
    report = app.judge(snapshot(cut_off))
    assert "LFS309" in {f.rule for f in report.findings}
    assert judged(cut_off).waits
    assert judged(cut_off, "LFS309") == Verdict(False, (), ExitCode.OK)
    assert judged(cut_off, "LFS703", "LFS711").waits, "another matter"


def test_who_accepts_a_warning_has_not_accepted_that_nobody_leads() -> None:
    body = {"pods": {"abaci-app-0": None}, "more-log": dict.fromkeys(("abaci-app-1", "abaci-app-2"), "-5s 00000000000000A1: disconnected from primary, retrying\n")}
    body["objects"] = set_with(spec={"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}})
    report = app.judge(snapshot(body), Custom((Suppression(rule="LFS408", by="a test", reason="known"),)))
    assert [f.rule for f in report.findings if f.suppressed] == ["LFS408"]
    assert "no pod leads" in verdict(report, Severity.ERROR, False).reasons


def test_a_set_that_nobody_could_look_into_is_no_pass() -> None:
    silent = ("abaci-app-0", "abaci-app-1", "abaci-app-2")
    seen = judged({"info": dict.fromkeys(silent), "logs": dict.fromkeys(silent)})
    assert (seen.waits, seen.code) == (True, ExitCode.COULD_NOT_LOOK)


def test_a_warning_counts_only_where_it_is_asked_to() -> None:
    lost = {"objects": set_with(spec={"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}})}
    assert judged(lost) == Verdict(False, (), ExitCode.OK)
    seen = judged(lost, fail_on=Severity.WARNING)
    assert (seen.waits, seen.code, seen.reasons[0][:6]) == (False, ExitCode.FINDINGS, "LFS408")


def test_a_set_that_is_scaled_to_zero_is_well() -> None:
    nothing = {f"abaci-app-{n}": None for n in range(3)}
    body = {"pods": nothing, "objects": set_with(spec={"replicas": 0}, status={"replicas": 0, "readyReplicas": 0})}
    assert assemble(snapshot(body)).clusters[0].pods == ()
    assert judged(body) == Verdict(False, (), ExitCode.OK)
