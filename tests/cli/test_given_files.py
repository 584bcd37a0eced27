"""`diagnose -f`: what files would change in a cluster, judged on recordings of real ones."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs import app
from kubectl_litefs.demo import path
from kubectl_litefs.errors import CouldNotLook, UsageError
from kubectl_litefs.gather import bundle
from kubectl_litefs.model.change import Change
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.snapshot import Item, Snapshot
from kubectl_litefs.parse.drift import differences
from kubectl_litefs.parse.objects import NAMESPACED

from .. import quick_yaml
from ..report_schema import check_tree
from .run import run

Raw = dict[str, Any]
Edit = Callable[[Raw], None]
RECORDINGS = sorted((Path(__file__).parent.parent / "recordings").glob("*.tar.gz"))
DEMOS = ["healthy", "cluster-id-mismatch", "primary-redirect-url", "bad-migrate-path", "two-faults", "silent-connection"]
KINDS = ("statefulsets", "deployments", "daemonsets", "services", "configmaps", "networkpolicies", "poddisruptionbudgets")


def manifests(snapshot: Snapshot, edit: Edit, *kinds: str) -> str:
    """The objects of a cluster as a person's files would have them, each changed by `edit`."""
    documents = []
    for namespace in snapshot.namespaces:
        for plural in kinds or KINDS:
            item = snapshot.items.get(f"objects/{namespace}/{plural}.json")
            for found in json.loads(item.read())["items"] if item else ():
                raw: Raw = copy.deepcopy(found)
                raw.pop("status", None)
                kept = ("name", "namespace", "labels", "annotations")
                raw |= {"apiVersion": "v1", "kind": NAMESPACED[plural], "metadata": {k: v for k, v in raw["metadata"].items() if k in kept}}
                edit(raw)
                documents.append(raw)
    return quick_yaml.dump_all(documents)


def judged(snapshot: Snapshot, text: str) -> Report:
    item = Item("files/all.yaml", lambda: iter((text.encode(),)))
    return app.judge(dataclasses.replace(snapshot, items={**snapshot.items, "files/all.yaml": item}))


def nothing(raw: Raw) -> None:
    pass


def comment(raw: Raw) -> None:
    """A change that means nothing, and yet makes the pods start anew."""
    for name, text in raw.get("data", {}).items() if raw["kind"] == "ConfigMap" else ():
        raw["data"][name] = f"{text}\n# a remark\n"


def annotation(raw: Raw) -> None:
    if "template" in raw.get("spec", {}):
        raw["spec"]["template"]["metadata"].setdefault("annotations", {})["checked"] = "today"


def without_redirect(raw: Raw) -> None:
    if raw["kind"] == "ConfigMap":
        rows = raw["data"]["litefs.yml"].split("\n")
        raw["data"]["litefs.yml"] = "\n".join(r for r in rows if "primary-redirect-url" not in r)


def changes(report: Report) -> dict[str, set[str]]:
    assert report.changes is not None
    found: dict[str, set[str]] = {c.value: set() for c in Change}
    for finding in (*report.findings, *report.changes.gone):
        assert finding.change is not None
        found[finding.change.value].add(finding.rule)
    return found


@pytest.mark.parametrize("file", [*(path(d) for d in DEMOS), *RECORDINGS[::3]], ids=lambda p: p.name.split(".")[0])
def test_files_that_say_what_the_cluster_has_change_nothing(file: Path) -> None:
    snapshot = bundle.load(file)
    report = judged(snapshot, manifests(snapshot, nothing))
    assert report.changes is not None
    assert [(str(d.ref), d.field, d.cluster, d.file) for d in report.changes.drift] == []
    assert report.changes.restarted == ()
    found = changes(report)
    assert (found["new"], found["gone"], found["open"]) == (set(), set(), set())
    assert [f.fingerprint for f in report.findings] == [f.fingerprint for f in app.judge(snapshot).findings]


