"""A Kubernetes object as raw JSON, with evidence for any of its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .origin import Evidence, ObjectRef


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
class Obj:
    """`raw` is the object's JSON; `source` the bundle path of the list it stood in."""

    ref: ObjectRef
    raw: Mapping[str, Any]
    source: str

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
        return Evidence(self.source, None, f"{path}: {text} ({self.ref})")
