"""The guards during a run: everything is looked at once more, and what differs ends it while nothing is deleted."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..errors import LitefsError
from ..exitcodes import ExitCode
from . import backup, destroy, rights, volume_backup
from .plan import make_plan
from .refusals import Refusal, judge, standing
from .work import FixWork, Stopped

if TYPE_CHECKING:
    from .run import Run


def recheck(run: Run, since: str) -> None:
    """The whole survey again. Raises Stopped: 4 where evidence speaks against it now, 6 where things differ."""
    assert run.plan is not None
    try:
        case = run.look()
    except LitefsError as error:
        if error.exit_code is ExitCode.USAGE:
            raise destroy.changed(f"{error.message} ({since})") from error
        raise
    found = granted(run, judge(case, run.options))
    against = standing(found)
    passing_only = [r for r in against if r.id == "R3" or (r.id == "R2" and not case.primaries)]
    if against and len(passing_only) == len(against):
        raise Stopped(
            "not-now",
            f"{against[0].text} ({since}). Nothing was changed",
            ExitCode.STOPPED_BEFORE,
            "Try again when the primary answers.",
        )
    if against:
        raise Stopped("refused", f"{against[0].text} ({since}). Nothing was changed", ExitCode.REFUSED, against[0].instead)
    if not case.mismatch:
        raise destroy.changed(f"{case.target.name} has its primary's cluster id now ({since})")
    difference = make_plan(case, run.options, found).grown_from(run.plan)
    if difference:
        raise destroy.changed(f"{difference} ({since})")


def granted(run: Run, found: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """What the plan's user has accepted stays accepted for this plan, on a resumed run too."""
    flags = {r.override for r in run.plan.accepted} if run.plan else set()
    return tuple(dataclasses.replace(r, granted=True) if r.override in flags and r.override else r for r in found)


def gate(run: Run) -> None:
    """Everything once more: the lock is ours, the rights are there, the evidence is the same, the backup holds."""
    work = run.work
    assert work is not None
    work.lock.check()
    rights.require(run.kube, work.plan, run.options.request_timeout, run.clock)
    recheck(run, "since the backup")
    if work.plan.backup == "retain-pv":
        volume_backup.require_retained(work)
    work.record("gate")


def save(run: Run, work: FixWork) -> None:
    if work.plan.backup == "export":
        work.backup = str(backup.export_all(work))
    elif work.plan.backup == "snapshot":
        work.backup = f"VolumeSnapshot {volume_backup.snapshot(work)}"
    elif work.plan.backup == "retain-pv":
        work.backup = f"volume {volume_backup.retain(work)}"
    if work.backup:
        work.journal.write("backup", place=work.backup)
        work.lock.note(backup=work.backup)
