"""Shell scripts, read and never run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.parse.errors import ShellError
from kubectl_litefs.parse.shell import parse_script
from kubectl_litefs.parse.shell_run import Interpreter
from kubectl_litefs.parse.shell_state import ABSENT, Content, Scene, State, Var
from kubectl_litefs.parse.unseen import UNKNOWN, shown, without_markers

FILES = {"/config/template.yml": Content("host: $HOSTNAME\nrole: ${ROLE}\n", "ConfigMap t", "cm.json", fixed=True)}


def follow(script: str, host: str | None = "app-0", **env: str) -> tuple[State, list[tuple[str, ...]]]:
    """The state when `litefs` is reached (or at the end), and the words of each `litefs`."""
    scene = Scene(host, lambda path: FILES.get(path, ABSENT), True, "pods.json", "the script")
    interpreter = Interpreter(scene, lambda words: bool(words) and words[0] == "litefs")
    state = State(vars={n: Var(v, True) for n, v in env.items()}, cwd="/")
    interpreter.script(script, state)
    hits = interpreter.hits
    return (hits[0].state if hits else state), [h.words for h in hits]


def value(script: str, name: str = "X", host: str | None = "app-0", **env: str) -> str | None:
    """A variable after the script; None where nothing sets it."""
    var = follow(script, host, **env)[0].vars.get(name)
    return None if var is None else without_markers(var.value)


def written(script: str, path: str = "/tmp/f", **env: str) -> str | None:
    content = follow(script, **env)[0].files.get(path)
    return None if content is None or content.text is None else content.text


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("X=a", "a"),
        ("export X='a b'", "a b"),
        ('X="$A-${A}"', "1-1"),
        ("X=$(hostname)", "app-0"),
        ("X=`hostname`", "app-0"),
        ("X=$HOSTNAME", "app-0"),
        ("X=${HOSTNAME##*-}", "0"),
        ("X=${HOSTNAME%-*}", "app"),
        ("X=${A:-b}", "1"),
        ("X=${EMPTY:-b}", "b"),
        ("X=${EMPTY-b}", ""),
        ("X=${A:+set}", "set"),
        ("X=${NOPE:-b}", UNKNOWN),
        ("X=${A/1/2}", UNKNOWN),
        ("X=$((1+1))", UNKNOWN),
        ("X=$(date)", UNKNOWN),
        ("X=$(echo a | tr a b)", UNKNOWN),
        ("X=$(printf '%s-%s' a b)", "a-b"),
        ("X=$(cat /config/template.yml | head -1)", UNKNOWN),
        ("X=a; X=b", "b"),
        ("X=a\nunset X", None),
        ("false && X=a", None),
        ("false || X=a", "a"),
        ("true && X=a || X=b", "a"),
        ("grep -q a b && X=a", UNKNOWN),
        ("! false && X=a", "a"),
        ("(X=a)", None),
        ("{ X=a; }", "a"),
        ("X=a | cat", None),
        ("f() { X=$1; }; f b", "b"),
        ("for i in 1 2; do X=a; done", UNKNOWN),
        ("while true; do X=a; break; done", UNKNOWN),
        ("eval X=a", "a"),
        ("X=a # X=b", "a"),
        ("set -a; X=a", "a"),
        ("read X", UNKNOWN),
        ("sh -c 'X=a'", None),
        ("X=a\\\nb", "ab"),
    ],
)
def test_variables(script: str, expected: str | None) -> None:
    assert value(script, A="1", EMPTY="") == expected


@pytest.mark.parametrize(
    ("host", "expected"), [("app-0", "true"), ("app-10", "true"), ("app-1", "false"), (None, UNKNOWN)]
)
def test_case_is_decided_where_the_word_is_known(host: str | None, expected: str) -> None:
    script = "case $(hostname) in *-0|*-10) X=true;; *) X=false;; esac; export X"
    assert value(script, host=host) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('if [ "$HOSTNAME" = "app-0" ]; then X=true; else X=false; fi', "true"),
        ('if [ "$HOSTNAME" = app-1 ]; then X=true; elif test -n "$A"; then X=b; else X=false; fi', "b"),
        ('if [[ "$HOSTNAME" == app-0 ]]; then X=true; else X=false; fi', UNKNOWN),
        ('if [ "$NOPE" = a ]; then X=true; else X=false; fi', UNKNOWN),
        ("if [ -f /config/template.yml ]; then X=true; fi", "true"),
        ("if [ ! -f /config/none ]; then X=true; fi", "true"),
        ("if grep -q x /y; then X=same; else X=same; fi", "same"),
        ("X=a; if grep -q x /y; then X=b; fi", UNKNOWN),
        ("if grep -q x /y; then X=b; exit 1; fi; X=c", "c"),
        ('[ "${HOSTNAME##*-}" -eq 0 ] && X=true', "true"),
    ],
)
def test_if(script: str, expected: str) -> None:
    assert value(script, A="1") == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cat > /tmp/f << EOF\nrole: $A\nEOF\n", "role: 1\n"),
        ("cat > /tmp/f << 'EOF'\nrole: $A\nEOF\n", "role: $A\n"),
        ("cat <<EOF > /tmp/f\na \"b\" \\$A $(hostname)\nEOF\necho x", 'a "b" $A app-0\n'),
        ("cat > /tmp/f <<-EOF\n\trole: 1\n\tEOF\n", "role: 1\n"),
        ("tee /tmp/f <<EOF\nx\nEOF\n", "x\n"),
        ("echo a > /tmp/f; echo -n b >> /tmp/f", "a\nb"),
        ("printf 'a: %s\\n' 1 2 > /tmp/f", "a: 1\na: 2\n"),
        ("{ echo a; echo b; } > /tmp/f", "a\nb\n"),
        ("case $A in 1) echo true;; *) echo false;; esac > /tmp/f", "true\n"),
        ("if [ $A = 1 ]; then echo a > /tmp/f; fi", "a\n"),
        ("cp /config/template.yml /tmp/f", "host: $HOSTNAME\nrole: ${ROLE}\n"),
        ("envsubst < /config/template.yml > /tmp/f", "host: app-0\nrole: r\n"),
        ("envsubst '$ROLE' < /config/template.yml > /tmp/f", "host: $HOSTNAME\nrole: r\n"),
        ("cat /config/template.yml | envsubst | tee /tmp/f", "host: app-0\nrole: r\n"),
        ("sed 's/host/name/' /config/template.yml > /tmp/f", "name: $HOSTNAME\nrole: ${ROLE}\n"),
        ("cp /config/template.yml /tmp/f; sed -i 's/role/r/' /tmp/f", "host: $HOSTNAME\nr: ${ROLE}\n"),
        ("cp /config/template.yml /tmp/f; sed -i 's/r.*e/r/' /tmp/f", None),
        ("cp /config/template.yml /tmp/f; yq -i .a=1 /tmp/f", None),
        ("render > /tmp/f", None),
        ("echo a > /tmp/f; rm /tmp/f", None),
        ("cd /tmp && echo a > f", "a\n"),
        ("DIR=/tmp; mkdir -p $DIR; echo a > ${DIR}/f", "a\n"),
        ("(echo a > /tmp/f)", "a\n"),
        ("echo a >/tmp/f 2>&1", "a\n"),
        ("if grep -q x /y; then echo a > /tmp/f; fi", None),
    ],
)
def test_files(script: str, expected: str | None) -> None:
    assert written(script, A="1", ROLE="r") == expected


def test_a_read_only_file_is_not_spoiled() -> None:
    state, _ = follow("check /config/template.yml")
    assert "/config/template.yml" not in state.files
    assert state.ran_unseen


def test_text_with_unknown_parts_keeps_the_rest() -> None:
    state, _ = follow("cat > /tmp/f <<EOF\na: $(date)\nb: $NOPE\nEOF\n")
    text = state.files["/tmp/f"].text
    assert text is not None
    assert shown(text) == "a: <...>\nb: \n"


def test_words_at_the_moment_of_the_command() -> None:
    state, words = follow('A=1\nexport B="x y"\nlitefs mount -config $A "$B" $B\nA=2\n')
    assert words == [("litefs", "mount", "-config", "1", "x y", "x", "y")]
    assert state.vars["A"].value == "1"


def test_positional_arguments_reach_a_nested_script() -> None:
    _, words = follow("sh -c 'exec \"$@\"' x litefs mount")
    assert words == [("litefs", "mount")]


@pytest.mark.parametrize("script", ["if true", "case x in", "echo 'a", 'echo "a', "echo $(a", "a )", "{ a", "fi"])
def test_what_is_no_script_is_refused(script: str) -> None:
    with pytest.raises(ShellError):
        parse_script(script)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(
    ["if ", "then ", "fi", "case ", " in ", "esac", ";;", "*) ", "$(", ")", "`", "'", '"', "${A", "}", ":-", "<<E\n",
     "E\n", "> /f ", "a ", "A=b ", "; ", "&& ", "|| ", "| ", "& ", "{ ", "( ", "\n", "\\", "eval ", "export ", "for ",
     "do ", "done ", "litefs mount", "$@", "exec ", "sh -c ", "\ue000", "$A"]
)).map("".join))  # fmt: skip
def test_nothing_but_a_shell_error_is_raised(script: str) -> None:
    try:
        state, _ = follow(script, A="$A$A")
    except ShellError:
        return
    assert isinstance(state.vars, dict)


def test_growth_and_depth_are_bounded() -> None:
    doubled = "A=aaaaaaaaaaaaaaaa\n" + "A=$A$A\n" * 60
    assert value(doubled, "A") is not None
    assert len(value(doubled, "A") or "") < 4 * 1024 * 1024
    with pytest.raises(ShellError):
        follow("(" * 500 + "a" + ")" * 500)
    with pytest.raises(ShellError):
        follow("f() { f; f; }; f")
