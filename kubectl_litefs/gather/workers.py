"""Bounded parallelism in which one request that hangs costs the others nothing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

WORKERS = 20
"""Enough for the first round of lists at once: then a server that hangs costs one time limit, not two."""
PATIENCE = 1.0
"""Seconds that a job may outlive its deadline before it is given up."""
TICK = 0.2
"""Seconds between two looks for jobs that hang."""


class _Done(Generic[T]):
    """What a job came to."""

    def __init__(self, value: T | None, error: BaseException | None) -> None:
        self.value, self.error = value, error


def run_all(
    jobs: Mapping[str, Callable[[], T]], seconds: float, each: float = 1e6, workers: int = WORKERS
) -> dict[str, T | BaseException]:
    """Run the jobs on `workers` daemon threads; key -> result, or the exception it raised, or TimeoutError where it did not end.

    Waits at most `seconds` for all and `each` for one, then leaves whatever hangs behind: daemon threads do not keep
    the process alive, and a thread that hangs is replaced so that the jobs behind it still run.
    """
    waiting: queue.SimpleQueue[tuple[str, Callable[[], T]]] = queue.SimpleQueue()
    results: queue.SimpleQueue[tuple[str, _Done[T]]] = queue.SimpleQueue()
    started: dict[str, float] = {}
    for item in jobs.items():
        waiting.put(item)

    def work() -> None:
        while True:
            try:
                key, job = waiting.get_nowait()
            except queue.Empty:
                return
            started[key] = time.monotonic()
            try:
                results.put((key, _Done(job(), None)))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who decides
                results.put((key, _Done(None, error)))

    def start() -> None:
        threading.Thread(target=work, daemon=True).start()

    for _ in range(min(workers, len(jobs))):
        if waiting.empty():  # those that run have taken them all: answers were quick
            break
        start()
    outcome: dict[str, T | BaseException] = {}
    ends = time.monotonic() + max(0.0, seconds) + PATIENCE
    while len(outcome) < len(jobs) and time.monotonic() < ends:
        try:
            key, done = results.get(timeout=min(TICK, max(0.001, ends - time.monotonic())))
            outcome.setdefault(key, done.error if done.error is not None else done.value)  # type: ignore[arg-type]
        except queue.Empty:
            for key in [k for k, began in started.copy().items() if k not in outcome and time.monotonic() - began > each + PATIENCE]:
                outcome[key] = TimeoutError("no answer in time")
                start()
    return {key: outcome.get(key, TimeoutError("no answer in time")) for key in jobs}
