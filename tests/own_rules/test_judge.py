"""Own rules on a cluster: what fires, what passes, and what could not be looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kubectl_litefs.gather import redact
from kubectl_litefs.model.origin import Gap
from kubectl_litefs.model.report import Status
from kubectl_litefs.own_rules.conditions import REDACTED, LogSays, Met, Subject
from kubectl_litefs.parse.logs import read_log
from kubectl_litefs.render import text as as_text

from .rules import found, judge, outcome, rule

NAMES = ["abaci-app-0", "abaci-app-1", "abaci-app-2"]


def on(when: str, **more: Any) -> list[str]:
    """Names of what the rule fires on."""
    words = {k: more.pop(k) for k in ("kind",) if k in more}
    return [f.subject.name for f in found(judge(rule(when, **words), **more))]


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("{field: container.resources.limits.memory, exists: false}", NAMES),
        ("{field: container.resources.limits.memory, exists: true}", []),
        ("{field: container.image, exists: false}", []),
        ("{field: spec.hostname, equals: abaci-app-1}", ["abaci-app-1"]),
        ("{field: spec.hostname, not-equals: abaci-app-1}", ["abaci-app-0", "abaci-app-2"]),
        ("{field: spec.hostname, in: [abaci-app-1, x]}", ["abaci-app-1"]),
        ("{field: spec.hostname, not-in: [abaci-app-1, abaci-app-0]}", ["abaci-app-2"]),
        ("{field: spec.hostname, regex: '-[12]$'}", ["abaci-app-1", "abaci-app-2"]),
        ("{field: spec.nothing, not-equals: x}", []),
        ("{field: spec.nothing, equals: ''}", []),
        ("{field: spec.terminationGracePeriodSeconds, above: 29}", NAMES),
        ("{field: spec.terminationGracePeriodSeconds, above: 30}", []),
        ("{field: spec.terminationGracePeriodSeconds, below: 31}", NAMES),
        ("{field: spec.containers.*.securityContext.privileged, equals: true}", NAMES),
        ("{field: spec.containers.0.command.0, equals: litefs}", NAMES),
        ("{field: 'spec.containers[0].command[*]', equals: mount}", NAMES),
        ("{field: spec.initContainers.*.image, exists: false}", NAMES),
        ("{field: 'metadata.labels[\"app\"]', equals: abaci-app}", NAMES),
        ("{field: metadata.labels.*, regex: '^abaci'}", NAMES),
    ],
)  # fmt: skip
def test_fields_of_a_pod(when: str, names: list[str]) -> None:
    assert on(when) == names


@pytest.mark.parametrize(
    ("kind", "when", "names"),
    [
        ("StatefulSet", "{field: spec.replicas, equals: 3}", ["abaci-app"]),
        ("StatefulSet", "{field: 'spec.template.spec.containers.*.image', regex: ':1$'}", ["abaci-app"]),
        ("Service", "{field: spec.clusterIP, equals: None}", ["abaci-app-headless"]),
        ("PersistentVolumeClaim", "{field: status.capacity.storage, below: 2Gi}", [f"litefs-data-{n}" for n in NAMES]),
        ("PersistentVolumeClaim", "{field: status.capacity.storage, above: 1Gi}", []),
        ("ConfigMap", "{field: 'data[\"litefs.yml\"]', regex: '^  type: static'}", ["abaci-litefs"]),
        ("Node", "{field: 'status.conditions.*.status', equals: 'True'}", ["node-1"]),
        ("StorageClass", "{field: provisioner, equals: example/csi}", ["standard"]),
        ("NetworkPolicy", "{field: metadata.name, exists: true}", []),
    ],
)
def test_fields_of_other_objects(kind: str, when: str, names: list[str]) -> None:
    assert on(when, kind=kind) == names


def test_only_what_belongs_to_the_set_is_judged() -> None:
    others = [
        {"kind": "Service", "name": "other", "patch": {"spec": {"selector": {"app": "other"}, "clusterIP": "None"}}},
        {"kind": "StatefulSet", "name": "other", "patch": {"spec": {"replicas": 3}}},
        {"kind": "PersistentVolumeClaim", "name": "other", "patch": {"status": {"capacity": {"storage": "1Gi"}}}},
    ]
    assert on("{field: spec.clusterIP, equals: None}", kind="Service", objects=others) == ["abaci-app-headless"]
    assert on("{field: spec.replicas, equals: 3}", kind="StatefulSet", objects=others) == ["abaci-app"]
    assert "other" not in on("{field: status.capacity.storage, below: 2Gi}", kind="PersistentVolumeClaim", objects=others)


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("{log: 'slow query took (?P<ms>\\d+) ms'}", ["abaci-app-1"]),
        ("{log: 'slow query', seen: false}", ["abaci-app-0", "abaci-app-2"]),
        ("{log: 'lease acquired'}", ["abaci-app-0"]),
        ("{log: 'level=INFO msg=.connected to cluster, ready'}", NAMES),
        ("{log: nowhere}", []),
        ("{log: 'from the run before', run: previous}", ["abaci-app-1"]),
        ("{log: 'from the run before'}", []),
    ],
)
def test_lines_of_a_log(when: str, names: list[str]) -> None:
    more = {"abaci-app-1": "slow query took 10 ms\n" + "noise\n" * 500 + "slow query took 900 ms\n" + "noise\n" * 500}
    assert on(when, more_log=more, previous={"abaci-app-1": "from the run before\n"}) == names


def test_a_line_in_the_middle_of_a_long_log_is_found_and_counted_by_its_last_one() -> None:
    more = {"abaci-app-1": "noise\n" * 300 + "slow query took 10 ms\nslow query took 900 ms\n" + "noise\n" * 300}
    text = rule("{log: 'slow query took (?P<ms>\\d+) ms'}").replace("{name}: {value}", "{name}: {ms} ms")
    (finding,) = found(judge(text, more_log=more))
    assert finding.message == "abaci-app-1: 900 ms"
    assert [e.line for e in finding.evidence] == [finding.evidence[1].line - 1, finding.evidence[1].line]  # type: ignore[operator]
    assert finding.evidence[0].excerpt == "slow query took 10 ms"


def test_only_the_last_run_in_a_log_counts() -> None:
    again = 'level=INFO msg="Using static primary: primary=false hostname=abaci-app-0 advertise-url=http://x:20202"\n'
    assert on("{log: before-it}", more_log={"abaci-app-1": f"before-it\n{again}after-it\n"}) == []
    assert on("{log: after-it}", more_log={"abaci-app-1": f"before-it\n{again}after-it\n"}) == ["abaci-app-1"]


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("{metric: litefs_subscriber_count, above: 1}", ["abaci-app-0"]),
        ("{metric: litefs_subscriber_count, equals: 0}", ["abaci-app-1", "abaci-app-2"]),
        ("{metric: litefs_lag_seconds, above: 0}", []),
        ("{metric: litefs_db_txid, above: 6}", ["abaci-app-2"]),
        ("{metric: litefs_db_ltx_count, exists: false}", NAMES),
    ],
)
def test_metrics(when: str, names: list[str]) -> None:
    assert on(when, metrics={"abaci-app-2": {'litefs_db_txid{db="a"}': 5, 'litefs_db_txid{db="b"}': 7}}) == names


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("{setting: lease.type, equals: static}", NAMES),
        ("{setting: lease.candidate, equals: true}", ["abaci-app-0"]),
        ("{setting: proxy.addr, exists: false}", NAMES),
        ("{setting: data.retention, below: 1h}", NAMES),
        ("{setting: data.retention, equals: 600s}", NAMES),
        ("{setting: data.dir, regex: '^/var/lib/'}", NAMES),
        ("{setting: exit-on-error, equals: false}", []),
        ("{setting: proxy.passthrough, regex: x}", []),
    ],
)
def test_settings_of_litefs(when: str, names: list[str]) -> None:
    assert on(when) == names


def test_all_conditions_must_hold() -> None:
    assert on("{field: spec.hostname, regex: '-[12]$'}\n{log: slow}", more_log={"abaci-app-0": "slow\n", "abaci-app-2": "slow\n"}) == ["abaci-app-2"]


# --- could not look


@pytest.mark.parametrize(
    ("when", "body"),
    [
        ("{log: slow}", {"logs": dict.fromkeys(NAMES)}),
        ("{log: slow, seen: false}", {"logs": dict.fromkeys(NAMES)}),
        ("{metric: litefs_lag_seconds, above: 1}", {"info": dict.fromkeys(NAMES)}),
        ("{setting: lease.type, equals: consul}", {"litefs.yml": None}),
        ("{setting: lease.hostname, equals: x}", {"litefs.yml": "lease:\n  type: static\n  hostname: ${SOMETHING}\n", "template": {"spec": {"containers": [{"name": "app", "env": [{"name": "SOMETHING", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}}}),
        ("{field: 'spec.containers.*.env.*.value', equals: x}", {"template": {"spec": {"containers": [{"name": "app", "env": [{"name": "PASSWORD", "value": "REDACTED"}]}]}}}),
    ],
)  # fmt: skip
def test_what_could_not_be_looked_at_is_no_pass(when: str, body: dict[str, Any]) -> None:
    check = outcome(judge(rule(when), **body))
    assert check.status is Status.SKIPPED and check.gaps


def test_a_list_that_could_not_be_read_is_no_pass() -> None:
    gap = {"what": "objects/abaci/services.json", "why": "FORBIDDEN", "detail": "no"}
    check = outcome(judge(rule("{field: spec.clusterIP, equals: x}", kind="Service"), gaps=[gap]))
    assert check.status is Status.SKIPPED and [g.what for g in check.gaps] == [gap["what"]]


def test_a_cut_log_that_does_not_match_is_no_answer() -> None:
    cluster = judge(rule("{log: slow}")).clusters[0].cluster

    def said(text: bytes, seen: bool) -> object:
        run = read_log("x", iter((text,)), complete=False, patterns=("slow",))
        pod = dataclasses.replace(cluster.pods[0], log=run)
        return LogSays("slow", "log", seen).of(Subject(cluster, pod.obj, pod))

    assert isinstance(said(b"begin\n", True), Gap) and isinstance(said(b"begin\n", False), Gap)
    assert isinstance(said(b"slow\n", True), Met) and said(b"slow\n", False) is None


def test_one_silent_pod_is_a_gap_beside_what_the_others_say() -> None:
    report = judge(rule("{metric: litefs_subscriber_count, above: 1}"), info={"abaci-app-1": None})
    check = outcome(report)
    assert [f.subject.name for f in found(report)] == ["abaci-app-0"] and check.status is Status.FAILED and check.gaps
    partly = outcome(judge(rule("{metric: litefs_lag_seconds, above: 1}"), info={"abaci-app-1": None}))
    assert partly.status is Status.SKIPPED, "of one pod it is not known"


def test_what_surely_does_not_hold_needs_no_sight_of_the_rest() -> None:
    check = outcome(judge(rule("{field: spec.hostname, equals: nobody}\n{metric: litefs_lag_seconds, above: 1}"), info={"abaci-app-1": None}))
    assert check.status is Status.PASSED


def test_the_word_for_a_secret_is_that_of_gathering() -> None:
    assert REDACTED == redact.MARK


# --- words


def test_a_finding_is_filled_in_and_cannot_be_fooled_by_values() -> None:
    text = rule("{log: 'user=(?P<who>.+)'}", commands="[\"kubectl -n {namespace} get {kind} {name}\"]", docs="https://wiki.example.com/x", title="Users")
    text = text.replace("'{name}: {value}'", "'{who} on {kind} {namespace}/{name} of {set} {{x}}'")
    report = judge(text, more_log={"abaci-app-1": "user={name} \x1b[2J; rm -rf /\n"})
    (finding,) = found(report)
    assert finding.message == "{name} ; rm -rf / on Pod abaci/abaci-app-1 of abaci-app {x}"
    assert finding.commands == ("kubectl -n abaci get Pod abaci-app-1",)
    assert (finding.docs, finding.name, finding.severity.value) == ("https://wiki.example.com/x", "acme-1", "warning")
    shown = as_text.render(report, width=100, color=False, verbose=False, show_all=False)
    assert "see     https://wiki.example.com/x" in shown and "\x1b" not in shown


def test_it_can_follow_from_a_built_in_rule() -> None:
    report = judge(rule("{field: spec.hostname, equals: abaci-app-1}", follows="[LFS101]"), info={"abaci-app-1": {"clusterID": "LFSC00000000000000B2"}})
    (finding,) = found(report)
    assert finding.consequence_of in {f.fingerprint for f in report.findings if f.rule == "LFS101"}


def test_built_in_rules_say_the_same_beside_own_ones() -> None:
    plain = judge(rule("{field: spec.hostname, equals: nobody}"))
    busy = judge(rule("{log: .+}"))
    assert [f for f in plain.findings if f.rule.startswith("LFS")] == [f for f in busy.findings if f.rule.startswith("LFS")]
    assert len(found(busy)) == 3
