"""`-f` and `-R`: files to lay over the cluster, as kubectl takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .params import GivenPath

if TYPE_CHECKING:
    from ..model.snapshot import Snapshot

F = TypeVar("F", bound=Callable[..., Any])

_FILES = click.option(
    "-f", "--filename", "filenames", multiple=True, type=GivenPath(), metavar="FILE",
    help="Judge as if this were applied: a file, a directory, or - for standard input; repeatable.",
)  # fmt: skip
_RECURSIVE = click.option("-R", "--recursive", is_flag=True, help="With -f: directories with all that is below them.")


def file_options(function: F) -> F:
    """`-f`, `-R`."""
    return _FILES(_RECURSIVE(function))


def files_of(ctx: click.Context, filenames: tuple[str, ...], *, recursive: bool) -> Snapshot | None:
    """What they name; None where they name nothing."""
    if recursive and not filenames:
        raise click.UsageError("-R belongs to -f", ctx)
    if not filenames:
        return None
    from .. import app

    return app.files_to_apply(filenames, lambda: sys.stdin.buffer, recursive=recursive)
