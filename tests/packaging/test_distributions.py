"""Wheel and sdist, built as `make build` does it: the same files as in the archive, and metadata that says everything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from importlib.metadata import distributions
from pathlib import Path

import pytest

from kubectl_litefs import __version__
from tools import compat, dist, release

from .conftest import tracked

ROOT = Path(__file__).parent.parent.parent


BUILD = """
import os, shutil, sys
from setuptools import build_meta
out = sys.argv[1]
sdist = build_meta.build_sdist(out)
shutil.unpack_archive(os.path.join(out, sdist), "from-sdist")
os.chdir(os.path.join("from-sdist", sdist.removesuffix(".tar.gz")))
build_meta.build_wheel(out)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both. The wheel is made from the sdist, without a network, by the calls that `make build` also makes: one start instead of four."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for file in tracked():
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, source / file)
    done = subprocess.run([sys.executable, "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> dict[str, bytes]:
    (path,) = built.glob("*.whl")
    assert path.name == f"kubectl_litefs-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def info(wheel: dict[str, bytes], name: str) -> bytes:
    return wheel[f"kubectl_litefs-{__version__}.dist-info/{name}"]


def metadata(wheel: dict[str, bytes]) -> Message:
    return message_from_string(info(wheel, "METADATA").decode())


def test_wheel_archive_and_sources_hold_the_same_files(wheel: dict[str, bytes]) -> None:
    ours = {name: data for name, data in wheel.items() if not re.search(r"\.(dist-info|data)/", name)}
    archived = {name.removeprefix("lib/"): data for name, data in dist.our_own().items() if ".dist-info/" not in name}
    assert sorted(ours) == sorted(archived) == sorted(f for f in tracked() if f.startswith("kubectl_litefs/"))
    assert ours == archived
    assert "kubectl_litefs/py.typed" in ours


def test_the_wheel_brings_the_manual_page(wheel: dict[str, bytes]) -> None:
    more = {name.split(".data/")[1]: data for name, data in wheel.items() if ".data/" in name}
    assert more == {"data/share/man/man1/kubectl-litefs.1": (ROOT / "docs" / "kubectl-litefs.1").read_bytes()}


def test_the_sdist_holds_every_file_that_the_tests_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    assert path.name == f"kubectl_litefs-{__version__}.tar.gz"
    with tarfile.open(path) as archive:
        names = {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}
    of_a_checkout = re.compile(r"\.(ci|github)/|\.git[a-z]+$|\.pre-commit")
    assert {f for f in tracked() if not of_a_checkout.match(f)} <= names
    assert not [n for n in names if re.search(r"__pycache__|\.pyc$|^(build|dist)/", n)]


def test_the_metadata_is_complete(wheel: dict[str, bytes]) -> None:
    about = metadata(wheel)
    assert (about["Name"], about["Version"]) == ("kubectl-litefs", __version__)
    assert about["Summary"] and about["Author"] and about["Keywords"]
    assert about["License-Expression"] == "Apache-2.0" and about.get_all("License-File") == ["LICENSE"]
    assert info(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert about["Description-Content-Type"] == "text/markdown"
    assert str(about.get_payload()).strip() == (ROOT / "README.md").read_text("utf8").strip()
    classifiers = about.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)} | {"Typing :: Typed"} <= set(classifiers)
    assert about["Requires-Python"] == ">=3.10"
    addresses = dict(line.split(", ") for line in about.get_all("Project-URL", []))
    assert set(addresses) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert all(address.startswith(release.homepage()) for address in addresses.values())


def test_what_is_installed_with_it_and_what_only_when_asked_for(wheel: dict[str, bytes]) -> None:
    about = metadata(wheel)
    always = [r for r in about.get_all("Requires-Dist", []) if "extra ==" not in r]
    assert sorted(re.split(r"[<>]", r)[0] for r in always) == ["click", "kubernetes", "pyyaml", "rich"]
    assert [pin.split("==")[0] for pin in compat.lowest((ROOT / "pyproject.toml").read_text("utf8"))] == ["click", "kubernetes", "pyyaml", "rich"]
    wanted = {extra: [r.split(";")[0] for r in about.get_all("Requires-Dist", []) if f'extra == "{extra}"' in r] for extra in about.get_all("Provides-Extra", [])}
    assert set(wanted) == {"dev", "fast", "terraform"}
    assert [r.split(">")[0] for r in (*wanted["fast"], *wanted["terraform"])] == ["hyperscan", "python-hcl2"]


def _brought() -> dict[str, set[str]]:
    """Module -> the distributions that bring it. Python 3.10's own `packages_distributions` knows but a few."""
    found: dict[str, set[str]] = {}
    for one in distributions():
        for file in one.files or ():
            if file.suffix == ".py":
                found.setdefault(file.parts[0].removesuffix(".py"), set()).add(one.metadata["Name"].lower())
    return found


def test_what_the_tests_import_is_installed_with_the_extra_dev(wheel: dict[str, bytes]) -> None:
    """Else they run only where something else happens to bring it, such as the newest of a library's versions."""
    declared = {re.split(r"[<>=; ]", r)[0] for r in metadata(wheel).get_all("Requires-Dist", [])}
    lines = (line for folder in ("tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py") for line in path.read_text("utf8").splitlines())
    modules = {m[1] for line in lines if (m := re.match(r"\s*(?:import|from) ([a-z_]\w*)[\w.]*(?: import\b|$)", line))}
    brought = _brought()
    foreign = modules - set(sys.stdlib_module_names) - {"tests", "tools", "benchmarks", "kubectl_litefs"}
    wanted = {m: brought[m] for m in foreign if m in brought}
    assert {m for m, names in wanted.items() if not names & declared} == {"urllib3"}, "which requests and kubernetes require"
    assert {"yaml", "fastjsonschema", "junitparser", "markdown_it", "responses", "sarif_pydantic", "hypothesis", "setuptools"} <= set(wanted)


def test_both_programs_are_installed(wheel: dict[str, bytes]) -> None:
    lines = info(wheel, "entry_points.txt").decode().split("\n")
    assert [line for line in lines if line] == ["[console_scripts]", "kubectl-litefs = kubectl_litefs.__main__:run", "kubectl_complete-litefs = kubectl_litefs.__main__:complete"]
