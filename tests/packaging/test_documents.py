"""The shell blocks of README.md and of the pages that show what to type are run as they stand, wherever they can be without a network."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from kubectl_litefs import __version__
from tools.release import homepage, manifest

from ..cli.run import STARTS, executable
from .conftest import ROOT, tracked
from .krew import KREW, KrewWorld, served
from .steps import KUBECTL, cluster, only_python

PAGES = ("README.md", "docs/install.md", "docs/completion.md", "docs/lint.md", "docs/output.md", "docs/suppressing.md", "docs/fix-cluster-id.md")
NOT_HERE = {
    "pipx install kubectl-litefs": "needs the package in an index; `make compat` installs the wheel",
    "pip download": "the same",
    "source <(kubectl-litefs": "tests/completion runs these lines in the shells they are for",
    "kubectl litefs fix-cluster-id": "changes a cluster: tests/e2e does each line; tests/test_docs.py reads the words",
}
"""Beginning of a block -> why it is not run."""
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="no kubectl to find the plugin")


def blocks() -> dict[str, str]:
    """First line -> block, of all pages."""
    found = [b for page in PAGES for b in re.findall(r"^```sh\n(.*?)^```$", (ROOT / page).read_text("utf8"), re.MULTILINE | re.DOTALL)]
    return {b.split("\n")[0]: b for b in found}


def block(begins: str) -> str:
    (text,) = (b for first, b in blocks().items() if first.startswith(begins))
    return text


def shell(text: str, cwd: Path, env: Mapping[str, str], code: int = 0, **words: str) -> str:
    """Run it; words in capitals replaced. Every line must succeed but the last, which ends with `code`."""
    for word, value in words.items():
        assert word.replace("_", "-") in text, f"{word} is not in the block any more"
        text = text.replace(word.replace("_", "-"), value)
    done = subprocess.run(["sh", "-euc", text], cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{text}\n{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_every_block_is_run_or_says_why_not() -> None:
    run_here = set(re.findall(r'\bblock\("([^"]+)"\)', Path(__file__).read_text("utf8")))
    for first in blocks():
        assert any(first.startswith(begins) for begins in (*run_here, *NOT_HERE)), f"no test runs the block that begins with {first!r}"


def env_of(home: Path, *folders: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.pathsep.join([*map(str, folders), str(only_python(home)), "/usr/bin", "/bin"]), **more}


@pytest.fixture
def download(archive: Path, tmp_path: Path) -> Path:
    """A folder with the two files of a release."""
    folder = tmp_path / "download"
    folder.mkdir()
    shutil.copy(archive, folder)
    sha = hashlib.sha256(archive.read_bytes()).hexdigest()
    (folder / "plugin.yaml").write_text(manifest(__version__, sha, "https://example.com/owner/kubectl-litefs"))
    return folder


@needs_kubectl
def test_from_a_checkout(tmp_path: Path) -> None:
    """What is not a matter of the words typed comes by environment: no index, and an empty folder instead of this Python's own."""
    source, prefix = tmp_path / "source", tmp_path / "prefix"
    for file in tracked():
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, source / file)
    (tmp_path / "pip").mkdir()
    executable(tmp_path / "pip" / "pip", f'exec "{sys.executable}" -m pip "$@"')
    options = {"NO_COMPILE": "1", "PREFIX": str(prefix), "NO_DEPS": "1", "NO_BUILD_ISOLATION": "0", "NO_INDEX": "1", "IGNORE_INSTALLED": "1", "DISABLE_PIP_VERSION_CHECK": "1"}
    library = prefix / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    pip = {f"PIP_{name}": value for name, value in options.items()}
    with cluster(tmp_path) as config:
        env = env_of(tmp_path, tmp_path / "pip", prefix / "bin", **pip, PYTHONPATH=str(library), KUBECONFIG=str(config))
        said = shell(block("pip install ."), source, env, code=1, NAMESPACE="abaci")
    assert "LFS101" in said and (library / "kubectl_litefs" / "py.typed").exists()


@needs_kubectl
def test_unpacked_by_hand_completed_and_removed(download: Path, tmp_path: Path) -> None:
    env = env_of(tmp_path, tmp_path / ".local" / "bin")
    assert "LFS101" in shell(block("mkdir -p ~/.local/share"), download, env, VERSION=__version__)
    said = shell(block("kubectl litefs completion install"), tmp_path, env)
    assert "kubectl finds" in said and "Removed" in said
    shell(block("rm -r ~/.local/share"), tmp_path, env)
    assert not list((tmp_path / ".local" / "bin").iterdir())


def test_the_sum_is_verified(download: Path, tmp_path: Path) -> None:
    text = block("sha256=$(sed")
    assert "OK" in shell(text, download, env_of(tmp_path), VERSION=__version__)
    with next(download.glob("*.tar.gz")).open("ab") as file:
        file.write(b"\0")
    shell(text, download, env_of(tmp_path), code=1, VERSION=__version__)


