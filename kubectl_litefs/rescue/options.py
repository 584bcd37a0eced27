"""What the user asked `rescue run` for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..fix.options import FixOptions


@dataclass(frozen=True, slots=True)
class RescueOptions(FixOptions):
    """`name` is the set as typed (`statefulset/abaci-app`), None for the only one there is; `pod` becomes the primary's name
    once it is known. `strategy` is `auto`, `data-dir` or `import`; `base` is where copies are saved."""

    name: str | None = None
    base: Path = Path()
    source: str | None = None
    """The replica whose copies are to be taken, where a person has decided."""
