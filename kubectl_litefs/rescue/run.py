"""`rescue plan` and `rescue run`: save, judge, choose a strategy, and carry it out. Everything before the swap or the first
import only looks or adds."""

from __future__ import annotations

import dataclasses
import difflib

from ..errors import KubeError, LitefsError, UsageError
from ..exitcodes import ExitCode
from ..fix import destroy
from ..fix.case import Case
from ..fix.journal import Journal
from ..fix.lock import Lock, holder_of, notes_of, who
from ..fix.outcome import Outcome, Words
from ..fix.refusals import Refusal, standing
from ..fix.rights import allowed
from ..fix.wait import wait_replaced
from ..fix.work import Phase, Stopped, Work
from ..model.candidates import claims_alone
from ..model.lost import absent_databases
from . import importing, proof, replicas, rights
from .base import SetRun
from .directory import Directory, half_swapped, probe
from .guards import judge
from .plan import RescuePlan, grown_from, make_plan
from .restart import restart, swapped_behind
from .resume import BEGUN, require_none_stopped, resume
from .save import SavedSet
from .situation import Situation, situation, whole_source
from .work import RescueWork


def nothing(case: Case, saved: SavedSet) -> Outcome:
    text = f"nothing to rescue: {case.target.name} is primary and has lost nothing that every replica holds"
    alone = claims_alone(case.cluster)
    text += f"; {' and '.join(alone)} belong{'s' if len(alone) == 1 else ''} to no pod and may hold copies, which were not looked at" if alone else ""
    left = [f"{a.name} is on {' and '.join(p.name for p, _ in a.holders)} only" for a in absent_databases(case.cluster)]
    text += f"; {'; '.join(left)}, which diagnose explains (LFS108)" if left else ""
    hint = f"If something is wrong all the same: kubectl litefs diagnose -n {case.namespace}"
    return Outcome(ExitCode.OK, "nothing-to-do", text, hint, backup=str(saved.folder))


COMMAND = "rescue"
UNHARMED = "no volume is replaced, nothing on a replica changes, and transaction numbers go on"


