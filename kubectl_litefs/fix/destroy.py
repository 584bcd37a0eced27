"""The two requests that delete: the claim, then the pod. Each is sent once and names an exact uid."""

from __future__ import annotations

from typing import Any

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..model.origin import Gap
from .calls import core, delete_options, remove_pod
from .work import POLL, Phase, Stopped, Work, passing, terminating, uid_of

PROTECTION = "kubernetes.io/pvc-protection"
CACHE = 1.0
"""Seconds for the StatefulSet controller's cache to see the claim's end: without it the new pod may take the old claim."""
NEW_VERSIONS = 3
RETRIES = 1


def changed(message: str) -> Stopped:
    return Stopped(
        "changed", f"{message}. Nothing was deleted", ExitCode.CHANGED, "Make a new plan: run the command again with --dry-run."
    )


def delete_claim(work: Work, version: str, spec: Any) -> None:
    """The point of no return. `version` and `spec` are what the gate has just seen.

    A lost answer is looked up and not repeated; only where the claim is seen alive is the request sent again.
    """
    plan = work.plan
    path = core(plan.namespace, "persistentvolumeclaims", plan.claim)
    versions, lost, before = 0, 0, work.phase
    while True:
        work.record("delete-claim", claim=plan.claim, uid=plan.claim_uid, resourceVersion=version)
        work.phase = Phase.DELETING
        try:
            work.kube.exchange("DELETE", path, delete_options(plan.claim_uid, version), timeout=work.options.request_timeout)
            work.phase = Phase.ARMED
            return
        except KubeError as error:
            found = _look(work)
            if found is None:
                if lost or passing(error):
                    work.phase = Phase.ARMED  # it went with a request of ours whose answer was lost
                    return
                work.phase = before
                raise changed(f"the claim {plan.claim} is gone: somebody else deleted it") from error
            if uid_of(found) != plan.claim_uid:
                work.phase = before
                raise changed(
                    f"the claim {plan.claim} is another one now: uid {uid_of(found)}, the plan names {plan.claim_uid}"
                ) from error
            if terminating(found):
                work.phase = Phase.ARMED
                return
            work.phase = before
            if error.status == 409:
                versions += 1
                if versions > NEW_VERSIONS:
                    raise changed(f"the claim {plan.claim} changes under us, {versions} times already") from error
                if found.get("spec") != spec:
                    raise changed(f"the claim {plan.claim} has another spec now") from error
                version = str(found["metadata"].get("resourceVersion", ""))
            elif passing(error) and lost < RETRIES:
                lost += 1
                version = str(found["metadata"].get("resourceVersion", ""))
                work.sleep(error.retry_after or 1.0)
            else:
                raise


def _look(work: Work) -> dict[str, Any] | None:
    """What became of the claim. Asked until there is an answer: until then the state is unknown."""
    while True:
        try:
            return work.claim()
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                raise
            work.ui.step("claim", f"delete claim {work.plan.claim}", "waiting", "the answer was lost; asking what became of it")
            work.sleep(error.retry_after or POLL)


def require_armed(work: Work, answered: bool) -> None:
    """The claim is going and waits for its pod, and the pod is still the replica it was. Raises Stopped (exit 10)."""
    plan = work.plan
    claim, pod = _look(work), until_seen(work, plan.pod)
    running = uid_of(pod) == plan.pod_uid and (pod or {}).get("status", {}).get("phase") == "Running" and not terminating(pod)
    ours = claim is not None and uid_of(claim) == plan.claim_uid
    protected = ours and claim is not None and PROTECTION in (claim["metadata"].get("finalizers") or [])
    if running and not protected:
        raise Stopped(
            "unprotected",
            f"the claim {plan.claim} is going although pod {plan.pod} uses it: it lacks the finalizer {PROTECTION}. The pod was not touched",
            ExitCode.STOPPED_AFTER,
            f"Look whether its volume still holds the data before anything restarts {plan.pod}. {_backup_words(work)}",
        )
    work.sleep(CACHE)
    if not (running and answered):
        return
    try:
        info = work.info(plan.pod)
    except KubeError as error:
        raise _armed(
            work, f"{plan.pod} stopped answering after its claim was deleted ({error.as_kubectl_prints_it()})"
        ) from error
    if isinstance(info, Gap):
        raise _armed(work, f"{plan.pod} answers nonsense after its claim was deleted ({info.detail})")
    if info.is_primary:
        raise _armed(work, f"{plan.pod} became primary after its claim was deleted")


def _armed(work: Work, what: str) -> Stopped:
    return Stopped(
        "armed",
        f"ARMED: do not delete, drain or restart {work.plan.pod}. {what}. Its claim {work.plan.claim} is Terminating: the volume goes with the pod",
        ExitCode.STOPPED_AFTER,
        f"Copy its data now, while it runs. {_backup_words(work)}",
    )


def _backup_words(work: Work) -> str:
    return f"The backup is in {work.backup}." if work.backup else "There is no backup."


def until_seen(work: Work, name: str) -> dict[str, Any] | None:
    """A pod as it is now, None where there is none. Asked until there is an answer."""
    while True:
        try:
            return work.object(core(work.plan.namespace, "pods", name))
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                raise
            work.sleep(error.retry_after or POLL)


def remove_old_pod(work: Work) -> None:
    """Evict (or delete) the old pod, with its own grace period. Returns when it is going, gone, or another one."""
    plan = work.plan
    path = core(plan.namespace, "pods", plan.pod)
    call = remove_pod(plan.pod, plan.namespace, plan.pod_uid, path, plan.disable_eviction)
    while True:
        found = until_seen(work, plan.pod)
        if uid_of(found) != plan.pod_uid or terminating(found):
            return
        work.record("remove-pod", pod=plan.pod, uid=plan.pod_uid)
        work.phase = Phase.ARMED  # in-place it is this request from which there is no way back
        try:
            work.kube.exchange(call.method, call.path, dict(call.body), timeout=work.options.request_timeout)
            return
        except KubeError as error:
            if error.status in (404, 409):
                continue  # gone, or another uid: the next look says which
            if error.status == 500 and "more than one PodDisruptionBudget" in error.message:
                raise Stopped(
                    "two-budgets",
                    f"the API server does not evict {plan.pod}: {error.message}. Its claim is Terminating already",
                    ExitCode.STOPPED_AFTER,
                    "Remove one of the budgets, or finish with --resume --disable-eviction.",
                ) from error
            if not passing(error) or work.left() <= 0:
                if error.status == 429:
                    raise Stopped(
                        "budget",
                        f"a PodDisruptionBudget allows no eviction of {plan.pod} ({error.message}). ARMED: its claim is Terminating, and the volume goes with the pod",
                        ExitCode.STOPPED_AFTER,
                        "Finish with --resume when the budget allows it, or with --resume --disable-eviction.",
                    ) from error
                raise
            why = (
                f"a PodDisruptionBudget allows no eviction now: {error.message}"
                if error.status == 429
                else error.as_kubectl_prints_it()
            )
            work.ui.step("pod", call.what, "waiting", why)
            work.sleep(error.retry_after or (5.0 if error.status == 429 else POLL))
