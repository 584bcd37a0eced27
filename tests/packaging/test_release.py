"""The Krew manifest: one template, both files equal, no placeholder ever released."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs import __version__
from tools import dist, release

from .conftest import tracked

ROOT = Path(__file__).parent.parent.parent
SCHEMA = {
    "apiVersion": str, "kind": str, "metadata": {"name": str},
    "spec": {"version": str, "homepage": str, "shortDescription": str, "description": str, "caveats": str, "platforms": list},
}  # fmt: skip
PLATFORM = {"selector", "uri", "sha256", "bin"}


def keys(document: dict[str, Any], schema: dict[str, Any]) -> None:
    """Krew passes over what it does not know: a typo would be lost."""
    assert set(document) == set(schema)
    for key, kind in schema.items():
        if isinstance(kind, dict):
            keys(document[key], kind)
        else:
            assert isinstance(document[key], kind), key


def check(text: str) -> dict[str, Any]:
    document = yaml.safe_load(text)
    keys(document, SCHEMA)
    spec = document["spec"]
    assert document["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2" and document["kind"] == "Plugin"
    assert re.fullmatch(r"[a-z][a-z0-9-]*", document["metadata"]["name"]) and document["metadata"]["name"] == "litefs"
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?", spec["version"])
    assert len(spec["shortDescription"]) <= 50 and not spec["shortDescription"].endswith(".")
    assert all(len(line) <= 80 for line in (spec["description"] + spec["caveats"]).splitlines())
    (platform,) = spec["platforms"]
    assert set(platform) == PLATFORM and platform["bin"] == "kubectl-litefs"
    assert re.fullmatch(r"[0-9a-f]{64}", platform["sha256"]) and platform["uri"].startswith("https://") and platform["uri"].endswith(".tar.gz")
    assert platform["selector"]["matchExpressions"] == [{"key": "os", "operator": "In", "values": ["linux", "darwin"]}], "no Windows: Krew cannot start a script there"
    return platform


def test_both_files_are_equal_and_as_generated() -> None:
    texts = [(ROOT / f).read_text("utf8") for f in release.FILES]
    assert texts[0] == texts[1]
    platform = check(texts[0])
    if release.is_placeholder(release.homepage()):
        assert texts[0] == release.unreleased() and platform["sha256"] == release.UNRELEASED


ADDRESS = "https://github.com/SomeBody/kubectl-litefs"


def copy(folder: Path) -> Path:
    """What a release writes to, of a repository that nobody owns yet, wherever this one is."""
    if not (ROOT / ".pre-commit-hooks.yaml").exists():
        pytest.skip("an sdist is not released from: it lacks what others fetch from the repository")
    for file in (*release.PLACES, release.CRONJOB):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / file).read_text("utf8")
        (folder / file).write_text(release.moved(text, release.homepage(), "https://github.com/OWNER/kubectl-litefs"), "utf8")
    release.write(release.manifest(__version__, release.UNRELEASED, release.homepage(folder)), folder)
    return folder


def owned(folder: Path, address: str = ADDRESS) -> Path:
    """Only the first address is edited, as docs say."""
    text = (copy(folder) / "pyproject.toml").read_text("utf8")
    (folder / "pyproject.toml").write_text(text.replace('Homepage = "https://github.com/OWNER/kubectl-litefs"', f'Homepage = "{address}"'), "utf8")
    assert release.homepage(folder) == address
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {str(file): (folder / file).read_text("utf8") for file in (*release.PLACES, release.CRONJOB, *release.FILES)}


def test_a_release_names_the_archive_it_was_made_with(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "build", lambda into: Path(shutil.copytree(archive.parent, into)) / archive.name)
    made = release.release(__version__, owned(tmp_path))
    platform = check((tmp_path / "plugin.yaml").read_text("utf8"))
    assert platform["sha256"] == hashlib.sha256(made.read_bytes()).hexdigest()
    assert platform["uri"] == f"{ADDRESS}/releases/download/v{__version__}/{made.name}"
    assert (tmp_path / "plugin.yaml").read_bytes() == (tmp_path / "plugins" / "litefs.yaml").read_bytes()


def test_a_placeholder_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "build", lambda into: pytest.fail("it must refuse before it builds"))
    before = texts(copy(tmp_path))
    with pytest.raises(SystemExit, match="OWNER"):
        release.release(__version__, tmp_path)
    assert texts(tmp_path) == before


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release whose archive is not what is looked at."""

    def build(into: Path) -> Path:
        into.mkdir(exist_ok=True)
        (into / "archive").write_bytes(b"x")
        return into / "archive"

    monkeypatch.setattr(dist, "build", build)


