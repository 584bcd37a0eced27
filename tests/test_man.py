"""The manual page: every command and option is on it, and what reads manual pages has nothing to say against it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from kubectl_litefs.cli.main import PROG, cli
from kubectl_litefs.exitcodes import MEANINGS
from tools import man

PAGE = Path(__file__).parent.parent / "docs" / "kubectl-litefs.1"


def unescaped(text: str) -> str:
    """What a reader sees of a line of the source."""
    for char, escape in sorted(man.ESCAPES.items(), key=lambda pair: pair[0] == "\\"):
        text = text.replace(escape, char)
    return re.sub(r"\\f[BRI]|^\\&", "", text)


def test_every_command_and_option_has_its_place() -> None:
    text = unescaped(PAGE.read_text("utf8"))
    of_commands, everything = text.partition(".SH OPTIONS AS IN KUBECTL")[0], text
    for command, ctx in man.commands(cli, click.Context(cli, info_name=PROG)):
        heading = f".SS {ctx.command_path}\n"
        assert heading in of_commands
        own = of_commands.partition(heading)[2].partition("\n.SS ")[0]
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                name = max(param.opts, key=len)
                assert name in own or ("as in kubectl, below" in own and name in everything), f"{ctx.command_path} {name}"


def test_every_exit_code_is_told() -> None:
    told = PAGE.read_text("utf8").partition(".SH EXIT STATUS")[2].partition(".SH")[0]
    assert re.findall(r"^\\fB(\d+)\\fR$", told, re.MULTILINE) == [str(int(code)) for code in MEANINGS]


@pytest.mark.parametrize(("text", "page"), [(".TH x", "\\&.TH x"), ("'s --as\\n", "\\(aqs \\-\\-as\\en"), ("a `b` ~/.c", "a \\(gab\\(ga \\(ti/.c")])
def test_what_troff_would_read_as_a_request_is_text(text: str, page: str) -> None:
    assert man.roff(text) == page
    assert unescaped(page) == text


def test_a_line_that_begins_with_a_dot_by_wrapping_is_text() -> None:
    assert all(not line.startswith((".", "'")) for line in man.filled(".a " * 60).split("\n"))


def read_by(*words: str) -> str:
    """What the program says on standard error, or on standard output where it only checks. Skips where it is not here."""
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"no {words[0]} here")
    done = subprocess.run([program, *words[1:], str(PAGE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout if "-Tlint" in words else done.stderr


@pytest.mark.parametrize("words", [("mandoc", "-Tlint", "-Wstyle"), ("groff", "-man", "-Tutf8", "-ww"), ("man", "--warnings", "-l")], ids=lambda w: w[0])
def test_readers_of_manual_pages_have_nothing_to_say(words: tuple[str, ...]) -> None:
    assert read_by(*words) == ""
