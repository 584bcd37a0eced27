"""Asks the API server what we may do, one question for each call with its real names. Nothing is assumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..errors import CouldNotLook, KubeError
from ..exitcodes import ExitCode
from ..ports import Clock, WritableKube
from .plan import Plan

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LEASES = "coordination.k8s.io"


@dataclass(frozen=True, slots=True)
class Ask:
    """One right: `group` is empty for the core group, `name` for a list or a create."""

    verb: str
    group: str
    resource: str
    name: str = ""
    namespaced: bool = True

    def __str__(self) -> str:
        plural, _, sub = self.resource.partition("/")
        full = plural + (f".{self.group}" if self.group else "") + (f"/{sub}" if sub else "")
        return f"{self.verb} {full}" + (f" {self.name}" if self.name else "")


def needed(plan: Plan) -> tuple[Ask, ...]:
    """Every call of the run besides the lists of the survey, which have proven themselves by answering."""
    lock = f"litefs-fix-{plan.set_name}"
    asks = [
        Ask("get", "", "pods", plan.pod),
        Ask("get", "", "persistentvolumeclaims", plan.claim),
        Ask("get", "apps", "statefulsets", plan.set_name),
        Ask("get", "", "pods/proxy", plan.pod),
        Ask("get", "", "pods/proxy", plan.primary),
        Ask("get", "", "pods/log", plan.pod),
        Ask("create", LEASES, "leases"),
        *(Ask(verb, LEASES, "leases", lock) for verb in ("get", "update", "delete")),
    ]
    if plan.strategy == "in-place":
        asks += [Ask(verb, "", "pods/exec", plan.pod) for verb in ("create", "get")]
    else:
        asks += [Ask("delete", "", "persistentvolumeclaims", plan.claim)]
    if plan.strategy == "scale":
        asks += [Ask("patch", "apps", "statefulsets", plan.set_name), Ask("patch", "apps", "statefulsets/scale", plan.set_name)]
    elif plan.disable_eviction:
        asks += [Ask("delete", "", "pods", plan.pod)]
    else:
        asks += [Ask("create", "", "pods/eviction", plan.pod)]
    if plan.backup == "snapshot":
        asks += [Ask(v, "snapshot.storage.k8s.io", "volumesnapshots") for v in ("create", "get")]
    if plan.backup == "retain-pv":
        asks += [Ask(v, "", "persistentvolumes", plan.volume, namespaced=False) for v in ("get", "patch")]
    return tuple(asks)


def require(kube: WritableKube, plan: Plan, timeout: float, clock: Clock) -> None:
    """Raises CouldNotLook (exit 3) naming every right that is missing, or where the server cannot say."""
    missing = [ask for ask in needed(plan) if not allowed(kube, ask, plan.namespace, timeout, clock)]
    if missing:
        raise CouldNotLook(
            "forbidden",
            f"you may not: {'; '.join(str(m) for m in missing)} (namespace {plan.namespace}). Nothing was changed",
            hint=f"kubectl litefs rbac fix-cluster-id {plan.pod} -n {plan.namespace} prints the Role that is needed.",
        )


def allowed(kube: WritableKube, ask: Ask, namespace: str, timeout: float, clock: Clock) -> bool:
    """`allowed` alone decides. A server that cannot say is no yes."""
    resource, _, sub = ask.resource.partition("/")
    attributes = {"verb": ask.verb, "group": ask.group, "resource": resource, "subresource": sub, "name": ask.name}
    attributes |= {"namespace": namespace} if ask.namespaced else {}
    spec = {"resourceAttributes": {k: v for k, v in attributes.items() if v}}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    from .patient import Patient

    try:
        patient = Patient(kube, clock, lambda: 30.0, timeout)
        data = patient.again(REVIEWS, lambda: kube.exchange("POST", REVIEWS, body, timeout=timeout).body)
        status = _status(data)
    except KubeError as error:
        raise CouldNotLook(
            "cannot-ask",
            f"whether you may {ask} cannot be asked: {error.as_kubectl_prints_it()}. Nothing was changed",
            exit_code=ExitCode.COULD_NOT_LOOK,
        ) from error
    if status.get("allowed") is not True and status.get("evaluationError"):
        raise CouldNotLook(
            "cannot-ask", f"whether you may {ask} the server cannot tell: {status['evaluationError']}. Nothing was changed"
        )
    return status.get("allowed") is True


def _status(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    status = document.get("status") if isinstance(document, dict) else None
    return status if isinstance(status, dict) else {}
