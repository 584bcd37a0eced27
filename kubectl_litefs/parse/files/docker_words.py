"""Words of Dockerfile instructions: variables, quotes, the JSON form of commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ..unseen import UNKNOWN, clean

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+?])((?:[^{}]|\$\{\w+\})*)|[#%/][^{}]*)?\})", re.ASCII)
MAX_NESTING = 5


def substitute(text: str, values: Mapping[str, str], escape: str, depth: int = 0) -> str:
    """`$A`, `${A}`, `${A:-x}`, `${A:+x}` filled in; an escaped `$` stays one. What is not set is empty."""
    out, at = "", 0
    while at < len(text):
        if text[at] == escape and text[at + 1 : at + 2] == "$":
            out, at = out + "$", at + 2
        elif text[at] == "$" and (match := _VARIABLE.match(text, at)):
            out += _value(match, values, escape, depth)
            at = match.end()
        else:
            out, at = out + text[at], at + 1
    return out


def filled_where_known(text: str, values: Mapping[str, str]) -> str:
    """A command for the shell with the variables that the Dockerfile gives; the others may be the shell's own, and stay."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda m: values.get(m[1] or m[2], m[0]), text, flags=re.ASCII)


def _value(match: re.Match[str], values: Mapping[str, str], escape: str, depth: int) -> str:
    name, operator, other = match[1] or match[2], match[3], match[4] or ""
    value = values.get(name)
    if operator is None:
        plain = match[0] in (f"${name}", f"${{{name}}}")
        return (value or "") if plain else UNKNOWN
    given = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("?"):
        return value or ""
    wanted = other if given is operator.endswith("+") else None
    if wanted is None:
        return (value or "") if given and not operator.endswith("+") else ""
    return substitute(wanted, values, escape, depth + 1) if depth < MAX_NESTING else UNKNOWN


def words(text: str, escape: str, values: Mapping[str, str]) -> list[str]:
    """Split at blanks; quotes group and are taken off, the escape character protects the next one.

    Variables are filled in, but in single quotes; what comes from one is not split again.
    """
    found: list[str] = []
    word, quote, at, begun = "", "", 0, False
    while at < len(text):
        char = text[at]
        at += 1
        if char == escape and quote != "'" and at < len(text):
            following = text[at]
            at += 1
            word += following if not quote or following in (quote, escape, "$") else char + following
            begun = True
        elif char == "$" and quote != "'" and (match := _VARIABLE.match(text, at - 1)):
            word, at, begun = word + _value(match, values, escape, 0), match.end(), True
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "'\"":
            quote, begun = char, True
        elif char.isspace():
            if begun:
                found.append(word)
            word, begun = "", False
        else:
            word, begun = word + char, True
    return [*found, word] if begun else found


def pairs(text: str, escape: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`A=1 B="x y"`, or the old form `A all the rest`."""
    first = text.split(None, 1)
    if first and "=" not in first[0]:
        rest = first[1].strip() if len(first) > 1 else ""
        yield first[0], " ".join(words(rest, escape, values)) if rest[:1] in ("'", '"') else substitute(rest, values, escape)
        return
    for word in words(text, escape, values):
        name, equals, value = word.partition("=")
        if equals and name:
            yield name, value


def command(text: str, shell: tuple[str, ...]) -> tuple[str, ...]:
    """The words of CMD, ENTRYPOINT or SHELL: a JSON list, else a line for the shell. Empty: nothing is run."""
    if text.startswith("["):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        if isinstance(given, list) and all(isinstance(w, str) for w in given):
            return tuple(clean(w) for w in given)
    return (*shell, clean(text)) if text else ()


def without_flags(text: str) -> tuple[dict[str, str], str]:
    """`--from=build --chown=x` in front, and the rest."""
    flags: dict[str, str] = {}
    while match := re.match(r"--([a-z]+)(?:=(\S+))?\s+", text):
        flags[match[1]] = match[2] or ""
        text = text[match.end() :]
    return flags, text
