"""Flags become a target, a connection, and words in printed commands."""

from __future__ import annotations

import click
import pytest

from kubectl_litefs.cli import options
from kubectl_litefs.cli.diagnose import command
from kubectl_litefs.cli.params import NO_LIMIT, parse_duration


def context(*args: str) -> click.Context:
    return command.make_context("diagnose", list(args))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("1.5", 1.5), ("90s", 90), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("0", 0), ("0s", 0),
     ("5x", None), ("", None), ("-1s", None), ("s", None), ("1m 30s", None), ("inf", None), ("nan", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


def test_the_target() -> None:
    target = options.target(context("-n", "abaci", "--request-timeout", "2s", "--timeout", "1m"), ("pod/x",))
    assert (target.namespace, target.names, target.request_timeout, target.run_timeout) == ("abaci", ("pod/x",), 2, 60)


def test_no_limit_is_a_long_one() -> None:
    target = options.target(context("--request-timeout", "0", "--timeout", "0"))
    assert (target.request_timeout, target.run_timeout) == (NO_LIMIT, NO_LIMIT)


def test_defaults_are_the_context_and_fifteen_seconds() -> None:
    target = options.target(context())
    assert (target.namespace, target.all_namespaces, target.run_timeout) == (None, False, 15)


def test_what_was_typed_is_known() -> None:
    assert options.given(context("--from", "x")) == []
    assert options.given(context("-A", "-s", "https://x")) == ["--all-namespaces", "--server"]


def test_printed_commands_get_the_connection_and_never_the_token() -> None:
    ctx = context("-n", "a", "--context", "c", "--token", "secret", "--as-group", "g", "--as-group", "h", "--request-timeout", "1")
    assert options.kube_flags(ctx) == ("--context", "c", "--as-group", "g", "--as-group", "h")


def test_the_connection() -> None:
    made = options.connection(context("-n", "a", "--context", "c", "--as", "u", "--as-group", "g", "--token", "t"))
    assert (made.context, made.as_user, made.as_groups, made.token, made.namespace) == ("c", "u", ("g",), "t", "a")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("sts", "a", "b"), ("sts/a", "sts/b")),
        (("StatefulSet", "a"), ("StatefulSet/a",)),
        (("pod/a", "b"), ("pod/a", "b")),
        (("sts",), ("sts",)),
        (("a", "b"), ("a", "b")),
    ],
)
def test_kind_and_name_may_be_two_words(words: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert options.kind_and_names(words) == names
