"""Where litefs.yml is, and the words for where it cannot be seen."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_litefs.model.config import ConfigFile, Sight
from kubectl_litefs.model.origin import Gap, GapReason
from kubectl_litefs.parse.command import litefs_command
from kubectl_litefs.parse.env import resolve_env, spec_env
from kubectl_litefs.parse.find_config import find_config
from kubectl_litefs.parse.mounted import follow_in_pod

from .podspec import CONFIGMAPS, FIELD, PODS, configmap, pod, reader

TEXT = "lease: {type: static, hostname: $HOSTNAME}\n"
MAPS = reader(configmap("litefs", {"litefs.yml": TEXT, "start.sh": "exec litefs mount -config /c/litefs.yml\n"}))
START = ["litefs", "mount", "-config", "/c/litefs.yml"]
AT_C = [{"name": "v", "mountPath": "/c"}]
FROM_MAP = [{"name": "v", "configMap": {"name": "litefs"}}]
EMPTY = [{"name": "v", "emptyDir": {}}]


def find(container: dict[str, Any], *, maps: Any = MAPS, **spec: Any) -> ConfigFile | Gap:
    subject = pod(container, **spec)
    given = subject.items("spec.containers")[0]
    command = litefs_command(given, pod(given), FIELD)
    start, scene = follow_in_pod(subject, given, FIELD, maps, "app-0", spec_env)
    env, complete = resolve_env(subject, given, FIELD, maps, start)
    return find_config(subject, given, start, scene, command, env, complete, "app-0")


def config(container: dict[str, Any], **more: Any) -> ConfigFile:
    found = find(container, **more)
    assert isinstance(found, ConfigFile), found
    return found


def gap(container: dict[str, Any], **more: Any) -> Gap:
    found = find(container, **more)
    assert isinstance(found, Gap), found
    assert found.what == "config/abaci/app-0"
    return found


PROJECTED = {"projected": {"sources": [{"serviceAccountToken": {}}, {"configMap": {"name": "litefs"}}]}}


@pytest.mark.parametrize(
    ("container", "volumes"),
    [
        ({"command": START, "volumeMounts": AT_C}, FROM_MAP),
        ({"command": START, "volumeMounts": AT_C}, [{"name": "v", **PROJECTED}]),
        (
            {"command": ["litefs", "mount", "-config", "/c/x/my.yml"], "volumeMounts": AT_C},
            [{"name": "v", "configMap": {"name": "litefs", "items": [{"key": "litefs.yml", "path": "x/my.yml"}]}}],
        ),
        (
            {
                "command": ["litefs", "mount"],
                "volumeMounts": [{"name": "v", "mountPath": "/etc/litefs.yml", "subPath": "litefs.yml"}],
            },
            FROM_MAP,
        ),
        ({"command": ["litefs", "mount"], "workingDir": "/c", "volumeMounts": AT_C}, FROM_MAP),
        ({"command": ["litefs", "mount", "-config", "litefs.yml"], "workingDir": "/c", "volumeMounts": AT_C}, FROM_MAP),
        ({"command": ["sh", "-c", "cd /c && litefs mount"], "volumeMounts": AT_C}, FROM_MAP),
        ({"command": ["sh", "-c", "CFG=/c/litefs.yml; litefs mount -config $CFG"], "volumeMounts": AT_C}, FROM_MAP),
        ({"args": ["mount", "-config", "/c/litefs.yml"], "volumeMounts": AT_C}, FROM_MAP),
        ({"volumeMounts": AT_C}, FROM_MAP),
        ({"command": ["sh", "/c/start.sh"], "volumeMounts": AT_C}, FROM_MAP),
        ({"command": ["sh", "-c", "cp /c/litefs.yml /tmp/l.yml; litefs mount -config /tmp/l.yml"], "volumeMounts": AT_C}, FROM_MAP),
    ],
)
def test_configmaps(container: dict[str, Any], volumes: list[dict[str, Any]]) -> None:
    found = config(container, volumes=volumes)
    assert found.name == "ConfigMap litefs, key litefs.yml"
    assert found.source == CONFIGMAPS
    assert found.known("lease.hostname") == "app-0"


HEREDOC = "cat > /c/litefs.yml << EOF\nlease:\n  type: static\n  candidate: $CANDIDATE\n  hostname: \\$HOSTNAME\nEOF\n"


@pytest.mark.parametrize("mounts", [[], AT_C])
def test_a_file_the_command_writes(mounts: list[dict[str, Any]]) -> None:
    script = f"export CANDIDATE=false\n{HEREDOC}exec litefs mount -config /c/litefs.yml"
    found = config({"command": ["sh", "-c", script], "volumeMounts": mounts}, volumes=EMPTY)
    assert found.name == "the file that the command of container app writes"
    assert found.source == PODS
    assert found.known("lease.candidate") is False
    assert found.known("lease.hostname") == "app-0"
    assert found.values["lease.candidate"].evidence.line == 3


def test_an_undefined_variable_of_the_shell_is_one_of_the_file() -> None:
    found = config({"command": ["sh", "-c", f"{HEREDOC}exec litefs mount -config /c/litefs.yml"]})
    value = found.values["lease.candidate"]
    assert (value.value, value.sight) == (True, Sight.UNDEFINED)
    assert [(v.text, v.key, v.line) for v in found.variables] == [
        ("$CANDIDATE", "lease.candidate", 3),
        ("$HOSTNAME", "lease.hostname", 4),
    ]


def test_a_file_an_init_container_writes_under_another_path() -> None:
    init = {
        "name": "render",
        "command": ["sh", "-c", 'case "$HOSTNAME" in *-0) CANDIDATE=true;; *) CANDIDATE=false;; esac\n'
                    + HEREDOC.replace("/c/", "/work/")],
        "volumeMounts": [{"name": "v", "mountPath": "/work"}],
    }  # fmt: skip
    found = config({"command": START, "volumeMounts": AT_C}, volumes=EMPTY, initContainers=[init])
    assert found.name == "the file that the command of init container render writes"
    assert found.known("lease.candidate") is True
    below = [{"name": "v", "mountPath": "/etc/litefs.yml", "subPath": "litefs.yml"}]
    found = config({"command": ["litefs", "mount"], "volumeMounts": below}, volumes=EMPTY, initContainers=[init])
    assert found.path == "/etc/litefs.yml"


def test_a_value_through_a_file_of_an_init_container() -> None:
    init = {"name": "i", "command": ["sh", "-c", "echo false > /c/candidate"], "volumeMounts": AT_C}
    script = f"CANDIDATE=$(cat /c/candidate)\n{HEREDOC.replace('/c/', '/tmp/')}litefs mount -config /tmp/litefs.yml"
    found = config({"command": ["sh", "-c", script], "volumeMounts": AT_C}, volumes=EMPTY, initContainers=[init])
    assert found.known("lease.candidate") is False


@pytest.mark.parametrize(
    ("container", "spec", "why", "detail"),
    [
        ({"command": START}, {}, GapReason.NOT_ASKED, "inside the image"),
        ({"command": ["litefs", "mount"]}, {}, GapReason.NOT_ASKED, "inside the image"),
        ({}, {}, GapReason.NOT_ASKED, "inside the image"),
        (
            {"command": START, "volumeMounts": AT_C},
            {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
            GapReason.NOT_ASKED,
            "comes from Secret s, which is never read",
        ),
        (
            {"command": START, "volumeMounts": AT_C},
            {"volumes": [{"name": "v", "configMap": {"name": "hidden"}}]},
            GapReason.FORBIDDEN,
            "configmaps: get",
        ),
        (
            {"command": START, "volumeMounts": AT_C},
            {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]},
            GapReason.NOT_ASKED,
            "volume v (hostPath)",
        ),
        (
            {"command": START, "volumeMounts": AT_C},
            {"volumes": EMPTY, "initContainers": [{"name": "gen", "image": "gen", "volumeMounts": AT_C}]},
            GapReason.NOT_ASKED,
            "container gen writes it",
        ),
        ({"command": ["sh", "-c", "litefs mount -config $(pick)"]}, {}, GapReason.NOT_ASKED, "is computed"),
        (
            {"command": ["sh", "-c", "render > /tmp/l.yml; litefs mount -config /tmp/l.yml"]},
            {},
            GapReason.NOT_ASKED,
            "computes its content",
        ),
        (
            {"command": ["litefs", "mount", "-config", "litefs.yml"]},
            {},
            GapReason.NOT_ASKED,
            "relative to the image's working directory",
        ),
        ({"command": START, "volumeMounts": AT_C}, {"volumes": EMPTY}, GapReason.ABSENT, "surely missing: /c/litefs.yml"),
        (
            {"command": ["litefs", "mount", "-config", "/c/nope.yml"], "volumeMounts": AT_C},
            {"volumes": FROM_MAP},
            GapReason.ABSENT,
            "surely missing: /c/nope.yml: ConfigMap litefs has no nope.yml",
        ),
        (
            {"command": ["sh", "-c", "gen; litefs mount -config /c/litefs.yml"], "volumeMounts": AT_C},
            {"volumes": EMPTY},
            GapReason.NOT_ASKED,
            "a program that cannot be followed",
        ),
    ],
)
def test_gaps_say_why(container: dict[str, Any], spec: dict[str, Any], why: GapReason, detail: str) -> None:
    found = gap(container, **spec)
    assert found.why is why
    assert detail in found.detail


def test_flags_reach_the_reader() -> None:
    found = config({"command": [*START, "-no-expand-env", "--", "node", "x"], "volumeMounts": AT_C}, volumes=FROM_MAP)
    assert found.known("lease.hostname") == "$HOSTNAME"
    assert [e.cmd for e in found.execs] == ["node x"]


def test_a_sidecar_that_runs_beside_it_may_write() -> None:
    other = {"name": "side", "volumeMounts": AT_C}
    subject = pod({"command": START, "volumeMounts": AT_C}, volumes=EMPTY)
    subject.raw["spec"]["containers"].append(other)
    given = subject.items("spec.containers")[0]
    start, scene = follow_in_pod(subject, given, FIELD, MAPS, "app-0", spec_env)
    found = find_config(subject, given, start, scene, None, {}, True, "app-0")
    assert isinstance(found, Gap)
    assert "container side writes it" in found.detail


@pytest.mark.parametrize("spec", [{"volumes": "x"}, {"volumes": [{"name": "v", "configMap": None}]}, {"volumes": [{}]},
                                  {"initContainers": [{}]}, {"volumes": [{"name": "v", "projected": {"sources": [1]}}]}])  # fmt: skip
def test_odd_objects(spec: dict[str, Any]) -> None:
    assert isinstance(find({"command": START, "volumeMounts": [*AT_C, 1, {}]}, **spec), Gap)
