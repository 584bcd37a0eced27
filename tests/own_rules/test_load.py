"""A rule that is wrong, or that can never find anything, is told with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.own_rules.load import load
from kubectl_litefs.own_rules.paths import parse
from kubectl_litefs.own_rules.subjects import KINDS

from .rules import HEAD, read, rule

GOOD = "{field: spec.hostname, exists: true}"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("{field: spek.x, exists: true}", "a Pod has no 'spek' at its top (did you mean spec?)"),
        ("{field: spec.container.0, exists: true}", "there is no field 'container' (did you mean containers?)"),
        ("{field: spec.containers.*.imagee, exists: true}", "there is no field 'imagee' (did you mean image?)"),
        ("{field: container.ressources.limits, exists: true}", "there is no field 'ressources' (did you mean resources?)"),
        ("{field: container, exists: true}", "container wants a field"),
        ("{field: metadata.label.app, exists: true}", "there is no metadata.label (did you mean labels?)"),
        ("{field: metadata.managedFields, exists: true}", "is never read"),
        ("{field: a..b, exists: true}", "is no path"),
        ("{field: 'a[', exists: true}", "is no path"),
        ("{field: spec.hostname}", "field wants exactly one of"),
        ("{field: spec.hostname, equals: a, regex: b}", "field wants exactly one of"),
        ("{field: spec.hostname, exists: maybe}", "exists is true or false"),
        ("{field: spec.hostname, in: []}", "in wants a list"),
        ("{field: spec.hostname, in: a}", "in wants a list"),
        ("{field: spec.hostname, above: high}", "above wants a quantity"),
        ("{field: spec.hostname, regex: '('}", "is no regular expression"),
        ("{field: spec.hostname, regex: '(a+)+'}", "too slow"),
        ("{field: spec.hostname, seen: true}", "seen says nothing beside field"),
        ("{field: spec.hostname, equal: a}", "unknown field 'equal'; did you mean equals?"),
        ("{log: x, equals: y}", "equals says nothing beside log"),
        ("{log: '.*'}", "matches an empty line"),
        ("{log: x, run: before}", "run is current or previous"),
        ("{log: x, seen: sometimes}", "seen is true or false"),
        ("{log: '(?P<name>x)'}", "a group may not be called name"),
        ("{log: [x]}", "log wants a text"),
        ("{metric: litefs_lag_second, above: 1}", "did you mean litefs_lag_seconds?"),
        ("{metric: go_goroutines, above: 1}", "LiteFS has no metric 'go_goroutines'"),
        ("{metric: litefs_lag_seconds, regex: x}", "regex says nothing beside metric"),
        ("{metric: litefs_lag_seconds, equals: much}", "equals wants a number"),
        ("{setting: lease.kind, equals: x}", "litefs.yml has no key 'lease.kind'"),
        ("{setting: lease.candidate, equals: maybe}", "lease.candidate can never be 'maybe': it is true or false"),
        ("{setting: data.retention, equals: long}", "data.retention can never be 'long': it is a duration"),
        ("{setting: tracing.max-size, in: [1, 1.5]}", "tracing.max-size can never be '1.5': it is a whole number"),
        ("{setting: data.retention, above: 5}", "above wants a duration"),
        ("{}", "a condition names one of field, log, metric, setting"),
        ("{field: spec.hostname, log: x, exists: true}", "a condition names one of"),
        ("just text", "a condition is no mapping"),
    ],
)  # fmt: skip
def test_conditions(when: str, says: str) -> None:
    loaded = read(rule(when))
    assert loaded.rules == []
    assert [p.line for p in loaded.problems if says in p.text] == [7], [str(p) for p in loaded.problems]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD, 2, "a rule has no when"),
        (HEAD + "  when: []\n", 6, "when has no condition"),
        (HEAD + "  when: x\n", 6, "when wants a list"),
        (HEAD + "  wenn:\n  - {log: x}\n", 6, "unknown field 'wenn'; did you mean when?"),
        (rule(GOOD).replace("ACME-1", "LFS999"), 2, "does not begin with LFS"),
        (rule(GOOD).replace("ACME-1", "acme-1"), 2, "an id of capital letters"),
        (rule(GOOD).replace("warning", "fatal"), 3, "there is no severity 'fatal'; there is error, warning, info"),
        (rule(GOOD).replace("warning", "none"), 3, "there is no severity 'none'"),
        (rule(GOOD).replace("{name}", "{nam}"), 4, "there is no placeholder {nam} here; did you mean name?"),
        (rule(GOOD).replace("{name}", "{name.x}"), 4, "there is no placeholder {name.x} here"),
        (rule(GOOD).replace("{name}", "{name!r}"), 4, "there is no placeholder {name} here"),
        (rule(GOOD).replace("{name}", "{"), 4, "write {{ for a brace"),
        (rule(GOOD).replace("Do it.", "''"), 5, "fix wants a text"),
        (rule(GOOD, kind="Pods"), 6, "there is no kind 'Pods'; did you mean Pod?"),
        (rule(GOOD, kind="Secret"), 6, "Secrets are never read"),
        (rule("{log: x}", kind="StatefulSet"), 8, "only a Pod has a log"),
        (rule(GOOD, docs="wiki"), 6, "is no address"),
        (rule(GOOD, follows="LFS1000"), 6, "there is no rule 'LFS1000' above this one"),
        (rule(GOOD, name="Has Blanks"), 6, "is not a name in small letters"),
        (rule(GOOD, commands="\"kubectl get {value}\""), 6, "there is no placeholder {value} here"),
        (rule(GOOD) + rule(GOOD).removeprefix("rules:\n"), 8, "there is a rule ACME-1 already"),
        ("rules:\n", 1, "there is no rule in this file"), ("", 1, "there is no rule in this file"), ("rule: []\n", 1, "did you mean rules?"),
        ("rules:\n- [\n", 3, "did not find expected node content"), ("a: &a [*a]\n", 1, ""), ("rules:\n\t- x\n", 2, ""), ("[" * 300, 1, "deeper than"),
    ],
)  # fmt: skip
def test_rules_and_files(text: str, line: int, says: str) -> None:
    loaded = read(text)
    assert [p for p in loaded.problems if p.line == line and says in p.text], [str(p) for p in loaded.problems]


def test_all_mistakes_of_all_files_are_told_and_ids_are_unique_over_files() -> None:
    one, two = rule(GOOD).encode(), (rule(GOOD) + rule("{log: '('}").removeprefix("rules:\n")).encode()
    loaded = load([("one.yaml", one), ("two.yaml", two)])
    assert [str(p).split(": ")[0] for p in loaded.problems] == ["two.yaml:2", "two.yaml:8", "two.yaml:13"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for_its_name(kind: str) -> None:
    loaded = read(rule("{field: metadata.name, exists: true}", kind=kind))
    assert not loaded.problems and len(loaded.rules) == 1


def test_what_a_rule_looks_at_is_told() -> None:
    (made,) = read(rule("{log: x}\n{metric: litefs_lag_seconds, above: 1}\n{setting: lease.type, exists: true}\n{log: y, run: previous}")).rules
    assert made.reads == ("spec", "log", "metrics", "config", "previous")
    assert read(rule(GOOD.replace("hostname", "type"), kind="Service")).rules[0].reads == ("services",)


@given(st.text(max_size=80))
def test_any_path_is_read_or_refused(text: str) -> None:
    path = parse(text)
    assert path is None or all(path)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    loaded = load([("r", data)])
    assert loaded.problems and not loaded.rules
