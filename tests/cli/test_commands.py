"""Commands that need no cluster."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import yaml

from kubectl_litefs.cli.main import COMMANDS
from kubectl_litefs.demo import SCENARIOS, path
from kubectl_litefs.gather import bundle
from kubectl_litefs.rules import ALL

from ..logs_only import write_logs
from .run import run

Capsys = pytest.CaptureFixture[str]


def test_rules_in_plain_columns(capsys: Capsys) -> None:
    rows = run(capsys, "rules").out.splitlines()
    assert rows[0].split() == ["ID", "SEVERITY", "NAME", "GOTCHA", "TITLE"]
    assert [r.split()[0] for r in rows[1:]] == [r.id for r in ALL]
    assert rows[1].endswith(ALL[0].title)


def test_rules_as_data(capsys: Capsys) -> None:
    tree = json.loads(run(capsys, "rules", "-o", "json").out)
    assert [r["id"] for r in tree["rules"]] == [r.id for r in ALL]
    assert yaml.safe_load(run(capsys, "rules", "-o", "yaml").out) == tree


@pytest.mark.parametrize("spelled", ["LFS101", "lfs101", "101", "LFS-101", "cluster-id-mismatch", "Cluster-ID-Mismatch"])
def test_a_rule_is_found_however_it_is_spelled(capsys: Capsys, spelled: str) -> None:
    assert run(capsys, "explain", spelled).out.startswith("LFS101 cluster-id-mismatch")


def test_explain_tells_every_field(capsys: Capsys) -> None:
    rule = next(r for r in ALL if r.id == "LFS101")
    flat = " ".join(run(capsys, "explain", "LFS101").out.split())
    for text in (rule.title, rule.symptom, rule.impact, rule.cause, *rule.fix, f"gotcha {rule.gotcha}", "docs/rules/LFS101.md"):
        assert " ".join(text.split()) in flat


@pytest.mark.parametrize(
    ("word", "hint"), [("LFS999", "LFS9"), ("cluster-id-missmatch", "LFS101 (cluster-id-mismatch)"), ("qqq", "kubectl litefs rules")]
)
def test_an_unknown_rule_gets_the_nearest(capsys: Capsys, word: str, hint: str) -> None:
    done = run(capsys, "explain", word)
    assert (done.code, done.out) == (2, "")
    assert hint in done.err


def test_version(capsys: Capsys) -> None:
    told = run(capsys, "version").out
    assert re.fullmatch(r"kubectl-litefs \S+\nPython 3\.\d+\.\d+\n\d+ rules, table [0-9a-f]{8}\n", told)
    assert run(capsys, "--version").out.startswith("kubectl-litefs ")


def test_demo_shows_what_get_pods_hides(capsys: Capsys) -> None:
    done = run(capsys, "demo")
    assert done.code == 0
    assert re.search(r"abaci-app-1 +1/1 +Running +0", done.out)
    assert "LFS101 cluster-id-mismatch" in done.out
    assert all(f"kubectl litefs demo {name}" in done.out for name in SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recording_ships_and_plays(capsys: Capsys, name: str) -> None:
    assert path(name).stat().st_size < 60_000
    done = run(capsys, "demo", name, "-o", "json")
    assert done.code == 0
    assert (json.loads(done.out)["summary"]["error"] == 0) is (name == "healthy")


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_first_screen_of_every_recording_says_it(capsys: Capsys, name: str) -> None:
    done = run(capsys, "diagnose", "--from", str(path(name)))
    findings = json.loads(run(capsys, "diagnose", "--from", str(path(name)), "-o", "json").out)["findings"]
    first = "\n".join(done.out.splitlines()[:24])
    if name == "healthy":
        assert done.code == 0
        assert "No fault found." in first or "Replication works." in first
        return
    worst = findings[0]
    assert done.code == 1
    assert worst["rule"] in first
    assert worst["subject"]["name"] in first
    assert not worst["commands"] or worst["commands"][0] in first


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_command_of_ours_that_is_printed_exists(capsys: Capsys, name: str) -> None:
    told = run(capsys, "diagnose", "--from", str(path(name)), "--all", "-v").out
    for ours in re.findall(r"kubectl litefs (\S+)", told):
        assert ours.strip("`.,") in COMMANDS


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_first_command_of_a_finding_changes_nothing(capsys: Capsys, name: str) -> None:
    for finding in json.loads(run(capsys, "demo", name, "-o", "json").out)["findings"]:
        for first in finding["commands"][:1]:
            assert not re.search(r" (delete|scale|patch|apply|exec|create|edit|rollout(?! status)) ", first), first


def test_rbac_prints_a_role_and_asks_nobody(capsys: Capsys) -> None:
    for command in ("diagnose", "bundle"):
        kinds = [d["kind"] for d in yaml.safe_load_all(run(capsys, "rbac", command, "-n", "abaci").out)]
        assert {"ServiceAccount", "Role", "RoleBinding"} <= set(kinds)
    everywhere = [d["kind"] for d in yaml.safe_load_all(run(capsys, "rbac", "diagnose", "-A").out)]
    assert "Role" not in everywhere
    assert "ClusterRole" in everywhere


def test_rbac_takes_the_namespace_of_the_context(capsys: Capsys, tmp_path: Path) -> None:
    config = tmp_path / "config"
    contexts = [{"name": n, "context": {"cluster": "c", "namespace": n}} for n in ("one", "two")]
    config.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "one", "contexts": contexts}))
    for flags, expected in (([], "one"), (["--context", "two"], "two"), (["-n", "three"], "three")):
        account, *_ = yaml.safe_load_all(run(capsys, "rbac", "diagnose", "--kubeconfig", str(config), *flags).out)
        assert account["metadata"]["namespace"] == expected
    config.write_text(json.dumps({"current-context": "gone", "contexts": contexts}))
    gone = run(capsys, "rbac", "diagnose", "--kubeconfig", str(config))
    assert (gone.code, gone.out) == (2, ""), "a Role for the namespace of another context is none for this one"
    assert 'no context "gone"' in gone.err and "-n NAME" in gone.err
    assert run(capsys, "rbac", "diagnose", "--kubeconfig", str(config), "-n", "a").code == 0
    assert "did you mean two?" in run(capsys, "rbac", "diagnose", "--kubeconfig", str(config), "--context", "twoo").err
    (account, *_) = yaml.safe_load_all(run(capsys, "rbac", "diagnose").out)
    assert account["metadata"]["namespace"] == "default"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["rbac", "diagnos"], "did you mean diagnose?"),
        (["rbac", "diagnose", "-n", "a", "-A"], "exclude"),
        (["rbac", "diagnose", "-n", ""], "-n wants the name of a namespace"),
        (["rbac", "rescue", "-n", "A B"], "-n 'A B' is no namespace's name"),
    ],
)
def test_rbac_refuses_typos(capsys: Capsys, args: list[str], says: str) -> None:
    done = run(capsys, *args)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


@pytest.mark.parametrize("width", ["80", "140"])
def test_the_list_of_recordings_fits_the_screen(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    out = run(capsys, "demo", "--list").out
    assert max(map(len, out.splitlines())) <= int(width)
    for name, text in SCENARIOS.items():
        assert f"  kubectl litefs demo {name} " in " ".join(out.split("\n")) and " ".join(text.split()) in " ".join(out.split())


def test_logs_alone_from_files_and_from_standard_input(capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bundle.load(path("cluster-id-mismatch"))
    files = write_logs(whole, tmp_path)
    done = run(capsys, "diagnose", "--logs", *files)  # as a shell writes `--logs *.log`
    assert done.code == 1
    assert "abaci / statefulset/abaci-app" in done.out
    assert "Only logs were given" in done.out
    tree = json.loads(run(capsys, "diagnose", "--logs", files[0], "--logs", files[1], files[2], "-o", "json").out)
    assert tree["target"] == {"namespaces": ["abaci"], "source": "logs"}
    assert tree["takenAt"].startswith("20")
    prefixed = b"".join(b"[pod/%s/app] " % f.split("/")[-2].encode() + line for f in files for line in Path(f).read_bytes().splitlines(keepends=True))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(prefixed)))
    streamed = json.loads(run(capsys, "diagnose", "--logs", "-", "-n", "abaci", "-o", "json").out)
    assert [f["fingerprint"] for f in streamed["findings"]] == [f["fingerprint"] for f in tree["findings"]]
    assert streamed["findings"][0]["evidence"][0]["source"] == "files/stdin"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--logs", "x.log", "--from", "y"], "exclude each other"),
        (["--logs", "x.log", "--context", "c"], "--context cannot apply"),
        (["--logs", "/nonexistent/x.log"], "No such file"),
    ],
)
def test_what_cannot_go_with_logs_is_a_usage_error(capsys: Capsys, words: list[str], told: str) -> None:
    done = run(capsys, "diagnose", *words)
    assert done.code == 2
    assert told in done.err
