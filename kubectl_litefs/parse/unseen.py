"""Stand-ins for text that cannot be seen, inside text that can.

A value that comes from a Secret or a computed shell variable is one private-use character, so that the text around
it can still be read as YAML or as words. A shell variable that nothing visible defines is a marker that names it:
it stands for nothing at all, but whoever reads the text can tell where the nothing came from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

UNKNOWN = "\ue000"
"""Some text, nobody knows which."""

UNKNOWN_BOOL = "\ue001"
"""`true` or `false`, nobody knows which."""

_FIRST = 0xF0000
MAX_MARKERS = 0xFFFD
MARKER = re.compile("[\U000f0000-\U000ffffd]")
_ANY = re.compile("[\ue000\ue001]+")
_PLACEHOLDERS = re.compile("[\ue000\ue001\U000f0000-\U000ffffd\U00100000-\U0010fffd]")


def marker(index: int) -> str:
    """The marker of the undefined variable with this number."""
    return chr(_FIRST + min(index, MAX_MARKERS))


def marked_name(char: str, names: Sequence[str]) -> str | None:
    """The variable a marker stands for; None for a character that is none of ours."""
    index = ord(char) - _FIRST
    return names[index] if 0 <= index < len(names) else None


def clean(text: str) -> str:
    """Foreign text without characters that would be taken for stand-ins."""
    return _PLACEHOLDERS.sub("\ufffd", text)


def has_unknown(text: str) -> bool:
    return UNKNOWN in text or UNKNOWN_BOOL in text


def without_markers(text: str) -> str:
    return MARKER.sub("", text)


def shown(text: str) -> str:
    """For people: what cannot be seen is an ellipsis in brackets."""
    return _ANY.sub("<...>", MARKER.sub("", text))
