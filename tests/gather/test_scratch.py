"""A machine without any folder to write to: a container whose root is read-only and that has no volume at /tmp."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from kubectl_litefs.errors import CouldNotLook
from kubectl_litefs.gather import bundle, scratch
from kubectl_litefs.gather.logs import Log

from ..test_recordings import recording


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere/tmp"])
    with pytest.raises(FileNotFoundError):
        tempfile.gettempdir()


@pytest.mark.usefixtures("nowhere")
def test_a_bundle_is_read_without_a_folder_to_unpack_it() -> None:
    assert scratch.folder() is None
    read = bundle.load(recording("healthy"))
    assert read.items and all(b"".join(item.open()) == b"".join(item.open()) != b"" for item in read.items.values())


def test_it_says_the_same_as_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {name: item.read() for name, item in bundle.load(recording("healthy")).items.items()}
    monkeypatch.setattr(scratch, "folder", lambda: None)
    assert {name: item.read() for name, item in bundle.load(recording("healthy")).items.items()} == usual


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("keep", [200, 4000, -20])
def test_a_truncated_archive_is_refused_there_too(keep: int, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(recording("healthy").read_bytes()[:keep])
    with pytest.raises(CouldNotLook, match="damaged"):
        bundle.load(tmp_path / "x.tar.gz")


@pytest.mark.usefixtures("nowhere")
def test_a_long_log_is_kept_in_memory() -> None:
    data = b"line\n" * 200_000
    assert b"".join(Log(data, "").open()) == data


def test_a_long_log_goes_to_a_file_where_there_is_a_folder() -> None:
    with scratch.file(1000) as file:
        file.write(bytes(2000))
        assert file.fileno() > 2, "a file of the system, not memory"
