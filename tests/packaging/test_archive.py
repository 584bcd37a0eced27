"""The archive: what is in it, that it is always the same, and that any Python can start it or says why not."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import dist
from tools.compat import interpreters

from .conftest import installation
from .krew import KREW, KrewWorld, served
from .steps import KUBECTL, Installed

ROOT = Path(__file__).parent.parent.parent
LAUNCHER = ROOT / "packaging" / "kubectl-litefs"


def members(archive: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return tar.getmembers()


def test_it_is_the_same_from_another_folder_by_another_python_and_under_another_umask(archive: Path, tmp_path: Path) -> None:
    """By this Python again where the machine has no other."""
    copy = tmp_path / "elsewhere"
    for folder in ("kubectl_litefs", "packaging", "tools"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        os.chmod(path, 0o700)
    python = next((p for p in NEW if p.name != f"python3.{sys.version_info[1]}"), sys.executable)
    code = f"import os; os.umask(0o077); from pathlib import Path; from tools import dist; dist.build(Path({str(tmp_path / 'out')!r}))"
    subprocess.run([python, "-c", code], cwd=copy, check=True, timeout=120, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert (tmp_path / "out" / archive.name).read_bytes() == archive.read_bytes()


def test_it_is_small_pure_and_what_krew_takes(archive: Path) -> None:
    found = members(archive)
    names = [m.name for m in found]
    assert archive.stat().st_size <= 4 * 1024 * 1024
    assert all(m.isreg() and m.uid == m.gid == 0 and m.mtime == dist.EPOCH for m in found)
    assert names == sorted(names) and not [n for n in names if ".." in n or n.startswith("/")]
    assert not [n for n in names if re.search(r"\.(so|pyd|dylib|pyc)$|__pycache__", n)]
    assert {m.name: m.mode for m in found if m.mode != 0o644} == {"kubectl-litefs": 0o755}
    assert {"LICENSE", "THIRD_PARTY_NOTICES", "kubectl-litefs", "lib/kubectl_litefs/__main__.py"} <= set(names)


def test_every_package_in_it_has_its_licence(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        file = tar.extractfile("THIRD_PARTY_NOTICES")
        assert file is not None
        notices = file.read().decode()
        vendored = {m.name.split("/")[1].removesuffix(".dist-info") for m in tar.getmembers() if ".dist-info/" in m.name} - {f"kubectl_litefs-{dist.__version__}"}
    line = "=" * 100
    told = re.split(rf"^{line}\n(\S+)\n{line}$", notices, flags=re.MULTILINE)
    texts = dict(zip(told[1::2], told[2::2], strict=True))
    assert {name.lower().replace("_", "-") for name in vendored} == {f"{n}-{v}" for n, v in dist.VERSIONS.items()}
    assert texts.keys() == vendored
    for name, text in texts.items():
        assert len(text) > 500 and re.search("(?i)copyright|terms of the", text) and "License-File" not in text, f"{name}: no licence, only {text!r}"


def run(unpacked: Path, *words: str, path: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Through the link, in an empty home."""
    settings = {"HOME": str(unpacked / "home"), "PATH": path, **env}
    return subprocess.run([str(unpacked / "bin" / "kubectl-litefs"), *words], env=settings, cwd="/", capture_output=True, text=True, timeout=120)


def linked(folder: Path, **programs: Path | str) -> str:
    """A folder of its own for PATH, with these programs and no other."""
    folder.mkdir(exist_ok=True)
    for name, program in programs.items():
        (folder / name).symlink_to(program)
    return str(folder)


def test_it_runs_in_an_empty_home(unpacked: Path, tmp_path: Path) -> None:
    path = linked(tmp_path / "bin", python3=sys.executable)
    done = run(unpacked, "demo", "healthy", path=path)
    assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr
    done = run(unpacked, "demo", "cluster-id-mismatch", path=path, FORCE_COLOR="1")
    assert done.returncode == 0 and "LFS101" in done.stdout and "\x1b[" in done.stdout
    done = run(unpacked, "version", path=path)
    assert done.returncode == 0 and dist.__version__ in done.stdout


