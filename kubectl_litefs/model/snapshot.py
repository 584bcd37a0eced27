"""Everything that was read, live, from a bundle or from files, before anything is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar, cast

from .origin import Gap

T = TypeVar("T")
Source = Literal["live", "bundle", "files", "dump", "logs"]
"""`files`: what a person has on disk, before any cluster; its items are `files/PATH`, with the path as it was given.
`dump`: what other tools saved of a cluster; `logs`: logs and nothing else."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a snapshot. `open` gives its bytes in chunks, from the start, as often as it is called."""

    path: str
    open: Callable[[], Iterator[bytes]]
    derived: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def once(self, how: object, read: Callable[[], T]) -> T:
        """What `read` makes of it. It is read in each way but once, however often facts are built: a log may be long."""
        if how not in self.derived:
            self.derived[how] = read()
        return cast("T", self.derived[how])

    def read(self) -> bytes:
        """All bytes. Only for small items: objects and LiteFS's answers, never logs."""
        return b"".join(self.open())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Logical path (bundle layout, format 1) -> Item, and what is missing.

    `wanted` names what was asked for (`statefulset/abaci-app`, `pod/abaci-app-1`); empty means everything.
    A set is judged as a whole even if only one of its pods was named. `taken_at` is None where nothing tells the time.
    """

    items: Mapping[str, Item]
    gaps: tuple[Gap, ...]
    namespaces: tuple[str, ...]
    taken_at: datetime | None
    source: Source
    kubernetes: str = ""
    litefs: str = ""
    wanted: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = field(default=())
    """For "no LiteFS found": what was looked at, in words (`12 pods of 4 StatefulSets in abaci`)."""
    patterns: tuple[str, ...] = field(default=())
    """Regular expressions of the user's own rules, to look for in logs beside the signatures."""