@pytest.mark.skipif(KREW is None or KUBECTL is None, reason="no krew here: put it on PATH or set KREW_BIN")
def test_with_krew(archive: Path, download: Path, tmp_path: Path) -> None:
    with served(archive.parent) as address:
        world = KrewWorld(tmp_path, archive, address)
        world.publish("0.0.9")
        shell(block("kubectl krew index add litefs").replace(homepage(), f"file://{world.index}"), tmp_path, world.env)
        assert (world.links / "kubectl_complete-litefs").exists()
        world.publish(__version__)
        shell(block("kubectl krew update"), tmp_path, world.env)
        world.is_gone()
        shell(block("kubectl krew install --manifest"), download, world.env, VERSION=__version__)
        world.kubectl("litefs", "version")


def test_the_archive_can_be_unpacked_by_tar(archive: Path, store: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path], check=True)
    ours, tars = ({p.relative_to(root): (p.stat().st_mode, p.read_bytes()) for p in root.rglob("*") if p.is_file() and p.suffix != ".pyc"} for root in (store, tmp_path))
    assert ours == tars


@pytest.fixture
def desk(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder to work in, and an environment in which `kubectl litefs` is this checkout and programs of others are stand-ins."""
    programs, work = tmp_path / "desk", tmp_path / "work"
    work.mkdir()
    programs.mkdir()
    manifests = ROOT / "tests" / "lint" / "healthy.yaml"
    scripts = {
        "kubectl": f'[ "$1" = litefs ]\nshift\n{STARTS} "$@"',
        "helm": f'[ "$*" = "template ." ]\ncat "{manifests}"',
        "kustomize": f'[ "$1" = build ]\ncat "{manifests}"',
        "gh": f'[ "$1 $2" = "pr comment" ]\ncat comment.md > "{work}/posted"',
    }
    for name, script in scripts.items():
        executable(programs / name, f"set -e\n{script}")
    return work, {"HOME": str(tmp_path), "PATH": os.pathsep.join([str(programs), "/usr/bin", "/bin"])}


def test_files_are_linted(desk: tuple[Path, dict[str, str]]) -> None:
    work, env = desk
    (work / "deploy").mkdir()
    shutil.copy(ROOT / "tests" / "lint" / "healthy.yaml", work / "deploy")
    (work / "Dockerfile").write_text("FROM debian:12\nRUN apt-get install -y fuse3\nENTRYPOINT litefs mount\n")
    assert shell(block("kubectl litefs lint deploy/"), work, env).count("No fault found") == 3


def test_files_are_mended(desk: tuple[Path, dict[str, str]]) -> None:
    work, env = desk
    (work / "deploy").mkdir()
    file = work / "deploy" / "litefs.yml"
    before = (
        "fuse: {dir: /litefs}\ndata: {dir: /data}\nlease: {type: static, hostname: a, advertise-url: 'http://a:20202', candidate: true}\n"
        "proxy:\n  addr: ':8080'\n  target: localhost:3000\n  db: db\n  primary-redirect-url: http://x\n"
    )
    file.write_text(before)
    first, second = block("kubectl litefs lint --fix").splitlines()
    assert "-  primary-redirect-url" in shell(first, work, env, code=1) and file.read_text() == before
    shell(second, work, env)
    assert file.read_text() == before.replace("  primary-redirect-url: http://x\n", "")


def test_reports_are_written_and_read(desk: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    work, env = desk
    with cluster(tmp_path) as config:
        env["KUBECONFIG"] = str(config)
        shell(block("kubectl litefs diagnose -n abaci -o text -o json"), work, env, code=1)
        shell(block("kubectl litefs diagnose -n abaci -o text -o markdown"), work, {**env, "PR": "1"}, code=1)
    assert (work / "report.sarif").exists() and (work / "report.xml").exists()
    assert "LFS101" in (work / "posted").read_text("utf8")
    shell(block("kubectl litefs version --schema"), work, env)
    assert '"$schema"' in (work / "report.schema.json").read_text("utf8")
    if shutil.which("jq", path=env["PATH"]):
        assert "error\tLFS101\tabaci-app-1\t" in shell(block("jq -r"), work, env)


def test_a_finding_is_suppressed(desk: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    work, env = desk
    with cluster(tmp_path) as config:
        first, second = block("kubectl litefs diagnose --ignore").splitlines()
        told = shell(first, work, {**env, "KUBECONFIG": str(config)}, code=1)
        assert "one region by choice" in told
        assert "LFS203" in shell(second, work, {**env, "KUBECONFIG": str(config)}, code=1), "it matches nothing, which is said"
