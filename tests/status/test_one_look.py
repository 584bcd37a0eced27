"""`status` reads less than `diagnose` and says the same of who follows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kubectl_litefs import app
from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.target import Target
from kubectl_litefs.render.status import render
from kubectl_litefs.render.status_tree import status_tree

from ..cli.run import run
from ..gather.fake_kube import UNREACHABLE, FakeKube, Quiet, StoppedClock
from ..test_recordings import EXPECTED, recording

Capsys = pytest.CaptureFixture[str]
FROM = ("status", "--from", str(path("cluster-id-mismatch")))


def live(kube: FakeKube) -> Report:
    return app.status_live(kube, Target(namespace="abaci"), StoppedClock(kube.snapshot.taken_at), Quiet())


def roles(report: Report) -> dict[str, str]:
    return {p.name: c.topology.role(p).value for c in report.clusters for p in c.cluster.pods}


def judged(report: Report) -> set[tuple[str, str, str]]:
    """Of the rules that `status` judges; a pod that keeps restarting is told with or without its older log."""
    return {(f.rule, str(f.subject), f.severity.value) for f in report.findings if f.rule in app.STATUS_RULES}


@pytest.mark.parametrize("name", EXPECTED)
def test_it_sees_and_judges_what_diagnose_does(name: str) -> None:
    recorded = bundle.load(recording(name))
    told, full = live(FakeKube(recorded)), app.judge(recorded)
    assert roles(told) == roles(full)
    assert judged(told) == judged(full)
    assert {f.rule for f in told.findings} <= app.STATUS_RULES
    assert judged(app.status_bundle(recording(name))) == judged(full)


def test_a_look_costs_few_requests() -> None:
    kube = FakeKube(bundle.load(path("healthy")))
    live(kube)
    asked = kube.api.requests
    logs = [r for r in asked if "/log?" in r]
    print("\n".join(asked))
    assert len([r for r in asked if "/proxy/" in r]) == 3 * 3
    assert [re.search(r"abaci-app-\d", r)[0] for r in logs] == ["abaci-app-1", "abaci-app-2"], "the primary's /info says all of it"  # type: ignore[index]
    assert len(asked) - len(logs) - 9 == 6 + 3, "six lists, the namespace, the version, litefs.yml"
    assert not [r for r in asked if any(w in r for w in ("/events", "/secrets", "previous=", "/leases"))]


def test_every_pod_has_a_line_with_position_and_checksum(capsys: Capsys) -> None:
    done = run(capsys, *FROM)
    assert done.code == 1
    rows = [row.split() for row in done.out.splitlines() if "abaci-app-" in row and "LFSC.." in row]
    assert [(r[-0 if r[0].startswith("abaci") else 1], r[1 if r[0].startswith("abaci") else 2]) for r in rows] == [
        ("abaci-app-0", "primary"), ("abaci-app-1", "STRANGER"), ("abaci-app-2", "following"),
    ]  # fmt: skip
    assert done.out.count("db at 2/e04f") == 3
    assert "ERROR    LFS101 cluster-id-mismatch  abaci-app-1" in done.out
    assert "fix-cluster-id" not in done.out, "it has not seen enough to say what to do"
    assert f"next: kubectl litefs diagnose --from {path('cluster-id-mismatch')}" in done.out
    assert "how full is unknown: the kubelet's statistics are not read" in done.out
    assert max(map(len, done.out.splitlines()[:8])) <= 80


def test_wide_cuts_nothing(capsys: Capsys) -> None:
    told = run(capsys, *FROM, "-o", "wide").out
    assert "NOT connected  LFSC0123456789ABCDEF  db 0000000000000002/e04fc44716e5272f  litefs-data-abaci-app-1 64Mi, use unknown" in told
    assert "refuses the primary's stream" in told


def test_json_has_the_keys_that_are_promised(capsys: Capsys) -> None:
    done = run(capsys, *FROM, "-o", "json")
    tree = json.loads(done.out)
    assert (done.code, tree["kind"], tree["apiVersion"], tree["error"]) == (1, "Status", "kubectl-litefs/v1", None)
    page = (Path(__file__).parent.parent.parent / "docs" / "status.md").read_text("utf8")
    assert not [key for key in _keys(tree) if f"`{key}`" not in page]
    pods = {p["pod"]: p for p in tree["clusters"][0]["pods"]}
    assert pods["abaci-app-1"]["databases"] == [{"name": "db", "txid": "0000000000000002", "checksum": "e04fc44716e5272f", "behind": None}]
    assert [pods[f"abaci-app-{n}"]["connected"] for n in range(3)] == [None, False, True]
    assert pods["abaci-app-2"]["databases"][0]["behind"] == 0
    assert pods["abaci-app-0"]["volume"] == {"claim": "litefs-data-abaci-app-0", "capacity": "64Mi", "used": None, "why": "the kubelet's statistics are not read"}


def _keys(tree: object) -> set[str]:
    if isinstance(tree, dict):
        return set(tree).union(*map(_keys, tree.values()))
    return set().union(*map(_keys, tree)) if isinstance(tree, list) else set()


def test_a_set_that_nobody_could_look_into_is_no_pass(capsys: Capsys) -> None:
    report = live(FakeKube(bundle.load(path("healthy")), {"/proxy/": UNREACHABLE, "/log": UNREACHABLE}))
    assert report.exit_code() == 3
    told = render(report, width=80, color=False)
    assert "COULD NOT LOOK" in told
    assert "follows" not in told


def test_a_pod_that_is_asked_for_and_not_there_is_shown() -> None:
    report = app.status_bundle(path("bad-migrate-path"))
    assert re.search(r"abaci-app-2 +MISSING .*is asked for and not there", render(report, width=100, color=False))
    cluster = status_tree(report)["clusters"][0]
    assert (cluster["allFollow"], cluster["pods"][2]["role"]) == (False, "missing")


def test_what_is_suppressed_counts_for_nothing(capsys: Capsys) -> None:
    ignored = ("--ignore", "LFS101: known", "--ignore", "LFS309: known", "--ignore", "LFS408: another matter")
    done = run(capsys, *FROM, *ignored)
    assert (done.code, done.err) == (0, "")
    assert "suppressed: LFS101, LFS309" in done.out
    assert "Not every pod is known to follow the primary." in done.out
    assert "no rule 'LFS999'" in run(capsys, *FROM, "--ignore", "LFS999: typo").err


@pytest.mark.parametrize(
    ("words", "code"), [(("--fail-on", "never"), 0), (("-n", "x"), 2), (("-w",), 2), (("-o", "jsn"), 2), (("abaci-app-9",), 2), (("sts/abaci-app",), 1)]
)
def test_exit_codes(capsys: Capsys, words: tuple[str, ...], code: int) -> None:
    done = run(capsys, *FROM, *words)
    assert done.code == code
    assert bool(done.out) is (code != 2)


def test_an_interval_without_a_watch_is_refused(capsys: Capsys) -> None:
    done = run(capsys, "status", "--interval", "2s", "-s", "http://127.0.0.1:9")
    assert (done.code, done.out) == (2, "")
    assert "--interval goes with -w" in done.err


@pytest.mark.parametrize("interval", ["0", "100ms"])
def test_it_never_looks_without_a_pause(capsys: Capsys, interval: str) -> None:
    done = run(capsys, "status", "-w", "--interval", interval, "-s", "http://127.0.0.1:9")
    assert (done.code, done.out) == (2, "")
    assert "--interval wants at least 1s" in done.err
