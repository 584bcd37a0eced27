"""The report for a person."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kubectl_litefs.model.report import Report
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.render import text

from .reports import judged, passes, says

FIX = "kubectl litefs diagnose abaci-app-1 -n abaci"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def show(report: Report, **options: Any) -> str:
    return text.render(report, **{"width": 80, "color": False, "verbose": False, "show_all": False, **options})


def mismatch() -> Report:
    return judged(
        says("LFS101", ["abaci-app-1"], "belongs to another cluster", commands=[FIX], name="cluster-id-mismatch"),
        says("LFS309", ["abaci-app-1"], "is not connected", follows=("LFS101",), name="replica-disconnected"),
        says("LFS408", [], "loses volumes when scaled", severity=Severity.WARNING, name="scale-down-deletes-volumes"),
        says("LFS208", [], "has no failover", severity=Severity.INFO, name="static-lease-no-failover"),
        info={"abaci-app-1": {"clusterID": "LFSC00000000000000B2"}},
    )


def test_the_first_screen_holds_the_worst_finding_its_pod_and_its_command() -> None:
    first = "\n".join(show(mismatch()).splitlines()[:24])
    assert "LFS101" in first
    assert "abaci-app-1" in first
    assert FIX in first
    assert first.index("LFS101") < first.index("LFS408")


def test_the_cluster_is_drawn() -> None:
    lines = show(mismatch()).splitlines()
    assert lines[0].split() == ["abaci", "/", "statefulset/abaci-app", "LiteFS", "0.5.14,", "static", "lease,", "3", "pods"]
    assert lines[1].split()[:6] == ["abaci-app-0", "primary", "LFSC..00A1", "db", "at", "5"]
    assert lines[2].split()[:4] == ["|-", "abaci-app-1", "STRANGER", "LFSC..00B2"]
    assert lines[3].split()[:3] == ["`-", "abaci-app-2", "following"]


def test_consequences_are_folded_and_counted() -> None:
    folded, full = show(mismatch()), show(mismatch(), show_all=True)
    assert "is not connected" not in folded
    assert "1 consequence folded (LFS309 replica-disconnected); --all shows it" in folded
    assert "is not connected" in full
    assert "folded" not in full


def test_the_last_lines_count_and_name_one_next_command() -> None:
    counts, following = show(mismatch()).splitlines()[-2:]
    assert counts == "2 errors (1 folded), 1 warning, 1 note; 0 checks passed"
    assert following == f"next: {FIX}   # LFS101 abaci-app-1"
    assert show(mismatch(), width=60).splitlines()[-1] == f"next: {FIX}"


def test_one_fault_on_three_pods_is_one_block() -> None:
    told = show(judged(says("LFS601", ["abaci-app-0", "abaci-app-1", "abaci-app-2"], "may not mount")))
    assert told.count("LFS601 made-up-fault") == 1
    assert "pods abaci-app-0, abaci-app-1, abaci-app-2" in told
    assert "also    pod abaci-app-2: abaci-app-2 may not mount" in told


def test_a_healthy_cluster_is_short_and_says_so() -> None:
    told = show(judged(passes("LFS101"), passes("LFS102")))
    assert "No fault found." in told
    assert "2 replicas, all following" in told
    assert told.splitlines()[-1] == "0 errors, 0 warnings, 0 notes; 2 checks passed"
    assert len(told.splitlines()) <= 8


def test_no_rule_fired_is_not_the_same_as_healthy() -> None:
    told = show(judged(passes("LFS101"), info={"abaci-app-1": {"clusterID": "LFSC00000000000000B2"}}))
    assert "No fault found" not in told
    assert "not every pod is known to follow" in told


def test_warnings_do_not_hide_that_replication_works() -> None:
    told = show(judged(says("LFS408", [], severity=Severity.WARNING)))
    assert "Replication works." in told
    assert "No fault found" not in told


BLIND = {
    "info": {f"abaci-app-{n}": None for n in range(3)},
    "logs": {f"abaci-app-{n}": None for n in range(3)},
}


def test_a_blind_set_is_said_first_and_is_no_pass() -> None:
    report = judged(passes("LFS101"), **BLIND)
    told = show(report)
    assert told.startswith("COULD NOT LOOK  abaci / statefulset/abaci-app")
    assert "No fault found" not in told
    assert report.exit_code() == 3


def test_logs_without_a_line_are_no_look_at_a_set() -> None:
    report = judged(passes("LFS101"), **{**BLIND, "logs": {f"abaci-app-{n}": "" for n in range(3)}})
    assert report.exit_code() == 3
    assert show(report).startswith("COULD NOT LOOK")


def test_pods_that_could_not_be_listed_are_not_counted_as_none() -> None:
    refused = "Error from server (Forbidden): pods is forbidden"
    report = judged(passes("LFS402", reads=("persistentvolumeclaims",)), gaps=[{"what": "objects/abaci/pods.json", "why": "FORBIDDEN", "detail": refused}])
    told = show(report)
    assert "Its pods were not seen: nothing is known of its state." in told and refused in told
    assert "pods not seen" in told and "0 pods" not in told
    assert "0 checks passed" in told, "no rule has seen anything of pods that nobody listed"
    assert report.exit_code() == 3


def test_missing_rights_are_named_and_lead_to_rbac() -> None:
    gap = {
        "what": "objects/abaci/networkpolicies.json", "why": "FORBIDDEN",
        "detail": 'Error from server (Forbidden): x is forbidden: User "u" cannot list resource "networkpolicies" in API group "n"',
    }  # fmt: skip
    told = show(judged(passes("LFS307", reads=("networkpolicies",)), gaps=[gap]))
    assert "may not list networkpolicies" in told
    assert "kubectl litefs rbac diagnose" in told
    assert "1 could not look (-v says which)" in told


def test_a_silent_pod_is_named_once() -> None:
    told = show(judged(passes("LFS101"), info={"abaci-app-1": None}))
    assert "no answer: abaci-app-1 (LiteFS's port)" in told
    assert "error trying to reach service" in told


def test_what_nobody_asked_for_shows_only_with_v() -> None:
    gap = {"what": "objects/abaci/ingresses.json", "why": "NOT_ASKED"}
    report = judged(passes("LFS308", reads=("ingresses",)), gaps=[gap])
    assert "ingresses" not in show(report)
    verbose = show(report, verbose=True)
    assert "LFS308 could not look: ingresses" in verbose
    assert "not asked for: ingresses" in verbose


def test_commands_stand_alone_and_whole_and_reach_the_same_cluster() -> None:
    long = "kubectl -n abaci logs abaci-app-1 -c app --previous | grep -E 'cannot exec|executable file not found' | tail -n 5"
    report = judged(says("LFS701", ["abaci-app-1"], commands=[long, FIX]))
    lines = [row.strip() for row in show(report, width=40, kube_flags=("--context", "a b")).splitlines()]
    assert long.replace("kubectl -n", "kubectl --context 'a b' -n") in lines
    assert "kubectl litefs diagnose --context 'a b' abaci-app-1 -n abaci" in lines


def test_prose_is_wrapped_at_the_width() -> None:
    report = judged(says("LFS101", ["abaci-app-1"], "word " * 60))
    for width in (60, 100):
        rows = [r for r in show(report, width=width).splitlines() if "word" in r]
        assert max(map(len, rows)) <= width
        assert max(map(len, rows)) > width - 8


HOSTILE = "[red]x[/red] [/foo] :warning: \x1b[2J\x1b]0;own\x07 \u202egnp.exe \r\nnext \x9b31m \ud800"


@pytest.mark.parametrize("color", [False, True])
def test_hostile_strings_stay_words(color: bool) -> None:
    told = show(judged(says("LFS101", ["abaci-app-1"], HOSTILE)), color=color, fancy=color)
    stripped = ANSI.sub("", told)
    assert "[red]x[/red] [/foo] :warning:" in stripped
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", stripped)
    told.encode("utf8")


def test_hostile_ids_and_names_of_databases_stay_words() -> None:
    report = judged(
        passes("LFS101"),
        info={"abaci-app-1": {"clusterID": "LFSC\x1b[2J0000000000A"}},
        vars={"abaci-app-1": {"\x1b[31m[/x]": "5"}},
    )
    assert "\x1b" not in show(report)


def test_colour_changes_no_word() -> None:
    plain, colored = show(mismatch()), show(mismatch(), color=True)
    assert ANSI.sub("", colored) == plain
    assert "\x1b[1;31mERROR" in colored
    assert "\x1b" not in plain


def test_boxes_only_where_they_are_wanted() -> None:
    assert re.search("[─├└]", show(mismatch(), fancy=True))
    assert show(mismatch()).isascii()


def test_of_a_large_set_the_well_are_left_out_first() -> None:
    pods = {f"abaci-app-{n}": _pod(n) for n in range(3, 14)}
    report = judged(passes("LFS101"), pods=pods, info={"abaci-app-11": {"clusterID": "LFSC00000000000000B2"}})
    told = show(report)
    assert "STRANGER" in told
    assert len(told.splitlines()) < 20
    assert "more pods are following" in told
    assert "abaci-app-13" in show(report, show_all=True)


def _pod(ordinal: int) -> dict[str, Any]:
    from ..harness import _World

    world = _World({})
    pod = world._pod(ordinal, f"abaci-app-{ordinal}", f"litefs-data-abaci-app-{ordinal}")
    return {**pod, "metadata": {**pod["metadata"], "labels": pod["metadata"]["labels"]}}


def test_evidence_that_is_too_long_keeps_its_end_which_tells_why() -> None:
    url = "http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202"
    line = f"00000000000000A1: disconnected from primary with error, retrying: connect to primary: Post \"{url}/stream\": dial tcp: lookup abaci-app-0: no such host ('{url}')"
    told = show(judged(says("LFS303", ["abaci-app-1"], line)))
    (start, end) = [row for row in told.splitlines() if row.startswith(("  seen", "          ..."))]
    assert "disconnected from primary" in start
    assert end.endswith("no such host") and len(end) <= 80
    assert line in " ".join(show(judged(says("LFS303", ["abaci-app-1"], line)), verbose=True).split()), "-v shows all of it"


def test_a_replica_that_nobody_may_ask_is_unseen_and_not_merely_one_that_does_not_follow() -> None:
    told = show(judged(passes("LFS101"), gaps=[{"what": f"litefs/abaci/abaci-app-2/{f}", "why": "FORBIDDEN", "detail": "Error from server (Forbidden): no"} for f in ("info.json", "vars.json", "metrics.txt")]))
    assert "1 following, 1 unseen" in told
    assert "unseen" in told.splitlines()[3] and "no right to ask it" in told.splitlines()[3]
