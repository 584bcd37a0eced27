"""Taking up a rescue that was stopped. The cluster decides where to go on; records only say which plan was meant."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import KubeError, LitefsError, UsageError
from ..exitcodes import ExitCode
from ..fix.journal import entries, journal_path
from ..fix.lock import Lock, holder_of, notes_of, taken_up_by
from ..fix.outcome import Outcome
from ..fix.work import Phase, Stopped
from . import importing
from .directory import Directory
from .plan import RescuePlan, read_plan
from .store import read
from .work import RescueWork

if TYPE_CHECKING:
    from .base import SetRun
    from .run import RescueRun

P = TypeVar("P")


def resume(run: RescueRun) -> Outcome:
    """Ends the same way as the run that was stopped would have, and does nothing twice."""
    run.ui.step("record", "look for a rescue that was stopped", "doing")
    plan = recorded(run, "rescue", read_plan)
    if plan is None:
        run.ui.step("record", "", "done", "nothing to resume")
        return Outcome(
            ExitCode.OK,
            "nothing-to-do",
            "nothing to resume: no rescue was stopped here. Nothing was changed",
            "Start one without --resume.",
        )
    run.ui.step("record", "", "done", f"plan {plan.id[:12]}")
    if plan.server != run.kube.server:
        raise Stopped(
            "changed", f"the recorded plan is for {plan.server}, this is {run.kube.server}. Nothing was changed", ExitCode.CHANGED
        )
    name = f"statefulset/{plan.set_name}"
    run.options = dataclasses.replace(run.options, name=name, namespace=plan.namespace, pod=plan.pod)
    work: RescueWork = run.start(plan)
    before = _journal(run, plan)
    work.phase = Phase.LOOKING  # a stop while another run still holds the lock clears nothing away
    run.take_lock(work)
    work.phase = Phase.ARMED  # it may have begun: until that is known, no stop clears away or forgets anything
    work.copies = (*run.save().copies, *read(work.folder))
    begun = _directory(run, work) if plan.strategy == "data-dir" else _import(run, work, before)
    if not begun:
        work.phase = Phase.PLANNED
        run.ui.say("nothing was changed by the run that stopped: starting over with a new plan")
        work.lock.release()
        run.work, run.plan = None, None
        run.options = dataclasses.replace(run.options, resume=False)
        return run.fresh()
    return run.finish(work, swapped_now=begun == "now")


def _directory(run: RescueRun, work: RescueWork) -> str:
    """Whether the swap had begun; then it is finished here: `now`, `before`, or empty where it had not."""
    directory = Directory(work)
    place = directory.exchange.where()
    if place.half:
        run.step("swap", "finish the swap", directory.exchange.swap)
        return "now"
    if place.swapped:
        return "before"
    left = directory.clean()
    if left:
        work.warn(left)
    return ""


def _import(run: RescueRun, work: RescueWork, before: list[dict[str, Any]]) -> str:
    """`before` where an import had begun: then each database is brought to its proof; those that have it are left alone."""
    if not any(e.get("step") == "import" for e in before):
        return ""
    proven = {str(e.get("database")): e.get("txid") for e in before if e.get("step") == "proven"}
    work.reached.update({n: t for n, t in proven.items() if isinstance(t, int)})
    for back in [d for d in work.plan.databases if d.name not in proven]:
        run.step(f"import {back.name}", f"import {back.name} and prove it", lambda back=back: importing.import_one(work, back))  # type: ignore[misc]
    return "before"


def _journal(run: RescueRun, plan: RescuePlan) -> list[dict[str, Any]]:
    """What the run that is taken up has written down."""
    path = journal_path(run.environ, plan.server, plan.namespace, run.journal_name(plan))
    return [e for e in entries(path) if e.get("plan") == plan.id]


def recorded(run: SetRun, command: str, read_plan: Callable[[object], P | None]) -> P | None:
    """The plan of the run of this command that was stopped, from the Lease, else from the journal. Raises LitefsError (exit 5) where the lock is another's."""
    name = run.set_name
    if not name:
        raise UsageError("which-set", "--resume wants the name of the set", hint=f"kubectl litefs {command} abaci-app --resume".replace("rescue abaci", "rescue run abaci"))
    notes = require_own(run, name, (command,))
    try:
        plan = read_plan(json.loads(notes.get("plan-document", "null")))
    except (ValueError, RecursionError):
        plan = None
    return plan or _from_journal(run, name, read_plan)


def require_own(run: SetRun, name: str, commands: tuple[str, ...]) -> dict[str, str]:
    """The notes of the set's lock, empty where nobody holds it. Raises LitefsError (exit 5) where it is another command's."""
    lock = Lock(run.kube, run.namespace, name, run.clock, run.options.request_timeout)
    try:
        lease = lock.read()
    except KubeError as error:
        raise Stopped("cannot-look", error.as_kubectl_prints_it(), ExitCode.STOPPED_BEFORE) from error
    notes = notes_of(lease)
    if lease is not None and notes.get("command") not in commands:
        raise LitefsError(
            "locked",
            f"the run that holds {lock.name} ({holder_of(lease)}) is another command's",
            hint=f"Finish that one first: {taken_up_by(notes, name, run.namespace)}",
            exit_code=ExitCode.LOCKED,
        )
    return notes


def _from_journal(run: SetRun, name: str, read_plan: Callable[[object], P | None]) -> P | None:
    """The newest plan that was started and not finished. One of the other command ends it."""
    plan = None
    for entry in entries(journal_path(run.environ, run.kube.server, run.namespace, f"rescue-{name}")):
        if entry.get("step") == "start":
            plan = read_plan(entry.get("document"))
        elif entry.get("step") == "done":
            plan = None
    return plan