def test_a_tracked_file_names_an_owner_only_where_a_release_replaces_it() -> None:
    known = {str(f) for f in (*release.PLACES, *release.FILES, release.CRONJOB)}
    here = release.slug(release.homepage())
    found = {f for f in tracked() if not f.startswith(("tests/", "tools/")) and here.encode() in (ROOT / f).read_bytes()}
    assert set(release.PLACES) <= found <= known, "add it to PLACES"


@pytest.mark.usefixtures("built")
def test_a_release_leaves_no_placeholder_anywhere(tmp_path: Path) -> None:
    release.release(__version__, owned(tmp_path))
    made = texts(tmp_path)
    assert not [file for file, text in made.items() if "OWNER" in text]
    pages, image = made["docs/install.md"], "ghcr.io/somebody/kubectl-litefs"
    assert f"index add litefs {ADDRESS}\n" in pages and f"{ADDRESS}/raw/main/plugin.yaml" in pages
    assert "--repo SomeBody/kubectl-litefs" in pages and f"oci://{image}:VERSION" in pages
    assert f"image: {image}:latest" in made["deploy/cronjob.yaml"]
    assert "uses: SomeBody/kubectl-litefs@" in made["action.yml"] and "uses: SomeBody/kubectl-litefs@" in made["docs/lint.md"]
    assert f"repo: {ADDRESS}\n" in made[".pre-commit-hooks.yaml"] and f"repo: {ADDRESS}\n" in made["docs/lint.md"]
    urls = re.findall(r'^\w+ = "(https://.+)"$', made["pyproject.toml"].partition("[project.urls]")[2].partition("\n[")[0], re.MULTILINE)
    assert len(urls) == 5 and all(url.startswith(ADDRESS) for url in urls)
    release.release(__version__, tmp_path)
    assert texts(tmp_path) == made, "a second time changes nothing"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("address", ["https://github.com/Other/kubectl-litefs", "https://github.com/SomeBody/kubectl-litefs-2", "https://github.com/NotSomeBody/tool", "https://git.example.com/SomeBody/kubectl-litefs"])
def test_a_repository_that_moves_takes_its_pages_along(tmp_path: Path, address: str) -> None:
    release.release(__version__, owned(tmp_path / "moved"))
    file = tmp_path / "moved" / "pyproject.toml"
    file.write_text(file.read_text("utf8").replace(f'Homepage = "{ADDRESS}"', f'Homepage = "{address}"'), "utf8")
    release.release(__version__, tmp_path / "moved")
    release.release(__version__, owned(tmp_path / "fresh", address))
    assert texts(tmp_path / "moved") == texts(tmp_path / "fresh")


def test_a_version_that_is_not_the_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"9\.9\.9"):
        release.release("9.9.9", owned(tmp_path))


@pytest.mark.parametrize(("ours", "krews"), [("0.1.0", "0.1.0"), ("1.20.3", "1.20.3"), ("0.1.0rc1", "0.1.0-rc.1"), ("0.2.0a3", "0.2.0-alpha.3"), ("0.2.0b1", "0.2.0-beta.1")])
def test_versions_as_krew_writes_them(ours: str, krews: str) -> None:
    assert release.krew_version(ours) == krews


@pytest.mark.parametrize("bad", ["v0.1.0", "0.1", "0.1.0-rc1", "", "0.1.0.dev1"])
def test_a_version_krew_cannot_take_is_refused(bad: str) -> None:
    with pytest.raises(SystemExit):
        release.krew_version(bad)
