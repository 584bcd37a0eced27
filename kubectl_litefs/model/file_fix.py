"""A file of the user's and what it should become."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFix:
    """What a file becomes. `notes` and `by_hand` begin with the place; the latter is what is left to a person."""

    path: str
    before: bytes
    after: bytes
    notes: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.before != self.after
