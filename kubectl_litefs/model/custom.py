"""What the user adds to the table of rules."""

from __future__ import annotations

from dataclasses import dataclass

from .rule import Rule
from .suppression import Suppression


@dataclass(frozen=True, slots=True)
class Custom:
    """`rules` are judged beside the built-in ones. `patterns` are those that they look for in logs."""

    suppressions: tuple[Suppression, ...] = ()
    rules: tuple[Rule, ...] = ()
    patterns: tuple[str, ...] = ()


NOTHING = Custom()