IMPORT_ALL = """
import importlib, pathlib, sys, warnings
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"):
        raise OSError(f"{event} {arguments}")
sys.addaudithook(refuse)
warnings.simplefilter("ignore")
lib = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(lib))
names = sorted(".".join(p.relative_to(lib).with_suffix("").parts).removesuffix(".__init__") for p in lib.rglob("*.py"))
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""


def test_every_module_in_it_can_be_imported_without_a_network_and_without_other_packages(unpacked: Path, archive: Path) -> None:
    lib = unpacked / "store" / "litefs" / "v0.1.0" / "lib"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", IMPORT_ALL, lib], capture_output=True, text=True, env={"PATH": "/nowhere"}, cwd="/", timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len([m for m in members(archive) if m.name.endswith(".py")])
    done = subprocess.run([sys.executable, "-S", "-m", "kubectl_litefs", "demo", "healthy"], capture_output=True, text=True, env={"PYTHONPATH": str(lib)}, cwd="/", timeout=120)
    assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr


def test_the_launcher_is_read_by_python_3_6() -> None:
    ast.parse(LAUNCHER.read_text("utf8"), feature_version=(3, 6))


def others(*minors: int) -> list[Path]:
    """The oldest and the newest of these minor versions of Python 3 that this machine has."""
    there = list(interpreters(minors).values())
    return there[:1] + there[1:][-1:]


OLD, NEW = others(6, 7, 8, 9), others(10, 11, 12, 13, 14)


@pytest.fixture(scope="module")
def lonely(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `unpacked`, on a machine where the usual folders hold no Python."""
    root = tmp_path_factory.mktemp("lonely")
    launcher = installation(store, root / "store") / "kubectl-litefs"
    text, replaced = re.subn(r"/(opt/homebrew|usr/local|opt/local|usr)/bin/python3\.", "/nowhere/python3.", launcher.read_text("utf8"))
    assert replaced == 4
    launcher.write_text(text, "utf8")
    for name in ("bin", "home"):
        (root / name).mkdir()
    (root / "bin" / "kubectl-litefs").symlink_to(launcher)
    return root


@pytest.mark.parametrize("python", OLD, ids=lambda p: p.name)
def test_an_old_python_says_one_line_or_finds_a_newer_one(lonely: Path, python: Path, tmp_path: Path) -> None:
    path = linked(tmp_path / "old", python3=python)
    done = run(lonely, "version", path=path)
    assert done.returncode == 3 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    assert f"needs Python 3.10 or newer, and {path}/python3 is Python {python.name[6:]}." in done.stderr
    name = f"python3.{sys.version_info[1]}"
    on_path = linked(tmp_path / "new", **{name: sys.executable})
    done = run(lonely, "version", path=f"{path}:{on_path}")
    assert done.returncode == 0 and dist.__version__ in done.stdout, done.stderr
    (tmp_path / "pyenv" / "versions" / f"{name[6:]}.0" / "bin").mkdir(parents=True)
    (tmp_path / "pyenv" / "versions" / f"{name[6:]}.0" / "bin" / name).symlink_to(sys.executable)
    done = run(lonely, "version", path=path, PYENV_ROOT=str(tmp_path / "pyenv"))
    assert done.returncode == 0 and dist.__version__ in done.stdout, done.stderr


def test_no_python_at_all_says_one_line(lonely: Path, tmp_path: Path) -> None:
    done = run(lonely, "version", path=linked(tmp_path / "none"))
    assert done.returncode == 3 and done.stderr.count("\n") == 1 and "there is no python3 on PATH" in done.stderr, done.stderr


