"""The environment of a container, as the kubelet and its own script make it."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_litefs.model.config import Sight
from kubectl_litefs.model.objects import Obj
from kubectl_litefs.model.pod import EnvVar
from kubectl_litefs.parse.env import ConfigMaps, resolve_env, spec_env
from kubectl_litefs.parse.mounted import follow_in_pod

from .podspec import FIELD, configmap, pod, reader

MAPS = reader(configmap("settings", {"A": "1", "B": "2", "role": "r"}))


def started(subject: Obj, maps: ConfigMaps) -> tuple[dict[str, EnvVar], bool]:
    container = subject.items("spec.containers")[0]
    start, _ = follow_in_pod(subject, container, FIELD, maps, "app-0", spec_env)
    return resolve_env(subject, container, FIELD, maps, start)


def resolve(container: dict[str, Any], **spec: Any) -> tuple[dict[str, str | None], dict[str, Sight], bool]:
    """Values, sights, completeness."""
    subject = pod(container, **spec)
    env, complete = started(subject, MAPS)
    return {n: v.value for n, v in env.items()}, {n: v.sight for n, v in env.items()}, complete


def one(source: dict[str, Any]) -> tuple[str | None, Sight] | None:
    values, sights, _ = resolve({"env": [{"name": "X", **source}]})
    return (values["X"], sights["X"]) if "X" in values else None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "app-0"),
        ("metadata.namespace", "abaci"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['role']", "primary"),
        ("metadata.labels['app.kubernetes.io/name']", "abaci"),
        ("metadata.labels['none']", ""),
        ("spec.nodeName", "node-1"),
        ("status.podIP", "10.0.0.1"),
        ("status.hostIP", None),
        ("status.other", None),
    ],
)
def test_downward_api(path: str, expected: str | None) -> None:
    sight = Sight.UNKNOWN if expected is None else Sight.KNOWN
    assert one({"valueFrom": {"fieldRef": {"fieldPath": path}}}) == (expected, sight)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"configMapKeyRef": {"name": "settings", "key": "A"}}, ("1", Sight.KNOWN)),
        ({"configMapKeyRef": {"name": "settings", "key": "none", "optional": True}}, None),
        ({"configMapKeyRef": {"name": "none", "key": "A", "optional": True}}, None),
        ({"configMapKeyRef": {"name": "hidden", "key": "A"}}, (None, Sight.UNKNOWN)),
        ({"secretKeyRef": {"name": "s", "key": "A"}}, (None, Sight.UNKNOWN)),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, (None, Sight.UNKNOWN)),
    ],
)
def test_sources(source: dict[str, Any], expected: tuple[str | None, Sight] | None) -> None:
    assert one({"valueFrom": source}) == expected


def test_literal_values_and_references_in_order() -> None:
    env = [
        {"name": "LATER", "value": "$(POD)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "HOST", "value": "$(POD).headless"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "WITH", "value": "x$(TOKEN)"},
        {"name": "KEPT", "value": "$$(POD) $(NONE)"},
        {"name": "SERVICE", "value": "$(LITEFS_SERVICE_HOST)"},
        {"name": "EMPTY"},
        {"name": "POD", "value": "twice"},
    ]
    values, sights, complete = resolve({"env": env})
    assert values == {
        "LATER": "$(POD)", "POD": "twice", "HOST": "app-0.headless", "TOKEN": None, "WITH": None,
        "KEPT": "$(POD) $(NONE)", "SERVICE": None, "EMPTY": "",
    }  # fmt: skip
    assert sights["WITH"] is Sight.UNKNOWN
    assert complete


def test_env_from() -> None:
    both = {"envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "P_"}], "env": [{"name": "P_A", "value": "x"}]}
    values, _, complete = resolve(both)
    assert values == {"P_A": "x", "P_B": "2", "P_role": "r"}
    assert complete
    assert resolve({"envFrom": [{"configMapRef": {"name": "none", "optional": True}}]}) == ({}, {}, True)


@pytest.mark.parametrize("source", [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "hidden"}}])
def test_an_unseen_source_may_define_and_override(source: dict[str, Any]) -> None:
    values, sights, complete = resolve({"envFrom": [{"configMapRef": {"name": "settings"}}, source]})
    assert not complete
    assert values["A"] is None
    assert set(sights.values()) == {Sight.UNKNOWN}
    values, _, _ = resolve({"envFrom": [source], "env": [{"name": "A", "value": "x"}]})
    assert values == {"A": "x"}


def script(text: str, **container: Any) -> tuple[dict[str, str | None], dict[str, Sight], bool]:
    return resolve({"command": ["sh", "-c", text], **container})


def test_the_scripts_own_exports() -> None:
    text = (
        'case $(hostname) in *-0) C=true;; *) C=false;; esac; export C\nexport D=$(date) E=$NOPE F="x$NOPE" G=$A\n'
        "NOT_EXPORTED=1\nunset B\nexport A=late-enough\nPREFIX=1 exec litefs mount; export TOO_LATE=1"
    )
    values, sights, complete = script(text, env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert values == {
        "A": "late-enough", "B": None, "C": "true", "D": None, "E": None, "F": None, "G": "1", "PREFIX": "1",
    }  # fmt: skip
    assert sights == {
        "A": Sight.KNOWN, "B": Sight.UNSET, "C": Sight.KNOWN, "D": Sight.UNKNOWN, "E": Sight.UNDEFINED,
        "F": Sight.UNKNOWN, "G": Sight.KNOWN, "PREFIX": Sight.KNOWN,
    }  # fmt: skip
    assert complete


def test_branches_that_disagree_leave_a_value_unknown() -> None:
    values, sights, _ = script("if curl -f http://x; then export C=true; fi; litefs mount")
    assert (values["C"], sights["C"]) == (None, Sight.UNKNOWN)


def test_sourced_files() -> None:
    _, _, complete = script(". /unseen.sh; litefs mount")
    assert not complete
    volume = {"name": "s", "configMap": {"name": "scripts"}}
    subject = pod(
        {"command": ["sh", "-c", ". /s/env.sh; litefs mount"], "volumeMounts": [{"name": "s", "mountPath": "/s"}]},
        volumes=[volume],
    )
    maps = reader(configmap("scripts", {"env.sh": "export C=$HOSTNAME\n"}))
    env, complete = started(subject, maps)
    assert complete
    assert env["C"].value == "app-0"


def test_a_script_that_does_not_start_litefs_exports_nothing_to_it() -> None:
    assert script("export A=1; node server.js") == ({}, {}, True)


def test_the_words_of_env_count() -> None:
    values, _, _ = resolve({"command": ["env", "A=b", "litefs", "mount"]})
    assert values == {"A": "b"}


def test_evidence_names_the_field() -> None:
    subject = pod({"env": [{"name": "A", "value": "1"}]})
    env, _ = started(subject, MAPS)
    assert env["A"].evidence.source == "objects/abaci/pods.json"
    assert env["A"].evidence.excerpt == "spec.containers.0.env.0: A=1 (value, pod/app-0)"


@pytest.mark.parametrize("container", [{"env": "x"}, {"env": [1, {}]}, {"envFrom": [{}]}, {"command": ["sh", "-c", "("]}])
def test_odd_objects(container: dict[str, Any]) -> None:
    assert resolve(container)[0] == {}
