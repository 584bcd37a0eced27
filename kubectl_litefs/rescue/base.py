"""What the commands that change a set have in common: the whole set is looked at, and saved first of all."""

from __future__ import annotations

import dataclasses

from ..errors import CouldNotLook, UsageError
from ..exitcodes import ExitCode
from ..fix.aim import Aim
from ..fix.case import Case
from ..fix.outcome import Outcome
from ..fix.patient import Patient
from ..fix.refusals import Refusal
from ..fix.runner import Runner
from ..fix.survey import KINDS, facts_of, headers_of, require_sight
from ..fix.work import Stopped
from ..gather.selection import require_litefs
from ..model.target import Target
from ..model.topology import topology
from .options import RescueOptions
from .save import SavedSet, SaveOptions, SaveResult, save


class SetRun(Runner):
    """One call of a command for one set. `saved` is what its last save has found."""

    options: RescueOptions
    saved: SavedSet | None = None

    @property
    def set_name(self) -> str:
        """The set's, without its kind; empty while nobody has named it and nothing was seen."""
        return (self.options.name or "").rpartition("/")[2]

    def look(self) -> Case:
        """The whole set, twice; its target is the primary."""
        patient = Patient(self.kube, self.clock, self.left, self.options.request_timeout)
        names = (self.options.name,) if self.options.name else ()
        facts = facts_of(patient, names, self.options, self.clock, self.ui, KINDS)
        require_litefs(facts)
        if len(facts.clusters) != 1:
            found = ", ".join(str(c.subject) for c in facts.clusters)
            raise UsageError("which-set", f"{len(facts.clusters)} LiteFS sets run in namespace {self.namespace}: name one", hint=f"There is: {found}")
        cluster = facts.clusters[0]
        require_sight(cluster)
        who = topology(cluster)
        lead = who.primary or next(iter(who.leaders), None) or next(iter(cluster.pods), None)
        if lead is None:
            raise CouldNotLook("no-pod", f"{cluster.subject} runs no pod")
        case = Case(cluster, lead, self.kube.server, self.kube.context, self.kube.cluster, headers_of(self.kube, cluster, self.options))
        mine = case.set.ref if case.set is not None else cluster.subject  # of several sets the primary's: it has the lock
        self.options = dataclasses.replace(self.options, pod=lead.name, name=str(mine), namespace=cluster.namespace)
        return case

    def save(self) -> SavedSet:
        """Every copy, first of all. What was saved before is kept."""
        names = (self.options.name,) if self.options.name else ()
        target = Target(namespace=self.options.namespace, names=names, request_timeout=self.options.request_timeout, port=self.options.port)
        found: SaveResult = save(self.kube, SaveOptions(target, self.options.base, max(1.0, self.left())), self.clock, self.ui)
        if len(found.sets) != 1:
            raise UsageError("which-set", f"{len(found.sets)} LiteFS sets run in namespace {self.namespace}: name one", hint=f"There is: {', '.join(s.name for s in found.sets)}")
        if found.code is ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        self.saved = found.sets[0]
        return self.saved

    def refused(self, against: tuple[Refusal, ...], folder: str, what: str = "nothing is brought back") -> Outcome:
        more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
        return Outcome(ExitCode.REFUSED, "refused", f"{what}: {against[0].text}{more}", against[0].instead, None, against, folder)

    def require_saved(self, case: Case, saved: SavedSet) -> None:
        """The primary's own writes first: whatever comes over them, they are a file by then."""
        lead = case.primary
        lacks = [m for m in saved.missing if lead is not None and m.pod == lead.name]
        if lacks:
            raise Stopped(
                "backup-failed",
                f"what the primary {lacks[0].pod} holds could not be saved{f' ({lacks[0].database})' if lacks[0].database else ''}: {lacks[0].why}. Nothing was changed",
                ExitCode.BACKUP_FAILED,
                "Without that copy nothing goes over it. Try again.",
            )

    def journal_name(self, plan: Aim) -> str:
        return f"rescue-{plan.set_name}"
