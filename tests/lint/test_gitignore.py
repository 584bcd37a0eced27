"""`.gitignore` as git reads it. The table was agreed with git itself, and where git is there it still is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kubectl_litefs.gather import files
from kubectl_litefs.gather.gitignore import ignored, rules_of

TABLE = [
    ("*.log", "a.log", True),
    ("*.log", "deep/er/a.log", True),
    ("*.log", "a.log.txt", False),
    ("/a.log", "deep/a.log", False),
    ("/a.log", "a.log", True),
    ("deep/a.log", "deep/a.log", True),
    ("deep/a.log", "x/deep/a.log", False),
    ("**/a.log", "x/deep/a.log", True),
    ("x/**/a.log", "x/a.log", True),
    ("x/**/a.log", "x/y/z/a.log", True),
    ("x/**", "x/y/z", True),
    ("x/**", "x", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a[b-d]e", "ace", True),
    ("a[!b-d]e", "ace", False),
    ("a[^b-d]e", "axe", True),
    ("a[]]e", "a]e", True),
    ("a[", "a[", False),
    ("# no", "# no", False),
    (r"\#yes", "#yes", True),
    (r"\!yes", "!yes", True),
    ("*.yml\n!keep.yml", "keep.yml", False),
    ("*.yml\n!keep.yml", "drop.yml", True),
    ("!keep.yml\n*.yml", "keep.yml", True),
    ("trailing   ", "trailing", True),
    ("trailing\\ ", "trailing ", True),
    ("a\r\nb\r", "b", True),
    ("*", "x/y", True),
    ("build/", "build", False),
    ("[[:digit:]]*", "1a", True),
    ("a**b", "axxb", True),
    ("a.b", "axb", False),
    ("a\\", "a", False),
    ("\ufeff*.log", "a.log", True),
    ("", "a", False),
]


@pytest.mark.parametrize(("text", "path", "expected"), TABLE, ids=[f"{i}" for i in range(len(TABLE))])
def test_a_path_is_ignored_as_git_would(text: str, path: str, expected: bool) -> None:
    rules = rules_of(text, "")
    parts = path.split("/")
    above = any(ignored(rules, "/".join(parts[:n]), directory=True) for n in range(1, len(parts)))
    assert (above or ignored(rules, path, directory=False)) is expected


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to be asked")
def test_git_says_the_same(tmp_path: Path) -> None:
    for number, (text, path, expected) in enumerate(TABLE):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        (folder / ".gitignore").write_text(text, "utf8", newline="")
        asked = subprocess.run(["git", "-C", str(folder), "check-ignore", "-q", "--no-index", path], check=False)
        assert (asked.returncode == 0) is expected, (text, path)


def walked(top: Path) -> list[str]:
    return [str(Path(p).relative_to(top)) for p in files.walk(str(top), [])]


def test_a_walk_leaves_out_what_git_leaves_out(tmp_path: Path) -> None:
    made = ["b.yml", "a.yml", "build/x.yml", "sub/kept.yml", "sub/dropped.yml", ".git/config", "sub/deeper/dropped.yml", "other/dropped.yml"]
    for name in made:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text("build/\n.gitignore\n")
    (tmp_path / "sub" / ".gitignore").write_text("dropped.yml\n")
    assert walked(tmp_path) == ["a.yml", "b.yml", "other/dropped.yml", "sub/kept.yml"]
    assert walked(tmp_path / "sub") == ["kept.yml"], "the rules of the repository above hold below, too"


def test_a_walk_ends_where_links_make_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f.yml").write_text("x")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "nowhere.yml").symlink_to(tmp_path / "gone")
    assert walked(tmp_path) == ["a/f.yml", "nowhere.yml"]


def test_a_pipe_in_its_place_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "a.yml").write_text("x: 1\n")
    assert [Path(p).name for p in files.walk(str(tmp_path), [])] == [".gitignore", "a.yml"]


def test_a_working_directory_that_is_gone_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert list(files.walk(".", [])) == []
    monkeypatch.chdir(tmp_path)
