"""Text from outside, made safe to keep and to print."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
"""Terminal sequences: colours, cursor movement, titles and links; a lone ESC too."""

_PASSWORD = re.compile(r"(://[^/\s@:]*:)[^/\s@]+@")


def clean(text: str) -> str:
    """Without terminal sequences, control, format and private characters; other white space becomes a blank.

    Lone surrogates, which could not be printed, become U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _instead(c) for c in _ESCAPE.sub("", text))


def _instead(char: str) -> str:
    if char.isspace():
        return " "
    return "\ufffd" if "\ud800" <= char <= "\udfff" else ""


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def without_passwords(text: str) -> str:
    """A URL's password is replaced: LiteFS logs a Consul URL as it is configured."""
    return _PASSWORD.sub(r"\1***@", text) if "@" in text and "://" in text else text
