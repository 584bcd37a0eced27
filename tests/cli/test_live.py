"""`diagnose` and `bundle` against an API that answers from a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle

from ..api import RecordedApi
from ..test_live_equals_replay import SERVER, served
from .run import run

Capsys = pytest.CaptureFixture[str]
FLAGS = ("-s", SERVER, "-n", "abaci")


@pytest.fixture
def mismatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedApi]:
    monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock.sleep", lambda self, seconds: None)
    api = RecordedApi(bundle.load(path("cluster-id-mismatch")))
    with served(api):
        yield api


@pytest.mark.usefixtures("mismatch")
@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_the_exit_code_is_the_same_in_every_format(capsys: Capsys, output: str) -> None:
    done = run(capsys, "diagnose", *FLAGS, "-o", output)
    assert (done.code, done.err) == (1, "")
    assert run(capsys, "diagnose", *FLAGS, "-o", output, "--fail-on", "never").code == 0
    if output != "text":
        tree = (json.loads if output == "json" else yaml.safe_load)(done.out)
        assert tree["target"] == {"namespaces": ["abaci"], "source": "live"}
        assert "LFS101" in {f["rule"] for f in tree["findings"]}


@pytest.mark.usefixtures("mismatch")
def test_printed_commands_reach_the_same_server(capsys: Capsys) -> None:
    told = run(capsys, "diagnose", *FLAGS).out
    assert f"kubectl --server {SERVER} " in told or f" --server {SERVER}" in told


@pytest.mark.usefixtures("mismatch")
def test_a_pod_that_does_not_exist_is_no_pass(capsys: Capsys) -> None:
    done = run(capsys, "diagnose", *FLAGS, "abaci-app-11")
    assert (done.code, done.out) == (2, "")
    assert "abaci-app-1" in done.err


@pytest.mark.usefixtures("mismatch")
def test_a_saved_bundle_says_the_same(capsys: Capsys, tmp_path: Path) -> None:
    out = tmp_path / "saved.tar.gz"
    saved = run(capsys, "bundle", *FLAGS, "-o", str(out))
    assert saved.code == 0
    assert f"kubectl litefs diagnose --from {out}" in saved.out
    live = json.loads(run(capsys, "diagnose", *FLAGS, "-o", "json").out)
    replayed = json.loads(run(capsys, "diagnose", "--from", str(out), "-o", "json").out)
    assert replayed["findings"] == live["findings"]
    again = run(capsys, "bundle", *FLAGS, "-o", str(out))
    assert (again.code, again.out) == (2, ""), "a file that exists is not overwritten"


def test_a_bundle_that_cannot_be_saved_is_refused_before_the_cluster_is_read(capsys: Capsys, mismatch: RecordedApi, tmp_path: Path) -> None:
    (tmp_path / "old.tar.gz").write_text("mine")
    for name, says in (("old.tar.gz", "is there already"), ("no/new.tar.gz", f"there is no directory {tmp_path / 'no'}")):
        done = run(capsys, "bundle", *FLAGS, "-o", str(tmp_path / name))
        assert (done.code, done.out) == (2, "")
        assert says in done.err
    assert not [r for r in mismatch.requests if "/pods" in r]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html><body>Sign in</body></html>", b"", b"[]"])
def test_a_sign_in_page_in_the_api_servers_place_is_named(capsys: Capsys, mismatch: RecordedApi, monkeypatch: pytest.MonkeyPatch, page: bytes) -> None:
    monkeypatch.setattr(mismatch, "answer", lambda path, query: (200, page))
    for command in ("diagnose", "status", "render"):
        done = run(capsys, command, *FLAGS)
        assert (done.code, done.out) == (3, "")
        error, hint = done.err.splitlines()
        assert error.startswith("error: the answer to /api/v1/namespaces/abaci/pods is no ")
        assert hint.startswith("hint:  A proxy or a sign-in page") and "kubectl cluster-info" in hint


def test_what_a_bundle_lacks_is_said_when_it_is_saved(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, mismatch: RecordedApi, tmp_path: Path) -> None:
    """Whoever reads it later can no longer ask."""
    answer = mismatch.answer
    refusal = 403, json.dumps({"kind": "Status", "reason": "Forbidden", "message": 'nodes is forbidden: User "eve" cannot list resource "nodes"'}).encode()
    monkeypatch.setattr(mismatch, "answer", lambda path, query: refusal if path.endswith("/nodes") else answer(path, query))
    done = run(capsys, "bundle", *FLAGS, "-o", str(tmp_path / "saved.tar.gz"))
    assert done.code == 0
    assert "forbidden, may not list nodes" in done.out and "eve has not all the rights it needs" in done.out
    assert "kubectl litefs rbac diagnose -n abaci" in done.out


@pytest.mark.usefixtures("mismatch")
def test_render_says_the_same_of_a_cluster_and_of_what_was_saved_of_it(capsys: Capsys, tmp_path: Path) -> None:
    out = tmp_path / "saved.tar.gz"
    run(capsys, "bundle", *FLAGS, "-o", str(out))
    live = run(capsys, "render", "abaci-app-1", *FLAGS, "-o", "json")
    assert (live.code, live.err) == (0, "")
    assert json.loads(live.out) == json.loads(run(capsys, "render", "abaci-app-1", "--from", str(out), "-o", "json").out)
    assert run(capsys, "render", *FLAGS, "nope").code == 2


def test_an_api_that_is_not_there_is_no_pass(capsys: Capsys) -> None:
    done = run(capsys, "diagnose", "-s", "http://127.0.0.1:9", "-n", "abaci")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: cannot reach http://127.0.0.1:9: Connection refused\n")
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("mismatch")
def test_files_over_a_cluster_say_the_same_live_and_from_the_bundle_that_keeps_them(capsys: Capsys, tmp_path: Path) -> None:
    file, out = tmp_path / "cm.yaml", tmp_path / "saved.tar.gz"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: abaci-litefs}\ndata:\n  litefs.yml: |\n    leese: {}\n")
    live = json.loads(run(capsys, "diagnose", *FLAGS, "-f", str(file), "-o", "json").out)
    assert {f["rule"]: f["change"] for f in live["findings"]}["LFS501"] == "new"
    assert {f["rule"]: f["change"] for f in live["findings"]}["LFS101"] == "open"
    assert run(capsys, "bundle", *FLAGS, "-f", str(file), "-o", str(out)).code == 0
    replayed = json.loads(run(capsys, "diagnose", "--from", str(out), "-o", "json").out)
    assert [(f["fingerprint"], f["change"]) for f in replayed["findings"]] == [(f["fingerprint"], f["change"]) for f in live["findings"]]
    assert replayed["changes"]["restarted"] == live["changes"]["restarted"]


@pytest.mark.parametrize(("status", "reason", "told"), [(500, "InternalError", "Error from server (InternalError): etcd is away"), (429, "TooManyRequests", "Error from server (TooManyRequests): etcd is away")])
def test_a_server_that_cannot_list_pods_is_quoted_as_kubectl_quotes_it(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, mismatch: RecordedApi, status: int, reason: str, told: str) -> None:
    answer = mismatch.answer
    away = status, json.dumps({"kind": "Status", "reason": reason, "message": "etcd is away"}).encode()
    monkeypatch.setattr(mismatch, "answer", lambda path, query: away if path.endswith("/pods") else answer(path, query))
    done = run(capsys, "diagnose", *FLAGS)
    assert (done.code, done.out, done.err) == (3, "", f"error: {told}\n")
