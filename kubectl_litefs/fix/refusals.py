"""What speaks against the reset: one table of guards, each a pure function of the case."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .case import Case
from .options import FixOptions


@dataclass(frozen=True, slots=True)
class Refusal:
    """`text` names both values that were seen, `instead` what to do. `override` is the flag that permits it all the
    same, None for what nothing permits; `granted` says that the user gave it."""

    id: str
    text: str
    instead: str
    override: str | None = None
    granted: bool = False


Guard = Callable[[Case, FixOptions], Iterator[Refusal]]


def judge(case: Case, options: FixOptions) -> tuple[Refusal, ...]:
    """All of them, those that nothing permits first."""
    from . import guards_data, guards_identity, guards_kubernetes

    guards = (*guards_identity.GUARDS, *guards_data.GUARDS, *guards_kubernetes.GUARDS)
    found = [_restored(r, options) for guard in guards for r in guard(case, options)]
    return tuple(sorted(found, key=lambda r: (r.override is not None, int(r.id[1:]))))


WHO_IS_RIGHT = frozenset({"R4", "R5", "R25"})
"""Refusals that ask whose history counts."""
BEHIND = frozenset({"R7", "R8"})
"""Refusals that say that a database is not in the primary's."""


def _restored(refusal: Refusal, options: FixOptions) -> Refusal:
    """A rescue that has proven its data on the primary answers what nobody could answer before it."""
    name = (refusal.override or "").removeprefix("--accept-loss=")
    answered = refusal.id in WHO_IS_RIGHT or (refusal.id in BEHIND and name in options.restored)
    return dataclasses.replace(refusal, override="rescue", granted=True) if options.restored and answered else refusal


def standing(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """Those that no flag has taken away."""
    return tuple(r for r in refusals if not r.granted)
