"""What every run that changes a cluster has in common: a plan that is agreed to, a lock, a journal, steps, and leaving."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..errors import LitefsError
from ..exitcodes import ExitCode
from ..ports import Clock, WritableKube
from .aim import Aim
from .journal import Journal, journal_path
from .lock import Lock, taken_up_by
from .options import FixOptions
from .outcome import BEFORE, Outcome, Words, failure
from .work import Interrupted, Phase, Stopped, Ui, Work

MAX_NOTE = 200_000
"""Characters of a plan that fit into a Lease's annotations (256 KiB in all)."""


class Runner(ABC):
    """One call of a command. `confirm` is asked once, with the plan; `environ` tells where state is kept."""

    plan: Aim | None
    work: Work | None

    def __init__(
        self,
        kube: WritableKube,
        options: FixOptions,
        clock: Clock,
        ui: Ui,
        confirm: Callable[[Any], bool],
        environ: Mapping[str, str],
    ) -> None:
        self.kube, self.options, self.clock, self.ui, self.confirm, self.environ = kube, options, clock, ui, confirm, environ
        self.deadline = clock.monotonic() + options.timeout
        self.plan = None
        self.work = None

    @property
    def phase(self) -> Phase:
        if self.work is not None:
            return self.work.phase
        return Phase.LOOKING if self.plan is None else Phase.PLANNED

    @property
    def namespace(self) -> str:
        return self.options.namespace or self.kube.namespace

    def left(self) -> float:
        return max(0.0, self.deadline - self.clock.monotonic())

    def go(self) -> Outcome:
        """Never raises for what a user, a cluster or a signal can cause: UsageErrors aside, before anything was begun."""
        try:
            return self.resume() if self.options.resume else self.fresh()
        except (LitefsError, Interrupted) as error:
            if self.work is None and isinstance(error, LitefsError) and error.exit_code is ExitCode.USAGE:
                raise
            return self.leave(error)

    # --- what each command does in its own way

    @abstractmethod
    def fresh(self) -> Outcome:
        """Look, judge, plan, and `act`."""

    @abstractmethod
    def resume(self) -> Outcome:
        """Take up a run that was stopped."""

    @abstractmethod
    def require_rights(self, plan: Any) -> None:
        """Raises CouldNotLook (exit 3) naming every right that is missing."""

    @abstractmethod
    def dry_run(self, plan: Any) -> Outcome:
        """The plan walked through without changing anything."""

    @abstractmethod
    def make_work(self, plan: Any, lock: Lock, journal: Journal) -> Work:
        """What the run carries with it."""

    @abstractmethod
    def carry_out(self) -> Outcome:
        """The agreed plan."""

    @abstractmethod
    def words(self) -> Words:
        """How the command speaks of itself."""

    @abstractmethod
    def notes(self) -> dict[str, str]:
        """What the Lease says of this run, for whoever comes after us."""

    @abstractmethod
    def settle(self, work: Work) -> None:
        """A request was cut off in Phase.DELETING: look up whether it arrived."""

    @property
    def takes_up(self) -> bool:
        """Whether the lock of a run of ours that was stopped may be taken."""
        return self.options.resume

    def journal_name(self, plan: Any) -> str:
        return str(plan.pod)

    def undo(self, work: Work) -> str:
        """Put back what a stop leaves half-way. Empty where that is so, else the command that does it."""
        return ""

    # --- the plan, and whether to carry it out

    def act(self, plan: Any) -> Outcome:
        self.require_rights(plan)
        self.require_meant(plan)
        if self.options.dry_run != "none":
            self.plan = plan
            return self.dry_run(plan)
        agreed = self.confirm(plan)
        self.plan = plan
        if not agreed:
            return Outcome(ExitCode.DECLINED, "declined", f"declined: what was typed is not {plan.pod}. Nothing was changed", None, plan)
        self.start(plan)
        return self.carry_out()

    def require_meant(self, plan: Any) -> None:
        """Raises Stopped (exit 6) where --plan names another one."""
        if self.options.plan_id is not None and self.options.plan_id != plan.id:
            raise Stopped(
                "changed",
                f"the plan is {plan.id} now, not {self.options.plan_id}. Nothing was changed",
                ExitCode.CHANGED,
                "Look at the new plan with --dry-run.",
            )

    def start(self, plan: Any) -> Any:
        """The clock of the run starts when it is agreed to."""
        self.plan = plan
        self.deadline = self.clock.monotonic() + self.options.timeout
        lock = Lock(self.kube, plan.namespace, plan.set_name, self.clock, self.options.request_timeout)
        journal = Journal(journal_path(self.environ, plan.server, plan.namespace, self.journal_name(plan)), self.clock)
        self.work = self.make_work(plan, lock, journal)
        return self.work

    def plan_note(self) -> dict[str, str]:
        """The plan itself, where it fits."""
        assert self.plan is not None
        document = json.dumps(self.plan.document(), sort_keys=True)
        return {"plan": self.plan.id, "step": "lock"} | ({"plan-document": document} if len(document) < MAX_NOTE else {})

    def take_lock(self, work: Work) -> None:
        def take() -> None:
            tell = partial(self.ui.step, "lock", "", "waiting")
            work.lock.take(self.notes(), tell, break_lock=self.options.break_lock, resume=self.takes_up)
            work.journal.open()
            if work.journal.warning:
                work.warn(work.journal.warning)
            work.journal.write("start", plan=work.plan.id, document=work.plan.document())

        self.step("lock", f"lock statefulset {work.plan.set_name}", take)

    def step(self, key: str, title: str, do: Callable[[], object]) -> None:
        self.ui.step(key, title, "doing")
        try:
            do()
        except BaseException:
            self.ui.step(key, title, "failed")
            raise
        self.ui.step(key, title, "done")

    # --- leaving

    def leave(self, error: LitefsError | Interrupted) -> Outcome:
        """The state decides the exit code. The lock goes where nothing was changed, and stays where --resume needs it."""
        work = self.work
        if work is None:
            return failure(error, self.phase, self.plan, self.words())
        if work.phase is Phase.DELETING:
            self.settle(work)
        restored, other = self.undo(work), ""
        words = self.words()
        outcome = failure(error, work.phase, work.plan, words)
        if work.phase is Phase.DONE and not restored:
            work.lock.release()
        elif work.phase in (*BEFORE, *words.undone) and not restored:
            notes = work.lock.leave_as_found()
            other = f"A run that was stopped before is still to be finished: {taken_up_by(notes, work.plan.set_name, work.plan.namespace)}" if notes else ""
        else:
            work.journal.write("stopped", message=outcome.message, code=int(outcome.code))
            work.lock.abandon()
        work.journal.close()
        hint = " ".join(h for h in (outcome.hint, restored, other) if h) or None
        return dataclasses.replace(outcome, hint=hint, backup=work.backup, warnings=tuple(work.warned))
