"""The namespaces themselves, each by name: their labels say what a pod there may do, and whom policies mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..errors import KubeError
from ..parse.objects import list_path
from .objects import Lists, as_list


def space_jobs(get: Callable[[str], Any], lists: Lists, namespaces: tuple[str, ...]) -> dict[str, Callable[[], Any]]:
    """What reads the namespaces, by a key of its own. One namespace was read with the lists already."""
    return {} if lists.namespace else {f"space/{name}": partial(get, f"/api/v1/namespaces/{name}") for name in namespaces}


def read_spaces(results: Mapping[str, Any], lists: Lists) -> dict[str, bytes | BaseException]:
    """Bundle path -> the namespaces, or why they could not be read."""
    got = {lists.namespace: lists.results.get("namespace")} if lists.namespace else {k: v for k, v in results.items() if k.startswith("space/")}
    found = [o for o in got.values() if isinstance(o, dict)]
    refused = [e for e in got.values() if isinstance(e, BaseException) and not (isinstance(e, KubeError) and e.status == 404)]
    document = as_list(found) if found else next(iter(refused), None)
    return {} if document is None else {list_path("namespaces", ""): document}