class RescueRun(SetRun):
    """One call of `rescue run`, or of `rescue plan` (a dry run)."""

    plan: RescuePlan | None
    work: RescueWork | None
    rows: tuple[proof.Rows, ...] = ()
    copied = False
    """Whether this run has begun to put a directory beside the primary's own."""
    carried: dict[str, str] | None = None
    """Notes of the run that is taken up, which stay until this one knows more."""

    def fresh(self) -> Outcome:
        saved = self.save()
        self.ui.step("survey", "look at the whole set, twice", "doing")
        case, left = self.look(), self.noted()
        require_none_stopped(self, left if "command" in left else {}, BEGUN)
        self.require_source(case)
        found = dataclasses.replace(situation(case, saved.copies, self.options), missing=tuple(saved.missing))
        refusals = judge(found, self.options)
        against = standing(refusals)
        if not found.fault and not against:
            require_none_stopped(self, left)
            self.ui.step("survey", "", "done", "nothing to bring back")
            return nothing(case, saved)
        if against:
            self.ui.step("survey", "", "failed", "refused")
            return self.refused(against, str(saved.folder))
        self.ui.step("survey", "", "done", found.fault)
        self.require_saved(found.case, saved)
        chosen = self.choose(found, refusals, saved)
        return chosen if isinstance(chosen, Outcome) else self.act(chosen)

    def require_source(self, case: Case) -> None:
        """Raises UsageError where --source names no pod of the set."""
        pods, source = sorted(p.name for p in case.cluster.pods), self.options.source
        if source is not None and source not in pods:
            near = difflib.get_close_matches(source, pods, 3, 0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There is: {', '.join(pods[:10])}"
            raise UsageError("not-found", f'--source={source}: no such pod in {self.set_name}', hint=hint)

    def noted(self) -> dict[str, str]:
        """What a run that was stopped has noted in the Lease. Who may not read it may still be told what the primary has."""
        try:
            lease = Lock(self.kube, self.namespace, self.set_name, self.clock, self.options.request_timeout).read()
            return notes_of(lease) | ({"holder": holder_of(lease)} if lease else {})
        except KubeError as error:
            if error.status != 403:
                raise
            self.ui.say(f"whether a rescue of {self.set_name} was stopped before cannot be seen: {error.as_kubectl_prints_it()}")
            return {}

    def choose(self, found: Situation, refusals: tuple[Refusal, ...], saved: SavedSet) -> RescuePlan | Outcome:
        """`data-dir` where it can be: it costs no volume, and the history goes on."""
        source, why = whole_source(found)
        if source is not None and self.options.strategy != "import":
            plan = make_plan(found, self.options, "data-dir", source, "", refusals, str(saved.folder))
            why = self.hindrance(plan)
            if not why:
                return dataclasses.replace(plan, why=f"data-dir: {source.name} has the best copy of every {'' if plan.fault == 'LFS102' else 'lost '}database; {UNHARMED}")
        if self.options.strategy == "data-dir":
            return self.refused((Refusal("S9", f"strategy data-dir cannot be used: {why}", "Without --strategy the import is used."),), str(saved.folder))
        reason = "as asked for" if self.options.strategy == "import" else f"data-dir cannot be used here: {why}"
        return make_plan(found, self.options, "import", None, f"import: {reason}", refusals, str(saved.folder))

    def hindrance(self, plan: RescuePlan) -> str:
        """Why the directory cannot be copied; empty where it can."""
        lacks = [str(a) for a in rights.execs(plan) if not allowed(self.kube, a, plan.namespace, self.options.request_timeout, self.clock)]
        if lacks:
            return f"you may not {' or '.join(lacks)}"
        if half_swapped(self.kube, plan):
            return ""  # of a run whose record is gone: all that is wanted lies beside already
        there = probe(self.kube, (plan.namespace, plan.source, plan.source_container), plan.source_dir)
        here = probe(self.kube, (plan.namespace, plan.pod, plan.container), plan.data_dir)
        if there.problem or here.problem:
            return there.problem or here.problem
        if here.free < there.used * 1.05 + 1024:
            return f"the volume of {plan.pod} has {here.free} KiB free, a copy of {plan.source}'s directory needs {there.used} KiB"
        return ""

    # --- what Runner asks for

    def require_rights(self, plan: RescuePlan) -> None:
        rights.require(self.kube, rights.needed(plan), plan, plan.folder, self.options.request_timeout, self.clock)

    def dry_run(self, plan: RescuePlan) -> Outcome:
        for number, call in enumerate(plan.calls):
            self.ui.step(f"call-{number}", call.what, "skipped", "plan only")
        flags = f" --strategy={self.options.strategy}" if self.options.strategy != "auto" else ""
        flags += f" --source={self.options.source}" if self.options.source else ""
        hint = f"Carry it out: kubectl litefs rescue run {plan.set_name} -n {plan.namespace}{flags}; where nobody can type, with --yes --plan={plan.id}"
        return Outcome(ExitCode.OK, "dry-run", "nothing was changed: only reads were sent, and copies were saved here", hint, plan, backup=plan.folder)

    def make_work(self, plan: RescuePlan, lock: Lock, journal: Journal) -> RescueWork:
        return RescueWork(self.kube, self.options, self.clock, self.ui, plan, lock, journal, self.deadline, backup=plan.folder)

    def notes(self) -> dict[str, str]:
        return {"command": COMMAND, "began": who()} | self.plan_note() | (self.carried or {})

    def words(self) -> Words:
        name = self.plan.set_name if self.plan else self.set_name
        namespace = self.plan.namespace if self.plan else self.namespace
        directory = self.plan is not None and self.plan.strategy == "data-dir"
        states = {
            Phase.DELETING: "while the directories were being swapped" if directory else "while a file was being imported",
            Phase.ARMED: "after the directories were swapped, before the pod was restarted" if directory else "after the import had begun",
            Phase.REPLACED: "after the primary was restarted, before the result was verified",
        }
        return Words(f"kubectl litefs rescue run {name} -n {namespace} --resume".replace("  ", " "), "the rescue is done", states, {})

    # --- carrying it out

    def carry_out(self) -> Outcome:
        work = self.require_work()
        self.take_lock(work)
        self.step("recheck", "save and look again: the same pods, ids and best copies", self.recheck)
        if work.plan.strategy == "data-dir":
            directory = Directory(work)
            begun = self.finish_swap(directory)  # of a run with the same plan, whose record is gone
            if begun:
                return self.finish(work, swapped_now=begun == "now")
            self.copied = True
            self.step("stage", f"put the data of {work.plan.source} beside {work.plan.pod}'s, compare by sha256", directory.stage)
            self.step("gate", "last look before the point of no return", self.gate)
            self.step("swap", "swap the directories", directory.exchange.swap)
            return self.finish(work, swapped_now=True)
        self.step("gate", "last look before the point of no return", self.gate)
        self.step("import", f"import {len(work.plan.databases)} and prove it", lambda: importing.import_all(work))
        return self.finish(work)

    def finish_swap(self, directory: Directory) -> str:
        """Empty where this swap has not begun; else it is complete when this returns: `now`, or `before`."""
        place = directory.exchange.where()
        if place.half:
            self.step("swap", "finish the swap", directory.exchange.swap)
            return "now"
        return "before" if place.swapped else ""

    def recheck(self) -> None:
        self._recheck("since the plan")

    def gate(self) -> None:
        work = self.require_work()
        work.lock.check()
        self.require_rights(work.plan)
        self._recheck("since the copies were saved")
        work.record("gate")

    def _recheck(self, since: str) -> None:
        """Saved again (what is there is kept), looked at again: 4 where evidence speaks against it now, 6 where things differ."""
        work = self.require_work()
        saved = self.save()
        found = situation(self.look(), saved.copies, self.options)
        accepted = {r.override for r in work.plan.accepted}
        refusals = tuple(dataclasses.replace(r, granted=True) if r.override and r.override in accepted else r for r in judge(found, self.options))
        against = standing(refusals)
        if against:
            raise Stopped("refused", f"{against[0].text} ({since}). Nothing was changed", ExitCode.REFUSED, f"{against[0].instead} The copies are in {saved.folder}.")
        self.require_saved(found.case, saved)
        if found.fault != work.plan.fault:
            raise destroy.changed(f"{work.plan.fault} is no longer what is seen ({since}); the copies are in {saved.folder}")
        source, _ = whole_source(found)
        if work.plan.strategy == "data-dir" and (source is None or source.name != work.plan.source):
            raise destroy.changed(f"{work.plan.source} no longer has the best copy of every database ({since})")
        now = make_plan(found, self.options, work.plan.strategy, source if work.plan.strategy == "data-dir" else None, "", refusals, work.plan.folder)
        difference = grown_from(now, work.plan)
        if difference:
            raise destroy.changed(f"{difference} ({since})")

    def finish(self, work: RescueWork, swapped_now: bool = False) -> Outcome:
        """From the swap or the imports to the proof. Every step looks first whether it is done already."""
        plan = work.plan
        if plan.strategy == "data-dir" or plan.fault == "LFS110":
            self.step("restart", f"delete pod {plan.pod}, and no other", lambda: self.restart(work, swapped_now))
            self.step("wait", f"wait for {plan.pod} on its own volume", lambda: wait_replaced(work))
        for pod in plan.order:
            work.record("replica", pod=pod)
            self.step(f"replica {pod}", f"reset {pod}: its data is proven on the primary", lambda pod=pod: replicas.reset(work, pod, self.environ))  # type: ignore[misc]
        work.record("verify")
        others = tuple(p for p, _, _ in plan.others)
        self.step("verify", "verify the primary, every replica and the rows", lambda: self.prove(work, others))
        work.record("done")
        work.lock.release()
        work.journal.close()
        told = ", ".join(f"{d.name} from {d.pod}" for d in plan.databases)
        return Outcome(ExitCode.OK, "rescued", f"{plan.pod} has its data back ({told}), and every replica follows", self.after(work), plan, (), work.backup, tuple(work.warned), self.row_words())

    def restart(self, work: RescueWork, swapped_now: bool) -> None:
        if work.plan.strategy == "data-dir":
            restart(work, "the swap", swapped_behind(work, swapped_now, lambda info: proof.serves(work, info)))
        else:
            restart(work, "the import", lambda uid: importing.stale(work, uid))

    def prove(self, work: RescueWork, others: tuple[str, ...]) -> None:
        self.rows = proof.verify(work, others)

    def row_words(self) -> tuple[str, ...]:
        return tuple(r.words() for r in self.rows)

    def after(self, work: RescueWork) -> str:
        plan = work.plan
        saved = f"Every copy from before is in {work.elsewhere or work.backup}."
        if plan.strategy != "data-dir":
            return saved
        where = f"{plan.data_dir.rstrip('/')}/{plan.aside}"
        back = f" `kubectl litefs rescue undo {plan.set_name} -n {plan.namespace}` brings it back." if plan.fault == "LFS102" else ""
        return f"{saved} What the primary had before is on its volume, too.{back} When nobody wants it any more: kubectl -n {plan.namespace} exec {plan.pod} -c {plan.container} -- rm -r {where}"

    # --- stopping and taking up

    def require_work(self) -> RescueWork:
        assert self.work is not None
        return self.work

    def settle(self, work: Work) -> None:
        """A swap that was cut off is looked up. An import that was cut off counts as begun."""
        assert isinstance(work, RescueWork)
        if work.plan.strategy != "data-dir":
            work.phase = Phase.ARMED
            return
        try:
            work.phase = Directory(work).exchange.settle()
        except LitefsError:
            work.phase = Phase.ARMED

    def undo(self, work: Work) -> str:
        """Before the swap our own copy on the volume goes again."""
        assert isinstance(work, RescueWork)
        if not self.copied or work.phase is not Phase.PLANNED or not work.lock.held:  # then it is another run's
            return ""
        return Directory(work).clean()

    def resume(self) -> Outcome:
        return resume(self)
