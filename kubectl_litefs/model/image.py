"""A container's image as its Dockerfile builds it, as far as the file tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .origin import Evidence, Place, TextOrigin


@dataclass(frozen=True, slots=True)
class Words:
    """`CMD` or `ENTRYPOINT`: the words that are run, with `/bin/sh -c` where it is written without brackets."""

    words: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Setting:
    """A value with the instruction that gives it; `value` is None where it hangs on something that the file does not hold."""

    value: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class File:
    """A file that the image holds: its text, and where its lines stand."""

    text: str
    origin: TextOrigin


@dataclass(frozen=True, slots=True)
class Image:
    """The final stage, with what it inherits from the stages below it.

    `base` is the image that the lowest stage begins with; `base_known` is True for those of which it is known that they
    have neither FUSE nor settings of LiteFS. `litefs` shows that LiteFS is in it, None where nothing does.
    `packages` maps what package managers install to the instruction. `packages_known` is False where a script or a
    variable may have installed more. `elsewhere` are packages of stages that do not count.
    """

    source: str
    base: str
    base_known: bool
    env: Mapping[str, Setting]
    user: Setting | None
    workdir: str | None
    entrypoint: Words | None
    cmd: Words | None
    litefs: Evidence | None
    packages: Mapping[str, Evidence]
    packages_known: bool
    elsewhere: Mapping[str, Evidence]
    files: Mapping[str, File]
    start: Evidence
    """The FROM of the final stage."""
