"""litefs.yml as LiteFS reads it: values, refusals in its own words, and what hangs on unseen variables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.model.config import ConfigFile, Problem, ProblemKind, Sight
from kubectl_litefs.model.origin import Evidence
from kubectl_litefs.model.pod import EnvVar
from kubectl_litefs.parse.exec_words import split_command
from kubectl_litefs.parse.litefs_yml import read_litefs_yml
from kubectl_litefs.parse.schema import FIELDS, suggest
from kubectl_litefs.parse.unseen import marker
from kubectl_litefs.parse.yaml_scalars import REFUSED, decode, duration, tag_of

STATIC = "lease:\n  type: static\n"


def env_of(**values: str | None) -> dict[str, EnvVar]:
    """A value of None is one that cannot be seen."""
    return {
        n: EnvVar(n, v, Sight.UNKNOWN if v is None else Sight.KNOWN, Evidence("objects/abaci/pods.json", None, n))
        for n, v in values.items()
    }


def read(text: str, **options: Any) -> ConfigFile:
    given_options: dict[str, Any] = {
        "name": "ConfigMap abaci-litefs, key litefs.yml",
        "source": "objects/abaci/configmaps.json",
        "path": "/etc/litefs.yml",
        "env": {},
        "env_complete": True,
        "host_name": "app-0",
        "expand_env": True,
        "after_dashes": None,
    }
    return read_litefs_yml(text, **(given_options | options))


def messages(text: str, **options: Any) -> list[str]:
    return [p.message for p in read(text, **options).problems]


def only(text: str, **options: Any) -> Problem:
    problems = read(text, **options).problems
    assert len(problems) == 1, problems
    return problems[0]


def test_every_key_has_its_default() -> None:
    config = read(STATIC)
    assert set(config.values) == set(FIELDS)
    assert config.known("lease.candidate") is True
    assert config.known("data.retention") == 600.0
    assert config.known("data.dir") == "/var/lib/litefs"
    assert config.values["fuse.dir"].given is False
    assert config.problems == ()
    assert config.has("lease")
    assert not config.has("proxy")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("candidate:", True),
        ("candidate: ~", True),
        ("candidate: no", False),
        ("candidate: 'no'", False),
        ("candidate: FALSE", False),
        ("candidate: ${UNSET}", True),
        ("candidate: ${UNSET:-false}", True),
        ("candidate: ${HOSTNAME == app-1}", True),
        ("candidate: ${HOSTNAME == 'app-1'}", False),
        ("candidate: !x off", False),
    ],
)
def test_candidate(text: str, value: bool) -> None:
    config = read(f"{STATIC}  {text}\n")
    assert config.problems == ()
    assert config.values["lease.candidate"].value is value
    assert config.values["lease.candidate"].given


@pytest.mark.parametrize(
    ("text", "message", "certain"),
    [
        ('candidate: "true"', "line 3: cannot unmarshal !!str `true` into bool", True),
        ('candidate: "${UNSET}"', "line 3: cannot unmarshal !!str `` into bool", False),
        ("candidate: \"${HOSTNAME == 'app-0'}\"", "line 3: cannot unmarshal !!str `true` into bool", True),
        ("candidate: ${HOSTNAME == 'app-0'", "line 3: cannot unmarshal !!str `HOSTNAM...` into bool", True),
        ("candidate: 0", "line 3: cannot unmarshal !!int `0` into bool", True),
        ("candidate: tRue", "line 3: cannot unmarshal !!str `tRue` into bool", True),
        ("candidate: [yes]", "line 3: cannot unmarshal !!seq into bool", True),
        ("reconnect-delay: 5", "line 3: cannot unmarshal !!int `5` into time.Duration", True),
        ("reconnect-delay: '5'", "line 3: cannot unmarshal !!str `5` into time.Duration", True),
        ("reconnect-delay: 1d", "line 3: cannot unmarshal !!str `1d` into time.Duration", True),
        ("hostname: {{ x }}", "line 3: cannot unmarshal !!map into string", True),
        ("databases: db", "line 3: cannot unmarshal !!str `db` into []string", True),
        ("consul: http://c:8500", "struct { URL string", True),
    ],
)
def test_refuses_values_in_litefs_words(text: str, message: str, certain: bool) -> None:
    problem = only(f"{STATIC}  {text}\n")
    assert problem.kind is ProblemKind.VALUE
    assert message in problem.message
    assert problem.certain is certain
    assert problem.evidence.line == 3


def test_without_expansion_a_variable_is_just_text() -> None:
    config = read(f"{STATIC}  candidate: ${{X}}\n  hostname: $HOSTNAME\n", expand_env=False)
    assert [p.message for p in config.problems] == ["line 3: cannot unmarshal !!str `${X}` into bool"]
    assert config.known("lease.hostname") == "$HOSTNAME"
    assert [(v.text, v.result, v.sight) for v in config.variables] == [
        ("${X}", "${X}", Sight.KNOWN),
        ("$HOSTNAME", "$HOSTNAME", Sight.KNOWN),
    ]


def test_all_unknown_fields_are_listed_with_the_nearest_name() -> None:
    text = (
        STATIC
        + "  advertise_url: http://a:20202\n  is-primary: true\n"
        + "proxy:\n  primary-redirect-url: x\n  max-lagg: 1s\nlog: {level: debug}\nmount: {}\nhostname: x\n"
    )
    problems = read(text).problems
    assert [(p.message, p.suggestion) for p in problems] == [
        ("line 3: field advertise_url not found in type main.LeaseConfig", "lease.advertise-url"),
        ("line 4: field is-primary not found in type main.LeaseConfig", None),
        ("line 6: field primary-redirect-url not found in type main.ProxyConfig", None),
        ("line 7: field max-lagg not found in type main.ProxyConfig", "proxy.max-lag"),
        ("line 8: field level not found in type main.LogConfig", None),
        ("line 9: field mount not found in type main.Config", None),
        ("line 10: field hostname not found in type main.Config", "lease.hostname"),
    ]
    assert {p.kind for p in problems} == {ProblemKind.UNKNOWN_FIELD}
    assert all(p.certain for p in problems)


def test_old_names_say_where_they_went() -> None:
    problems = read("mount-dir: /a\ndata-dir: /b\ndebug: true\nconsul: {url: x}\nstatic: {primary: true}\n").problems
    assert {p.kind for p in problems} == {ProblemKind.OLD_FIELD}
    assert [(p.key, p.suggestion) for p in problems] == [
        ("mount-dir", "fuse.dir"),
        ("data-dir", "data.dir"),
        ("debug", "fuse.debug"),
        ("consul", "lease.consul"),
        ("static", "lease"),
    ]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("fuse:\n  dir: /a\n data:\n  dir: /b\n", "did not find expected key", 3),
        ("fuse:\n\tdir: /a\n", "found character that cannot start any token", 2),
        ("", "EOF", 1),
        ("# nothing\n", "EOF", 1),
        ("lease:\n  type: static\nlease:\n  type: consul\n", 'mapping key "lease" already defined at line 1', 3),
        ("proxy:\n  passthrough: [*.png]\n", "did not find expected alphabetic or numeric character", 2),
        ("exec: *x\n", "unknown anchor 'x' referenced", 1),
        ("a: b: c\n", "mapping values are not allowed in this context", 1),
        ("a: &x {b: *x, <<: *x}\nlease: &y {type: static, <<: *y}\n", "contains itself", 2),
        ("lease: {type: static, <<: 5}\n", "map merge requires map or sequence of maps", 1),
        ("a: \x07\n", "control characters are not allowed", 1),
    ],
)
def test_syntax(text: str, message: str, line: int) -> None:
    problem = next(p for p in read(text).problems if p.kind is ProblemKind.SYNTAX)
    assert message in problem.message
    assert problem.evidence.line == line
    assert problem.certain


@pytest.mark.parametrize("text", ["5", "[a]", "text"])
def test_a_document_that_is_no_mapping(text: str) -> None:
    config = read(text)
    assert not config.readable
    assert config.values == {}
    assert "into main.Config" in config.problems[0].message


@pytest.mark.parametrize("text", ["---\n", "{}", "null\n"])
def test_an_empty_document_lacks_a_lease_type(text: str) -> None:
    assert "invalid lease type, must be either 'consul' or 'static', got: ''" in messages(text)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("fuse: {dir: ''}\n", ProblemKind.VALUE, "fuse directory required"),
        ("data: {dir: ''}\n", ProblemKind.VALUE, "data directory required"),
        ("data: {dir: /litefs}\n", ProblemKind.SAME_DIRECTORY, "cannot be the same path"),
        ("log: {format: JSON}\n", ProblemKind.VALUE, 'init logger: invalid log format: "JSON"'),
        ("http: {addr: '20202'}\n", ProblemKind.VALUE, "address 20202: missing port in address"),
        ("http: {addr: 'a:b:c'}\n", ProblemKind.VALUE, "too many colons in address"),
        ("http: {addr: ':70000'}\n", ProblemKind.VALUE, "address 70000: invalid port"),
        ("backup: {type: s3}\n", ProblemKind.VALUE, 'invalid backup client type: "s3"'),
        ("backup: {type: file}\n", ProblemKind.VALUE, "backup path required"),
        ("proxy: {target: 'localhost:1', addr: ':2'}\n", ProblemKind.PROXY, "proxy database name required"),
        ("proxy: {target: 'localhost:1', db: db}\n", ProblemKind.PROXY, "proxy bind address required"),
        ("proxy: {target: 'http://a:1', addr: ':2', db: db}\n", ProblemKind.PROXY, "without a scheme"),
        ("proxy: {target: localhost, addr: ':2', db: db}\n", ProblemKind.PROXY, "names no port"),
        ("proxy: {target: 'a:1', addr: '8080', db: db}\n", ProblemKind.PROXY, "missing port in address"),
    ],
)
def test_checks(text: str, kind: ProblemKind, message: str) -> None:
    problem = only(STATIC + text)
    assert problem.kind is kind
    assert message in problem.message


@pytest.mark.parametrize("text", ["fuse: {dir: /litefs/}\ndata: {dir: /litefs}\n", "http: {addr: '[::1]:20202'}\n",
                                  "http: {addr: ''}\n", "proxy: {addr: ':8080'}\n"])  # fmt: skip
def test_what_litefs_takes(text: str) -> None:
    assert messages(STATIC + text) == []


def test_lease_checks() -> None:
    assert only("lease: {type: Static}\n").suggestion == "static"
    assert "must specify a consul key" in only("lease: {type: consul, consul: {url: 'http://c:8500'}}\n").message
    both = only("lease: {type: static, databases: [a]}\n")
    assert both.kind is ProblemKind.FILTER_ON_CANDIDATE
    assert messages("lease: {type: static, databases: [a], candidate: false}\n") == []
    assert only("lease:\n  type: static\n  databases: [a]\n  candidate: ${X}\n").certain is False


def test_a_missing_lease_type_is_not_named_behind_what_litefs_stops_at() -> None:
    assert messages("mount-dir: /a\n") == ["line 1: field mount-dir not found in type main.Config"]
    assert len(messages("mount-dir: /a\nlease: {type: fly}\n")) == 2


def test_merge_keys_anchors_and_json() -> None:
    config = read("lease: &l {type: static, hostname: a}\nproxy: {<<: {addr: ':1'}, addr: ':2'}\n")
    assert config.problems == ()
    assert config.known("proxy.addr") == ":2"
    assert read('\ufeff{"lease": {"type": "static"}}\r\n').problems == ()
    assert read("lease: {type: static}\n---\nnonsense: [\n").problems == ()


# Exec


def commands(text: str, **options: Any) -> list[tuple[str, tuple[str, ...] | None, bool, str]]:
    return [(e.cmd, e.argv, e.if_candidate, e.dropped) for e in read(STATIC + text, **options).execs]


def test_exec_forms() -> None:
    assert commands('exec: "node server.js"\n') == [("node server.js", ("node", "server.js"), False, "")]
    assert commands("exec:\n") == []
    assert commands("exec: []\n") == []
    listed = "exec:\n- {cmd: a b, if-candidate: yes}\n- cmd: c && d\n"
    assert commands(listed) == [("a b", ("a", "b"), True, ""), ("c && d", ("c",), False, "&& d")]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("exec: 5\n", ProblemKind.VALUE, "invalid exec config format"),
        ("exec: {cmd: a}\n", ProblemKind.VALUE, "invalid exec config format"),
        ("exec: [a]\n", ProblemKind.VALUE, "line 3: cannot unmarshal !!str `a` into main.ExecConfig"),
        ("exec: [{cmd: [a]}]\n", ProblemKind.VALUE, "line 3: cannot unmarshal !!seq into string"),
        ("exec: ''\n", ProblemKind.EXEC, "slice bounds out of range"),
        ("exec: [{if-candidate: true}]\n", ProblemKind.EXEC, "slice bounds out of range"),
        ("exec: [{cmd: '&& a'}]\n", ProblemKind.EXEC, "slice bounds out of range"),
        ("exec: [~]\n", ProblemKind.EXEC, "nil pointer dereference"),
        ("exec: [{cmd: a, if_candidate: true}]\n", ProblemKind.EXEC_KEY, "if_candidate"),
    ],
)
def test_exec_problems(text: str, kind: ProblemKind, message: str) -> None:
    problem = only(STATIC + text)
    assert problem.kind is kind
    assert message in problem.message


def test_an_ignored_key_names_the_right_one() -> None:
    config = read(STATIC + "exec:\n- cmd: a\n  if_candidate: true\n  workdir: /x\n")
    assert config.execs[0].extra_keys == ("if_candidate", "workdir")
    assert [p.suggestion for p in config.problems] == ["if-candidate", None]
    assert config.execs[0].if_candidate is False


@pytest.mark.parametrize(
    ("line", "argv", "dropped"),
    [
        ("sh -c 'a && b'", ("sh", "-c", "a && b"), ""),
        ('a "b c"', ("a", "b c"), ""),
        (r"a b\ c", ("a", "b c"), ""),
        (r"a '\n'", ("a", r"\n"), ""),
        ("A=1 b # c", ("A=1", "b", "#", "c"), ""),
        ("a $(b c) `d e`", ("a", "$(b c)", "`d e`"), ""),
        ("a; b", ("a",), "; b"),
        ("a 2>/dev/null", ("a",), ">/dev/null"),
        ("server &", ("server",), "&"),
        ("a (b)", None, ""),
        ("a 'b", None, ""),
        ("a \\", None, ""),
        ("a ''", ("a", ""), ""),
    ],
)
def test_splits_as_litefs_does(line: str, argv: tuple[str, ...] | None, dropped: str) -> None:
    split = split_command(line)
    assert split.argv == argv
    assert split.dropped == dropped


def test_words_after_dashes_replace_exec_and_lose_their_quotes() -> None:
    config = read(STATIC + "exec: ''\n", after_dashes=("sh", "-c", "a && b"))
    assert [(e.argv, e.dropped, e.from_args) for e in config.execs] == [(("sh", "-c", "a"), "&& b", True)]
    assert config.problems == ()
    assert read(STATIC, after_dashes=()).execs[0].argv == ()


# What hangs on variables


def test_variables_know_their_key_line_and_sight() -> None:
    text = (
        "# $COMMENT\nlease:\n  type: static  # ${COMMENT}\n  hostname: ${HOSTNAME}\n"
        "  advertise-url: 'http://${POD}.x:${PORT:-20202}'\n  candidate: ${ROLE == 'primary'}\n"
        "exec:\n- cmd: run $TOKEN\n"
    )
    config = read(text, env=env_of(POD="app-1", TOKEN=None))
    assert [(v.text, v.key, v.line, v.sight, v.result, v.grammatical) for v in config.variables] == [
        ("${HOSTNAME}", "lease.hostname", 4, Sight.KNOWN, "app-0", True),
        ("${POD}", "lease.advertise-url", 5, Sight.KNOWN, "app-1", True),
        ("${PORT:-20202}", "lease.advertise-url", 5, Sight.UNSET, "", False),
        ("${ROLE == 'primary'}", "lease.candidate", 6, Sight.UNDEFINED, "false", True),
        ("$TOKEN", "exec.0.cmd", 8, Sight.UNKNOWN, None, True),
    ]
    assert config.values["lease.candidate"].sight is Sight.UNDEFINED
    assert config.values["lease.hostname"].raw == "${HOSTNAME}"
    assert config.execs[0].cmd == "run $TOKEN"
    assert config.execs[0].known is False


def test_hostname_is_filled_in_only_where_it_is_empty() -> None:
    text = STATIC + "  hostname: $HOSTNAME\n"
    assert read(text, env=env_of(HOSTNAME="")).known("lease.hostname") == "app-0"
    assert read(text, env=env_of(HOSTNAME="0.0.0.0")).known("lease.hostname") == "0.0.0.0"
    assert read(text, host_name=None).values["lease.hostname"].sight is Sight.UNKNOWN


def test_an_unseen_source_may_define_anything() -> None:
    text = STATIC + "  candidate: ${LITEFS_CANDIDATE}\n"
    assert read(text).values["lease.candidate"].sight is Sight.UNDEFINED
    assert read(text, env_complete=False).values["lease.candidate"].sight is Sight.UNKNOWN


def test_an_unknown_value_is_no_fault() -> None:
    text = "lease:\n  type: $A\n  candidate: $A\n  reconnect-delay: $A\nfuse: {dir: $A}\nhttp: {addr: $A}\nexec: $A\n"
    config = read(text, env=env_of(A=None))
    assert config.problems == ()
    assert config.values["fuse.dir"].sight is Sight.UNKNOWN
    assert config.known("fuse.dir") is None


def test_a_quoted_unknown_bool() -> None:
    text = STATIC + '  candidate: "${A == \'x\'}"\n  promote: "$A"\n'
    assert [p.certain for p in read(text, env=env_of(A=None)).problems] == [True, False]


def test_lines_are_the_files_own_after_a_value_with_line_breaks() -> None:
    config = read("$HEAD\nlease:\n  type: nope\n", env=env_of(HEAD="# a\n# b\n# c"))
    assert config.values["lease.type"].evidence.line == 3
    assert config.values["lease.type"].evidence.excerpt == "type: nope"
    assert only("$HEAD\nnope: 1\nlease: {type: static}\n", env=env_of(HEAD="#\n#")).message.startswith("line 3: ")


def test_syntax_that_hangs_on_an_undefined_variable_is_a_guess() -> None:
    config = read("mount-dir: /a\nexec: run $PORT --x: 1\n")
    assert [p.certain for p in config.problems] == [False]
    config = read("mount-dir: /a\nlease:\n  type: static\n  $KEY: 1\n")
    assert [(p.kind, p.certain) for p in config.problems] == [
        (ProblemKind.SYNTAX, False),
        (ProblemKind.OLD_FIELD, True),
    ]


def test_a_marker_is_an_undefined_variable_at_its_key() -> None:
    config = read(f"{STATIC}  candidate: {marker(0)}\n", shell_undefined=("LITEFS_CANDIDATE",))
    value = config.values["lease.candidate"]
    assert (value.value, value.sight, value.raw) == (True, Sight.UNDEFINED, "$LITEFS_CANDIDATE")
    assert [(v.name, v.key) for v in config.variables] == [("LITEFS_CANDIDATE", "lease.candidate")]
    assert marker(0) not in config.text + config.expanded


# Scalars


@pytest.mark.parametrize(
    ("text", "tag"),
    [("yes", "!!str"), ("010", "!!int"), ("1:30", "!!str"), ("0x1F", "!!int"), ("1_000", "!!int"), ("08", "!!float"),
     ("2020-01-01", "!!timestamp"), (".5", "!!float"), (".inf", "!!float"), ("~", "!!null"), ("", "!!null"),
     ("1e3", "!!float"), ("+", "!!str"), ("0o17", "!!int"), ("True", "!!bool"), ("tRue", "!!str")],
)  # fmt: skip
def test_tags(text: str, tag: str) -> None:
    assert tag_of(text) == tag


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5.0), ("1m30s", 90.0), ("1.5h", 5400.0), (".5s", 0.5), ("500ms", 0.5), ("-1s", -1.0), ("+5s", 5.0),
     ("0", 0.0), ("5", None), ("1d", None), ("5 s", None), ("5S", None), ("", None), ("s", None), (".s", None),
     ("9999999h", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("010", 8), ("1.0", 1), ("1.5", 1), ("-1", -1), ("'5'", REFUSED), ("5MB", REFUSED), (".inf", REFUSED)],
)
def test_integers(text: str, value: object) -> None:
    assert decode("int", text.strip("'"), "!!str" if text.startswith("'") else tag_of(text)) == value


def test_suggestions() -> None:
    assert suggest("", "Lease") == "lease"
    assert suggest("lease", "advertiseUrl") == "lease.advertise-url"
    assert suggest("", "replica") is None
    assert suggest("", "advertise-url") == "lease.advertise-url"


# Hostile input


@settings(max_examples=300)
@given(st.text(st.sampled_from("lease: type static\n-{}[]&*!|>'\"%@#?,$\tcandidate<~0\ue000\U000f0000\x00é")))
def test_never_raises(text: str) -> None:
    config = read(text, shell_undefined=("A",))
    assert config.readable is bool(config.values)


def test_bombs_and_depth_are_refused() -> None:
    bomb = "a0: &a0 {x: 1}\n" + "".join(
        f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 9)
    )
    assert any("excessive aliasing" in m for m in messages(bomb + "lease: {<<: *a8, type: static}\n"))
    assert not read("[" * 5000).readable
    assert read("a: " + "{a: " * 5000 + "}" * 5000).problems != ()
    assert "larger than 1 MiB" in messages("#" * (1024 * 1024 + 1))[0]