@pytest.mark.parametrize("edit", [comment, annotation])
@pytest.mark.parametrize("name", DEMOS)
def test_a_change_without_meaning_brings_nothing_and_heals_nothing(name: str, edit: Edit) -> None:
    snapshot = bundle.load(path(name))
    report = judged(snapshot, manifests(snapshot, edit))
    found = changes(report)
    assert (found["new"], found["gone"]) == (set(), set())
    assert report.changes is not None
    assert report.changes.restarted
    assert report.exit_code() >= app.judge(snapshot).exit_code()


def test_a_corrected_file_ends_what_follows_from_it() -> None:
    snapshot = bundle.load(path("primary-redirect-url"))
    report = judged(snapshot, manifests(snapshot, without_redirect, "configmaps"))
    found = changes(report)
    assert found["gone"] == {"LFS501", "LFS801"}
    assert found["open"] == {"LFS806"}
    assert not found["new"]
    assert report.exit_code() == 0
    assert report.changes is not None
    drift = report.changes.drift[0]
    assert (drift.field, drift.cluster) == ("data.litefs.yml", "line 13: primary-redirect-url: http://abaci-app-0:8080")
    assert drift.evidence.source == "all.yaml"


def test_a_file_that_breaks_a_healthy_cluster_is_seen_before_it_is_applied() -> None:
    def breaks(raw: Raw) -> None:
        raw["data"]["litefs.yml"] = raw["data"]["litefs.yml"].replace("lease:", "leese:")

    snapshot = bundle.load(path("healthy"))
    report = judged(snapshot, manifests(snapshot, breaks, "configmaps"))
    assert "LFS501" in changes(report)["new"]
    assert report.exit_code() == 1
    finding = next(f for f in report.findings if f.rule == "LFS501")
    assert finding.evidence[0].source == "all.yaml"
    assert finding.evidence[0].column is not None


def test_no_file_heals_another_history() -> None:
    snapshot = bundle.load(path("cluster-id-mismatch"))
    report = judged(snapshot, manifests(snapshot, comment))
    assert "LFS101" in changes(report)["open"]
    assert report.exit_code() == 1


def test_a_new_object_takes_away_what_its_absence_caused() -> None:
    snapshot = bundle.load(next(p for p in RECORDINGS if p.name.startswith("no-headless-service")))
    assert "LFS301" in {f.rule for f in app.judge(snapshot).findings}
    owner = json.loads(snapshot.items[f"objects/{snapshot.namespaces[0]}/statefulsets.json"].read())["items"][0]
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": owner["spec"]["serviceName"]},
        "spec": {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": owner["spec"]["selector"]["matchLabels"], "ports": [{"port": 20202}]},
    }  # fmt: skip
    report = judged(snapshot, quick_yaml.dump(service))
    assert "LFS301" in changes(report)["gone"]
    assert report.changes is not None
    assert [(d.ref.kind, d.field) for d in report.changes.drift] == [("Service", "")]


def test_only_fields_that_the_file_sets_are_compared() -> None:
    file = {"spec": {"ports": [{"name": "b", "port": "80"}], "limits": {"memory": "1Gi"}, "list": [1, 2], "empty": {}, "off": False}, "metadata": {"labels": {"a": "b"}}}
    live = {
        "spec": {"ports": [{"name": "b", "port": 80, "protocol": "TCP"}], "limits": {"memory": "1024Mi"}, "list": [1, 3], "more": 1},
        "metadata": {"labels": {"a": "c"}, "uid": "x"}, "status": {},
    }  # fmt: skip
    assert list(differences(file, live)) == [(("spec", "list", "1"), 2, 3), (("metadata", "labels", "a"), "b", "c")]


