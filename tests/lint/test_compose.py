"""Compose files with anything anywhere: nothing breaks, and nothing is claimed of what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.parse.files.compose import interpolated, services_in
from kubectl_litefs.parse.files.outside import Outside
from kubectl_litefs.parse.unseen import UNKNOWN

ODD = st.recursive(
    st.sampled_from([None, True, 0, -1.5, "", "x", "${", "$$", "${A:-${B}}", "a=b", "/dev", "C:\\x:/y", ":::", "'", "./a:/b:ro"]),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "source", "target", "file", "service", "args"]), inner, max_size=3)),
    max_leaves=4,
)  # fmt: skip
KEYS = st.sampled_from(
    ["build", "command", "entrypoint", "environment", "env_file", "volumes", "tmpfs", "configs", "user", "working_dir", "hostname", "network_mode", "extends",
     "privileged", "cap_add", "devices", "runtime", "image"]
)  # fmt: skip


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["a", "b"]), st.one_of(ODD, st.dictionaries(KEYS, ODD, max_size=6)), max_size=2), ODD)
def test_anything_may_stand_anywhere(services: dict[str, Any], configs: object) -> None:
    text = yaml.safe_dump({"services": services, "configs": configs})
    found = list(services_in("compose.yaml", text))
    assert all(isinstance(one, Outside) for one in found)
    assert [one.name for one in found if isinstance(one, Outside)] == [f"compose.yaml#{n}" for n in sorted(services) if isinstance(services[n], dict)]
    lines = [disk.place.line for one in found if isinstance(one, Outside) for disk in one.disks]
    assert all(1 <= line <= len(text.splitlines()) for line in lines)


@pytest.mark.parametrize(
    ("text", "result"),
    [("a$$b", "a$b"), ("$A-b", f"{UNKNOWN}-b"), ("${A}b", f"{UNKNOWN}b"), ("${A:-${B:-c}}d", f"{UNKNOWN}d"), ("${A", UNKNOWN), ("$", "$"), ("$1", "$1"), ("$${A}", "${A}")],
)  # fmt: skip
def test_what_the_shell_fills_in_is_unknown(text: str, result: str) -> None:
    assert interpolated(text) == result


@pytest.mark.parametrize(
    ("volume", "kind", "source", "path"),
    [("data:/x", "volume", "data", "/x"), ("/x", "volume", "", "/x"), ("./a:/x:ro,z", "bind", "a", "/x"), ("/h:/x", "bind", "/h", "/x"), ("C:\\h:/x", "bind", "C:\\h", "/x")],
)  # fmt: skip
def test_volumes_in_one_line(volume: str, kind: str, source: str, path: str) -> None:
    (service,) = services_in("compose.yaml", yaml.safe_dump({"services": {"a": {"image": "x", "volumes": [volume]}}}))
    assert isinstance(service, Outside)
    assert [(d.kind, d.source, d.path) for d in service.disks] == [(kind, source, path)]
