"""What `__complete` answers to words that need no cluster, and how it fails."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import click
import pytest

from kubectl_litefs.cli import complete, main
from kubectl_litefs.cli.main import COMMANDS, cli
from kubectl_litefs.demo import SCENARIOS
from kubectl_litefs.rules import ALL

from ..cli.run import run, spawn
from .cluster import kubeconfig

Capsys = pytest.CaptureFixture[str]


def ask(*words: str) -> tuple[list[str], int]:
    """(values without their help, directive)."""
    lines, directive = complete.answer(cli, words)
    return [line.split("\t")[0] for line in lines], directive


def test_commands_with_their_help(capsys: Capsys) -> None:
    done = run(capsys, "__complete", "")
    assert (done.code, done.err) == (0, "")
    assert done.out == "".join(f"{n}\t{told}\n" for n, (_, told) in COMMANDS.items()) + ":4\n"


@pytest.mark.parametrize(("words", "values"), [
    (["ver"], ["version"]),
    (["diagnose", "--fail"], ["--fail-on"]),
    (["--ver"], ["--version"]),
    (["diagnose", "-o", ""], ["text", "json", "yaml", "sarif", "junit", "markdown"]),
    (["diagnose", "-o", "j"], ["json", "junit"]),
    (["diagnose", "--output=y"], ["yaml"]),
    (["diagnose", "-n", "x", "--color", "al"], ["always"]),
    (["diagnose", "-v", "--color", "n"], ["never"]),
    (["demo", ""], sorted(SCENARIOS)),
    (["demo", "two-faults", ""], []),
    (["explain", "LFS10"], [f"LFS{n}" for n in range(101, 110)]),
    (["explain", "lfs101"], ["lfs101"]),
    (["explain", "split"], ["split-brain"]),
    (["explain", ""], [r.id for r in ALL]),
    (["rbac", "d"], ["diagnose"]),
    (["completion", "in"], ["install"]),
    (["diagnose", "--token", ""], []),
    ([], list(COMMANDS)),
])  # fmt: skip
def test_static_words(words: list[str], values: list[str]) -> None:
    assert ask(*words) == (values, complete.NO_FILES)


@pytest.mark.parametrize("words", [["diagnose", "--from", ""], ["diagnose", "--kubeconfig", "x"], ["bundle", "-o", ""], ["diagnose", "--client-key=a"]])
def test_files_are_the_shells(words: list[str]) -> None:
    assert ask(*words) == ([], complete.FILES)


def test_folders_are_the_shells() -> None:
    assert ask("completion", "install", "--dir", "") == ([], complete.FOLDERS)


def test_an_option_that_was_given_is_not_offered_again() -> None:
    values, _ = ask("diagnose", "--strict", "--as-group", "a", "--")
    assert "--strict" not in values and "--as-group" in values and "--all" in values


@pytest.mark.parametrize(("line", "words"), [
    ("kubectl-litefs ", [""]),
    ("kubectl-litefs dia", ["dia"]),
    ("kubectl-litefs diagnose -n 'a b' --from \"x y", ["diagnose", "-n", "a b", "--from", "x y"]),
    ("kubectl-litefs --context=arn:aws:e", ["--context=arn:aws:e"]),
    ("kubectl-litefs diagnose a\\ ", ["diagnose", "a "]),
    ("", [""]),
])  # fmt: skip
def test_a_line_as_it_stands_in_the_shell(line: str, words: list[str]) -> None:
    assert complete.split(line) == words


def test_every_line_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.setitem(COMMANDS, "odd", ("version", "two\nlines\tand \x1b[31mred\u202e"))
    monkeypatch.setitem(COMMANDS, "odd\tname", ("version", "x"))
    done = run(capsys, "__complete", "odd")
    assert done.out == "odd\ttwo lines and [31mred\n:4\n"


def test_an_unknown_command_is_no_error(capsys: Capsys) -> None:
    done = run(capsys, "__complete", "nonsense", "")
    assert (done.code, done.out, done.err) == (0, ":4\n", "")


def test_a_bug_is_silent_but_for_the_debug_file(monkeypatch: pytest.MonkeyPatch, capsys: Capsys, tmp_path: Path) -> None:
    def broken(*_: object) -> list[str]:
        raise RuntimeError("boom")

    monkeypatch.setattr(main.LazyGroup, "shell_complete", broken)
    monkeypatch.setenv("BASH_COMP_DEBUG_FILE", str(tmp_path / "debug"))
    done = run(capsys, "__complete", "")
    assert (done.code, done.out, done.err) == (0, ":4\n", "")
    assert (tmp_path / "debug").read_text() == "kubectl-litefs: RuntimeError: boom\n"


CODE = """
import sys
from kubectl_litefs.cli.main import main
code = main(sys.argv[1:])
print(*sorted({m.split(".")[0] for m in sys.modules} & {"kubernetes", "requests", "urllib3", "rich", "yaml"}), file=sys.stderr)
print(*sorted(m for m in sys.modules if m.startswith(("kubectl_litefs.kube", "kubectl_litefs.gather"))), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [[""], ["diagnose", "-"], ["diagnose", "-o", ""], ["explain", ""], ["demo", ""], ["diagnose", "--from", ""], ["nonsense", "x"]])
def test_static_words_import_nothing_heavy(words: list[str]) -> None:
    done = spawn(["__complete", *words], code=CODE)
    assert done.out.endswith((":4\n", ":0\n"))
    assert done.err == "\n\n"


