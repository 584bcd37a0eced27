"""The namespaces themselves, each by name: their labels say what a pod there may do, and whom policies mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..errors import KubeError
from ..parse.objects import list_path
from .locks import Run
from .objects import Lists, as_list, json_object


def read_spaces(get: Callable[[str], bytes], run: Run, lists: Lists, namespaces: tuple[str, ...]) -> dict[str, bytes | BaseException]:
    """Bundle path -> the namespaces, or why they could not be read. One namespace was read with the lists already."""
    if lists.namespace:
        got = {lists.namespace: lists.results.get("namespace")}
    else:
        got = run({name: partial(get, f"/api/v1/namespaces/{name}") for name in namespaces})
    found = [json_object(data) for data in got.values() if isinstance(data, bytes)]
    refused = [e for e in got.values() if isinstance(e, BaseException) and not (isinstance(e, KubeError) and e.status == 404)]
    document = as_list(found) if found else next(iter(refused), None)
    return {} if document is None else {list_path("namespaces", ""): document}
