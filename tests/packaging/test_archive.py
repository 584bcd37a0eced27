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

from ..parity.test_parity import plain_kubectl
from .krew import KREW, KrewWorld, only_python, served

ROOT = Path(__file__).parent.parent.parent
LAUNCHER = ROOT / "packaging" / "kubectl-litefs"


def members(archive: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(archive) as tar:
        return tar.getmembers()


def test_it_is_the_same_from_another_folder_and_under_another_umask(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "kubectl_litefs", copy / "kubectl_litefs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "packaging", copy / "packaging")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        os.chmod(path, 0o700)
    monkeypatch.setattr(dist, "ROOT", copy)
    monkeypatch.setattr(dist, "PACKAGING", copy / "packaging")
    old = os.umask(0o077)
    try:
        again = dist.build(tmp_path / "out")
    finally:
        os.umask(old)
    assert again.read_bytes() == archive.read_bytes()


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
    for name, version in dist.VERSIONS.items():
        assert re.search(rf"(?i)^{name.replace('-', '[-_]')}-{re.escape(version)}$", notices, re.MULTILINE), name
    assert notices.count("\n" + "=" * 100 + "\n") >= 2 * len(dist.VERSIONS) - 1


def run(unpacked: Path, *words: str, python: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Through the link, in an empty home, with one Python on PATH."""
    folder = unpacked / f"python{abs(hash(python))}"
    folder.mkdir(exist_ok=True)
    if not (folder / "python3").exists():
        (folder / "python3").symlink_to(python or Path(sys.executable))
    home = unpacked / "home"
    home.mkdir(exist_ok=True)
    settings = {"HOME": str(home), "PATH": f"{folder}:/usr/bin:/bin" if python is None else f"{folder}:/bin", "PYTHONDONTWRITEBYTECODE": "1", **env}
    return subprocess.run([str(unpacked / "bin" / "kubectl-litefs"), *words], env=settings, cwd="/", capture_output=True, text=True, timeout=120)


def test_it_runs_in_an_empty_home(unpacked: Path) -> None:
    done = run(unpacked, "demo", "healthy")
    assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr
    done = run(unpacked, "demo", "cluster-id-mismatch", FORCE_COLOR="1")
    assert done.returncode == 0 and "LFS101" in done.stdout and "\x1b[" in done.stdout
    done = run(unpacked, "version")
    assert done.returncode == 0 and dist.__version__ in done.stdout


def test_every_module_in_it_can_be_imported_without_a_network(unpacked: Path) -> None:
    lib = unpacked / "store" / "litefs" / "v0.1.0" / "lib"
    names = [".".join(p.relative_to(lib).with_suffix("").parts).removesuffix(".__init__") for p in (lib / "kubectl_litefs").rglob("*.py")]
    loaders = ["kubernetes.config.kube_config", "kubernetes.config.exec_provider", "kubernetes.config.incluster_config", "rich.live", "yaml", "websocket", "oauthlib.oauth2"]
    code = f"import sys; sys.path.insert(0, {str(lib)!r})\nimport importlib\nfor n in {[n for n in names if not n.endswith('__main__')] + loaders!r}: importlib.import_module(n)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, env={"PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr


def test_the_launcher_is_read_by_python_3_6() -> None:
    ast.parse(LAUNCHER.read_text("utf8"), feature_version=(3, 6))


def others(*minors: int) -> list[Path]:
    """Interpreters of these minor versions of Python 3, where there are any."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [Path(p) for m in minors if (p := shutil.which(f"python3.{m}")) and "shims" not in p]
    return found + [p for m in minors for p in sorted(root.glob(f"3.{m}.*/bin/python3.{m}"))]


OLD, NEW = others(6, 7, 8, 9), others(10, 11, 12, 13, 14)


@pytest.mark.skipif(not OLD, reason="no Python older than 3.10 here")
@pytest.mark.parametrize("python", OLD, ids=lambda p: p.name)
def test_an_old_python_says_one_line_or_finds_a_newer_one(unpacked: Path, python: Path, tmp_path: Path) -> None:
    done = run(unpacked, "version", python=python, KUBECTL_LITEFS_STARTED_BY="x")
    assert done.returncode == 3 and done.stderr.count("\n") == 1 and "needs Python 3.10" in done.stderr, done.stderr
    if NEW:
        (tmp_path / f"python3.{NEW[0].name.split('.')[-1]}").symlink_to(NEW[0])
        folder = unpacked / f"python{abs(hash(python))}"
        done = run(unpacked, "version", python=python, PATH=f"{folder}:/bin:{tmp_path}")
        assert done.returncode == 0 and dist.__version__ in done.stdout, done.stderr


@pytest.mark.skipif(not NEW, reason="no other Python here")
@pytest.mark.parametrize("python", NEW, ids=lambda p: p.name)
def test_every_python_that_is_new_enough(unpacked: Path, python: Path) -> None:
    done = run(unpacked, "demo", "healthy", python=python)
    assert done.returncode == 0, done.stderr


KUBECTL = plain_kubectl()


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl to find the plugin")
def test_kubectl_finds_it_without_a_warning(unpacked: Path) -> None:
    env = {"HOME": str(unpacked / "home"), "PATH": f"{unpacked / 'bin'}:{only_python(unpacked)}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    listed = subprocess.run([str(KUBECTL), "plugin", "list"], env=env, capture_output=True, text=True)
    assert "kubectl-litefs" in listed.stdout and "warning" not in (listed.stdout + listed.stderr).lower()
    done = subprocess.run([str(KUBECTL), "litefs", "demo", "healthy"], env=env, capture_output=True, text=True)
    assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr


@pytest.mark.skipif(KREW is None or KUBECTL is None, reason="no krew here: put it on PATH or set KREW_BIN; the same steps run on the unpacked archive")
class TestKrew:
    """A real Krew, with an index of our own on this machine."""

    @pytest.fixture
    def world(self, archive: Path, tmp_path: Path) -> Iterator[KrewWorld]:
        with served(archive.parent) as address:
            yield KrewWorld(tmp_path, archive, address)

    def test_installed_from_a_manifest_and_an_archive(self, world: KrewWorld) -> None:
        world.publish("0.1.0")
        world.krew("update")
        world.krew("install", "--manifest", str(world.index / "plugins" / "litefs.yaml"), "--archive", str(world.archive))
        world.works()

    def test_installed_from_an_index_upgraded_and_removed(self, world: KrewWorld) -> None:
        world.publish("0.0.9")
        world.krew("update")
        world.krew("install", "litefs")
        world.works()
        world.publish("0.1.0")
        world.krew("update")
        assert "v0.1.0" in world.krew("upgrade", "litefs") or "litefs" in world.krew("list")
        assert (world.root / "store" / "litefs" / "v0.1.0").is_dir() and not (world.root / "store" / "litefs" / "v0.0.9").exists()
        world.works()
        world.krew("uninstall", "litefs")
        assert not (world.root / "bin" / "kubectl-litefs").is_symlink()
