"""JSON and YAML of other tools -> plain data. What is neither is told from it by its first bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

MAX_YAML = 64 * 1024 * 1024
"""Bytes; JSON may be four times as large."""
_YAML = re.compile(r"(?m)^(?:apiVersion|kind|items):(?:\s|\Z)")


class Unreadable(Exception):
    """It looks like a document, and is none; the message says why, in a few words."""


def looks_like_one(head: bytes) -> bool:
    """Whether a file that begins so holds Kubernetes objects, as far as its beginning tells."""
    text = head.decode("utf8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        return re.match(r"\[\s*(?:\{|\]|\Z)", text) is not None
    if text.startswith("{"):
        return re.search(r'"(?:kind|apiVersion|items|metadata)"\s*:', text) is not None
    return _YAML.search(text) is not None


def objects(data: bytes) -> Iterator[tuple[Mapping[str, Any], str, bool]]:
    """(object, its kind as far as it or its list tells, whether it stood in a list) of all documents of a file.

    An empty list gives one empty object with the list's kind. Raises Unreadable.
    """
    for document in _documents(data):
        if isinstance(document, list):
            yield from _members(document, "")
        elif isinstance(document, Mapping):
            kind = str(document.get("kind") or "")
            if "items" in document and (kind.endswith("List") or not kind):
                yield from _members(document["items"] or [], kind.removesuffix("List"))
            else:
                yield document, kind, False


def _members(items: Any, kind: str) -> Iterator[tuple[Mapping[str, Any], str, bool]]:
    if not isinstance(items, list):
        raise Unreadable("its items are no list")
    for item in items:
        if isinstance(item, Mapping):
            yield item, str(item.get("kind") or kind), True
    if not items:
        yield {}, kind, True


def _documents(data: bytes) -> Iterator[Any]:
    text = data.decode("utf8", "replace").lstrip("\ufeff")
    try:
        if text.lstrip()[:1] in ("{", "["):
            yield json.loads(text)
            return
        if len(data) > MAX_YAML:
            raise Unreadable(f"YAML of more than {MAX_YAML >> 20} MiB is not read")
        _refuse_hostile(text)
        yield from yaml.load_all(text, Loader=_Loader)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except (ValueError, yaml.YAMLError) as error:
        raise Unreadable(" ".join(str(error).split())[:200]) from None


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 100
"""Levels of a document; no object of Kubernetes has more. Far more would overrun the stack of the C loader."""


def _refuse_hostile(text: str) -> None:
    """Deep nesting, and aliases, which bombs are made of and no tool of Kubernetes writes."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("it has aliases (*name), which no tool of Kubernetes writes")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable("nested too deeply")


class _Loader(_Base):  # type: ignore[misc]
    """Times stay text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in _Base.yaml_implicit_resolvers.items()
}
