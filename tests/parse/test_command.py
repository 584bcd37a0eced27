"""How LiteFS is started, told from a container's command and args."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.model.pod import LitefsCommand
from kubectl_litefs.parse.command import litefs_command
from kubectl_litefs.parse.container_start import kubelet_expand
from kubectl_litefs.parse.mount_flags import parse_mount
from kubectl_litefs.parse.wrappers import peel

from .podspec import pod

TOO_MANY = "too many arguments, specify a '--' to specify an exec command"
USAGE = "litefs prints its usage and exits with code 2"


def command(*words: str, args: list[str] | None = None, **more: Any) -> LitefsCommand | None:
    container: dict[str, Any] = {"name": "app", **more}
    if words:
        container["command"] = list(words)
    if args is not None:
        container["args"] = args
    return litefs_command(container, pod(container), "spec.containers.0")


def found(*words: str, **more: Any) -> LitefsCommand:
    result = command(*words, **more)
    assert result is not None
    return result


@pytest.mark.parametrize(
    "words",
    [
        ("node", "server.js"),
        ("sh", "-c", "echo litefs mount"),
        ("sh", "-c", "node litefs.js"),
        ("sh", "-c", "if"),
        ("ls", "/litefs"),
        ("kubectl", "exec", "x", "--", "node"),
        ("litefs-exporter", "mount"),
        (),
    ],
)
def test_no_sign_of_litefs(words: tuple[str, ...]) -> None:
    assert command(*words) is None


@pytest.mark.parametrize(
    "words",
    [
        ("litefs", "mount"),
        ("/usr/local/bin/litefs", "mount"),
        ("tini", "--", "litefs", "mount"),
        ("/sbin/tini", "-v", "-e", "143", "--", "litefs", "mount"),
        ("dumb-init", "litefs", "mount"),
        ("su-exec", "app", "litefs", "mount"),
        ("env", "-u", "B", "A=b", "litefs", "mount"),
        ("timeout", "-k", "5", "60", "litefs", "mount"),
        ("/docker-entrypoint.sh", "litefs", "mount"),
        ("sh", "-c", "exec litefs mount"),
        ("/bin/bash", "-ec", "litefs mount"),
        ("sh", "-c", "set -e; sleep 1 && litefs mount"),
        ("sh", "-c", "if [ -f /x ]; then litefs mount; else litefs mount; fi"),
        ("sh", "-c", "exec tini -- litefs mount"),
        ("sh", "-c", 'exec "$@"', "sh", "litefs", "mount"),
        ("sh", "-c", "litefs version; litefs mount"),
        ("tini", "--", "sh", "-c", "litefs mount"),
    ],
)
def test_litefs_mount(words: tuple[str, ...]) -> None:
    result = found(*words)
    assert result.subcommand == "mount"
    assert result.problem is None
    assert result.words[-1] == "mount"
    assert result.evidence.excerpt.startswith("spec.containers.0.command: [")


def test_args_alone() -> None:
    assert found(args=["litefs", "mount"]).subcommand == "mount"
    assert found(args=["mount"]).words == ("litefs", "mount")
    assert found(args=["mount", "-config", "/x"]).config_path == "/x"
    assert command(args=["mount", "-t", "nfs", "server:/x", "/y"]) is None
    assert command(args=["mount", "/dev/sda1"]) is None
    assert found("sh", "-c", args=["litefs mount"]).through_shell
    assert command("entry", args=["mount"]) is None


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("litefs",), USAGE),
        (("litefs", "help"), USAGE),
        (("litefs", "-config", "/etc/litefs.yml"), USAGE),
        (("litefs", "status"), "litefs status: unknown command"),
        (("litefs mount",), 'exec: "litefs mount": executable file not found in $PATH'),
        (("litefs", "mount", "node", "server.js"), TOO_MANY),
        (("litefs", "mount", "-foo"), "flag provided but not defined: -foo"),
        (("litefs", "mount", "-config"), "flag needs an argument: -config"),
        (("litefs", "mount", "---config"), "bad flag syntax: ---config"),
        (("litefs", "mount", "-debug=maybe"), 'invalid boolean value "maybe" for -debug: parse error'),
        (("litefs", "mount", "-h"), USAGE),
        (("litefs", "version"), None),
        (("litefs", "mount", "--skip-unmount", "--", "-foo"), None),
        (("sh", "-c", "litefs mount $FLAGS"), None),
    ],
)
def test_problems(words: tuple[str, ...], problem: str | None) -> None:
    assert found(*words).problem == problem


def test_flags() -> None:
    result = found("litefs", "mount", "-config=/a", "--no-expand-env", "-skip-unmount=false", "--", "node", "a b")
    assert (result.config_path, result.expand_env, result.skip_unmount) == ("/a", False, False)
    assert result.after_dashes == ("node", "a b")
    assert found("litefs", "mount", "--").after_dashes == ()
    assert found("litefs", "mount").after_dashes is None
    assert parse_mount(["-no-expand-env=0"]).expand_env


@pytest.mark.parametrize(
    ("script", "through", "tail"),
    [
        ("exec litefs mount", False, ""),
        ("litefs mount", True, ""),
        ("litefs mount && node x.js", True, "&& node x.js"),
        ("litefs mount; node x.js # start", True, "; node x.js # start"),
        ("litefs mount\nnode x.js\n", True, "node x.js"),
        ("if true; then litefs mount; fi\n", True, ""),
        ("litefs mount & node x.js", True, ""),
        ("litefs mount -- sh -c 'a && b'", True, ""),
    ],
)
def test_what_the_shell_runs_afterwards(script: str, through: bool, tail: str) -> None:
    result = found("sh", "-c", script)
    assert (result.through_shell, result.shell_tail) == (through, tail)


@pytest.mark.parametrize(
    ("words", "switch", "user"),
    [
        (("su-exec", "app:app"), "su-exec", "app:app"),
        (("gosu", "1000"), "gosu", "1000"),
        (("setpriv", "--reuid=1000", "--clear-groups"), "setpriv", "1000"),
        (("setpriv", "--reuid", "1000", "--regid", "1000"), "setpriv", "1000"),
        (("sudo", "-E", "-u", "app", "--"), "sudo", "app"),
        (("chpst", "-u", "app"), "chpst", "app"),
        (("nohup",), None, None),
    ],
)
def test_user_switches(words: tuple[str, ...], switch: str | None, user: str | None) -> None:
    result = found(*words, "litefs", "mount")
    assert (result.user_switch, result.user_switch_to) == (switch, user)


def test_variables_of_the_kubelet_and_of_the_shell() -> None:
    env = [{"name": "CFG", "value": "/from/env"}, {"name": "HIDDEN", "valueFrom": {"secretKeyRef": {}}}]
    assert found("litefs", "mount", "-config", "$(CFG)", env=env).config_path == "/from/env"
    assert found("sh", "-c", "litefs mount -config $CFG", env=env).config_path == "/from/env"
    hidden = found("sh", "-c", "litefs mount -config $HIDDEN", env=env)
    assert (hidden.config_path, hidden.problem) == ("$HIDDEN", None)
    assert hidden.words[-1] == "$HIDDEN"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)", "1"), ("$(hostname)", "$(hostname)"), ("$$(A)", "$(A)"), ("$$", "$"), ("$A", "$A"), ("$(A", "$(A")],
)
def test_the_kubelets_expansion(text: str, expanded: str) -> None:
    assert kubelet_expand(text, {"A": "1"}) == expanded


def test_peeling_ends() -> None:
    assert peel(["exec"] * 50 + ["litefs"]).words[-1] == "litefs"
    assert peel([]).words == ()
    assert peel(["su-exec"]).words == ()


@given(st.lists(st.sampled_from(["litefs", "mount", "--", "-config", "sh", "-c", "env", "A=b", "su-exec", "", "$(", "'"])))
def test_never_raises(words: list[str]) -> None:
    result = command(*words)
    assert result is None or result.words


@pytest.mark.parametrize("container", [{}, {"command": "litefs mount"}, {"command": [1, None]}, {"env": [None, {}]}])
def test_odd_objects(container: dict[str, Any]) -> None:
    assert litefs_command(container, pod(container), "spec.containers.0") is None
