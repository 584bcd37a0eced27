"""LFS605 privileged-forbidden: the namespace does not admit pods that may mount a FUSE file system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.alive import runs_litefs
from ..model.candidates import missing_pods
from ..model.claims import happened
from ..model.cluster import Cluster
from ..model.grouping import listed
from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from ..model.rule import Finding, Rule, Severity, Unknown

ENFORCE = "pod-security.kubernetes.io/enforce"
FORBIDDING = ("baseline", "restricted")
REFUSALS = (
    re.compile(r"violates PodSecurity.*", re.DOTALL),
    re.compile(r"(?:denied the request|unable to validate against any|is forbidden).*(?:privileged|SYS_ADMIN).*", re.DOTALL | re.IGNORECASE),
)
"""Pod Security admission; a webhook or a security context constraint that names what LiteFS needs."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    space = cluster.find("namespaces", cluster.namespace, "")
    refusal = _refusal(cluster) if _pods_missing(cluster) else None
    level = str(space.labels.get(ENFORCE) or "") if space is not None else ""
    if refusal is not None or level in FORBIDDING:
        yield _finding(cluster, space, level, refusal)
    elif space is None:
        unseen = Gap("objects/_cluster/namespaces.json", GapReason.ABSENT, f"namespace {cluster.namespace} itself was not read")
        yield Unknown(cluster.gaps.get("namespaces", unseen))


def _pods_missing(cluster: Cluster) -> bool:
    """Whether pods that are asked for do not exist: else a refusal is of yesterday."""
    wanted = [o.get("spec.replicas", 1) for o in cluster.owners() if o.ref.kind == "Deployment"]
    asked = sum(n for n in wanted if isinstance(n, int))
    return bool(missing_pods(cluster)) or not cluster.pods or len(cluster.pods) < asked


def _refusal(cluster: Cluster) -> Obj | None:
    """The newest event of a set of ours whose pod was not admitted."""
    ours = {w.name for w in cluster.workloads}

    def fits(event: Obj) -> bool:
        about = event.mapping("involvedObject")
        return (
            event.get("type") == "Warning"
            and about.get("kind") != "Pod"
            and about.get("name") in ours
            and bool(_words(event))
        )

    return max((e for e in cluster.list("events") or () if fits(e)), key=happened, default=None)


def _words(event: Obj) -> str:
    """Why it was not admitted, in the admission's own words; empty for another reason, such as a quota."""
    message = str(event.get("message"))
    found = next((m for pattern in REFUSALS if (m := pattern.search(message)) is not None), None)
    return found[0].strip()[:300] if found else ""


def _finding(cluster: Cluster, space: Obj | None, level: str, refusal: Obj | None) -> Finding:
    running = bool(cluster.pods) and not missing_pods(cluster) and all(runs_litefs(p) for p in cluster.pods)
    label = f"Namespace {cluster.namespace} enforces the Pod Security level {level}" if level in FORBIDDING else ""
    if refusal is not None:
        told = f"{label or f'Pods of {cluster.name} are not admitted in namespace {cluster.namespace}'}: {_words(refusal)}"
    else:
        told = f"{label}, which admits no pod that may mount FUSE (privileged, or the capability SYS_ADMIN)"
    still = (
        f" {listed(p.name for p in cluster.pods)} run LiteFS now: they were admitted before, or are exempt. Else the next "
        "restart of a pod is its last."
        if running
        else ""
    )
    first = cluster.pods[0] if cluster.pods else None
    privilege = f"{first.container.field}.securityContext" if first is not None else ""
    labels = {k: v for k, v in (space.labels if space else {}).items() if k.startswith("pod-security.")}
    return RULE.finding(
        cluster.subject,
        f"{told.rstrip('.')}.{still}",
        space.seen("metadata.labels", labels) if space is not None and labels else None,
        refusal.seen("message") if refusal is not None else None,
        first.obj.seen(privilege) if first is not None and first.obj.get(privilege) is not None else None,
        severity=Severity.WARNING if running else Severity.ERROR,
        impact="A pod that is deleted, evicted or restarted by a rollout may never come back." if running else None,
        commands=(
            f"kubectl get namespace {cluster.namespace} --show-labels",
            cluster.kubectl("get", "events", "--field-selector", "reason=FailedCreate"),
            *(
                [f"kubectl label namespace {cluster.namespace} {ENFORCE}=privileged --overwrite"]
                if level in FORBIDDING
                else []
            ),
        ),
    )


RULE = Rule(
    id="LFS605",
    name="privileged-forbidden",
    title="The namespace forbids what LiteFS needs to mount its file system",
    severity=Severity.ERROR,
    heals="no",
    symptom="The StatefulSet has fewer pods than it wants, or none, and its events say `violates PodSecurity`.",
    impact="No pod is created: nothing runs, and no log says why.",
    cause="Mounting FUSE takes privileged: true, or SYS_ADMIN with a FUSE device. The Pod Security levels baseline and "
    "restricted admit neither; an admission webhook may forbid the same.",
    fix=(
        "Give LiteFS a namespace of its own and label that one pod-security.kubernetes.io/enforce=privileged: any pod in it may "
        "then do anything on its node, so nothing else belongs there.",
        "Or ask who runs the cluster for an exemption. Taking privileged away does not help: LiteFS then starts and cannot mount.",
        "The StatefulSet tries again by itself after some minutes. Look at its events, then at the pods' logs for `LiteFS mounted to`.",
    ),
    reads=("namespaces", "events", "statefulsets"),
    check=check,
    gotcha=7,
)
