"""Documents that are made from code are in step with it, and the tools that help to add a rule work."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from kubectl_litefs import app, engine
from kubectl_litefs.cli.main import COMMANDS
from kubectl_litefs.model.report import Status
from kubectl_litefs.model.rule import Rule
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.rules import ALL
from tools import gen_docs, new_rule

from .harness import KEYS, Case, load_cases, snapshot

ROOT = Path(__file__).parent.parent


def test_generated_documents_are_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    code = gen_docs.main(["--check"])
    assert code == 0, capsys.readouterr().err


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf8"))
        if not (page.parent / link).exists()
    ]
    assert not broken


def test_every_case_key_is_explained() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf8")
    assert not [k for k in KEYS if f"`{k}" not in text]


def test_documents_name_only_commands_that_exist() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for command in re.findall(r"kubectl litefs ([a-z][a-z-]*)", page.read_text("utf8")):
            assert command in COMMANDS, f"{page.relative_to(ROOT)}: kubectl litefs {command}"


def test_what_each_command_can_reach_is_said() -> None:
    table = re.findall(r"^\| (`.*?) \|", (ROOT / "SECURITY.md").read_text("utf8"), re.MULTILINE)
    named = {name.split()[0] for row in table for name in re.findall(r"`([^`]+)`", row)}
    assert named == set(COMMANDS)


PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md")), *ROOT.glob("docs/**/*.md")]
PLACEHOLDER = re.compile(r"\b[A-Z][A-Z-]{1,}[A-Z](?=\b(?!\d))")


def typed(page: Path) -> Iterator[str]:
    """Every command of ours in a code span or a line of a block, up to what the shell does with it; words in capitals become values."""
    for command in re.findall(r"(?:^|[`|] ?)kubectl litefs ([^`\n]+)", page.read_text("utf8"), re.MULTILINE):
        words = re.split(r"\s(?:\|\|?|&&|>|#)\s|\s(?:\.\.\.|<TAB>)|$", command)[0]
        yield PLACEHOLDER.sub(lambda found: found[0].lower(), words)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_documents_tell_to_type_is_understood(page: Path) -> None:
    for command in typed(page):
        name, *words = shlex.split(command) or [""]
        if name in COMMANDS and words:  # a bare name only names it
            found: click.Command = importlib.import_module(f"kubectl_litefs.cli.{COMMANDS[name][0]}").command
            try:
                found.make_context(name, words, help_option_names=["-h", "--help"], resilient_parsing=False)
            except click.UsageError as error:
                pytest.fail(f"{page.name}: kubectl litefs {command}: {error.format_message()}")


@pytest.mark.parametrize("rule", ALL, ids=[r.id for r in ALL])
def test_every_rule_is_fully_told(rule: Rule) -> None:
    assert len(rule.title) <= 72
    assert rule.fix
    for text in (rule.symptom, rule.impact, rule.cause, *rule.fix):
        assert re.search(r"[.!:)]$", text.strip()), f"{rule.id}: no full stop after {text[-30:]!r}"
    known = {r.id for r in ALL}
    assert set(rule.follows) <= known - {rule.id}
    assert re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)+", rule.name)


def test_a_scaffolded_rule_works_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "kubectl_litefs" / "rules").mkdir(parents=True)
    (tmp_path / "tests" / "cases").mkdir(parents=True)
    made, cases, table = new_rule.scaffold("LFS716", "what-is-wrong", tmp_path)
    rule = _load(made)
    assert (rule.id, rule.name) == ("LFS716", "what-is-wrong")
    assert "    lfs716_what_is_wrong.RULE,\n" in table.read_text("utf8")
    outcomes = {}
    for name, body in yaml.safe_load(cases.read_text("utf8")).items():
        if name != "rule":
            report = engine.judge(assemble(snapshot(body)), (rule,))
            outcomes[name] = report.checks[0].status, len(report.findings)
    assert list(outcomes.values()) == [(Status.FAILED, 3), (Status.PASSED, 0), (Status.SKIPPED, 0)]


def _load(path: Path) -> Rule:
    name = f"kubectl_litefs.rules.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module.RULE  # type: ignore[no-any-return]


@pytest.mark.parametrize(("rule_id", "name"), [("LFS71", "x"), ("LFS716", "Not Good"), ("lfs716", "x")])
def test_a_scaffold_refuses_what_is_no_rule(tmp_path: Path, rule_id: str, name: str) -> None:
    with pytest.raises(SystemExit):
        new_rule.scaffold(rule_id, name, tmp_path)


def test_the_rule_list_is_what_the_tool_would_write() -> None:
    rules = ROOT / "kubectl_litefs" / "rules"
    listed = re.findall(r"\blfs\d{3}_\w+", (rules / "__init__.py").read_text("utf8"))
    assert listed == re.findall(r"\blfs\d{3}_\w+", new_rule.table(rules))


@pytest.mark.parametrize("case", [c for c in load_cases() if c.body.get("show")], ids=lambda c: c.id)
def test_no_finding_asks_for_the_same_log_twice(case: Case) -> None:
    for finding in app.judge(snapshot(case.body)).findings:
        asked = [re.sub(r" --tail=\d+$", "", c) for c in finding.commands]
        assert len(asked) == len(set(asked)), finding.rule
