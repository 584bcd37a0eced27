"""The plan walked through without changing anything, and the proof that nothing was changed."""

from __future__ import annotations

import json
from typing import Any

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..ports import WritableKube
from .calls import Call, core
from .options import FixOptions
from .outcome import Outcome
from .plan import Plan
from .work import Ui


def walk(kube: WritableKube, plan: Plan, options: FixOptions, ui: Ui) -> Outcome:
    """`client` sends reads only; `server` also each call with dryRun in its body, where the server takes it from."""
    server = options.dry_run == "server"
    ui.step("lock", f"lock statefulset {plan.set_name}", "skipped", "dry run")
    ui.step("backup", f"back up {plan.pod} ({plan.backup})", "skipped", f"dry run: {len(plan.databases)} databases")
    for number, call in enumerate(plan.calls):
        key = f"call-{number}"
        if not server:
            ui.step(key, call.what, "skipped", "dry run")
            continue
        ui.step(key, call.what, "doing")
        _try(kube, call, options.request_timeout)
        ui.step(key, call.what, "done", "the API server would do it")
    ui.step("verify", f"verify that {plan.pod} follows", "skipped", "dry run")
    moved = _moved(kube, plan, options.request_timeout)
    sent = "no request that changes anything was sent" if not server else "every request carried dryRun"
    proof = (
        "claim, pod and StatefulSet are at the same resourceVersions as before"
        if not moved
        else f"{', '.join(moved)} moved on meanwhile by somebody else's doing"
    )
    note = " --yes was given, too: the dry run wins." if options.yes else ""
    message = f"dry run: nothing was changed ({sent}; {proof}).{note}"
    return Outcome(
        ExitCode.OK,
        "dry-run",
        message,
        f"Carry it out: the same command without --dry-run; where nobody can type, with --yes --plan={plan.id}",
        plan,
    )


def with_dry_run(call: Call) -> tuple[dict[str, Any], dict[str, str]]:
    """(body, query). A DELETE takes options from its body and ignores the query; an Eviction wants both, equal; a patch
    has only the query."""
    body = json.loads(json.dumps(call.body))
    if call.method == "DELETE":
        return {**body, "dryRun": ["All"]}, {}
    if call.method == "POST":
        body["deleteOptions"] = {**body.get("deleteOptions", {}), "dryRun": ["All"]}
    return body, {"dryRun": "All"}


def _try(kube: WritableKube, call: Call, timeout: float) -> None:
    body, query = with_dry_run(call)
    kind = "application/merge-patch+json" if call.method == "PATCH" else "application/json"
    try:
        kube.exchange(call.method, call.path, body, query=query, content_type=kind, timeout=timeout)
    except KubeError as error:
        if error.status == 429:
            return  # a disruption budget says "not now": a state of the moment, which the run waits for
        raise


def _moved(kube: WritableKube, plan: Plan, timeout: float) -> list[str]:
    """Which of the three objects have another version than the plan saw."""
    paths = {
        "the claim": (core(plan.namespace, "persistentvolumeclaims", plan.claim), plan.claim_version, plan.claim_uid),
        "the pod": (core(plan.namespace, "pods", plan.pod), plan.pod_version, plan.pod_uid),
        "the StatefulSet": (
            f"/apis/apps/v1/namespaces/{plan.namespace}/statefulsets/{plan.set_name}",
            plan.set_version,
            plan.set_uid,
        ),
    }
    moved = []
    for what, (path, version, uid) in paths.items():
        found = json.loads(kube.exchange("GET", path, timeout=timeout).body)
        metadata = found.get("metadata") or {}
        if metadata.get("resourceVersion") != version or metadata.get("uid") != uid:
            moved.append(what)
    return moved
