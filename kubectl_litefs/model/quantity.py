"""Kubernetes quantities (`50Gi`, `1500M`, `1e3`) as numbers."""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def quantity(text: object) -> Fraction | None:
    """The number in base units (bytes for storage); None for what the API would refuse."""
    found = _FORM.fullmatch(str(text)) if isinstance(text, (str, int)) and not isinstance(text, bool) else None
    if found is None:
        return None
    number, suffix, exponent = Fraction(found[1]), found[2], found[3]
    factor = Fraction(10) ** int(exponent or _POWERS.get(suffix or "", 0))
    if suffix and suffix.endswith("i"):
        factor = Fraction(1024 ** ("KMGTPE".index(suffix[0]) + 1))
    return number * Fraction(factor)
