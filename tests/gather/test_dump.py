"""What other tools save is read as if it were a bundle; what it lacks is a gap, and its Secrets stay where they are."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from kubectl_litefs import app
from kubectl_litefs.errors import CouldNotLook, LitefsError, UsageError
from kubectl_litefs.gather import bundle
from kubectl_litefs.gather.documents import Unreadable, looks_like_one, objects
from kubectl_litefs.gather.dump_logs import whose
from kubectl_litefs.model.objects import Obj
from kubectl_litefs.model.origin import GapReason, ObjectRef
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.parse.log_envelope import Speaker
from kubectl_litefs.parse.log_streams import Stream

from ..dumps import SECRET, WAYS, cluster_info, plain_folder, support_bundle, write
from ..harness import snapshot
from ..test_recordings import EXPECTED, recording


def loud(report: Report) -> set[str]:
    return {f.rule for f in report.findings if f.severity is not Severity.INFO}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [n for n in EXPECTED if EXPECTED[n] == {} or n in ("wrong-port", "primary-volume-recreated", "no-primary")])
def test_a_dump_raises_no_false_alarm(name: str, way: str, tmp_path: Path) -> None:
    whole = bundle.load(recording(name))
    report = app.judge(bundle.load(WAYS[way](whole, tmp_path)))
    true = {f.rule for f in app.judge(whole).findings}
    assert loud(report) <= true, [f.message for f in report.findings]
    assert not [c for c in report.checks if c.status is Status.CRASHED]
    assert report.source == "dump"
    assert report.taken_at is not None


@pytest.mark.parametrize("way", ["support bundle", "plain folder"])
@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("cluster-id-mismatch", {"LFS101", "LFS309"}), ("data-not-on-pvc", {"LFS401"}), ("wrong-port", {"LFS304"}), ("unprivileged", {"LFS601", "LFS801"}),
        ("deployment", {"LFS403"}), ("pvc-pending", {"LFS402"}), ("claim-terminating", {"LFS407"}), ("exec-key-ignored", {"LFS511"}),
    ],
)  # fmt: skip
def test_what_a_dump_shows_is_found(name: str, rules: set[str], way: str, tmp_path: Path) -> None:
    assert rules <= loud(app.diagnose_bundle(WAYS[way](bundle.load(recording(name)), tmp_path)))


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    whole = bundle.load(recording("cluster-id-mismatch"))
    both = [bundle.load(cluster_info(whole, tmp_path / str(as_yaml), as_yaml=as_yaml)) for as_yaml in (False, True)]
    assert {p: i.read() for p, i in both[0].items.items()} == {p: i.read() for p, i in both[1].items.items()}
    assert "objects/abaci/pods.json" in both[0].items


def test_what_a_cluster_info_dump_lacks_is_a_gap(tmp_path: Path) -> None:
    taken = bundle.load(cluster_info(bundle.load(recording("healthy")), tmp_path))
    gaps = {g.what: g.why for g in taken.gaps}
    assert gaps["objects/abaci/statefulsets.json"] is GapReason.ABSENT
    assert gaps["objects/abaci/configmaps.json"] is GapReason.ABSENT
    assert gaps["litefs/abaci/abaci-app-0/info.json"] is GapReason.NOT_ASKED
    assert "objects/abaci/pods.json" not in gaps
    report = app.judge(taken)
    assert any("bear no times" in g.detail for c in report.checks if c.rule == "LFS106" for g in c.gaps)
    assert report.exit_code(strict=True) == 3


def test_line_numbers_count_in_the_file_as_given(tmp_path: Path) -> None:
    folder = cluster_info(bundle.load(recording("cluster-id-mismatch")), tmp_path)
    found = next(f for f in app.diagnose_bundle(folder).findings if f.rule == "LFS101")
    log = next(e for e in found.evidence if e.source.endswith("logs.txt"))
    lines = (folder / log.source.removeprefix("files/")).read_text().splitlines()
    assert log.line is not None
    assert "different cluster id" in lines[log.line - 1]


@pytest.mark.parametrize("way", ["support bundle", "plain folder"])
def test_secrets_never_become_facts(way: str, tmp_path: Path) -> None:
    whole = snapshot({"pods": {"abaci-app-0": {"spec": {"containers": [{"name": "app", "env": [{"name": "API_TOKEN", "value": "s3cr3t-value"}]}]}}}})
    taken = bundle.load(WAYS[way](whole, tmp_path))
    everything = b"".join(item.read() for item in taken.items.values())
    assert b"API_TOKEN" in everything
    assert b"s3cr3t-value" not in everything
    assert SECRET["data"]["password"].encode() not in everything
    assert not [path for path in taken.items if "secret" in path]


def test_single_objects_do_not_show_that_there_are_no_others(tmp_path: Path) -> None:
    whole = snapshot()
    pods = json.loads(whole.items["objects/abaci/pods.json"].read())["items"]
    service = json.loads(whole.items["objects/abaci/services.json"].read())["items"][0]
    write(tmp_path / "pods.json", {"kind": "PodList", "items": pods})
    write(tmp_path / "one.yaml", {"kind": "Service", "apiVersion": "v1", **service, "metadata": {**service["metadata"], "name": "other"}})
    taken = bundle.load(tmp_path)
    gap = next(g for g in taken.gaps if g.what == "objects/abaci/services.json")
    assert gap.why is GapReason.TRUNCATED
    report = app.judge(taken)
    assert "LFS301" not in loud(report)
    assert next(c for c in report.checks if c.rule == "LFS301").status is not Status.PASSED or gap in next(c for c in report.checks if c.rule == "LFS301").gaps


def test_an_empty_list_shows_that_there_is_none(tmp_path: Path) -> None:
    whole = bundle.load(recording("no-headless-service"))
    report = app.diagnose_bundle(support_bundle(whole, tmp_path))
    assert "LFS301" in loud(report)


def test_links_in_a_support_bundle_are_not_followed_and_are_said(tmp_path: Path) -> None:
    taken = bundle.load(support_bundle(snapshot(), tmp_path))
    assert [g.what for g in taken.gaps if "link" in g.detail] == ["files/support-bundle-2026-11-23T12_30_00/app/link.log"]
    folder = plain_folder(snapshot(), tmp_path / "plain")
    (folder / "passwd.log").symlink_to("/etc/passwd")
    assert [g.what for g in bundle.load(folder).gaps if "link" in g.detail] == ["files/passwd.log"]


def test_a_path_that_leads_out_is_refused_here_too(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("a/../../pods.json")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"[]"))
    with pytest.raises(CouldNotLook, match="points out"):
        bundle.load(tmp_path / "x.tar.gz")


def test_one_file_is_a_folder_of_one(tmp_path: Path) -> None:
    pods = json.loads(snapshot().items["objects/abaci/pods.json"].read())["items"]
    write(tmp_path / "everything", json.dumps({"kind": "List", "items": [{"kind": "Pod", **p} for p in pods]}).encode())
    assert len(app.diagnose_bundle(tmp_path / "everything").clusters[0].cluster.pods) == 3


def test_an_unreadable_file_is_a_gap_and_the_others_are_judged(tmp_path: Path) -> None:
    folder = plain_folder(snapshot(), tmp_path)
    write(folder / "broken.yaml", b"kind: Service\nmetadata: {\n")
    write(folder / "deep.json", b'{"kind": "List", "items": ' + b"[" * 100_000)
    write(folder / "deepish.json", b'{"kind": "Pod", "metadata": {"name": "x"}, "spec": ' + b"[" * 5_000 + b"]" * 5_000 + b"}")
    write(folder / "deep.yaml", b"kind: List\nitems: " + b"[" * 50_000)
    write(folder / "deeper.yaml", b"kind: List\nitems: " + b"- " * 5_000)
    write(folder / "bomb.yaml", b"kind: List\nitems: &a [x]\nb: [*a, *a]\n")
    gaps = {g.what: g.detail for g in bundle.load(folder).gaps if g.why is GapReason.UNPARSED}
    assert set(gaps) == {f"files/{name}" for name in ("broken.yaml", "deepish.json", "deep.json", "deep.yaml", "deeper.yaml", "bomb.yaml")}
    assert "alias" in gaps["files/bomb.yaml"]
    assert len(app.diagnose_bundle(folder).clusters) == 1


@pytest.mark.parametrize("content", [b"hello", b"", b"{}", b"[]", b"kind: List\nitems: []\n", b"\0\1"])
def test_a_folder_without_anything_of_a_cluster_is_a_usage_error(content: bytes, tmp_path: Path) -> None:
    write(tmp_path / "x", content)
    with pytest.raises(UsageError, match="no Kubernetes object and no log of LiteFS"):
        bundle.load(tmp_path)


def test_no_litefs_in_it_is_no_pass(tmp_path: Path) -> None:
    write(tmp_path / "pods.json", {"kind": "PodList", "items": [{"metadata": {"name": "web-0", "namespace": "web"}, "spec": {"containers": [{"name": "c"}]}}]})
    with pytest.raises(LitefsError, match="no LiteFS found") as refused:
        app.diagnose_bundle(tmp_path)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b'{"kind": "Pod"', True), (b"apiVersion: v1\nitems:\n", True), (b"# x\n---\nkind: Pod\n", True), (b'[{"metadata": {}}]', True), (b"[]", True),
        (b'\xef\xbb\xbf{\n "apiVersion": "v1"', True),
        (b'{"level":"INFO","msg":"connected to cluster, ready"}', False), (b'{"log":"x","stream":"stdout"}', False), (b"[pod/x/y] kind: z", False),
        (b"level=INFO msg=x", False), (b"", False), (b"kindness: x", False),
    ],
)  # fmt: skip
def test_what_looks_like_a_document(head: bytes, is_one: bool) -> None:
    assert looks_like_one(head) is is_one


def test_kinds_come_from_the_object_or_from_its_list() -> None:
    assert [(o.get("a"), k, listed) for o, k, listed in objects(b'{"kind":"PodList","items":[{"a":1},{"a":2,"kind":"Pod"}]}')] == [(1, "Pod", True), (2, "Pod", True)]
    assert list(objects(b"kind: ServiceList\nitems: null\n")) == [({}, "Service", True)]
    assert [k for _, k, _ in objects(b"kind: A\n---\nkind: B\n---\n")] == ["A", "B"]
    assert next(objects(b"kind: Event\nt: 2026-11-23T12:00:00Z\n"))[0]["t"] == "2026-11-23T12:00:00Z"
    with pytest.raises(Unreadable):
        list(objects(b'{"items": 7, "kind": "PodList"}'))


POD = Obj(ObjectRef("Pod", "abaci", "abaci-app-1"), {"spec": {"containers": [{"name": "app"}, {"name": "side"}]}}, "")
TEN = Obj(ObjectRef("Pod", "abaci", "abaci-app-10"), {"spec": {"containers": [{"name": "app"}]}}, "")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("abaci/abaci-app-10/logs.txt", ("abaci-app-10", "app", False)),
        ("x/abaci-app-1/side-previous.log", ("abaci-app-1", "side", True)),
        ("abaci-app-1_app.log.gz", ("abaci-app-1", "app", False)),
        ("abaci-app-10.previous.txt", ("abaci-app-10", "app", True)),
        ("abaci-app-1.log", ("abaci-app-1", "CONTAINER", False)),
        ("README", None),
        ("abaci-app-1-notes.txt", None),
    ],
)
def test_whose_log_a_file_is(path: str, expected: tuple[str, str, bool] | None) -> None:
    want = None if expected is None else Stream(Speaker("abaci", *expected[:2]), expected[2])
    assert whose(path, [POD, TEN], ["abaci"]) == want


def test_without_pods_a_name_is_taken_as_it_is() -> None:
    assert whose("abaci-app-1.log", [], ["abaci"]) == Stream(Speaker("abaci", "abaci-app-1", "CONTAINER"))
