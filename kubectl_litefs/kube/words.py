"""Text from outside made fit for one line of an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def one_line(text: str, limit: int = 400) -> str:
    """Control characters and line ends become single blanks; what is longer than `limit` is cut."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean prod?`, else `; there is a, b, c`."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, 3, 0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if not known:
        return "; there is none"
    shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    return f"; there is {shown}"


def without_password(url: str) -> str:
    """The URL for a message: user and password left out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    return one_line(url if "@" not in parts.netloc else url.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1))
