"""The steps, in order. Everything before `delete_claim` only looks or adds; everything after can only be finished."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..errors import KubeError
from ..exitcodes import ExitCode
from . import destroy, dry_run, gate, in_place, permissions, rights, scale
from .case import Case
from .journal import Journal
from .lock import Lock
from .options import FixOptions
from .outcome import Outcome, Words, fix_words, refused
from .plan import Plan, make_plan
from .refusals import judge, standing
from .runner import Runner
from .survey import survey
from .verify import verify
from .wait import wait_replaced
from .work import FixWork, Phase, Work, passing, terminating, uid_of

Confirm = Callable[[Plan], bool]
ALWAYS = frozenset({"R1", "R2", "R3", "R9", "R10", "R24"})
"""Refusals that are said even where the cluster ids agree."""


class Run(Runner):
    """One call of `fix-cluster-id`."""

    plan: Plan | None
    work: FixWork | None

    def resume(self) -> Outcome:
        from .resume import resume

        return resume(self)

    # --- looking

    def look(self) -> Case:
        return survey(self.kube, self.options, self.clock, self.ui, self.left)

    def fresh(self) -> Outcome:
        self.ui.step("look", f"look at {self.options.pod} and its cluster, twice", "doing")
        case = self.look()
        permissions.require_real(case, self.options)
        found = judge(case, self.options)
        against = standing(found)
        if not case.mismatch and not [r for r in against if r.id in ALWAYS]:
            self.ui.step("look", "", "done", "no mismatch")
            return self.nothing(case)
        if against:
            self.ui.step("look", "", "failed", "refused")
            return refused(against, self.options.pod)
        self.ui.step("look", "", "done", f"{case.target_id} is not {case.primary.cluster_id if case.primary else '?'}")
        plan = make_plan(case, self.options, found)
        self.silent = case.target.info is None
        if self.options.timeout < plan.grace + 30:
            need = plan.grace + 30
            return Outcome(
                ExitCode.USAGE,
                "usage",
                f"--timeout={self.options.timeout:g}s is shorter than the pod's grace period and what follows ({need:g}s); in this state LiteFS ignores SIGTERM and takes all of it",
                f"--timeout={need + 120:g}s or more",
            )
        return self.act(plan)

    def nothing(self, case: Case) -> Outcome:
        lead = case.primary
        if case.target_id:
            what = f"{case.target.name} has its primary's cluster id {case.target_id}"
        else:
            what = f"{case.target.name} has no cluster id yet: it takes over that of {lead.name if lead else 'the primary'} by itself"
        return Outcome(
            ExitCode.OK,
            "nothing-to-do",
            f"nothing to do: {what}",
            f"If it does not follow all the same: kubectl litefs diagnose -n {case.namespace}",
        )

    def over(self, plan: Plan) -> FixOptions:
        """The options of a run that starts anew after one that was stopped: what that one was asked for."""
        flags = [r.override.split("=", 1) for r in plan.accepted if r.override and "=" in r.override]
        losses = frozenset(value for flag, value in flags if flag == "--accept-loss")
        return dataclasses.replace(
            self.options,
            resume=False,
            strategy=plan.strategy,
            backup=plan.backup,
            disable_eviction=plan.disable_eviction,
            accept_loss=self.options.accept_loss | losses,
            primary_is_right=next((v for f, v in flags if f == "--primary-is-right"), self.options.primary_is_right),
        )

    # --- the plan

    def require_rights(self, plan: Plan) -> None:
        rights.require(self.kube, plan, self.options.request_timeout, self.clock)

    def dry_run(self, plan: Plan) -> Outcome:
        return dry_run.walk(self.kube, plan, self.options, self.ui)

    def make_work(self, plan: Plan, lock: Lock, journal: Journal) -> FixWork:
        return FixWork(self.kube, self.options, self.clock, self.ui, plan, lock, journal, self.deadline)

    def words(self) -> Words:
        return fix_words(self.options.pod, self.plan.namespace if self.plan else self.namespace)

    def notes(self) -> dict[str, str]:
        assert self.plan is not None
        mine = {"pod": self.plan.pod, "claim": self.plan.claim, "claim-uid": self.plan.claim_uid, "pod-uid": self.plan.pod_uid}
        return mine | self.plan_note()

    def carry_out(self) -> Outcome:
        work = self.work
        assert work is not None
        plan = work.plan
        self.take_lock(work)
        self.step("recheck", "look again: the same objects, ids and positions", lambda: gate.recheck(self, "since the plan"))
        if plan.databases or plan.backup in ("snapshot", "retain-pv"):
            self.step("backup", f"back up {plan.pod} ({plan.backup})", lambda: gate.save(self, work))
        if plan.strategy == "scale":
            scale.replace(work, lambda: gate.gate(self))
        elif plan.strategy == "in-place":
            self.step("gate", "last look before anything is changed", lambda: gate.gate(self))
            self.step("rename", plan.calls[0].what, lambda: in_place.put_aside(work))
            self.end_pod(work)
        else:
            self.step("gate", "last look before the point of no return", lambda: gate.gate(self))
            claim = work.claim()
            if claim is None or uid_of(claim) != plan.claim_uid:
                raise destroy.changed(f"the claim {plan.claim} is not the one of the plan any more")
            if terminating(claim):
                raise destroy.changed(f"the claim {plan.claim} is Terminating, not by this run")
            version, spec = str(claim["metadata"].get("resourceVersion", "")), claim.get("spec")
            self.step("claim", f"delete claim {plan.claim}", lambda: destroy.delete_claim(work, version, spec))
            self.finish_pod(work)
        return self.finish(work)

    def finish_pod(self, work: FixWork) -> None:
        """From an armed claim to the new pod on its new claim."""
        self.step(
            "armed",
            "see that the claim waits for its pod, and the pod is still a replica",
            lambda: destroy.require_armed(work, not self.silent),
        )
        self.end_pod(work)

    def end_pod(self, work: FixWork) -> None:
        self.step(
            "pod",
            f"{'delete' if work.plan.disable_eviction else 'evict'} pod {work.plan.pod}",
            lambda: destroy.remove_old_pod(work),
        )
        self.wait(work)

    def wait(self, work: FixWork) -> None:
        where = "its volume" if work.plan.strategy == "in-place" else "a new volume"
        self.step("wait", f"wait for {work.plan.pod} on {where}", lambda: wait_replaced(work))

    silent = False
    """The target did not answer at plan time, and a volume backup was chosen for that reason."""

    def finish(self, work: FixWork) -> Outcome:
        work.record("verify")
        self.step("verify", f"verify that {work.plan.pod} follows", lambda: verify(work))
        work.record("done")
        work.lock.release()
        work.journal.close()
        plan = work.plan
        message = f"{plan.pod} follows {plan.primary} again, under cluster id {plan.primary_cluster_id}"
        return Outcome(ExitCode.OK, "fixed", message, self.backup_hint(work), plan, (), work.backup, tuple(work.warned))

    def backup_hint(self, work: FixWork) -> str | None:
        if not work.backup:
            return None
        if work.plan.backup == "export":
            return f"What it held before is in {work.backup}. When you are sure that you need none of it: rm -r {work.backup}"
        return f"What it held before is kept in {work.backup}."

    # --- leaving

    def undo(self, work: Work) -> str:
        assert isinstance(work, FixWork)
        back = {"scale": scale.restore, "in-place": in_place.put_back}.get(work.plan.strategy)
        return back(work) if back is not None else ""

    def settle(self, work: Work) -> None:
        """The delete was cut off: whether it arrived is looked up, twice a second apart. Unknown counts as deleted."""
        for last in (False, True):
            try:
                found = work.claim()
            except KubeError as error:
                if not passing(error) or last:
                    work.phase = Phase.ARMED
                    return
            else:
                if found is None or uid_of(found) != work.plan.claim_uid or terminating(found):
                    work.phase = Phase.ARMED
                    return
            if not last:
                self.clock.sleep(1.0)
        work.phase = Phase.PLANNED if work.plan.strategy != "scale" else Phase.SCALED
