"""Whole outputs for recorded clusters. `--update-golden` writes them anew; read the difference before you keep it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_litefs.app import diagnose_bundle
from kubectl_litefs.demo import path
from kubectl_litefs.render import text

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("terminal", [False, True], ids=["piped", "terminal"])
@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", ["healthy", "cluster-id-mismatch", "primary-volume-recreated"])
def test_golden(name: str, width: int, terminal: bool, request: pytest.FixtureRequest) -> None:
    report = diagnose_bundle(path(name))
    told = text.render(report, width=width, color=terminal, fancy=terminal, verbose=False, show_all=False)
    golden = GOLDEN / f"{name}-{width}-{'terminal' if terminal else 'piped'}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(told, "utf8")
    assert told == golden.read_text("utf8"), f"differs from {golden.name}; --update-golden writes it anew"
