"""Words that are wrong, bugs, interruptions: each gets plain lines and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kubectl_litefs.cli import diagnose, main
from kubectl_litefs.errors import CouldNotLook
from kubectl_litefs.exitcodes import ExitCode

from .run import ROOT, run

Capsys = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["diagnos"], "did you mean diagnose?"),
        (["zzz"], "there is diagnose, status, diff, fix-cluster-id, rescue, lint, render"),
        (["diagnose", "-o", "jsn"], "did you mean json?"),
        (["diagnose", "-o", "xml"], "none of text, json, yaml"),
        (["diagnose", "--fail-on", "warnings"], "did you mean warning?"),
        (["diagnose", "--colour", "never"], "--color"),
        (["diagnose", "--color", "sometimes"], "none of auto, always, never"),
        (["diagnose", "--timeout", "soon"], "no duration"),
        (["diagnose", "--request-timeout", "-5s"], "no duration"),
        (["diagnose", "-v", "11", "--from", "x"], "11"),
        (["diagnose", "-n", "a", "-A"], "exclude each other"),
        (["diagnose", "-n", ""], "name of a namespace"),
        (["diagnose", "-l", "a=b", "pod/x"], "exclude each other"),
        (["diagnose", "--from", "x", "-n", "a", "--as", "b"], "--namespace, --as cannot apply"),
        (["bundle", "-o", "x.zip"], ".tar.gz"),
        (["bundle"], "-o"),
        (["-n", "abaci", "diagnose"], "flags come after the command"),
        (["rescue", "-n", "abaci", "save"], "flags come after the command"),
        (["explain"], "RULE"),
        (["diagnose", "--from", "a.tar.gz", "--from", "b.tar.gz"], "one bundle at a time; kubectl litefs diff A B compares two"),
        (["completion"], "argument 'WHAT'. There is bash, zsh"),
        (["completion", "tcsh"], "value for 'WHAT': 'tcsh' is none of bash"),
        (["demo", ""], "no recording ''"),
        (["rules", "--check", "x.yaml", "-o", "json"], "-o has nothing to write"),
        (["diagnose", "sts/", "--from", str(ROOT / "kubectl_litefs/demo/healthy.tar.gz")], '"sts/" says no name behind the /\nhint:  There is: abaci-app\n'),
        (["rbac"], "There is diagnose, bundle, fix-cluster-id, rescue"),
        (["demo", "helthy"], "did you mean healthy?"),
    ],
)
def test_wrong_words_end_with_2_and_the_nearest_right_ones(capsys: Capsys, args: list[str], says: str) -> None:
    done = run(capsys, *args)
    assert done.code == ExitCode.USAGE, done.err
    assert says in done.err
    assert done.err.startswith("error: ")
    assert done.out == ""
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["diagnose", "--from"], "kubectl litefs diagnose --help"),
        (["rescue", "run", "x", "--source"], "kubectl litefs rescue run --help"),
        (["rules", "--check"], "kubectl litefs rules --help"),
        (["--version=1"], "kubectl litefs --help"),
    ],
)
def test_a_flag_without_its_value_is_answered_with_the_help_that_explains_it(capsys: Capsys, args: list[str], hint: str) -> None:
    done = run(capsys, *args)
    assert (done.code, done.out, done.err.splitlines()[1:]) == (ExitCode.USAGE, "", [f"hint:  {hint}"])
    assert run(capsys, *hint.split()[2:]).code == 0


@pytest.mark.parametrize(
    "args",
    [
        ["diagnose", "--from="], ["status", "--from="], ["render", "--from="], ["render", "-f", ""], ["diff", "", ""], ["lint", ""], ["diagnose", "--logs="],
        ["diagnose", "-f", ""], ["diagnose", "--rules="], ["diagnose", "--config="], ["rules", "--check="], ["bundle", "-o", ""], ["completion", "install", "--dir="],
    ],
)  # fmt: skip
def test_an_empty_path_is_not_the_folder_one_happens_to_be_in(
    capsys: Capsys, args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: abaci-app-0, namespace: abaci}}", "utf8")
    monkeypatch.chdir(tmp_path)
    done = run(capsys, *args)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "an empty path" in done.err


def test_help_is_spelled_as_kubectl_is_called(capsys: Capsys) -> None:
    bare, asked, command = run(capsys), run(capsys, "--help"), run(capsys, "diagnose", "-h")
    assert bare.code == asked.code == command.code == 0
    assert bare.out == asked.out
    assert bare.out.startswith("Usage: kubectl litefs ")
    assert command.out.startswith("Usage: kubectl litefs diagnose ")
    assert all(name in bare.out for name in main.COMMANDS)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_help(capsys: Capsys, name: str) -> None:
    done = run(capsys, name, "--help")
    assert done.code == 0
    assert f"Usage: kubectl litefs {name}" in done.out


def test_a_command_of_commands_alone_shows_its_help(capsys: Capsys) -> None:
    ctx = click.Context(main.cli)
    groups = [name for name in main.COMMANDS if isinstance(main.cli.get_command(ctx, name), click.Group)]
    assert groups
    for name in groups:
        alone, asked = run(capsys, name), run(capsys, name, "--help")
        assert (alone.code, alone.out, alone.err) == (0, asked.out, "")


def commands(group: click.Group, *above: str) -> Iterator[list[str]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        yield [*above, name]
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)


@pytest.mark.parametrize("words", [[], *commands(main.cli)], ids=" ".join)
def test_every_help_fits_the_terminal(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = run(capsys, *words, "--help").out
    assert told and not [line for line in told.splitlines() if len(line) > 80]


def _raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(diagnose, "_replay", broken)


def test_an_error_has_a_message_a_hint_and_a_code(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    _raises(monkeypatch, CouldNotLook("x", "it is \x1b[2J dark", hint="Light a candle."))
    done = run(capsys, "diagnose", "--from", "x")
    assert (done.code, done.out) == (3, "")
    assert done.err == "error: it is ?[2J dark\nhint:  Light a candle.\n"


def test_a_bug_is_one_line_that_says_where_to_report_it(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    _raises(monkeypatch, RuntimeError("a\nb"))
    done = run(capsys, "diagnose", "--from", "x")
    assert done.code == ExitCode.BUG
    assert len(done.err.splitlines()) == 1
    assert "a bug in kubectl-litefs: RuntimeError: a b; please report it at " in done.err
    assert "OWNER" not in done.err, "nobody's repository takes no reports"


@pytest.mark.parametrize("flag", [["-v", "9"], ["-v9"]])
def test_the_traceback_of_a_bug_comes_on_demand(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, flag: list[str]) -> None:
    _raises(monkeypatch, RuntimeError("x"))
    assert "Traceback (most recent call last)" in run(capsys, "diagnose", "--from", "x", *flag).err
    assert "Traceback" not in run(capsys, "diagnose", "--from", "x", "-v").err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(capsys: Capsys, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    _raises(monkeypatch, error)
    done = run(capsys, "diagnose", "--from", "x")
    assert (done.code, done.out, done.err.strip()) == (130, "", "")


def test_v_may_stand_before_a_name(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def look(ctx: click.Context, bundle: Path, names: tuple[str, ...], custom: object, files: object) -> None:
        seen.append((names, ctx.params["verbosity"]))
        raise CouldNotLook("x", "enough")

    monkeypatch.setattr(diagnose, "_replay", look)
    for words in (["-v", "pod/x"], ["pod/x", "-v"], ["-v", "1", "pod/x"], ["--", "pod/x"]):
        run(capsys, "diagnose", "--from", "b", *words)
    assert seen == [(("pod/x",), 1)] * 3 + [(("pod/x",), 0)]


def _shell(line: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(["bash", "-c", line], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = _shell('"$PYTHON" -m kubectl_litefs --help | true; "$PYTHON" -m kubectl_litefs rules -o json | head -c 1 > /dev/null')
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_success() -> None:
    for words in ("rules", "--help", "lint -h", "rescue"):
        done = _shell(f'"$PYTHON" -m kubectl_litefs {words} > /dev/full')
        assert done.returncode == ExitCode.COULD_NOT_LOOK
        assert "cannot write the result" in done.stderr
        assert "Traceback" not in done.stderr and "bug" not in done.stderr


def test_closed_streams_and_a_poor_locale_are_no_bug() -> None:
    assert _shell('"$PYTHON" -m kubectl_litefs version >&- 2>&-').returncode == 0
    assert _shell('PYTHONIOENCODING=ascii LC_ALL=C "$PYTHON" -m kubectl_litefs rules').returncode == 0
