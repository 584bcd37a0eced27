"""Bundles: what is saved comes back; what is damaged, unsafe or monstrous is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl_litefs.errors import CouldNotLook, LitefsError, UsageError
from kubectl_litefs.gather import bundle

from ..harness import snapshot
from ..test_recordings import recording

MANIFEST = json.dumps({"format": 1, "namespaces": ["abaci"], "taken_at": "2026-11-23T12:30:00Z", "gaps": []})


def archive(path: Path, *members: tuple[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def link(name: str, to: str, kind: bytes) -> tuple[str, tarfile.TarInfo]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return name, info


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    before = snapshot({"gaps": [{"what": "objects/abaci/services.json", "why": "FORBIDDEN", "detail": "x"}]})
    bundle.save(before, tmp_path / "a.tar.gz")
    after = bundle.load(tmp_path / "a.tar.gz")
    assert {p: i.read() for p, i in after.items.items()} == {p: i.read() for p, i in before.items.items()}
    assert (after.gaps, after.namespaces, after.taken_at) == (before.gaps, before.namespaces, before.taken_at)
    assert {p: i.read() for p, i in after.items.items()} == {p: i.read() for p, i in before.items.items()}, "readable again"


def test_equal_snapshots_give_equal_bytes_that_nobody_else_may_read(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b.tar.gz"):
        bundle.save(snapshot(), tmp_path / name)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    assert (tmp_path / "a.tar.gz").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar.gz", "b.tar.gz"], "no draft is left behind"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        bundle.save(snapshot(), path)
    assert path.read_text() == "mine"


def test_a_directory_and_its_archive_say_the_same(tmp_path: Path) -> None:
    packed = bundle.load(recording("healthy"))
    for path, item in packed.items.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(item.read())
    (tmp_path / "manifest.json").write_text(MANIFEST)
    (tmp_path / "README").write_text("not part of a bundle")
    assert set(bundle.load(tmp_path).items) == set(packed.items)


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", "null", '{"format": 2}', '{"format": 1}', '{"format": 1, "namespaces": 7, "taken_at": "2026-11-23T12:30:00Z"}',
     '{"format": 1, "namespaces": [], "taken_at": "yesterday"}', '{"format": 1, "namespaces": [], "taken_at": "2026-11-23T12:30:00Z", "gaps": [{}]}'],
)  # fmt: skip
def test_a_damaged_manifest_is_refused(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(CouldNotLook):
        bundle.load(tmp_path)


def test_half_an_archive_is_said_without_words_of_python(tmp_path: Path) -> None:
    (tmp_path / "half.tar.gz").write_bytes(recording("healthy").read_bytes()[:900])
    with pytest.raises(CouldNotLook, match=r"half\.tar\.gz is damaged: it ends too early; was it copied whole\?$"):
        bundle.load(tmp_path / "half.tar.gz")


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "parent": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), ("logs/../../../evil", b"x")),
    "absolute": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), ("/etc/evil", b"x")),
    "symlink": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), link("logs/a/b/c.log", "/etc/passwd", tarfile.SYMTYPE)),
    "hard link": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), link("logs/a/b/c.log", "manifest.json", tarfile.LNKTYPE)),
    "device": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), link("logs/a/b/c.log", "", tarfile.CHRTYPE)),
    "twice": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), ("logs/a/b/c.log", b"x"), ("logs/a/b/c.log", b"y")),
    "two manifests": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), ("manifest.json", MANIFEST.encode())),
    "bomb": lambda p: archive(p, ("manifest.json", MANIFEST.encode()), ("logs/a/b/c.log", bytes(100 * 1024 * 1024))),
    "no manifest": lambda p: archive(p, ("logs/a/b/c.log", b"x")),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_archive_is_refused(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(LitefsError) as refused:
        bundle.load(make(tmp_path / "x.tar.gz"))
    print(refused.value.message)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.tar.gz"], "nothing was written beside it"


@pytest.mark.parametrize("keep", [10, 200, -20])
def test_a_truncated_archive_is_refused(keep: int, tmp_path: Path) -> None:
    data = recording("healthy").read_bytes()
    (tmp_path / "x.tar.gz").write_bytes(data[:keep])
    with pytest.raises(LitefsError):
        bundle.load(tmp_path / "x.tar.gz")


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b"hello", mtime=0), gzip.compress(bytes(2048), mtime=0)])
def test_what_is_no_bundle_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(LitefsError) as refused:
        bundle.load(tmp_path / "x")
    assert "\n" not in refused.value.message


def test_a_directory_with_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(MANIFEST)
    (tmp_path / "logs").symlink_to("/etc")
    with pytest.raises(CouldNotLook, match="link"):
        bundle.load(tmp_path)


@pytest.mark.parametrize("manifest", [b"{", b"[]", b"[" * 100_000, b'{"format": 1, "namespaces": ["a"], "taken_at": "x"}', b'{"format": 1, "gaps": [1]}', b"\xff", b"null"])
def test_a_damaged_manifest_is_said_without_words_of_python(manifest: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(CouldNotLook, match=r"manifest\.json is damaged: ") as refused:
        bundle.load(tmp_path)
    assert not re.search(r"Error|indices|subscriptable|recursion|codec", refused.value.message), refused.value.message


def test_a_path_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file nor a directory"):
        bundle.load(Path(os.devnull))
    with pytest.raises(UsageError, match="no such file"):
        bundle.load(tmp_path / "nope")
