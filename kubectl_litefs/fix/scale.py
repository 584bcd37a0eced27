"""Strategy `scale`: the guide's way, guarded. Only where a pod cannot be evicted or deleted: it stops later ordinals, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from . import destroy
from .calls import core
from .wait import wait_replaced
from .work import POLL, FixWork, Phase, Stopped, passing, terminating, uid_of

ANNOTATION = "kubectl-litefs/restore-replicas"
RESTORE = 20.0
"""Seconds for setting the replicas back after a signal."""
MERGE = "application/merge-patch+json"


def replace(work: FixWork, gate: Callable[[], None]) -> None:
    """Gate, note the count, scale down, delete the one claim, scale back, wait."""
    plan, (note, down, _, up, forget) = work.plan, work.plan.calls
    target = int(down.body["spec"]["replicas"])

    def step(key: str, title: str, do: Callable[[], object]) -> None:
        work.ui.step(key, title, "doing")
        try:
            do()
        except BaseException:
            work.ui.step(key, title, "failed")
            raise
        work.ui.step(key, title, "done")

    step("gate", "last look before anything is changed", gate)
    work.record("scale-down", replicas=target)
    work.phase = Phase.SCALED
    step("note", note.what, lambda: _patch(work, note.path, note.body))
    step("down", down.what, lambda: _patch(work, down.path, down.body))
    step("gone", f"wait until {plan.pod} and the later ordinals are gone", lambda: _wait_gone(work, target))
    claim = work.claim()
    if claim is None or uid_of(claim) != plan.claim_uid or terminating(claim):
        raise Stopped(
            "changed",
            f"the claim {plan.claim} is not the one of the plan any more. This run deleted nothing",
            ExitCode.CHANGED,
            "Make a new plan.",
        )
    version, spec = str(claim["metadata"].get("resourceVersion", "")), claim.get("spec")
    step("claim", f"delete claim {plan.claim}", lambda: destroy.delete_claim(work, version, spec))
    step("claim-gone", "wait until the claim is gone", lambda: _wait_claim_gone(work))
    step("up", up.what, lambda: _scale_back(work, target))
    step("wait", f"wait for {plan.pod} on a new volume", lambda: wait_replaced(work))
    step("forget", forget.what, lambda: _patch(work, forget.path, forget.body))


def _patch(work: FixWork, path: str, body: Any) -> None:
    """Merge patches that set a value are the same when sent twice, so a lost answer is simply asked again."""
    while True:
        try:
            work.kube.exchange("PATCH", path, dict(body), content_type=MERGE, timeout=work.options.request_timeout)
            return
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                raise
            work.sleep(error.retry_after or POLL)


def _replicas(work: FixWork) -> int | None:
    owner = work.statefulset()
    if owner is None or uid_of(owner) != work.plan.set_uid:
        raise Stopped("changed", f"the StatefulSet {work.plan.set_name} is gone or another one", ExitCode.STOPPED_BEFORE)
    value = (owner.get("spec") or {}).get("replicas")
    return value if isinstance(value, int) else None


def _wait_gone(work: FixWork, target: int) -> None:
    """Somebody who sets the replicas meanwhile ends it: nothing was deleted yet."""
    plan = work.plan
    stem, _, first = plan.pod.rpartition("-")
    last = int(first) + plan.replicas - target - 1
    waiting = [f"{stem}-{n}" for n in range(last, int(first) - 1, -1)]
    while waiting:
        try:
            if _replicas(work) != target:
                raise Stopped(
                    "reverted",
                    f"somebody set the replicas to {_replicas(work)} while this run had them at {target}. No volume was deleted",
                    ExitCode.STOPPED_BEFORE,
                    "Pause what scales the set, or use the default strategy.",
                )
            if work.object(core(plan.namespace, "pods", waiting[0])) is None:
                waiting.pop(0)
                continue
        except KubeError as error:
            if not passing(error):
                raise
        if work.left() <= 0:
            raise Stopped("not-gone", f"{waiting[0]} is still there, time is up. No volume was deleted", ExitCode.STOPPED_BEFORE)
        work.ui.step("gone", f"wait until {plan.pod} and the later ordinals are gone", "waiting", f"{waiting[0]} is Terminating")
        work.sleep(POLL)


def _wait_claim_gone(work: FixWork) -> None:
    while True:
        try:
            claim = work.claim()
            if claim is None or uid_of(claim) != work.plan.claim_uid:
                return
            held = ", ".join(f for f in claim["metadata"].get("finalizers") or [])
        except KubeError as error:
            if not passing(error):
                raise
            held = error.as_kubectl_prints_it()
        if work.left() <= 0:
            raise Stopped("claim-held", f"the claim {work.plan.claim} is Terminating and held by {held}", ExitCode.STOPPED_AFTER)
        work.ui.step("claim-gone", "wait until the claim is gone", "waiting", f"held by {held}")
        work.sleep(POLL)


def _scale_back(work: FixWork, target: int) -> None:
    """Only where the value is still ours."""
    now = _replicas(work)
    if now == target:
        _patch(work, work.plan.calls[3].path, work.plan.calls[3].body)
    elif now != work.plan.replicas:
        work.warn(f"somebody set the replicas to {now}; this run had {target} and does not set them back to {work.plan.replicas}")


def restore(work: FixWork) -> str:
    """After a stop: the replicas as they were, on a deadline of its own. Empty where that is so, else the command."""
    if work.phase in (Phase.LOOKING, Phase.PLANNED, Phase.DONE):
        return ""
    plan, down, forget = work.plan, work.plan.calls[1], work.plan.calls[4]
    command = f"kubectl -n {plan.namespace} scale statefulset {plan.set_name} --replicas={plan.replicas}"
    work.deadline = work.clock.monotonic() + RESTORE
    try:
        if work.phase is Phase.REPLACED and not _noted(work):
            return ""
        work.ui.step("restore", f"set the replicas back to {plan.replicas}", "doing")
        if _replicas(work) == int(down.body["spec"]["replicas"]) and work.phase is not Phase.REPLACED:
            _patch(work, plan.calls[3].path, plan.calls[3].body)
        _patch(work, forget.path, forget.body)
        work.ui.step("restore", f"set the replicas back to {plan.replicas}", "done")
        return ""
    except LitefsError as error:
        work.ui.step("restore", f"set the replicas back to {plan.replicas}", "failed", error.message)
        return f"The replicas could not be set back ({error.message}): {command}"


def _noted(work: FixWork) -> bool:
    """Whether the annotation is still there: a stop between the last two requests leaves it."""
    owner = work.statefulset() or {}
    return ANNOTATION in ((owner.get("metadata") or {}).get("annotations") or {})
