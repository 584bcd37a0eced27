"""`diagnose --logs` with the flags that every judging command has: formats, suppressions, own rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle

from ..dumps import plain_folder
from ..logs_only import write_logs
from .run import run

Capsys = pytest.CaptureFixture[str]
RULE = """rules:
- id: ACME-1
  severity: warning
  message: "{name} says {what}"
  fix: Look.
  when:
  - log: 'belongs|(?P<what>cluster id: LFSC\\w+)'
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mismatch")


@pytest.fixture(scope="module")
def files(folder: Path) -> list[str]:
    return write_logs(bundle.load(path("cluster-id-mismatch")), folder)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_several_formats_at_once(capsys: Capsys, files: list[str], tmp_path: Path) -> None:
    words = ["text", *(f"{name}={tmp_path / name}" for name in ("json", "sarif", "junit", "markdown"))]
    done = run(capsys, "diagnose", "--logs", *files, *(w for word in words for w in ("-o", word)))
    assert (done.code, done.err) == (1, "")
    assert "LFS101" in done.out
    assert all("LFS101" in (tmp_path / name).read_text("utf8") for name in ("json", "sarif", "junit", "markdown"))
    assert json.loads((tmp_path / "json").read_text())["target"]["source"] == "logs"


@pytest.mark.parametrize("pod", ["abaci-app-0", "abaci-app-1"])
@pytest.mark.parametrize("name", ["what-somebody-pasted.log", "abaci-app-7d4b9c5f6-x2x9z.log"])
def test_of_a_healthy_pod_whose_owner_no_log_tells_nothing_is_wrong(capsys: Capsys, tmp_path: Path, pod: str, name: str) -> None:
    """Who does not know that there is a controller knows as little that there is none."""
    (log,) = write_logs(bundle.load(path("healthy")), tmp_path, [pod])
    done = run(capsys, "diagnose", "--logs", str(Path(log).rename(tmp_path / name)))
    assert (done.code, done.err) == (0, "")
    assert "LFS403" not in done.out and "without a controller" not in done.out
    tree = json.loads(run(capsys, "diagnose", "--logs", str(tmp_path / name), "-o", "json").out)
    assert {c["rule"]: c["status"] for c in tree["checks"]}["LFS403"] == "skipped"


def test_an_archive_is_no_log(capsys: Capsys, tmp_path: Path) -> None:
    bundled = tmp_path / "my cluster.tar.gz"
    bundled.write_bytes(path("healthy").read_bytes())
    done = run(capsys, "diagnose", "--logs", str(bundled))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {bundled} is an archive, not a log\nhint:  kubectl litefs diagnose --from '{bundled}'\n"


def test_what_is_ignored_counts_for_nothing(capsys: Capsys, files: list[str]) -> None:
    words = ["diagnose", "--logs", *files, "-o", "json", "--ignore", "LFS101=sts/abaci/abaci-app: being rebuilt"]
    done = run(capsys, *words)
    assert {f["rule"]: "suppressed" in f for f in json.loads(done.out)["findings"] if f["severity"] == "error"} == {"LFS101": True, "LFS309": False}
    assert done.code == 1
    assert run(capsys, *words, "--ignore", "LFS309: the same").code == 0


def test_own_rules_look_into_logs_alone_and_into_what_others_saved(capsys: Capsys, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RULE)
    whole = bundle.load(path("cluster-id-mismatch"))
    ways = {"bundle": ["--from", str(path("cluster-id-mismatch"))], "logs": ["--logs", *files], "dump": ["--from", str(plain_folder(whole, tmp_path / "kept"))]}
    seen = {way: json.loads(run(capsys, "diagnose", *words, "--rules", "r.yaml", "-o", "json").out)["findings"] for way, words in ways.items()}
    ours = {way: [(f["subject"]["name"], f["message"]) for f in found if f["rule"] == "ACME-1"] for way, found in seen.items()}
    assert ours["bundle"] == [("abaci-app-1", ours["bundle"][0][1])]
    assert "cluster id: LFSC" in ours["bundle"][0][1]
    assert ours["logs"] == ours["dump"] == ours["bundle"]
    at = next(f["evidence"][0] for f in seen["logs"] if f["rule"] == "ACME-1")
    (file,) = [f for f in files if f"files/{f}" == at["source"]]
    assert "cluster id: LFSC" in Path(file).read_text().split("\n")[at["line"] - 1]


def test_a_named_set_of_a_dump_is_judged_by_own_rules_too(capsys: Capsys, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RULE)
    kept = str(plain_folder(bundle.load(path("cluster-id-mismatch")), tmp_path / "kept"))
    done = run(capsys, "diagnose", "sts/abaci-app", "--from", kept, "--rules", "r.yaml", "-o", "json")
    assert "ACME-1" in {f["rule"] for f in json.loads(done.out)["findings"]}


def test_without_times_a_suppression_that_ends_does_not_count(capsys: Capsys, tmp_path: Path) -> None:
    files = write_logs(bundle.load(path("cluster-id-mismatch")), tmp_path, stamped=False)
    (tmp_path / "c.yaml").write_text("ignore:\n- rule: LFS101\n  reason: being rebuilt\n  until: 2999-01-01\n")
    outputs = [w for name in ("json", "sarif", "junit", "markdown") for w in ("-o", f"{name}={name}")]
    done = run(capsys, "diagnose", "--logs", *files, "--config", "c.yaml", *outputs)
    assert done.code == 1
    assert "ends on 2999-01-01, and no line has a time" in done.err
    assert json.loads(Path("json").read_text())["takenAt"] is None
    assert "endTimeUtc" not in json.loads(Path("sarif").read_text())["runs"][0]["invocations"][0]
    assert "timestamp" not in Path("junit").read_text()
    assert "LFS101" in Path("markdown").read_text()