def test_a_newer_name_that_does_not_start_is_passed_over(lonely: Path, tmp_path: Path) -> None:
    """As the shims of pyenv for a version that is not chosen."""
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such version >&2\nexit 127\n")
    broken.chmod(0o755)
    path = linked(tmp_path / "bin", **{"python3.14": broken, "python3.10": sys.executable})
    done = run(lonely, "version", path=path)
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.skipif(not os.access("/usr/bin/python3", os.X_OK), reason="no /usr/bin/python3, the place of Apple's stub")
@pytest.mark.parametrize("tools", ["there", "missing"])
def test_apples_stub_is_not_started(lonely: Path, tmp_path: Path, tools: str) -> None:
    """Without the developer tools it would open an installer."""
    (tmp_path / "xcode-select").write_text(f"#!/bin/sh\nexit {0 if tools == 'there' else 2}\n")
    (tmp_path / "python3.14").write_text(f"#!/bin/sh\necho used >> '{tmp_path}/used'\nexec '{sys.executable}' \"$@\"\n")
    for name in ("xcode-select", "python3.14"):
        (tmp_path / name).chmod(0o755)
    done = run(lonely, "version", path=f"{tmp_path}:/usr/bin")
    assert done.returncode == 0 and dist.__version__ in done.stdout, done.stderr
    assert (tmp_path / "used").exists() == (tools == "missing")


@pytest.mark.parametrize("python", NEW, ids=lambda p: p.name)
def test_every_python_that_is_new_enough(unpacked: Path, python: Path, tmp_path: Path) -> None:
    done = run(unpacked, "demo", "healthy", path=linked(tmp_path / "bin", python3=python))
    assert done.returncode == 0 and done.stderr == "", done.stderr


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl to find the plugin")
def test_installed_as_krew_does_it_upgraded_and_removed(store: Path, tmp_path: Path) -> None:
    installed = Installed(tmp_path, tmp_path / "bin")
    installed.links.mkdir()
    for version in ("v0.0.9", "v0.1.0"):
        installation(store, tmp_path / "store" / version)
        (installed.links / "kubectl-litefs").unlink(missing_ok=True)
        (installed.links / "kubectl-litefs").symlink_to(tmp_path / "store" / version / "kubectl-litefs")
        installed.kubectl("litefs", "version")
    shutil.rmtree(tmp_path / "store" / "v0.0.9")
    installed.works(tmp_path)
    installed.is_completed()
    (installed.links / "kubectl-litefs").unlink()
    installed.is_gone()


@pytest.mark.skipif(KREW is None or KUBECTL is None, reason="no krew here: put it on PATH or set KREW_BIN; the same steps run on the unpacked archive")
class TestKrew:
    """A real Krew, with an index of our own on this machine."""

    @pytest.fixture
    def world(self, archive: Path, tmp_path: Path) -> Iterator[KrewWorld]:
        with served(archive.parent) as address:
            yield KrewWorld(tmp_path, archive, address)

    def test_installed_from_a_manifest_and_an_archive(self, world: KrewWorld, tmp_path: Path) -> None:
        world.publish("0.1.0")
        world.krew("install", f"--manifest={world.index / 'plugin.yaml'}", f"--archive={world.archive}")
        world.works(tmp_path)
        assert "not initialized" in world.krew("uninstall", "litefs", code=1), "Krew removes nothing while it has no index at all: docs/install.md says so"
        world.krew("index", "add", "litefs", f"file://{world.index}")
        world.krew("uninstall", "litefs")
        world.is_gone()

    def test_an_archive_of_another_sha256_is_refused(self, world: KrewWorld, tmp_path: Path) -> None:
        world.publish("0.1.0")
        other = tmp_path / world.archive.name
        other.write_bytes(world.archive.read_bytes() + b"\0")
        said = world.krew("install", f"--manifest={world.index / 'plugin.yaml'}", f"--archive={other}", code=1)
        assert "checksum" in said and not (world.links / "kubectl-litefs").exists()

    def test_installed_from_a_custom_index_upgraded_and_removed(self, world: KrewWorld, tmp_path: Path) -> None:
        world.publish("0.0.9")
        world.krew("index", "add", "litefs", f"file://{world.index}")
        said = world.krew("install", "litefs/litefs")
        assert "kubectl litefs completion install" in said, "the caveats are shown"
        assert world.versions() == ["v0.0.9"]
        world.kubectl("litefs", "version")
        world.publish("0.1.0")
        world.krew("update")
        world.krew("upgrade", "litefs")
        assert world.versions() == ["v0.1.0"]
        world.works(tmp_path)
        world.is_completed()
        world.krew("uninstall", "litefs")
        world.is_gone()
