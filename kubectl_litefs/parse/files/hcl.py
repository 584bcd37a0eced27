"""Terraform sources, with the optional package python-hcl2: literals are values, everything else is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...model.objects import Obj
from ..unseen import UNKNOWN, clean
from .hcl_places import HclPlaces
from .terraform import UNSEEN, Hidden, Unjudged, as_object, kind_of
from .text import Unreadable

NEEDED = "reading Terraform sources needs the package python-hcl2: pip install 'kubectl-litefs[terraform]' (a plan needs nothing: terraform show -json)"
_REFERENCE = re.compile(r"(kubernetes_\w+)\.([\w-]+)\.metadata(?:\[0\]|\.0)\.(name|namespace)\Z")
_LOCAL = re.compile(r"local\.([\w-]+)\Z")
_HEREDOC = re.compile(r"<<(-?)([\w-]+)[ \t]*\n(.*?)\n?[ \t]*\2\Z", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_PARTLY = frozenset({"data", "command", "args"})
"""Where a text of which a part is unknown still says something."""
_MORE_ENV = {"secret_ref": [{"name": "known-after-apply"}]}
"""What a `dynamic "env"` amounts to: variables that nobody can see."""


class NoParser(Exception):
    """python-hcl2 is not installed."""


@dataclass
class _Module:
    """One folder: what its files define, to follow names into."""

    resources: dict[tuple[str, str], tuple[str, Mapping[str, Any]]]
    locals: dict[str, Any]


def objects_in_sources(files: Mapping[str, str]) -> Iterator[tuple[str, Obj | Unreadable]]:
    """(file, object or why there is none) of the files of one folder. Raises NoParser."""
    module = _Module({}, {})
    for path, text in files.items():
        try:
            document = _parsed(text)
        except Unreadable as why:
            yield path, why
            continue
        for block in _blocks(document.get("resource")):
            for kind, named in block.items():
                for name, body in named.items() if isinstance(named, Mapping) else ():
                    if isinstance(body, Mapping):
                        module.resources[_bare(kind), _bare(name)] = (path, body)
        for block in _blocks(document.get("locals")):
            module.locals.update(block)
    places = {path: HclPlaces(path, text) for path, text in files.items()}
    for (kind, name), (path, body) in module.resources.items():
        made = _object(module, kind, name, body, places[path])
        if made is not None:
            yield path, made


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ImportError:
        raise NoParser from None
    try:
        found = hcl2.loads(clean(text) + "\n")
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except (LarkError, ValueError, KeyError, TypeError, AttributeError) as error:  # what that package raises on odd input
        line = getattr(error, "line", None)
        raise Unreadable("no Terraform source that python-hcl2 can read", line if isinstance(line, int) and line > 0 else 1) from None
    return found if isinstance(found, Mapping) else {}


def _object(module: _Module, kind: str, name: str, body: Mapping[str, Any], places: HclPlaces) -> Obj | Unreadable | None:
    made, at = kind_of(kind), ("resource", kind, name)
    line, address = places.place(at).line, f"{kind}.{name}"
    if kind == "helm_release":
        return Unjudged(f"{address}: what a chart makes is seen only when it is rendered (helm template ... | kubectl litefs lint -)", line)
    if kind in ("kubernetes_manifest", "kubectl_manifest"):
        return Unjudged(f"{address}: a manifest in Terraform's own language is judged in the plan only (terraform show -json)", line)
    if made is None or body.get("count") in (0, "0"):
        return None
    values = {k: _value(module, v, k) for k, v in body.items() if not k.startswith("__")}
    _dynamic(values)
    try:
        return as_object(made, values, places.path, lambda keys: places.place((*at, *keys)), lambda keys: places.origin((*at, *keys)))
    except Hidden as hidden:
        return Unjudged(f"{address}: {hidden} is an expression whose value only Terraform knows (lint the plan: terraform show -json)", line, made)


def _value(module: _Module, value: Any, key: str, partly: bool = False) -> Any:
    partly = partly or key in _PARTLY
    if isinstance(value, str):
        return _text(module, value, partly)
    if isinstance(value, Mapping):
        made = {_bare(k): _value(module, v, _bare(k), partly) for k, v in value.items() if not k.startswith("__")}
        if value.get("__is_block__"):
            _dynamic(made)
        return made
    if isinstance(value, list):
        return [_value(module, v, key, partly) for v in value]
    return value


def _dynamic(block: dict[str, Any]) -> None:
    """A `dynamic` block makes blocks that nobody can count before."""
    for one in block.pop("dynamic", ()):
        for name in one if isinstance(one, Mapping) else ():
            if name == "env":
                block["env_from"] = [*block.get("env_from", []), _MORE_ENV]
            else:
                block[name] = UNSEEN


def _text(module: _Module, written: str, partly: bool) -> Any:
    """A literal, or what an expression amounts to where that is certain."""
    if not written.startswith('"'):
        inner = written[2:-1].strip() if written.startswith("${") and written.endswith("}") else written
        return _expression(module, inner)
    body = written[1:-1]
    heredoc = _HEREDOC.match(body) if "\n" in body else None
    text = _unindented(heredoc[3] + "\n", heredoc[1] == "-") if heredoc else _unescaped(body)
    return _filled(module, text, partly)


def _expression(module: _Module, text: str) -> Any:
    """A name of another resource, or a local value; everything else only Terraform knows."""
    reference, local = _REFERENCE.match(text), _LOCAL.match(text)
    if reference:
        found = module.resources.get((reference[1], reference[2]))
        metadata = _blocks(found[1].get("metadata")) if found else []
        told = metadata[0].get(reference[3]) if metadata else None
        if isinstance(told, str) and "kubernetes_" not in told:  # followed once: there is no circle then
            return _text(module, told, partly=False)
    elif local:
        told = module.locals.get(local[1])
        if isinstance(told, (bool, int, float)):
            return told
        if isinstance(told, str) and told.startswith('"') and "${" not in told:
            return _text(module, told, partly=False)
    return UNSEEN


def _filled(module: _Module, text: str, partly: bool) -> Any:
    """`${...}` as its value; `$${` is how a `${` is written. A part that is unknown leaves the whole unknown, but for `partly`."""
    if re.search(r"(?<!%)%\{", text):
        return UNSEEN
    unknown = False

    def put(found: re.Match[str]) -> str:
        nonlocal unknown
        if found[0].startswith("$$"):
            return "${"
        value = _expression(module, found[1].strip())
        unknown = unknown or value is UNSEEN
        return UNKNOWN if value is UNSEEN else str(value).lower() if isinstance(value, bool) else str(value)

    made = re.sub(r"\$\$\{|\$\{((?:[^{}\"]|\"[^\"]*\"|\{[^{}]*\})*)\}", put, text).replace("%%{", "%{")
    return UNSEEN if unknown and not partly else made


def _unindented(text: str, strip: bool) -> str:
    rows = text.split("\n")
    indent = min((len(row) - len(row.lstrip(" ")) for row in rows if row.strip()), default=0) if strip else 0
    return "\n".join(row[indent:] if row.strip() else "" for row in rows)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "u" and len(m[1]) == 5 else _ESCAPES.get(m[1], m[0]), text)


def _bare(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _blocks(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
