"""Terraform sources, with the optional package python-hcl2: literals are values, everything else is unknown."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...model.objects import Obj
from ...model.origin import Place, TextOrigin
from ..unseen import UNKNOWN, clean
from .hcl_places import HclPlaces
from .kubernetes import objects_in_value
from .terraform import UNSEEN, Hidden, Keys, Unjudged, as_object, has_unseen, kind_of
from .text import Unreadable

NEEDED = "reading Terraform sources needs the package python-hcl2: pip install 'kubectl-litefs[terraform]' (a plan needs nothing: terraform show -json)"
_REFERENCE = re.compile(r"(kubernetes_\w+)\.([\w-]+)\.metadata(?:\[0\]|\.0)\.(name|namespace)\Z")
_LOCAL = re.compile(r"local\.([\w-]+)\Z")
_HEREDOC = re.compile(r"<<(-?)([\w-]+)[ \t]*\n(.*?)\n?[ \t]*\2\Z", re.DOTALL)
_CALL = re.compile(r"(?:file|templatefile|yamlencode|jsonencode)\(")
_FILE = re.compile(r'(?:\$\{)?(file|templatefile)\(\s*"(?:\$\{path\.module\}/)?([^"$%\\]+)"\s*[,)]')
_ENCODE = re.compile(r"(?:yaml|json)encode\((.*)\)\Z", re.DOTALL)
MANIFESTS = ("kubernetes_manifest", "kubectl_manifest")
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
    folder: str
    given: Mapping[str, str]
    """Path -> text of other files that were given."""


def objects_in_sources(files: Mapping[str, str], given: Mapping[str, str]) -> Iterator[tuple[str, Obj | Unreadable]]:
    """(file, object or why there is none) of the files of one folder; `given` are others that `file` may name. Raises NoParser."""
    module = _Module({}, {}, os.path.dirname(next(iter(files), "")), given)
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
        for made in _objects(module, kind, name, body, places[path]):
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


def _objects(module: _Module, kind: str, name: str, body: Mapping[str, Any], places: HclPlaces) -> Iterator[Obj | Unreadable]:
    made, at = kind_of(kind), ("resource", kind, name)
    line, address = places.place(at).line, f"{kind}.{name}"
    if kind == "helm_release":
        yield Unjudged(f"{address}: what a chart makes is seen only when it is rendered (helm template ... | kubectl litefs lint -)", line)
        return
    if body.get("count") in (0, "0") or (made is None and kind not in MANIFESTS):
        return
    values = {k: _value(module, v, k) for k, v in body.items() if not k.startswith("__")}
    text = _Texts(module, body, places, at)
    if kind in MANIFESTS:
        manifest = values.get("manifest")
        if kind != "kubernetes_manifest" or manifest is None or has_unseen(manifest):
            yield Unjudged(f"{address}: of this manifest something is an expression whose value only Terraform knows (lint the plan: terraform show -json)", line)
        else:
            yield from map(_partly, objects_in_value(text, manifest, ("manifest",)))
        return
    assert made is not None
    _dynamic(values)
    try:
        yield _partly(as_object(made, values, places.path, text.place, text.origin))
    except Hidden as hidden:
        yield Unjudged(f"{address}: {hidden} is an expression whose value only Terraform knows (lint the plan: terraform show -json)", line, made)


def _partly(obj: Obj) -> Obj:
    return replace(obj, written=replace(obj.written, partly=True)) if obj.written is not None else obj


class _Texts:
    """Places of one resource's fields. The text of a `file(...)` stands in that file."""

    def __init__(self, module: _Module, body: Mapping[str, Any], places: HclPlaces, at: Keys) -> None:
        self.module, self.body, self.places, self.at = module, body, places, at
        self.path = places.path

    def place(self, keys: Keys) -> Place:
        return self.places.place((*self.at, *keys))

    def origin(self, keys: Keys) -> TextOrigin | None:
        found: Any = self.body
        for key in keys:
            if isinstance(found, Mapping):
                found = next((v for k, v in found.items() if _bare(k) == key), None)
            else:
                found = found[int(key)] if isinstance(found, list) and key.isdigit() and int(key) < len(found) else None
        call = _FILE.match(found) if isinstance(found, str) else None
        path = _given(self.module, call[2]) if call else None
        return TextOrigin(path) if path is not None else self.places.origin((*self.at, *keys))


def _given(module: _Module, name: str) -> str | None:
    """The path of a file that was given, by its name in the module."""
    wanted = os.path.normpath(os.path.join(module.folder, name))
    return next((p for p in module.given if os.path.normpath(p) == wanted), None)


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
        return _call(module, inner) if _CALL.match(inner) else _expression(module, inner)
    body = written[1:-1]
    heredoc = _HEREDOC.match(body) if "\n" in body else None
    text = _unindented(heredoc[3] + "\n", heredoc[1] == "-") if heredoc else _unescaped(body)
    return _filled(module, text, partly)


def _call(module: _Module, text: str) -> Any:
    """`file`, `templatefile`, `yamlencode` and `jsonencode`, of what was given or is written there. JSON is YAML."""
    read = _FILE.match(text)
    if read is not None:
        path = _given(module, read[2])
        if path is None:
            return UNSEEN
        given = clean(module.given[path])
        return given if read[1] == "file" else _filled(module, given, partly=True)
    inner = _ENCODE.match(text)
    if inner is None:
        return UNSEEN
    try:
        value = _value(module, _parsed(f"x = {inner[1]}").get("x"), "", partly=True)
    except Unreadable:
        return UNSEEN
    if value is UNSEEN:
        return UNSEEN
    return json.dumps(value, ensure_ascii=False, indent=1, default=lambda unseen: UNKNOWN).replace(f'"{UNKNOWN}"', UNKNOWN)


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
