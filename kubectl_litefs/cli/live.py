"""What a live run needs from outside: the API server, the clock, somebody to tell."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import click

from ..ports import Kube
from .options import connection
from .output import ProgressLine


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@contextlib.contextmanager
def connected(ctx: click.Context, observer: ProgressLine) -> Iterator[Kube]:
    """The API server that the flags name. Its connections are given up at the end, however the run ends."""
    from ..kube.connect import connect

    observer.progress("connecting")
    try:
        kube = connect(connection(ctx))
        try:
            yield kube
        finally:
            kube.close()
    finally:
        observer.progress("")
