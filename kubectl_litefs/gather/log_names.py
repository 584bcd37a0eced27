"""Whose log a file is, told from its path: kubelet's, Docker's, a bundle's, or `abaci-app-1.log`."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..parse.log_envelope import Speaker

NAMESPACE, POD, CONTAINER = "NAMESPACE", "POD", "CONTAINER"
"""What stands for a name that nothing tells: in printed commands, for the reader to fill in. No object can bear it."""

_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,251}[a-z0-9])?"
"""Without dots: in a file's name they belong to its ending."""
_ENDING = r"(?:\.(?:log|txt|out|json|jsonl|ndjson))?(?:[.-]\d[\d-]*)?(?:\.gz)?"
_PLACES = tuple(
    re.compile(rf"(?:.*/)?{pattern}")
    for pattern in (
        rf"(?P<ns>{_NAME})_(?P<pod>{_NAME})_[0-9a-f-]{{32,36}}/(?P<c>{_NAME})/(?P<n>\d+)\.log(?:\.[\d-]+)?(?:\.gz)?",
        rf"(?P<pod>{_NAME})_(?P<ns>{_NAME})_(?P<c>{_NAME})-[0-9a-f]{{64}}\.log",
        rf"logs/(?P<ns>{_NAME})/(?P<pod>{_NAME})/(?P<c>{_LABEL})(?P<before>\.previous)?\.log",
        rf"(?P<ns>{_NAME})/(?P<pod>{_NAME})/logs\.txt",
        rf"(?P<pod>{_LABEL}?)(?P<before>[._-]prev(?:ious)?){_ENDING}",
        rf"(?P<pod>{_LABEL}){_ENDING}",
    )
)


class Named(NamedTuple):
    """`restart` is the kubelet's number of the run, None where the name has none."""

    speaker: Speaker
    previous: bool
    restart: int | None = None


def named(path: str, namespace: str) -> Named:
    """What the path tells. `namespace` counts where it tells none; both may be empty."""
    for pattern in _PLACES:
        found = pattern.fullmatch(path.replace("\\", "/"))
        if found is not None:
            parts = found.groupdict()
            who = Speaker(parts.get("ns") or namespace or NAMESPACE, parts["pod"], parts.get("c") or CONTAINER)
            number = parts.get("n")
            return Named(who, bool(parts.get("before")), int(number) if number else None)
    return Named(Speaker(namespace or NAMESPACE, POD, CONTAINER), False)
