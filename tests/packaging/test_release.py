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


def owned(folder: Path) -> Path:
    shutil.copytree(ROOT / "packaging", folder / "packaging")
    text = (ROOT / "pyproject.toml").read_text("utf8").replace("/OWNER/", "/somebody/")
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_a_release_names_the_archive_it_was_made_with(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "build", lambda into: Path(shutil.copytree(archive.parent, into)) / archive.name)
    made = release.release(__version__, owned(tmp_path))
    platform = check((tmp_path / "plugin.yaml").read_text("utf8"))
    assert platform["sha256"] == hashlib.sha256(made.read_bytes()).hexdigest()
    assert platform["uri"] == f"https://github.com/somebody/kubectl-litefs/releases/download/v{__version__}/{made.name}"
    assert (tmp_path / "plugin.yaml").read_bytes() == (tmp_path / "plugins" / "litefs.yaml").read_bytes()


def test_a_placeholder_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "build", lambda into: pytest.fail("it must refuse before it builds"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text().replace("/somebody/", "/OWNER/"))
    with pytest.raises(SystemExit, match="OWNER"):
        release.release(__version__, tmp_path)
    assert not (tmp_path / "plugin.yaml").exists()


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
