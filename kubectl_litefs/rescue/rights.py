"""Which rights a plan needs. Asked one by one with their real names; nothing is assumed."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CouldNotLook
from ..fix.aim import Aim
from ..fix.rights import LEASES, Ask, allowed
from ..ports import Clock, WritableKube
from .plan import RescuePlan


def execs(plan: RescuePlan) -> tuple[Ask, ...]:
    """What strategy `data-dir` needs besides: exec in both pods."""
    return tuple(Ask(verb, "", "pods/exec", pod) for pod in (plan.source, plan.pod) if pod for verb in ("create", "get"))


def needed(plan: RescuePlan) -> tuple[Ask, ...]:
    """Every call of the run besides the lists and logs, which have proven themselves by answering."""
    asks = always(plan)
    if plan.strategy == "data-dir":
        asks += execs(plan)
    else:
        asks.append(Ask("create", "", "pods/proxy", plan.pod))
    if plan.strategy == "data-dir" or plan.fault == "LFS110":
        asks.append(Ask("delete", "", "pods", plan.pod))
    for pod in plan.order:
        asks += [Ask("delete", "", "persistentvolumeclaims"), Ask("create", "", "pods/eviction", pod)]
    return tuple(dict.fromkeys(asks))


def undo(plan: Aim) -> tuple[Ask, ...]:
    """What an undo needs: exec in the primary's pod, and its restart."""
    return (*always(plan), *(Ask(verb, "", "pods/exec", plan.pod) for verb in ("create", "get")), Ask("delete", "", "pods", plan.pod))


def always(plan: Aim) -> list[Ask]:
    lock = f"litefs-fix-{plan.set_name}"
    asks = [
        Ask("get", "", "pods", plan.pod),
        Ask("get", "", "pods/proxy", plan.pod),
        Ask("create", LEASES, "leases"),
        *(Ask(verb, LEASES, "leases", lock) for verb in ("get", "update", "delete")),
    ]
    return asks + ([Ask("get", "", "persistentvolumeclaims", plan.claim)] if plan.claim else [])


def require(kube: WritableKube, asks: Iterable[Ask], plan: Aim, folder: str, timeout: float, clock: Clock) -> None:
    """Raises CouldNotLook (exit 3) naming every right that is missing."""
    missing = [ask for ask in asks if not allowed(kube, ask, plan.namespace, timeout, clock)]
    if missing:
        raise CouldNotLook(
            "forbidden",
            f"you may not: {'; '.join(str(m) for m in missing)} (namespace {plan.namespace}). Nothing was changed; the copies are in {folder}",
            hint=f"kubectl litefs rbac rescue -n {plan.namespace} prints the Roles that are needed.",
        )
