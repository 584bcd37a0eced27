"""litefs.yml, read as LiteFS 0.5.14 reads it: expansion, strict YAML, defaults, checks. Never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..model.config import ConfigFile, Exec, Problem, ProblemKind, Sight, Value
from ..model.origin import Place, TextOrigin
from ..model.pod import EnvVar
from .config_checks import Checker
from .config_decode import Decoder, make_exec
from .config_text import ConfigText, read_text
from .expand import worst
from .schema import FIELDS
from .unseen import has_unknown, shown, without_markers
from .yaml_tree import Node, SyntaxProblem, compose

MAX_TEXT = 1024 * 1024
"""What fits into a ConfigMap."""
_FATAL = frozenset({ProblemKind.UNKNOWN_FIELD, ProblemKind.OLD_FIELD, ProblemKind.SYNTAX, ProblemKind.VALUE})


def read_litefs_yml(
    text: str,
    *,
    name: str,
    source: str,
    path: str,
    env: Mapping[str, EnvVar],
    env_complete: bool,
    host_name: str | None,
    expand_env: bool,
    after_dashes: tuple[str, ...] | None,
    first_line: int = 1,
    shell_undefined: Sequence[str] = (),
    origin: TextOrigin | None = None,
    unset: Sight = Sight.UNDEFINED,
    words_seen: Place | None = None,
) -> ConfigFile:
    """One litefs.yml with one pod's environment.

    `after_dashes` replaces `exec`, as the words after `--` do. `shell_undefined` names the variables that a script
    expanded to nothing while it wrote this text; they stand in it as markers. `origin` is where its lines stand in a file
    that was given. `unset` is how sure it is that nothing defines a variable which nothing visible defines.
    `words_seen` is where the words after `--` stand in a file that was given.
    """
    return _read_once(
        text, name, source, path, tuple(env.items()), env_complete, host_name, expand_env, after_dashes, words_seen,
        marked=tuple(shell_undefined), first_line=first_line, origin=origin, unset=unset,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _read_once(
    text: str,
    name: str,
    source: str,
    path: str,
    variables: tuple[tuple[str, EnvVar], ...],
    env_complete: bool,
    host_name: str | None,
    expand_env: bool,
    after_dashes: tuple[str, ...] | None,
    words_seen: Place | None,
    **how: Any,
) -> ConfigFile:
    """The file is read once, however often a run looks at the cluster: a repair looks before each step."""
    env = dict(variables)

    def read(complete: bool) -> ConfigText:
        return read_text(text if len(text) <= MAX_TEXT else "", env, complete, host_name, source=source, expand_env=expand_env, **how)

    config = read(env_complete)
    decoder, readable = _decode(config, lambda: read(False), too_long=len(text) > MAX_TEXT)
    values = _with_defaults(decoder, config) if readable else {}
    problems = list(decoder.problems)
    if values:
        problems += Checker(values, only_given=any(p.kind in _FATAL for p in problems)).run()
    execs = tuple(decoder.execs) if after_dashes is None else (_from_args(after_dashes, config, words_seen),)
    return ConfigFile(
        name=name,
        source=source,
        path=path,
        text=shown(text),
        expanded=without_markers(config.expanded),
        expand_env=expand_env,
        readable=readable,
        values=values,
        variables=tuple(config.variables()),
        problems=tuple(p for p in problems if after_dashes is None or p.kind is not ProblemKind.EXEC),
        execs=execs,
    )


def _decode(config: ConfigText, again: Callable[[], ConfigText], *, too_long: bool) -> tuple[Decoder, bool]:
    """What the document says, and whether there is one.

    Where it is no YAML with an undefined variable left empty, the image may still define that variable: `again`
    gives the text with such variables as unknown, so that the rest of the file is looked at as well.
    """
    decoder = Decoder(config)
    root = _tree(config, decoder, too_long)
    if root is None and any(not p.certain for p in decoder.problems):
        decoder = Decoder(again(), problems=decoder.problems)
        root = _tree(decoder.text, Decoder(decoder.text), too_long=False)
    if root is not None:
        decoder.document(root)
    return decoder, root is not None


def _tree(config: ConfigText, decoder: Decoder, too_long: bool) -> Node | None:
    """The document, or None with the reason among the problems. Only a mapping, or nothing at all, is a document."""
    try:
        if too_long:
            raise SyntaxProblem("the file is larger than 1 MiB and was not read", 1)
        root = compose(config.expanded)
    except SyntaxProblem as problem:
        line = config.line_of_expanded(problem.line)
        certain = worst([u.sight for u in config.uses]) in (Sight.KNOWN, Sight.UNSET) or problem.empty
        evidence = config.evidence(line)
        decoder.problems.append(Problem(ProblemKind.SYNTAX, "", problem.message, None, certain, evidence))
        return None
    if root.kind != "map" and not root.null:
        decoder.document(root)
        return None
    return root


def _with_defaults(decoder: Decoder, config: ConfigText) -> dict[str, Value]:
    """Every key of the table, and `exec` where the file has one."""
    values: dict[str, Value] = {}
    for key, spec in FIELDS.items():
        given = decoder.values.get(key)
        if given is not None:
            values[key] = given
            continue
        default = list(spec.default) if isinstance(spec.default, list) else spec.default
        evidence = config.whole(f"{key} is not set; default {_default_words(default)}")
        values[key] = Value(key, default, False, Sight.KNOWN, "", evidence)
    if decoder.execs:
        sight = Sight.KNOWN if all(e.known for e in decoder.execs) else Sight.UNKNOWN
        commands = [e.cmd for e in decoder.execs]
        values["exec"] = Value("exec", commands, True, sight, "", decoder.execs[0].evidence)
    return values


def _default_words(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, float):
        return f"{default:g}s"
    return str(default) if default not in ("", []) else "none"


def _from_args(words: tuple[str, ...], config: ConfigText, place: Place | None) -> Exec:
    """The words after `--`, joined with single blanks: quotes between them are lost."""
    command = " ".join(words)
    sight = Sight.UNKNOWN if has_unknown(command) else Sight.KNOWN
    told = f"words after --: {shown(command)}"[:200]
    evidence = place.evidence(told) if place is not None else config.whole(told)
    return make_exec(shown(command), shown(command), sight, evidence, from_args=True)
