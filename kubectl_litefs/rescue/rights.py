"""Which rights a plan needs. Asked one by one with their real names; nothing is assumed."""

from __future__ import annotations

from ..errors import CouldNotLook
from ..fix.rights import LEASES, Ask, allowed
from ..ports import Clock, WritableKube
from .plan import RescuePlan


def execs(plan: RescuePlan) -> tuple[Ask, ...]:
    """What strategy `data-dir` needs besides: exec in both pods."""
    return tuple(Ask(verb, "", "pods/exec", pod) for pod in (plan.source, plan.pod) if pod for verb in ("create", "get"))


def needed(plan: RescuePlan) -> tuple[Ask, ...]:
    """Every call of the run besides the lists and logs, which have proven themselves by answering."""
    lock = f"litefs-fix-{plan.set_name}"
    asks = [
        Ask("get", "", "pods", plan.pod),
        Ask("get", "", "pods/proxy", plan.pod),
        Ask("create", LEASES, "leases"),
        *(Ask(verb, LEASES, "leases", lock) for verb in ("get", "update", "delete")),
    ]
    if plan.claim:
        asks.append(Ask("get", "", "persistentvolumeclaims", plan.claim))
    if plan.strategy == "data-dir":
        asks += execs(plan)
    else:
        asks.append(Ask("create", "", "pods/proxy", plan.pod))
    if plan.strategy == "data-dir" or plan.fault == "LFS110":
        asks.append(Ask("delete", "", "pods", plan.pod))
    for pod in plan.order:
        asks += [Ask("delete", "", "persistentvolumeclaims"), Ask("create", "", "pods/eviction", pod)]
    return tuple(dict.fromkeys(asks))


def require(kube: WritableKube, plan: RescuePlan, timeout: float, clock: Clock) -> None:
    """Raises CouldNotLook (exit 3) naming every right that is missing."""
    missing = [ask for ask in needed(plan) if not allowed(kube, ask, plan.namespace, timeout, clock)]
    if missing:
        raise CouldNotLook(
            "forbidden",
            f"you may not: {'; '.join(str(m) for m in missing)} (namespace {plan.namespace}). Nothing was changed; the copies are in {plan.folder}",
            hint=f"kubectl litefs rbac rescue -n {plan.namespace} prints the Roles that are needed.",
        )
