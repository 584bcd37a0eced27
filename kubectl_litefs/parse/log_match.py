"""Which signatures a message matches."""

from __future__ import annotations

from ..model.signatures import COMMANDS, SIGNATURES
from .clean import clip

TEXT = 500
"""Characters that are kept of a message and of each of its fields."""

ANYONE = tuple(n.encode() for s in SIGNATURES if s.anyone for n in s.needles)
"""Literals that say something in an application's line too."""

Matches = tuple[tuple[str, dict[str, str]], ...]

_NEEDLES = tuple((needle, s) for s in SIGNATURES for needle in s.needles)


def search(text: str, ours: bool) -> Matches:
    """The signatures a message matches, with their fields. `ours` is True for LiteFS's own lines."""
    found: dict[str, dict[str, str]] = {}
    for needle, signature in _NEEDLES:
        if needle not in text or not (ours or signature.anyone) or signature.name in found:
            continue
        m = signature.pattern.search(text)
        if m is not None:
            fields = {k: clip(v or "", TEXT) for k, v in m.groupdict().items()}
            if signature.name in COMMANDS:
                return ((signature.name, fields),)
            found[signature.name] = fields
    return tuple(found.items())


class Searcher:
    """`search` that remembers short messages: the same few lines make up most of a long log."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Matches] = {}

    def __call__(self, text: str, ours: bool) -> Matches:
        known = self._known.get((text, ours))
        if known is None:
            known = search(text, ours)
            if len(text) <= TEXT:
                if len(self._known) >= 1000:
                    self._known.clear()
                self._known[text, ours] = known
        return known
