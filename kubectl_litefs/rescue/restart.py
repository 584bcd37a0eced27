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


def restart(work: Work, swapped_now: bool, serves: Callable[[Info], bool]) -> None:
    """Delete the planned pod, or the one that somebody has put in its place half-way. `serves` says whether that one has what was swapped in.

    A pod that runs as this run completes the swap has read the disk before. Raises what `remove_old_pod` raises.
    """
    meant = work.plan
    found = destroy.until_seen(work, meant.pod)
    another = found is not None and uid_of(found) != meant.pod_uid and not terminating(found)
    if another and (swapped_now or not _answers(work, serves)):
        work.warn(f"{meant.pod} was restarted by somebody before the swap was complete: it is restarted once more")
        work.plan = dataclasses.replace(meant, pod_uid=uid_of(found))
    try:
        destroy.remove_old_pod(work)
    finally:
        work.plan = meant


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
