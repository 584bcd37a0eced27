"""What is not needed is not imported."""

from __future__ import annotations

import pytest

from kubectl_litefs.demo import DEFAULT, path

from .run import spawn

CODE = """
import sys
from kubectl_litefs.cli.main import main
code = main(sys.argv[1:])
print("imported:", *sorted({m.split(".")[0] for m in sys.modules}), file=sys.stderr)
print("commands:", *sorted(m for m in sys.modules if m.startswith("kubectl_litefs.")), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"kubernetes", "requests", "urllib3", "yaml", "rich"}


def imported(*args: str) -> tuple[set[str], set[str]]:
    done = spawn(args, code=CODE)
    told = dict(line.split(": ", 1) for line in done.err.splitlines() if ": " in line)
    return set(told["imported"].split()), set(told["commands"].split())


@pytest.mark.parametrize("args", [["--help"], ["rules"], ["version"], ["explain", "LFS101"], ["demo", "--list"], ["rules", "-o", "json"]])
def test_light_commands_import_nothing_heavy(args: list[str]) -> None:
    third_party, _ = imported(*args)
    assert not HEAVY & third_party


def test_help_imports_no_command_and_no_rule() -> None:
    _, own = imported("--help")
    assert not {f"kubectl_litefs.cli.{n}" for n in ("diagnose", "rules", "demo", "bundle")} & own
    assert not [m for m in own if m.startswith("kubectl_litefs.rules")]


def test_an_offline_diagnosis_needs_no_client() -> None:
    third_party, own = imported("diagnose", "--from", str(path(DEFAULT)))
    assert not {"kubernetes", "requests", "urllib3", "rich"} & third_party
    assert not [m for m in own if m.startswith("kubectl_litefs.kube") or m == "kubectl_litefs.gather.live"]
