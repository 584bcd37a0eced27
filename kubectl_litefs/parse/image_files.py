"""Files that an image's Dockerfile copies into it, where they were given too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.objects import Obj
from .shell_state import Content
from .unseen import clean


def in_image(pod: Obj, container: Mapping[str, Any], path: str) -> Content | None:
    """None where nothing tells what the image has there."""
    image = pod.image(str(container.get("name") or ""))
    file = image.files.get(path) if image else None
    return Content(clean(file.text), file.origin.source, file.origin.source, origin=file.origin) if file else None
