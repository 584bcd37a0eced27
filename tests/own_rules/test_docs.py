"""The example of docs/own-rules.md is carried out as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubectl_litefs import app
from kubectl_litefs.cli.main import COMMANDS
from kubectl_litefs.demo import path as recording
from kubectl_litefs.model.custom import Custom
from kubectl_litefs.own_rules.asks import NAMES
from kubectl_litefs.own_rules.load import FIELDS
from kubectl_litefs.own_rules.when import SOURCES
from kubectl_litefs.render import text as as_text

from ..cli.run import run
from ..harness import snapshot
from .rules import read

PAGE = (Path(__file__).parents[2] / "docs" / "own-rules.md").read_text("utf8")
BLOCKS = dict(re.findall(r"<!-- example: (\w+) -->\n```\w*\n(.*?)```", PAGE, re.DOTALL))


def test_the_example_finds_what_the_page_says() -> None:
    loaded = read(BLOCKS["rules"])
    assert not loaded.problems
    custom = Custom(rules=tuple(loaded.rules), patterns=tuple(loaded.patterns))
    report = app.judge(snapshot({"more-log": dict.fromkeys(("abaci-app-0", "abaci-app-1"), "slow query took 12 s\n")}), custom)
    told = as_text.render(report, width=80, color=False, verbose=False, show_all=False)
    assert BLOCKS["output"] in told
    assert "abaci-app-0, a primary with replicas, logged a query of 12 s: slow query took 12 s" in " ".join(told.split())
    assert {f.rule for f in report.findings if not f.rule.startswith("LFS")} == {"ACME-1", "ACME-2"}


def test_the_example_from_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(BLOCKS["rules"], "utf8")
    assert run(capsys, "rules", "--check", str(file)).out == "3 rules, nothing wrong: ACME-1, ACME-2, ACME-3\n"
    healthy = str(recording("healthy"))
    assert run(capsys, "diagnose", "--from", healthy).code == 0
    done = run(capsys, "diagnose", "--from", healthy, "--rules", str(file), "--fail-on", "warning", "--ignore", "LFS711: known", "--no-config")
    assert done.code == 1 and "ACME-1 memory-limit-missing" in done.out
    assert run(capsys, "diagnose", "--from", healthy, "--rules", str(file), "--fail-on", "warning", "--ignore", "LFS711: known", "--ignore", "ACME-1: known").code == 0


def test_a_wrong_file_ends_the_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(BLOCKS["rules"].replace("spec.replicas", "spek.replicas").replace("severity: info", "severity: none"), "utf8")
    done = run(capsys, "diagnose", "--from", str(recording("healthy")), "--rules", str(file))
    assert (done.code, done.out) == (2, "") and f"{file}:19: there is no severity 'none'" in done.err and "(and 1 more)" in done.err
    checked = run(capsys, "rules", "--check", str(file))
    assert checked.code == 2 and [line.split(": ")[0] for line in checked.out.splitlines()] == [f"{file}:19", f"{file}:32"]
    assert run(capsys, "diagnose", "--from", str(recording("healthy")), "--rules", str(tmp_path / "none")).code == 2


def test_the_page_names_every_field() -> None:
    for name in (*FIELDS, *SOURCES, *NAMES, "seen", "run"):
        assert f"`{name}" in PAGE, name
    assert "rules" in COMMANDS
