"""Taking up a run that was stopped. The cluster decides by uid where to go on; records only say which uids were meant."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import KubeError, LitefsError, UsageError
from ..exitcodes import ExitCode
from . import backup, gate, in_place, rights, scale
from .journal import entries, journal_path
from .lock import Lock, holder_of, notes_of, taken_up_by
from .outcome import Outcome
from .plan import Plan, make_plan
from .plan_json import read_plan
from .refusals import judge, standing
from .work import FixWork, Phase, Stopped, passing, terminating, uid_of

if TYPE_CHECKING:
    from .run import Run


def resume(run: Run) -> Outcome:
    """Ends the same way as the run that was stopped would have, and does nothing twice."""
    run.ui.step("look", f"look for a run that was stopped at {run.options.pod}", "doing")
    plan, place = recorded(run)
    if plan is None:
        return _without_record(run)
    run.ui.step("look", "", "done", f"plan {plan.id[:12]}")
    if plan.server != run.kube.server:
        raise Stopped(
            "changed", f"the recorded plan is for {plan.server}, this is {run.kube.server}. Nothing was changed", ExitCode.CHANGED
        )
    run.require_meant(plan)
    if run.options.disable_eviction:  # what a stopped run's hint says where a disruption budget stands in the way
        plan = dataclasses.replace(plan, disable_eviction=True)
    work = run.start(plan)
    work.backup = place
    work.phase = Phase.LOOKING
    pod, claim = _seen(work)
    old_pod = uid_of(pod) == plan.pod_uid
    untouched = claim is not None and uid_of(claim) == plan.claim_uid and not terminating(claim)
    if untouched and (plan.strategy != "in-place" or (old_pod and not terminating(pod))):
        return _start_over(run, work)
    if claim is not None and uid_of(claim) == plan.claim_uid and pod is None:
        old_pod = False
    run.take_lock(work)
    work.phase = Phase.ARMED
    if plan.strategy == "scale":
        unset = scale.restore(work)
        work.deadline = run.deadline
        if unset:
            raise Stopped("scaled", unset, ExitCode.STOPPED_AFTER)
    if old_pod and not terminating(pod):
        rights.require(run.kube, plan, run.options.request_timeout, run.clock)
        _prove_again(run, work)
        run.finish_pod(work)
    else:
        run.wait(work)
    return run.finish(work)


def recorded(run: Run) -> tuple[Plan | None, str]:
    """(the plan of the run that was stopped, where its backup lies), from the Lease, else from the journal."""
    stem = run.options.pod.rpartition("-")[0]
    lock = Lock(run.kube, run.namespace, stem, run.clock, run.options.request_timeout)
    try:
        lease = lock.read()
    except KubeError as error:
        if error.status == 403 or not passing(error):
            raise
        raise Stopped("cannot-look", error.as_kubectl_prints_it(), ExitCode.STOPPED_BEFORE) from error
    notes = notes_of(lease)
    if lease is not None and notes.get("pod") not in (None, run.options.pod):
        raise LitefsError(
            "locked",
            f"the run that holds {lock.name} ({holder_of(lease)}) is for pod {notes['pod']}, not for {run.options.pod}",
            hint=taken_up_by(notes, stem, run.namespace),
            exit_code=ExitCode.LOCKED,
        )
    if notes.get("command", "").startswith("rescue") and not run.options.restored:
        raise LitefsError(
            "locked",
            f"the run that holds {lock.name} ({holder_of(lease)}) is a rescue of the whole set",
            hint=taken_up_by(notes, stem, run.namespace),
            exit_code=ExitCode.LOCKED,
        )
    place = notes.get("backup", "")
    try:
        plan = read_plan(json.loads(notes.get("plan-document", "null")))
    except (ValueError, RecursionError):
        plan = None
    if plan is not None and (plan.pod, plan.namespace) == (run.options.pod, run.namespace):
        return plan, place
    return _from_journal(run)


def _from_journal(run: Run) -> tuple[Plan | None, str]:
    """The newest plan that was started and not finished."""
    plan, place = None, ""
    for entry in entries(journal_path(run.environ, run.kube.server, run.namespace, run.options.pod)):
        if entry.get("step") == "start":
            plan, place = read_plan(entry.get("document")), ""
        elif entry.get("step") == "backup":
            place = str(entry.get("place", ""))
        elif entry.get("step") == "done":
            plan, place = None, ""
    if plan is not None and (plan.pod, plan.namespace) != (run.options.pod, run.namespace):
        return None, ""
    return plan, place


def _without_record(run: Run) -> Outcome:
    """Nothing was written down, or it is gone: only what the cluster shows counts."""
    try:
        case = run.look()
    except UsageError as error:
        raise UsageError(error.reference, f"nothing is recorded to resume, and {error.message}", hint=error.hint) from error
    claim = case.claim
    if claim is None or not claim.get("metadata.deletionTimestamp"):
        run.ui.step("look", "", "done", "nothing to resume")
        return Outcome(
            ExitCode.OK,
            "nothing-to-do",
            f"nothing to resume: no run was stopped at {run.options.pod}, and its claim is not Terminating. Nothing was changed",
            "Start one without --resume." if case.mismatch else None,
        )
    found = judge(case, run.options)
    against = standing(found)
    if against or not case.mismatch:
        why = against[0].text if against else f"{case.target.name} has its primary's cluster id"
        raise Stopped(
            "armed",
            f"ARMED: do not delete, drain or restart {case.target.name}: its claim {claim.ref.name} is Terminating, the volume goes with the pod, and: {why}",
            ExitCode.STOPPED_AFTER,
            "Copy its data now, while it runs: kubectl litefs diagnose prints the commands.",
        )
    run.ui.step("look", "", "done", "a claim that is Terminating, and no record")
    plan = make_plan(case, run.options, found)
    if not run.confirm(plan):
        return Outcome(
            ExitCode.DECLINED, "declined", "declined. This run changed nothing; the claim is Terminating all the same", None, plan
        )
    work = run.start(plan)
    run.take_lock(work)
    work.phase = Phase.ARMED
    rights.require(run.kube, plan, run.options.request_timeout, run.clock)
    _save(run, work)
    run.finish_pod(work)
    return run.finish(work)


def _start_over(run: Run, work: FixWork) -> Outcome:
    """The old claim lives: nothing was deleted. What is left of the old run goes; a new plan is made and asked for."""
    run.ui.say(f"claim {work.plan.claim} was not deleted by the run that stopped: starting over with a new plan")
    run.take_lock(work)
    if work.plan.strategy == "scale":
        work.phase = Phase.SCALED
        unset = scale.restore(work)
        if unset:
            raise Stopped("scaled", unset, ExitCode.STOPPED_BEFORE)
        _wait_up(work)
    if work.plan.strategy == "in-place":
        work.phase = Phase.RENAMED
        unset = in_place.put_back(work)
        if unset:
            raise Stopped("renamed", unset, ExitCode.STOPPED_BEFORE)
    work.lock.release()
    run.work, run.plan = None, None
    run.options = run.over(work.plan)
    return run.fresh()


def _wait_up(work: FixWork) -> None:
    """Until the pod that was scaled away is there again."""
    from .wait import started

    while True:
        pod = work.pod()
        if pod is not None and started(pod):
            return
        if work.left() <= 0:
            raise Stopped("not-back", f"{work.plan.pod} is not back after the replicas were set back", ExitCode.STOPPED_BEFORE)
        work.ui.step("restore", "wait for the pod to come back", "waiting", "it starts")
        work.sleep(2.0)


def _prove_again(run: Run, work: FixWork) -> None:
    """The old pod still runs on a claim that is going: ending it ends its data, so the evidence must still hold."""
    plan = work.plan
    try:
        case = run.look()
    except LitefsError as error:
        raise Stopped(
            "armed",
            f"ARMED: do not delete, drain or restart {plan.pod}. Its cluster cannot be looked at: {error.message}",
            ExitCode.STOPPED_AFTER,
            error.hint,
        ) from error
    against = [r for r in standing(gate.granted(run, judge(case, run.options))) if r.id != "R19"]
    run.silent = case.target.info is None
    saved = plan.backup in ("snapshot", "retain-pv") or (work.backup and backup.complete(Path(work.backup), plan.claim_uid))
    unseen = [r for r in against if r.id in ("R3", "R23") and run.silent and saved]
    against = [r for r in against if r not in unseen]
    if against:
        raise Stopped(
            "armed",
            f"ARMED: do not delete, drain or restart {plan.pod}. {against[0].text}",
            ExitCode.STOPPED_AFTER,
            f"{against[0].instead} {'The backup is in ' + work.backup + '.' if work.backup else 'There is no backup.'}",
        )
    if not case.mismatch and not run.silent:
        raise Stopped(
            "armed",
            f"ARMED: {plan.pod} has its primary's cluster id now, but its claim {plan.claim} is Terminating: the volume goes with the pod",
            ExitCode.STOPPED_AFTER,
            "It follows; once its data is on the primary, delete the pod.",
        )
    if not saved:
        _save(run, work)


def _save(run: Run, work: FixWork) -> None:
    if work.plan.databases or work.plan.backup in ("snapshot", "retain-pv"):
        run.step("backup", f"back up {work.plan.pod} ({work.plan.backup})", lambda: gate.save(run, work))


def _seen(work: FixWork) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """(pod, claim) as they are now."""
    while True:
        try:
            return work.pod(), work.claim()
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                raise Stopped("cannot-look", error.as_kubectl_prints_it(), ExitCode.STOPPED_AFTER) from error
            work.sleep(error.retry_after or 1.5)
