"""`completion install|uninstall|status`: one small file, written and removed with care."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubectl_litefs.cli import shim
from kubectl_litefs.cli.scripts import SCRIPTS

from ..cli.run import Done, run

Capsys = pytest.CaptureFixture[str]
FOREIGN = "#!/usr/bin/env sh\nkubectl litefs __complete \"$@\"\n"


class Home:
    """A home folder, and a PATH with some of its folders."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
        self.root, self._monkeypatch, self._capsys = root, monkeypatch, capsys
        monkeypatch.setenv("HOME", str(root))
        monkeypatch.delenv("KREW_ROOT", raising=False)
        self.path()

    def path(self, *folders: str) -> None:
        made = [self.root / f for f in folders]
        for folder in made:
            folder.mkdir(parents=True, exist_ok=True)
        self._monkeypatch.setenv("PATH", os.pathsep.join([*map(str, made), "/usr/bin", "/bin"]))

    def __call__(self, *words: str) -> Done:
        return run(self._capsys, "completion", *words)

    def file(self, folder: str, content: str | bytes | None = None, mode: int = 0o755) -> Path:
        path = self.root / folder / shim.NAME
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(mode)
        return path

    def everything(self) -> dict[str, bytes | str]:
        return {str(p.relative_to(self.root)): os.readlink(p) if p.is_symlink() else p.read_bytes() for p in self.root.rglob("*") if not p.is_dir() or p.is_symlink()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> Home:
    return Home(tmp_path, monkeypatch, capsys)


def test_install_twice_and_uninstall_twice(home: Home) -> None:
    home.path("elsewhere", ".local/bin")
    assert home("status").code == 1
    first = home("install")
    path = home.file(".local/bin")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith(f"Wrote {path}\n") and "works" in first.out
    assert home.everything() == {f".local/bin/{shim.NAME}": b'#!/bin/sh\nexec kubectl litefs __complete "$@"\n'}
    assert stat.S_IMODE(path.stat().st_mode) & 0o500 == 0o500
    before = path.stat()
    again = home("install")
    assert again.code == 0 and again.out.startswith("Nothing to do")
    assert path.stat() == before
    assert home("status").out == f"kubectl finds {path} (written by completion install).\n"
    removed = home("uninstall")
    assert (removed.code, removed.out) == (0, f"Removed {path}\n")
    assert home.everything() == {}
    assert (home("uninstall").code, home("uninstall").out) == (0, "There was nothing to remove.\n")


@pytest.mark.parametrize(("folders", "chosen"), [
    (["bin", ".local/bin"], ".local/bin"),
    ([".krew/bin", "bin"], "bin"),
    ([".krew/bin", "go/bin"], ".krew/bin"),
])  # fmt: skip
def test_which_folder(home: Home, folders: list[str], chosen: str) -> None:
    home.path(*folders)
    assert home("install").code == 0
    assert list(home.everything()) == [f"{chosen}/{shim.NAME}"]


def test_no_folder_of_ones_own_asks_for_one(home: Home) -> None:
    home.path("go/bin")
    (home.root / ".local/bin").mkdir(parents=True)  # there, but not on PATH
    done = home("install")
    assert (done.code, done.out, home.everything()) == (2, "", {})
    assert "--dir" in done.err
    done = home("install", "--dir", str(home.root / "go/bin"))
    assert done.code == 0 and list(home.everything()) == [f"go/bin/{shim.NAME}"]


def test_a_folder_that_is_not_on_path_says_so(home: Home) -> None:
    folder = home.root / "private"
    folder.mkdir()
    done = home("install", "--dir", str(folder))
    assert done.code == 0 and f"It has no effect yet: {folder} is not on PATH." in done.out
    assert home("install", "--dir", str(folder)).out.startswith("There already: ")
    assert home("uninstall").out == "There was nothing to remove.\n"
    assert home("uninstall", "--dir", str(folder)).out == f"Removed {folder / shim.NAME}\n"


def test_a_foreign_file_stays(home: Home) -> None:
    home.path(".local/bin")
    path = home.file(".local/bin", FOREIGN)
    for words in (["install"], ["install", "--dir", str(path.parent)]):
        assert home(*words).code == 2
    assert home("uninstall").out == f"Left alone: {path} (not written by this tool)\nThere was nothing to remove.\n"
    assert path.read_text() == FOREIGN
    status = home("status")
    assert status.code == 1 and str(path) in status.out


def test_ours_with_an_addition_is_foreign(home: Home) -> None:
    home.path("bin")
    path = home.file("bin", shim.CONTENT + b"# mine\n")
    home("install")
    home("uninstall")
    assert path.read_bytes() == shim.CONTENT + b"# mine\n"


def test_a_foreign_file_that_shadows(home: Home) -> None:
    home.path("first", ".local/bin")
    foreign, ours = home.file("first", FOREIGN), home.file(".local/bin", shim.CONTENT)
    status = home("status")
    assert status.code == 1
    assert status.out.splitlines()[:2] == [f"kubectl finds {foreign} (not written by this tool).", f"Not used: {ours} (written by completion install): it comes later on PATH."]
    assert home("install").code == 2
    done = home("install", "--dir", str(ours.parent))
    assert done.code == 0 and f"kubectl finds {foreign}" in done.out
    foreign.chmod(0o644)
    status = home("status")
    assert status.code == 0
    assert status.out.splitlines() == [f"kubectl finds {ours} (written by completion install).", f"Not used: {foreign} (not written by this tool): it is not executable."]


def test_what_pip_installed_is_enough_and_stays(home: Home) -> None:
    home.path("venv/bin", ".local/bin")
    packaged = home.file("venv/bin", "#!/usr/bin/python3\nimport sys\nfrom kubectl_litefs.__main__ import complete\nsys.exit(complete())\n")
    (home.root / ".local/bin" / shim.NAME).symlink_to(packaged)  # as pipx does it
    before = home.everything()
    assert "Nothing to do" in home("install").out
    assert home("status").code == 0
    assert home("uninstall").out.count("Left alone") == 2
    assert home.everything() == before


def test_never_through_a_link(home: Home) -> None:
    home.path(".local/bin")
    target = home.root / "target"
    place = home.file(".local/bin")
    place.symlink_to(target)
    assert home("install").code == 2, "a link that leads nowhere"
    assert not target.exists()
    target.write_bytes(shim.CONTENT)
    target.chmod(0o755)
    assert home("install").code == 2, "a link to a file like ours"
    home("uninstall")
    assert place.is_symlink() and target.read_bytes() == shim.CONTENT


def test_a_folder_that_is_a_link(home: Home) -> None:
    home.path("real")
    (home.root / "bin").symlink_to(home.root / "real")
    home.path("bin")
    assert home("install").code == 2
    done = home("install", "--dir", str(home.root / "bin"))
    assert done.code == 2 and f"--dir {home.root / 'real'}" in done.err
    assert not (home.root / "real" / shim.NAME).exists()


def test_ours_that_lost_its_right_to_run_is_repaired(home: Home) -> None:
    home.path("bin")
    path = home.file("bin", shim.CONTENT, 0o600)
    assert home("status").code == 1
    assert home("install").out.startswith("Wrote ")
    assert os.access(path, os.X_OK) and home("status").code == 0


def test_a_file_that_appears_meanwhile_is_not_overwritten(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.path("bin")
    path = home.file("bin", FOREIGN)
    monkeypatch.setattr(shim, "look", lambda folder: shim.Found(os.path.join(folder, shim.NAME), shim.Kind.NOTHING, False))
    assert home("install", "--dir", str(path.parent)).code == 2
    assert path.read_text() == FOREIGN


def test_something_that_would_block_is_not_opened(home: Home) -> None:
    home.path("bin")
    os.mkfifo(home.file("bin"))
    assert home("install").code == 2
    assert home("uninstall").code == 0


@pytest.mark.parametrize("words", [["install", "--dir", "/does/not/exist"], ["status", "--dir", "/tmp"], ["bash", "--dir", "/tmp"], ["powershel"], []])
def test_mistakes(home: Home, words: list[str]) -> None:
    assert home(*words).code == 2
    assert home.everything() == {}


def test_a_relative_part_of_path_is_no_place(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.root)
    home.file(".", shim.CONTENT)
    monkeypatch.setenv("PATH", ".::/usr/bin")
    assert home("status").code == 1


@pytest.mark.parametrize("shell", SCRIPTS)
def test_scripts_never_expand_an_answer(home: Home, shell: str) -> None:
    done = home(shell)
    assert (done.code, done.out) == (0, SCRIPTS[shell])
    code = "\n".join(line for line in done.out.splitlines() if not line.strip().startswith("#"))
    assert "eval " not in code and "compgen -W" not in code