def test_what_a_file_no_longer_has_is_taken_away() -> None:
    file = {"spec": {"containers": [{"name": "a"}], "volumes": [{"name": "x"}]}, "data": {"a": "1"}}
    live = {"spec": {"containers": [{"name": "a", "env": [{"name": "E"}], "image": "i"}], "volumes": [{"name": "x"}, {"name": "y"}]}, "data": {"a": "1", "b": "2"}}
    assert [(".".join(keys), mine) for keys, mine, _ in differences(file, live)] == [
        ("spec.containers.0.env", None), ("spec.volumes.y", None), ("data.b", None),
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deploy" / "deeper").mkdir(parents=True)
    text = manifests(bundle.load(path("primary-redirect-url")), without_redirect, "configmaps").replace("  namespace: abaci\n", "")
    (tmp_path / "deploy" / "deeper" / "cm.yaml").write_text(text)
    return tmp_path


def test_json_says_what_changes_and_on_which_side_it_was_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("diagnose", "--from", str(path("primary-redirect-url")), "-f", "deploy", "-R")
    done = run(capsys, *words, "-o", "json")
    report = json.loads(done.out)
    assert done.code == 0
    check_tree(report)
    assert {f["rule"] for f in report["changes"]["gone"]} == {"LFS501", "LFS801"}
    assert {e["side"] for f in report["findings"] for e in f["evidence"]} == {"file", "cluster"}
    assert {f["change"] for f in report["findings"]} <= {"unchanged", "open"}
    text = run(capsys, *words).out
    assert "With these files: 0 new" in text
    assert "fixed   LFS501" in text
    assert "deploy/deeper/cm.yaml:" in text


def test_a_directory_is_walked_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "diagnose", "--from", str(path("healthy")), "-f", "deploy")
    assert done.code == 2
    assert "no Kubernetes object" in done.err


def test_standard_input_and_a_bad_file(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "deploy/deeper/cm.yaml").read_bytes())))
    assert run(capsys, "diagnose", "--from", str(path("primary-redirect-url")), "-f", "-").code == 0
    (folder / "bad.yaml").write_text("kind: ConfigMap\napiVersion: v1\n  x: 1\n")
    bad = run(capsys, "diagnose", "--from", str(path("healthy")), "-f", "bad.yaml")
    assert bad.code == 3
    assert "bad.yaml:" in bad.err
    assert run(capsys, "diagnose", "--from", str(path("healthy")), "-R").code == 2


def test_an_object_of_a_namespace_that_was_not_looked_at_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: elsewhere}\ndata: {a: b}\n")
    done = run(capsys, "diagnose", "--from", str(path("healthy")), "-f", str(file))
    assert "namespace elsewhere was not looked at" in done.err


def test_a_bundle_keeps_the_files_without_secrets_and_judges_with_them(tmp_path: Path) -> None:
    text = manifests(bundle.load(path("primary-redirect-url")), without_redirect, "configmaps") + "# password: hunter22\n"
    file = tmp_path / "cm.yaml"
    file.write_text(text)
    given = app.files_to_apply([str(file)], lambda: io.BytesIO(), recursive=False)
    snapshot = bundle.load(path("primary-redirect-url"))
    out = tmp_path / "with.tar.gz"
    bundle.save(dataclasses.replace(snapshot, items={**snapshot.items, **given.items}), out)
    kept = bundle.load(out)
    files = [p for p in kept.items if p.startswith("files/")]
    assert len(files) == 1
    assert ".." not in files[0]
    assert b"hunter22" not in kept.items[files[0]].read()
    assert changes(app.diagnose_bundle(out))["gone"] == {"LFS501", "LFS801"}


def test_files_without_an_object_or_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "litefs.yml").write_text("fuse:\n  dir: /a\nlease:\n  type: static\n")
    with pytest.raises(UsageError, match="no Kubernetes object"):
        app.files_to_apply([str(tmp_path / "litefs.yml")], lambda: io.BytesIO(), recursive=False)
    with pytest.raises(UsageError, match="no such file"):
        app.files_to_apply([str(tmp_path / "x")], lambda: io.BytesIO(), recursive=False)
    (tmp_path / "b.yaml").write_bytes(b"\0\1")
    with pytest.raises(CouldNotLook, match="binary"):
        app.files_to_apply([str(tmp_path / "b.yaml")], lambda: io.BytesIO(), recursive=False)
