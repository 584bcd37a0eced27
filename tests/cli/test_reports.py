"""Where a report goes: several formats at once, files written whole, one exit code."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from kubectl_litefs.cli.reports import save
from kubectl_litefs.demo import DEFAULT, path
from kubectl_litefs.render import FORMATS

from .run import run

Capsys = pytest.CaptureFixture[str]
BROKEN, HEALTHY = str(path(DEFAULT)), str(path("healthy"))


def test_several_formats_at_once(capsys: Capsys, tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in FORMATS if name != "text"}
    done = run(capsys, "diagnose", "--from", BROKEN, "-o", "text", *(w for n, f in files.items() for w in ("-o", f"{n}={f}")))
    assert done.code == 1 and done.out == run(capsys, "diagnose", "--from", BROKEN).out
    for name, file in files.items():
        assert file.read_text("utf8") == run(capsys, "diagnose", "--from", BROKEN, "-o", name).out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f.name for f in files.values()), "nothing else is left"


def test_a_file_alone_leaves_standard_output_empty(capsys: Capsys, tmp_path: Path) -> None:
    done = run(capsys, "diagnose", "--from", BROKEN, "-o", f"json={tmp_path / 'r.json'}")
    assert (done.code, done.out) == (1, "")
    assert run(capsys, "diagnose", "--from", BROKEN, "-o", "json=-").out == (tmp_path / "r.json").read_text("utf8")


@pytest.mark.parametrize("args", [[BROKEN], [HEALTHY], [BROKEN, "--fail-on", "never"], [HEALTHY, "--fail-on", "info"]])
def test_the_exit_code_is_the_same_in_every_format(capsys: Capsys, args: list[str], tmp_path: Path) -> None:
    codes = {name: run(capsys, "diagnose", "--from", *args, "-o", name).code for name in FORMATS}
    codes["all in files"] = run(capsys, "diagnose", "--from", *args, *(w for name in FORMATS for w in ("-o", f"{name}={tmp_path / name}"))).code
    assert len(set(codes.values())) == 1, codes


def test_demo_takes_them_too(capsys: Capsys, tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    done = run(capsys, "demo", "two-faults", "-o", "text", "-o", f"json={file}")
    assert done.code == 0 and "What kubectl get pods says" in done.out
    assert {f["rule"] for f in json.loads(file.read_text("utf8"))["findings"]} >= {"LFS101", "LFS201"}
    assert run(capsys, "demo", "two-faults", "-o", "markdown").out.startswith("<!-- kubectl-litefs")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["json", "text"], "two formats for standard output"), (["json=-", "text"], "two formats for standard output"),
        (["json=r", "yaml=./r"], "two formats for r"), (["jsn"], "did you mean json?"), (["json="], "names no file"),
        (["json=sub"], "is a directory"), (["json=none/r"], "there is no directory none"), (["=x"], "is none of"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_anything_is_looked_at(
    capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    done = run(capsys, "diagnose", "--from", BROKEN, *(w for word in words for w in ("-o", word)))
    assert (done.code, done.out) == (2, "") and says in " ".join(done.err.split())
    assert [p.name for p in tmp_path.iterdir()] == ["sub"]


def test_a_file_that_cannot_be_written_is_a_3_and_the_rest_is_written(capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = run(capsys, "diagnose", "--from", HEALTHY, "-o", f"json={tmp_path / 'r.json'}", "-o", "text")
    assert done.code == 3 and "No space left on device" in done.err and "checks passed" in done.out
    assert not list(tmp_path.iterdir()), "no half file and no draft"


def test_a_file_is_replaced_whole_and_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    save(link, "new")
    assert link.is_symlink() and target.read_text("utf8") == "new"


def test_a_new_file_is_as_readable_as_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(tmp_path / "r", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    fifo, read = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_text("utf8")))
    reader.start()
    save(fifo, "report")
    reader.join(10)
    assert read == ["report"] and fifo.is_fifo()


def test_the_schema_is_printed(capsys: Capsys) -> None:
    assert json.loads(run(capsys, "version", "--schema").out)["properties"]["kind"]["const"] == "Report"
