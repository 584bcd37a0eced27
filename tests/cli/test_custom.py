"""`--ignore` and .kubectl-litefs.yaml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_litefs.cli.custom import FILE, find
from kubectl_litefs.demo import path

from .run import Done, run

Capsys = pytest.CaptureFixture[str]
BROKEN = str(path("two-faults"))


def diagnose(capsys: Capsys, *args: str) -> Done:
    return run(capsys, "diagnose", "--from", BROKEN, *args)


def rules(done: Done) -> dict[str, bool]:
    """Rule -> whether it is suppressed."""
    return {f["rule"]: "suppressed" in f for f in json.loads(done.out)["findings"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_flag_decides_the_exit_code(capsys: Capsys, folder: Path) -> None:
    assert diagnose(capsys).code == 1
    done = diagnose(capsys, "--ignore", "LFS101: being rebuilt", "--ignore", "LFS201=sts/abaci/abaci-app: x", "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert rules(done) == {"LFS101": True, "LFS201": True, "LFS711": False, "LFS208": False, "LFS409": False}
    assert json.loads(done.out)["summary"]["error"] == 0


def test_warnings_go_to_standard_error(capsys: Capsys, folder: Path) -> None:
    done = diagnose(capsys, "--ignore", "LFS101", "--ignore", "LFS1011: x", "--ignore", "LFS103: x", "-o", "json")
    assert done.code == 1 and json.loads(done.out)
    assert [line.split(": ")[0] for line in done.err.splitlines()] == ["warning"] * 3
    assert "gives no reason" in done.err and "did you mean LFS101?" in done.err and "matches nothing" in done.err


def test_a_malformed_flag_is_a_usage_error(capsys: Capsys, folder: Path) -> None:
    done = diagnose(capsys, "--ignore", "LFS101=abaci-app")
    assert (done.code, done.out) == (2, "") and "KIND/NAMESPACE/NAME" in done.err


def test_the_file_is_found_and_can_be_left_out(capsys: Capsys, folder: Path) -> None:
    (folder / FILE).write_text("ignore:\n- LFS101: being rebuilt\n- LFS201: known\n- LFS103=sts/elsewhere/x: not here\n")
    done = diagnose(capsys, "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["findings"][0]["suppressed"]["by"] == f"{FILE}:2"
    assert diagnose(capsys, "--no-config").code == 1
    (folder / "other.yaml").write_text("ignore:\n- LFS201: known\n")
    assert rules(diagnose(capsys, "--config", "other.yaml", "-o", "json"))["LFS101"] is False


@pytest.mark.parametrize(
    ("args", "says"),
    [(["--config", "none.yaml"], "cannot read none.yaml"), (["--config", "bad.yaml"], "bad.yaml:1: unknown field 'ignored'"), (["--config", "x", "--no-config"], "exclude each other")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_a_usage_error(capsys: Capsys, folder: Path, args: list[str], says: str) -> None:
    (folder / "bad.yaml").write_text("ignored: []\n")
    done = diagnose(capsys, *args)
    assert (done.code, done.out) == (2, "") and says in done.err


def test_it_is_looked_for_up_to_the_top_of_the_repository(tmp_path: Path) -> None:
    home, repository = tmp_path / "home", tmp_path / "home" / "repository"
    deep = repository / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / FILE).touch()
    assert find(deep, home) is None, "above home nothing counts"
    (home / FILE).touch()
    assert find(deep, home) == home / FILE
    (repository / ".git").mkdir()
    assert find(deep, home) is None, "a repository ends the search"
    (repository / FILE).touch()
    assert find(deep, home) == repository / FILE
    (deep / FILE).touch()
    assert find(deep, home) == deep / FILE


def test_outside_home_and_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    deep = tmp_path / "a"
    deep.mkdir()
    (tmp_path / FILE).touch()
    assert find(deep, tmp_path / "home") is None
    (deep / FILE).touch()
    assert find(deep, tmp_path / "home") == deep / FILE
