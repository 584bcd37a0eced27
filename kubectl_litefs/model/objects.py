"""A Kubernetes object as raw JSON, with evidence for any of its fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .image import Image
from .origin import Evidence, ObjectRef, Place, TextOrigin


def parse_time(text: object) -> datetime | None:
    """An RFC 3339 time of the API as an aware datetime; None for anything else. Nanoseconds are cut."""
    if not isinstance(text, str) or len(text) < 20 or not text[:4].isdigit():
        return None
    main, _, rest = text.partition(".")
    if rest:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        zone = rest[len(digits) :]
        text = f"{main}.{digits[:6].ljust(6, '0')}{zone}"
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


@dataclass(frozen=True, slots=True)
class Written:
    """Where an object that was read from a file stands.

    `label` names it: for a pod that a template would create, the workload. `place` gives the place of a field by its
    keys, of the nearest one above where it is not there; `text` where the lines of a text stand.
    """

    label: str
    place: Callable[[tuple[str, ...]], Place]
    text: Callable[[tuple[str, ...]], TextOrigin | None]
    images: Mapping[str, Image] = field(default_factory=dict)
    """By container: the image as its Dockerfile builds it, where that was given too."""
    holds: Callable[[tuple[str, ...]], bool] = lambda keys: True
    """Whether a field stands in the file: what a cluster says of the object, as its status, does not."""
    elsewhere: str = ""
    """The bundle path of what the cluster says of it."""
    partly: bool = False
    """Whether its texts may have parts that nobody knows, as expressions of Terraform, with a stand-in in their place."""


@dataclass(frozen=True, slots=True)
class Obj:
    """`raw` is the object's JSON; `source` the bundle path of the list it stood in, or the file."""

    ref: ObjectRef
    raw: Mapping[str, Any]
    source: str
    written: Written | None = field(default=None, compare=False, repr=False)

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path (`spec.template.spec.containers.0.name`); numbers index lists.

        A null counts as absent. Keys that contain a dot are out of reach: use `raw`.
        """
        value: Any = self.raw
        for key in path.split("."):
            if isinstance(value, Mapping):
                value = value.get(key)
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return default
        return default if value is None else value

    def mapping(self, path: str) -> Mapping[str, Any]:
        """The mapping at `path`, empty where there is none or something else."""
        value = self.get(path)
        return value if isinstance(value, Mapping) else {}

    def items(self, path: str) -> list[Mapping[str, Any]]:
        """The mappings in the list at `path`; whatever else stands in it is passed over."""
        value = self.get(path)
        return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []

    def time(self, path: str) -> datetime | None:
        return parse_time(self.get(path))

    @property
    def created(self) -> datetime | None:
        return self.time("metadata.creationTimestamp")

    @property
    def labels(self) -> Mapping[str, str]:
        return self.mapping("metadata.labels")

    def seen(self, path: str, value: Any = None) -> Evidence:
        """Evidence for one field: `Service/abaci-app spec.clusterIP: None`. `value` overrides what is shown."""
        shown = self.get(path) if value is None else value
        text = shown if isinstance(shown, str) else json.dumps(shown, sort_keys=True, default=str)
        return self.at(path, f"{path}: {text} ({self.label})")

    def at(self, path: str, excerpt: str) -> Evidence:
        """Evidence in other words: the place of a field, where the object stands in a file."""
        keys = tuple(path.split("."))
        if self.written is None or not self.written.holds(keys):
            return Evidence(self.written.elsewhere if self.written else self.source, None, excerpt)
        return self.written.place(keys).evidence(excerpt)

    def text_origin(self, *keys: str) -> TextOrigin | None:
        """Where the lines of a text stand in a file; None for an object of a cluster or a bundle."""
        return self.written.text(keys) if self.written and self.written.holds(keys) else None

    def image(self, container: str) -> Image | None:
        """A container's image, where its Dockerfile is known."""
        return self.written.images.get(container) if self.written else None

    @property
    def label(self) -> str:
        """What evidence calls the object: `pod/abaci-app-0`."""
        return self.written.label if self.written else str(self.ref)
