"""Taking up a rescue that was stopped. The cluster decides where to go on; records only say which plan was meant."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import KubeError, LitefsError, UsageError
from ..exitcodes import ExitCode
from ..fix.aim import Aim
from ..fix.journal import entries, journal_path
from ..fix.lock import Lock, holder_of, notes_of, taken_up_by
from ..fix.outcome import Outcome
from ..fix.work import Phase, Stopped
from . import importing
from .directory import Directory
from .options import RescueOptions
from .plan import RescuePlan, read_plan
from .work import RescueWork

if TYPE_CHECKING:
    from .base import SetRun
    from .run import RescueRun

P = TypeVar("P", bound=Aim)
Records = tuple[dict[str, str], list[dict[str, Any]]]
"""What the Lease and what the journal tell of the run that is taken up."""


def resume(run: RescueRun) -> Outcome:
    """Ends the same way as the run that was stopped would have, and does nothing twice."""
    run.ui.step("record", "look for a rescue that was stopped", "doing")
    plan, notes = recorded(run, "rescue", read_plan)
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
    run.require_meant(plan)
    name = f"statefulset/{plan.set_name}"
    run.options = dataclasses.replace(run.options, name=name, namespace=plan.namespace, pod=plan.pod)
    run.carried = noted = {k: v for k, v in notes.items() if k in CARRIED}
    work: RescueWork = run.start(plan)
    before = _journal(run, plan)
    work.phase = Phase.LOOKING  # a stop while another run still holds the lock clears nothing away
    run.take_lock(work)
    work.phase = Phase.ARMED  # it may have begun: until that is known, no stop clears away or forgets anything
    work.began = noted.get("began", "")
    work.backup = str(run.save().folder)
    begun, why = _directory(run, work) if plan.strategy == "data-dir" else _import(run, work, (noted, before))
    if not begun:
        work.phase = Phase.PLANNED
        run.ui.say(f"{why}: starting over with a new plan")
        work.lock.notes.pop("imported", None)
        work.record("over")
        work.journal.close()
        work.lock.release()
        run.work, run.plan, run.carried = None, None, None
        run.options = over(run.options, plan)
        return run.fresh()
    return run.finish(work, swapped_now=begun == "now")


def over(options: RescueOptions, plan: RescuePlan) -> RescueOptions:
    """Of a run that starts anew: also what the one that was stopped was asked for."""
    asked = any(r.override == "--source=POD" for r in plan.accepted)
    return dataclasses.replace(
        options,
        resume=False,
        strategy="import" if plan.strategy == "import" and options.strategy == "auto" else options.strategy,
        source=options.source or (plan.databases[0].pod if asked and plan.databases else None),
    )


UNTOUCHED = "nothing was changed by the run that stopped"
CARRIED = ("step", "began", "imported")
"""Notes of the run that is taken up which must outlive this one, too."""
IMPORTED = ("import", "proven", "remove-pod", "replica", "verify", "done")
"""What a run has noted once an import had begun."""
OVER = ("done", "over")
"""What a run has written down when there was nothing left of it to take up."""
BEGUN = ("swap", *IMPORTED)
"""What a run has noted from which only --resume leads on."""


def _directory(run: RescueRun, work: RescueWork) -> tuple[str, str]:
    """Whether the swap had begun; then it is finished here: `now`, `before`, or empty where it had not, and why."""
    directory = Directory(work)
    begun = run.finish_swap(directory)
    if begun:
        return begun, ""
    left = directory.clean()
    if left:
        work.warn(left)
    return "", UNTOUCHED


def _import(run: RescueRun, work: RescueWork, records: Records) -> tuple[str, str]:
    """`before` where an import had begun: then each database is brought to its proof; those that have it are left alone."""
    noted, before = records
    if noted.get("step") not in IMPORTED and not any(e.get("step") in IMPORTED for e in before):
        return "", UNTOUCHED
    for told in (e.get("imported") for e in before):
        work.recall(told)
    work.recall(json_of(noted.get("imported", "")))
    gone = importing.gone(work)
    if gone:
        return "", gone
    for back in [d for d in work.plan.databases if not importing.proven(work, d)]:
        run.step(f"import {back.name}", f"import {back.name} and prove it", lambda back=back: importing.import_one(work, back))  # type: ignore[misc]
    return "before", ""


def json_of(text: str) -> object:
    """What a note holds; None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _journal(run: RescueRun, plan: RescuePlan) -> list[dict[str, Any]]:
    """What the run that is taken up has written down, since the last one of the same plan was over."""
    found: list[dict[str, Any]] = []
    for entry in entries(journal_path(run.environ, plan.server, plan.namespace, run.journal_name(plan))):
        if entry.get("plan") == plan.id:
            found = [] if entry.get("step") in OVER else [*found, entry]
    return found


def recorded(run: SetRun, command: str, read_plan: Callable[[object], P | None]) -> tuple[P | None, dict[str, str]]:
    """(the plan of the run of this command that was stopped, its notes), from the Lease, else from the journal.

    Raises LitefsError (exit 5) where the lock is another's, or where its plan cannot be read from here.
    """
    name = run.set_name
    if not name:
        raise UsageError("which-set", "--resume wants the name of the set", hint=f"kubectl litefs {command} abaci-app --resume".replace("rescue abaci", "rescue run abaci"))
    notes = require_own(run, name, (command,))
    plan = read_plan(json_of(notes.get("plan-document", "")))
    plan = plan or _from_journal(run, name, read_plan)
    if plan is None and notes:
        where = f" as {notes['began']} began it" if notes.get("began") else ""
        raise LitefsError(
            "locked",
            f"a {command} of {name} was stopped, or is at work (step {notes.get('step', '?')}), and its plan cannot be read from here",
            hint=f"Where it ran{where}: {taken_up_by(notes, name, run.namespace)}",
            exit_code=ExitCode.LOCKED,
        )
    return plan, notes


def require_none_stopped(run: SetRun, notes: Mapping[str, str], steps: Container[str] | None = None) -> None:
    """Raises LitefsError (exit 5) where a run was stopped, at one of these steps: to begin anew would not be the truth, or do harm."""
    by = notes.get("holder", "").split("#")[0]
    if notes and (steps is None or notes.get("step") in steps):
        raise LitefsError(
            "locked",
            f"a {notes.get('command', 'reset')} of {run.set_name} was stopped, or is at work: step {notes.get('step', '?')}{f', by {by}' if by else ''}. Nothing was changed",
            hint=f"Finish that one first: {taken_up_by(notes, run.set_name, run.namespace)}. On another machine or as another user with --break-lock, too.",
            exit_code=ExitCode.LOCKED,
        )


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
            plan = plan if plan is not None and (plan.namespace, plan.set_name) == (run.namespace, name) else None
        elif entry.get("step") in OVER:
            plan = None
    return plan
