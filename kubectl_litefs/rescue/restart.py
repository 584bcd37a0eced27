"""The primary's pod is deleted when what it runs began before the swap was complete, whoever started it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..errors import KubeError
from ..fix import destroy
from ..fix.work import POLL, Work, terminating, uid_of
from ..model.litefs import Info
from ..model.origin import Gap

ANSWER = 30.0
"""Seconds a pod that somebody has restarted may take to answer. One that is silent is restarted once more: that costs seconds."""


def restart(work: Work, what: str, stale: Callable[[str], bool]) -> None:
    """Delete the planned pod, or the one that somebody has put in its place half-way. `stale` says of a uid whether that pod
    began before `what` was complete. Raises what `remove_old_pod` raises.
    """
    meant = work.plan
    found = destroy.until_seen(work, meant.pod)
    another = found is not None and uid_of(found) != meant.pod_uid and not terminating(found)
    if another and stale(uid_of(found)):
        work.warn(f"{meant.pod} was restarted by somebody before {what} was complete: it is restarted once more")
        work.plan = dataclasses.replace(meant, pod_uid=uid_of(found))
    try:
        destroy.remove_old_pod(work)
    finally:
        work.plan = meant


def swapped_behind(work: Work, swapped_now: bool, serves: Callable[[Info], bool]) -> Callable[[str], bool]:
    """A pod that runs as this run completes the swap has read the disk before; else `serves` says whether it has what was swapped in."""
    return lambda uid: swapped_now or not _answers(work, serves)


def _answers(work: Work, serves: Callable[[Info], bool]) -> bool:
    ends = work.clock.monotonic() + ANSWER
    while True:
        try:
            info = work.info(work.plan.pod)
        except KubeError:
            info = None
        if info is not None and not isinstance(info, Gap) and info.cluster_id:
            return serves(info)
        if work.clock.monotonic() >= ends or work.left() <= 0:
            return False
        work.sleep(POLL)
