"""What may be asked of a value: `equals: x`, `above: 3`, `exists: false`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .patterns import LONGEST

NAMES = ("equals", "not-equals", "in", "not-in", "regex", "exists", "above", "below")

Number = Callable[[object], Fraction | float | None]
"""How a source writes its numbers: quantities in objects, durations in litefs.yml, plain ones in metrics."""


@dataclass(frozen=True, slots=True)
class Ask:
    """`name` is one of NAMES. `wanted` is what stands behind it, `limit` the same as a number for `above` and `below`."""

    name: str
    wanted: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    limit: Fraction | float | None = None
    number: Number = lambda value: None

    def holds(self, value: object, missing: bool) -> dict[str, str] | None:
        """The named groups of a match, empty without any; None where it does not hold. Of an absent value only
        `exists: false` holds."""
        if self.name == "exists":
            return {} if missing is (self.wanted == ("false",)) else None
        return None if missing else self._of(value)

    def _of(self, value: object) -> dict[str, str] | None:
        if self.pattern is not None:
            return _first_match(self.pattern, written(value))
        if self.limit is not None:
            given = self.number(value)
            right = given is not None and (given > self.limit if self.name == "above" else given < self.limit)
        else:
            right = (written(value) in self.wanted) is (self.name in ("equals", "in"))
        return {} if right else None


def _first_match(pattern: re.Pattern[str], text: str) -> dict[str, str] | None:
    """Line by line, each as far as a pattern may look."""
    for line in text.splitlines() or [""]:
        found = pattern.search(line[:LONGEST])
        if found is not None:
            return {key: value or "" for key, value in found.groupdict().items()}
    return None


def written(value: Any) -> str:
    """A value as YAML would have it in a rule: text as it is, `true`, `3`; anything larger as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, sort_keys=True, default=str)
