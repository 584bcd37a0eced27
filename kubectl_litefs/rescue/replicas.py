"""After an import into a primary with a new cluster id: the replicas one by one, by fix-cluster-id's own steps and guards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import UsageError
from ..exitcodes import ExitCode
from ..fix.export import ExportFailed, reason
from ..fix.journal import Journal, journal_path
from ..fix.lock import Lock
from ..fix.options import FixOptions
from ..fix.outcome import Outcome
from ..fix.plan import Plan
from ..fix.run import Run
from ..fix.work import FixWork, Stopped, Ui, Work
from . import importing
from .proof import scale_back, shrunk
from .work import RescueWork


class Borrowed(Lock):
    """The rescue's lock in the hands of one of its steps: renewed and checked, never taken, given back or marked."""

    def __init__(self, owner: Lock) -> None:
        super().__init__(owner.kube, owner.namespace, "", owner.clock, owner.timeout)
        self.name, self.path, self.owner = owner.name, owner.path, owner

    def take(self, notes: Mapping[str, str], tell: Callable[[str], None], *, break_lock: bool = False, resume: bool = False) -> None:
        """It is held already."""

    def note(self, **notes: str) -> None:
        self.owner.note(**{f"replica-{k}": v for k, v in notes.items()})

    def tick(self) -> None:
        self.owner.tick()

    def check(self) -> None:
        self.owner.check()

    def release(self) -> None:
        """The rescue goes on with it."""

    def abandon(self) -> None:
        """The rescue decides."""


class Nested:
    """The steps of one replica inside the rescue's list."""

    def __init__(self, ui: Ui, pod: str) -> None:
        self.ui, self.pod = ui, pod

    def progress(self, text: str) -> None:
        self.ui.progress(text)

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        self.ui.step(f"{self.pod} {key}", f"{self.pod}: {title}" if title else "", state, detail)

    def say(self, text: str) -> None:
        self.ui.say(f"{self.pod}: {text}")


class ReplicaRun(Run):
    """`fix-cluster-id` under the rescue's lock."""

    def __init__(self, work: RescueWork, options: FixOptions, environ: Mapping[str, str]) -> None:
        super().__init__(work.kube, options, work.clock, Nested(work.ui, options.pod), lambda plan: True, environ)
        self.rescue = work

    def start(self, plan: Plan) -> FixWork:
        self.plan = plan
        self.deadline = self.clock.monotonic() + self.options.timeout
        journal = Journal(journal_path(self.environ, plan.server, plan.namespace, plan.pod), self.clock)
        self.work = self.make_work(plan, Borrowed(self.rescue.lock), journal)
        return self.work

    def take_lock(self, work: Work) -> None:
        work.journal.open()
        work.journal.write("start", plan=work.plan.id, document=work.plan.document())


def reset(work: RescueWork, pod: str, environ: Mapping[str, str]) -> None:
    """Returns when the replica follows. Raises Stopped with what fix-cluster-id says, or where the primary has lost again what was proven on it."""
    try:
        gone = importing.gone(work) or shrunk(work)
    except (ExportFailed, OSError) as error:
        gone = f"whether the primary still has what was proven on it cannot be seen: {reason(error)}"
    if gone:
        text = f"{gone}. {pod} was not reset: it may hold the only good copy"
        raise Stopped("gone", text, ExitCode.STOPPED_AFTER, f"Look into the copies, in {work.places}. --resume looks again, and makes a new plan where the primary has lost it.")
    now = ((work.statefulset() or {}).get("spec") or {}).get("replicas", 1)
    if now < work.plan.replicas:
        text = f"{pod} was not reset: the set {work.plan.set_name} was scaled to {now} since"
        raise Stopped("replica", text, ExitCode.STOPPED_AFTER, f"The primary's data is back and proven. {scale_back(work.plan)}")
    for resume in (True, False) if work.options.resume else (False,):
        options = FixOptions(
            pod=pod,
            namespace=work.plan.namespace,
            backup_dir=work.folder,
            timeout=max(work.plan.grace + 60, work.left()),
            request_timeout=work.options.request_timeout,
            resume=resume,
            port=work.options.port,
            allow_rollout=work.options.allow_rollout,
            allow_smaller_volume=work.options.allow_smaller_volume,
            not_managed_by=work.options.not_managed_by,
            disable_eviction=work.options.disable_eviction,
            restored=frozenset(d.name for d in work.plan.databases),
        )
        try:
            _require(work, pod, ReplicaRun(work, options, environ).go())
        except UsageError as error:  # the pod, or the set, is no longer what was planned for
            raise _stopped(work, pod, error.message, ExitCode.STOPPED_AFTER) from error


def _require(work: RescueWork, pod: str, outcome: Outcome) -> None:
    if outcome.code is ExitCode.OK:
        return
    why = outcome.refusals[0].text if outcome.refusals else outcome.message
    code = ExitCode.UNVERIFIED if outcome.code is ExitCode.UNVERIFIED else ExitCode.STOPPED_AFTER
    raise _stopped(work, pod, why, code)


def _stopped(work: RescueWork, pod: str, why: str, code: ExitCode) -> Stopped:
    plan = work.plan
    return Stopped(
        "replica",
        f"the primary's data is back and proven, but {pod} could not be reset: {why}",
        code,
        "The replicas after it are as they were. "
        f"When the cause is gone: kubectl litefs rescue run {plan.set_name} -n {plan.namespace} --resume",
    )
