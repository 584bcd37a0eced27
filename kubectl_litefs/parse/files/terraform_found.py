"""What files hold while they are read; and Terraform sources, which are read folder by folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field

from ...model.objects import Obj
from ...model.origin import Gap, GapReason
from ...model.pod import Pod
from . import hcl
from .kubernetes import PLURALS
from .outside import Outside
from .terraform import Unjudged
from .text import Unreadable


@dataclass
class Found:
    """What the files hold, in the order in which they were read."""

    objects: list[Obj] = field(default_factory=list)
    alone: list[Pod] = field(default_factory=list)
    dockerfiles: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    configs: dict[str, str] = field(default_factory=dict)
    outside: list[Outside] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    terraform: dict[str, str] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    unsure: set[str] = field(default_factory=set)
    """Plurals of which there is an object that cannot be seen: none of them is known to be missing."""


def gap_of(path: str, why: Unreadable) -> Gap:
    return Gap(path, GapReason.UNPARSED, f"{path}:{why.line}: {why.message}")


def take(objects: Iterable[tuple[str, Obj | Unreadable]], found: Found) -> Iterator[Unreadable]:
    """Keep what is an object. What of a resource cannot be known is no fault of the file: a gap, after which its kind is not
    known whole."""
    for path, one in objects:
        if isinstance(one, Unjudged):
            found.gaps.append(Gap(path, GapReason.OFFLINE, f"{path}:{one.line}: {one.message}"))
            found.unsure |= {PLURALS[one.kind]} if one.kind in PLURALS else set()
        elif isinstance(one, Unreadable):
            yield one
        else:
            found.kinds[one.ref.kind] += 1
            found.objects.append(one)


def read_sources(found: Found, named: Set[str]) -> None:
    """The Terraform sources among the files; without their parser a gap, which is a failure where a person named one."""
    folders: dict[str, dict[str, str]] = {}
    for path, text in found.terraform.items():
        folders.setdefault(os.path.dirname(path), {})[path] = text
    for files in folders.values():
        try:
            for path, one in hcl.objects_in_sources(files, found.configs | found.scripts):
                found.gaps += [gap_of(path, why) for why in take([(path, one)], found)]
        except hcl.NoParser:
            for path in files:
                why = GapReason.UNPARSED if path in named else GapReason.OFFLINE
                found.gaps.append(Gap(path, why, f"{path}: {hcl.NEEDED}"))
