"""`rescue undo`: the directory that strategy `data-dir` put aside comes back to the primary, as long as no replica has lost anything.

The id goes before the data this time, for the same reason as in the rescue: the id that the replicas obey never stands over
data that is not theirs. Nothing is deleted: what was in place becomes a directory beside it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from ..errors import CouldNotLook, KubeError, LitefsError
from ..exitcodes import ExitCode
from ..fix import destroy
from ..fix.journal import Journal
from ..fix.lock import Lock, who
from ..fix.outcome import Outcome, Words
from ..fix.refusals import standing
from ..fix.wait import wait_replaced
from ..fix.work import Phase, Stopped, Work
from ..model.origin import Gap
from . import rights
from .base import SetRun
from .options import RescueOptions
from .proof import Twice
from .restart import restart, swapped_behind
from .resume import recorded, require_none_stopped, require_own
from .save import SavedSet
from .store import read
from .swap import Exchange, put_aside
from .undo_guards import judge
from .undo_plan import Undoing, UndoPlan, make_plan, read_plan

COMMAND = "rescue undo"


@dataclass
class UndoWork(Work):
    """What an undo carries with it."""

    plan: UndoPlan
    options: RescueOptions
    began: str = ""
    """Who began it, as user@host: the copies are there."""

    @property
    def place(self) -> str:
        """The folder of the copies, and whose it is where it is not to be seen from here."""
        away = self.began and not Path(self.plan.folder).is_dir()
        return f"{self.plan.folder}{f' of {self.began}' if away else ''}"

    @property
    def exchange(self) -> Exchange:
        plan = self.plan
        half = "The id that the replicas refuse is in place, so no replica loses anything"
        return Exchange(self, plan.data_dir, plan.aside, plan.undone, plan.former_id, ("clusterid", "dbs"), half)


class UndoRun(SetRun):
    """One call of `rescue undo`."""

    plan: UndoPlan | None
    work: UndoWork | None
    began = ""
    """Who began the undo that is taken up."""

    def fresh(self) -> Outcome:
        saved = self.save()
        self.ui.step("survey", "look at the whole set, twice, and at the primary's volume", "doing")
        found = self.see(saved)
        if not found.former:
            if found.case.primary is None:
                raise CouldNotLook("no-primary", "which pod is the primary cannot be seen, so it is not known whose volume to look at. Nothing was changed")
            notes = require_own(self, self.set_name, ("rescue", COMMAND))
            require_none_stopped(self, notes if notes.get("command") == COMMAND else {})
            self.ui.step("survey", "", "done", "nothing to undo")
            text = f"nothing to undo: no rescue has put a directory aside on the volume of {found.case.target.name}. Nothing was changed"
            return Outcome(ExitCode.OK, "nothing-to-do", text, "After an import nothing is put aside: import the saved file again (docs/rescue.md).", backup=str(saved.folder))
        refusals = judge(found, self.options)
        against = standing(refusals)
        if against:
            self.ui.step("survey", "", "failed", "refused")
            return self.refused(against, str(saved.folder), "nothing is undone")
        self.ui.step("survey", "", "done", found.former[0].name)
        self.require_saved(found.case, saved)
        require_own(self, self.set_name, ("rescue", COMMAND))
        return self.act(make_plan(found, str(saved.folder)))

    def see(self, saved: SavedSet) -> Undoing:
        case = self.look()
        lead = case.target
        if lead.data_dir is None:
            raise CouldNotLook("no-directory", f"the data directory of {lead.name} is not known: neither /info nor litefs.yml was seen. Nothing was changed")
        try:
            former = put_aside(self.kube, (case.namespace, lead.name, lead.container.name), lead.data_dir)
        except KubeError as error:
            raise _not_seen(case.namespace, lead.name, error) from error
        ever = (c for c in read(saved.folder) if (c.server, c.namespace) == (self.kube.server, case.namespace))
        return Undoing(case, former, tuple(ever))

    # --- what Runner asks for

    def require_rights(self, plan: UndoPlan) -> None:
        rights.require(self.kube, rights.undo(plan), plan, plan.folder, self.options.request_timeout, self.clock)

    def dry_run(self, plan: UndoPlan) -> Outcome:
        for number, call in enumerate(plan.calls):
            self.ui.step(f"call-{number}", call.what, "skipped", "plan only")
        hint = f"Carry it out: kubectl litefs rescue undo {plan.set_name} -n {plan.namespace}; where nobody can type, with --yes --plan={plan.id}"
        return Outcome(ExitCode.OK, "dry-run", "nothing was changed: only reads were sent, and copies were saved here", hint, plan, backup=plan.folder)

    def make_work(self, plan: UndoPlan, lock: Lock, journal: Journal) -> UndoWork:
        return UndoWork(self.kube, self.options, self.clock, self.ui, plan, lock, journal, self.deadline, backup=plan.folder, began=self.began)

    def notes(self) -> dict[str, str]:
        return {"command": COMMAND, "began": self.began or who()} | self.plan_note()

    @property
    def takes_up(self) -> bool:
        """Also the lock of a rescue of ours that was stopped: the undo takes its place."""
        return True

    def words(self) -> Words:
        name = self.plan.set_name if self.plan else self.set_name
        namespace = self.plan.namespace if self.plan else self.namespace
        states = {
            Phase.DELETING: "while the directories were being swapped",
            Phase.ARMED: "after the directories were swapped, before the pod was restarted",
            Phase.REPLACED: "after the primary was restarted, before the result was verified",
        }
        return Words(f"kubectl litefs rescue undo {name} -n {namespace} --resume", "the undo is done", states, {})

    def settle(self, work: Work) -> None:
        assert isinstance(work, UndoWork)
        try:
            work.phase = work.exchange.settle()
        except LitefsError:
            work.phase = Phase.ARMED

    # --- carrying it out

    def carry_out(self) -> Outcome:
        work = self.work
        assert work is not None
        self.take_lock(work)
        self.step("gate", "save and look again: the same pods, ids and directories", lambda: self.gate(work))
        self.step("swap", f"bring {work.plan.aside} back", work.exchange.swap)
        return self.finish(work, swapped_now=True)

    def gate(self, work: UndoWork) -> None:
        """4 where evidence speaks against it now, 6 where things differ."""
        work.lock.check()
        self.require_rights(work.plan)
        saved = self.save()
        found = self.see(saved)
        against = standing(judge(found, self.options))
        if against:
            raise Stopped("refused", f"{against[0].text} (since the plan). Nothing was changed", ExitCode.REFUSED, against[0].instead)
        self.require_saved(found.case, saved)
        now = make_plan(found, work.plan.folder) if found.former else None
        if now is None or now.id != work.plan.id:
            raise destroy.changed("the pods, their ids or the directories on the volume are not those of the plan")
        work.plan = dataclasses.replace(work.plan, holds=now.holds)
        work.record("gate")

    def finish(self, work: UndoWork, swapped_now: bool) -> Outcome:
        """From the swap to the proof. Every step looks first whether it is done already."""
        plan = work.plan
        self.step("restart", f"delete pod {plan.pod}, and no other", lambda: self.restart(work, swapped_now))
        self.step("wait", f"wait for {plan.pod} on its own volume", lambda: wait_replaced(work))
        work.record("verify")
        self.step("verify", "verify the primary, and that every replica keeps what it has", UndoProof(work).run)
        work.phase = Phase.DONE
        work.record("done")
        work.lock.release()
        work.journal.close()
        text = f"{plan.pod} has again what it had before the rescue (cluster id {plan.former_id}), and every replica keeps its data"
        return Outcome(ExitCode.OK, "undone", text, self.after(work), plan, (), plan.folder, tuple(work.warned), self.proof_words(plan))

    def restart(self, work: UndoWork, swapped_now: bool) -> None:
        restart(work, "the swap", swapped_behind(work, swapped_now, lambda info: info.cluster_id == work.plan.former_id))

    def after(self, work: UndoWork) -> str:
        plan = work.plan
        where = f"{plan.data_dir.rstrip('/')}/{plan.undone}"
        return (
            f"The replicas hold the only good copy once more; kubectl litefs rescue plan {plan.set_name} -n {plan.namespace} begins again. "
            f"What had come back is on the primary's volume, in {where}, and every copy in {work.place}."
        )

    def proof_words(self, plan: UndoPlan) -> tuple[str, ...]:
        return (*(f"{plan.pod}: {n} at {x} or later" for n, x in plan.before), *(f"{p}: {n} still at {x} or later" for p, n, x in plan.holds))

    # --- taking up

    def resume(self) -> Outcome:
        """Ends the same way as the run that was stopped would have. The cluster decides where to go on."""
        self.ui.step("record", "look for an undo that was stopped", "doing")
        plan, notes = recorded(self, COMMAND, read_plan)
        if plan is None:
            self.ui.step("record", "", "done", "nothing to resume")
            return Outcome(ExitCode.OK, "nothing-to-do", "nothing to resume: no undo was stopped here. Nothing was changed", "Start one without --resume.")
        self.ui.step("record", "", "done", f"plan {plan.id[:12]}")
        if plan.server != self.kube.server:
            raise Stopped("changed", f"the recorded plan is for {plan.server}, this is {self.kube.server}. Nothing was changed", ExitCode.CHANGED)
        self.require_meant(plan)
        self.options = dataclasses.replace(self.options, name=f"statefulset/{plan.set_name}", namespace=plan.namespace, pod=plan.pod)
        self.began = notes.get("began", "")
        work: UndoWork = self.start(plan)
        work.phase = Phase.LOOKING
        self.take_lock(work)
        work.phase = Phase.ARMED  # it may have begun: until that is known, no stop says that nothing was changed
        place = work.exchange.where()
        if place.half:
            self.step("swap", "finish the swap", work.exchange.swap)
        elif not place.swapped:
            self.ui.say("nothing was changed by the run that stopped: starting over with a new plan")
            work.lock.leave_to_former()
            self.work, self.plan, self.began = None, None, ""
            self.options = dataclasses.replace(self.options, resume=False)
            return self.fresh()
        return self.finish(work, swapped_now=place.half)


class UndoProof(Twice):
    """The primary leads with its former id and what it had; every replica has its id and its data still."""

    work: UndoWork

    def look(self) -> str:
        plan = self.work.plan
        info = self.work.info(plan.pod)
        if isinstance(info, Gap):
            return f"{plan.pod} answers nonsense: {info.detail}"
        if info.cluster_id and info.cluster_id != plan.former_id:
            raise self.unverified(f"{plan.pod} has cluster id {info.cluster_id}, want {plan.former_id}")
        if not info.is_primary:
            return f"{plan.pod} is not primary yet"
        mine = self.positions(plan.pod)
        if isinstance(mine, str):
            return mine
        wrong = [n for n, x in plan.before if n not in mine or not _not_behind(mine[n].position, x)]
        if wrong:
            return f"{plan.pod} does not have its former {wrong[0]} yet"
        return next(filter(None, (self.keeps(pod) for pod, _, _ in plan.others)), "")

    def keeps(self, pod: str) -> str:
        info, seen = self.work.info(pod), self.positions(pod)
        if isinstance(info, Gap) or isinstance(seen, str):
            return f"{pod} does not answer yet"
        if info.cluster_id != self.work.plan.cluster_id:
            raise self.unverified(f"{pod} has cluster id {info.cluster_id}, it had {self.work.plan.cluster_id}")
        for name, held in ((n, x) for p, n, x in self.work.plan.holds if p == pod):
            now = seen[name].position if name in seen else "nothing"
            if now == "nothing" or not _not_behind(now, held):
                raise self.unverified(f"{pod} had {name} at {held}, now it is at {now}")
        return ""

    def unverified(self, what: str) -> Stopped:
        hint = f"Restart and reset no replica. --resume looks again. Every copy is in {self.work.place}."
        return Stopped("unverified", f"the directories were swapped back, but the result could not be verified: {what}", ExitCode.UNVERIFIED, hint)


def _not_seen(namespace: str, pod: str, error: KubeError) -> CouldNotLook:
    why, hint = error.as_kubectl_prints_it(), "Where the container does not stay up, `exit-on-error: false` at the top of litefs.yml keeps it alive for exec."
    if error.status == 403:
        why, hint = f"you may not: create pods/exec {pod}", f"kubectl litefs rbac rescue -n {namespace} prints the Roles that are needed."
    return CouldNotLook("cannot-look", f"the volume of {pod} could not be looked at: {why}. Nothing was changed", hint=hint)


def _not_behind(now: str, floor: str) -> bool:
    """Positions are `TXID/CHECKSUM`, the txid as 16 hex digits: at an equal one the checksum must be equal, too."""
    return now == floor or now.partition("/")[0] > floor.partition("/")[0]