def test_listing_commands_imports_no_command() -> None:
    done = spawn(["__complete", ""], code="import sys\nfrom kubectl_litefs.cli.main import main\nmain(sys.argv[1:])\nprint('kubectl_litefs.cli.diagnose' in sys.modules)")
    assert done.out.endswith("\n:4\nFalse\n")


@pytest.mark.parametrize("words", [["diagnose", ""], ["diagnose", "-n", ""], ["diagnose", "--context", ""], ["diagnose", "--bogus", "-n", ""]])
def test_without_a_cluster_there_is_silence(words: list[str]) -> None:
    done = spawn(["__complete", *words], KUBECONFIG="/does/not/exist")
    assert (done.code, done.out, done.err) == (0, ":4\n", "")


def asked(config: Path) -> float:
    """Seconds until a program of its own says that it has no suggestions."""
    begun = time.monotonic()
    done = spawn(["__complete", "diagnose", ""], KUBECONFIG=str(config))
    took = time.monotonic() - begun
    assert (done.code, done.out, done.err) == (0, ":4\n", "")
    return took


@pytest.fixture
def patience(tmp_path: Path) -> float:
    """Seconds: the limit of two, and what starting Python a few times takes on this machine, as busy as it is now."""
    return 3 + 4 * asked(kubeconfig(tmp_path / "refused", "http://127.0.0.1:1"))


def test_a_server_that_never_answers(tmp_path: Path, patience: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        took = asked(config)
    assert 1.5 < took < patience


def test_a_login_program_that_hangs_or_talks(tmp_path: Path, patience: float) -> None:
    plugin = tmp_path / "login"
    plugin.write_text("#!/bin/sh\necho 'Please open a browser' >&2\n[ -t 0 ] && echo terminal >&2\nread answer\nexec sleep 30\n")
    plugin.chmod(0o755)
    config = kubeconfig(
        tmp_path / "config", "https://127.0.0.1:1",
        exec={"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "IfAvailable"},
    )  # fmt: skip
    assert asked(config) < patience


def test_it_is_no_command_that_help_shows(capsys: Capsys) -> None:
    assert "__complete" not in run(capsys, "--help").out
    assert isinstance(cli, click.Group) and "__complete" not in cli.list_commands(click.Context(cli))


def test_kubectls_executable_answers_the_same(capsys: Capsys) -> None:
    done = spawn(["explain", "LFS101"], code="from kubectl_litefs.__main__ import complete\ncomplete()")
    assert (done.code, done.err) == (0, "")
    assert done.out == run(capsys, "__complete", "explain", "LFS101").out == "LFS101\terror: cluster-id-mismatch\n:4\n"


def test_the_executable_is_declared() -> None:
    text = (Path(__file__).parent.parent.parent / "pyproject.toml").read_text("utf8")
    assert json.dumps("kubectl_litefs.__main__:complete") in text.split("kubectl_complete-litefs = ")[1].splitlines()[0]
