"""LFS806 rollout-stuck: Kubernetes waits for a pod that does not get ready, or may not move any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..model.cluster import Cluster
from ..model.families import NOT_RUNNING
from ..model.grouping import listed, log_command
from ..model.objects import Obj, parse_time
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rollout import REVISION, outdated
from ..model.rule import Finding, Rule, Severity, Unknown

SETTLED = timedelta(minutes=3)
"""A rollout's own waits are over by then: a dial to an address that is gone takes 127 s."""
GONE = timedelta(minutes=1)
HOPELESS = frozenset({"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"})


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for owner in cluster.owners():
        if owner.ref.kind == "StatefulSet":
            yield from _stuck(cluster, owner)
    if any(w.kind == "StatefulSet" for w in cluster.workloads) and "statefulsets" in cluster.gaps:
        yield Unknown(cluster.gaps["statefulsets"])
    for budget in cluster.list("poddisruptionbudgets") or ():
        if (seen := _allows_nothing(cluster, budget)) is not None:
            yield _pinned(cluster, budget, seen)


# --- a pod that holds the others up


def _stuck(cluster: Cluster, owner: Obj) -> Iterator[Finding]:
    mine = sorted((p for p in cluster.pods if p.workload == owner.ref and p.ordinal is not None), key=lambda p: p.ordinal or 0)
    ordered = owner.get("spec.podManagementPolicy", "OrderedReady") == "OrderedReady"
    old = outdated(owner, mine)
    if owner.get("spec.updateStrategy.type") == "OnDelete":
        if old:
            yield _on_delete(cluster, owner, old)
        old = []
    missing = _missing(cluster, owner)
    for pod in mine:
        waits = _waits(cluster, pod)
        if not waits:
            continue
        above = [n for n in missing if n > (pod.ordinal or 0)] if ordered else []
        held = [p for p in old if ordered or (pod not in old and p is not pod)]
        if above or held:
            yield _finding(cluster, owner, pod, waits, above, held)
            return
    if missing and (refused := _refused(cluster, owner, missing)) is not None:
        yield _not_made(cluster, owner, missing, refused)


def _refused(cluster: Cluster, owner: Obj, missing: list[int]) -> Obj | None:
    """The event that says why a missing pod could not be made: a quota, a policy, a webhook. One about a pod that
    came in the end is history."""
    pods = re.compile(rf"(?<![\w.-]){re.escape(owner.ref.name)}-(?:{'|'.join(map(str, missing))})(?![\w-])")

    def concerns(event: Obj) -> bool:
        about = event.mapping("involvedObject")
        mine = event.get("reason") == "FailedCreate" and (about.get("kind"), about.get("name")) == (owner.ref.kind, owner.ref.name)
        return mine and pods.search(str(event.get("message"))) is not None

    return next((e for e in cluster.list("events") or () if concerns(e)), None)


def _not_made(cluster: Cluster, owner: Obj, missing: list[int], refused: Obj) -> Finding:
    names = listed(f"{owner.ref.name}-{n}" for n in missing)
    return RULE.finding(
        owner.ref,
        f"{names} cannot be created: {str(refused.get('message'))[:300]}",
        refused.seen("message"),
        owner.seen("spec.replicas"),
        impact="The set has fewer pods than it asks for, and stays so until what refuses them allows them.",
        cause="The API server refuses the pod: a quota, the namespace's Pod Security admission, a webhook.",
        fix=("Raise the quota, or change the policy or the pod, as the message says; the controller then goes on by itself.",),
        commands=(cluster.kubectl("describe", "statefulset", owner.ref.name),),
        key="refused",
    )


def _waits(cluster: Cluster, pod: Pod) -> str:
    """Why the controller waits for the pod, in words; empty where it does not, or has not for long."""
    if pod.deleting:
        until = parse_time(pod.obj.get("metadata.deletionTimestamp"))
        return "has been told to go and does not go" if until is not None and cluster.now - until > GONE else ""
    if pod.ready or pod.planned:
        return ""
    reason = str(pod.container.waiting.get("reason") or "")
    if reason in HOPELESS:
        return f"is not ready ({reason})"
    since = _unready_since(pod)
    return "is not ready" if since is None or cluster.now - since > SETTLED else ""


def _unready_since(pod: Pod) -> datetime | None:
    changes = (parse_time(c.get("lastTransitionTime")) for c in pod.obj.items("status.conditions") if c.get("type") == "Ready")
    return next((at for at in changes if at is not None), pod.started or pod.created)


def _missing(cluster: Cluster, owner: Obj) -> list[int]:
    """Ordinals that the set wants and that surely do not exist."""
    if cluster.list("pods") is None:
        return []
    first, count = owner.get("spec.ordinals.start", 0), owner.get("spec.replicas", 1)
    if not isinstance(first, int) or not isinstance(count, int):
        return []
    there = {p.name for p in cluster.pods} | {o.ref.name for o in cluster.others}
    return [n for n in range(first, first + min(count, 1000)) if f"{owner.ref.name}-{n}" not in there]


def _finding(cluster: Cluster, owner: Obj, pod: Pod, waits: str, above: list[int], held: list[Pod]) -> Finding:
    effects = []
    if above:
        effects.append(f"{listed(f'{owner.ref.name}-{n}' for n in above)} {'is' if len(above) == 1 else 'are'} not created")
    if held:
        effects.append(f"{listed(p.name for p in held)} {'keeps' if len(held) == 1 else 'keep'} the older revision")
    by_hand = pod in held and not pod.deleting
    return RULE.finding(
        owner.ref,
        f"{pod.name} {waits}, and {owner.ref.name} waits for it: {' and '.join(effects)}."
        + (" It would not be replaced even by a corrected revision: delete the pod by hand then." if by_hand else ""),
        _state(pod),
        owner.seen("spec.podManagementPolicy", str(owner.get("spec.podManagementPolicy", "OrderedReady"))),
        owner.seen("status.updateRevision") if held else None,
        *(p.obj.seen("metadata.labels", {REVISION: p.obj.labels.get(REVISION)}) for p in held[:2]),
        commands=(
            cluster.kubectl("rollout", "status", f"statefulset/{owner.ref.name}", "--timeout=5s"),
            cluster.kubectl("describe", "pod", pod.name),
            log_command(cluster, pod),
        ),
    )


def _state(pod: Pod) -> Evidence:
    at = "metadata.deletionTimestamp" if pod.deleting else "status.conditions"
    return pod.obj.seen(at)


def _on_delete(cluster: Cluster, owner: Obj, old: list[Pod]) -> Finding:
    names = listed(p.name for p in old)
    return RULE.finding(
        owner.ref,
        f"{names} {'runs' if len(old) == 1 else 'run'} an older revision of {owner.ref.name}, whose updateStrategy is OnDelete: they "
        "get the newer one only when somebody deletes them.",
        owner.seen("spec.updateStrategy"),
        owner.seen("status.updateRevision"),
        severity=Severity.INFO,
        impact="These pods run with what was asked for before: an older image, variables or command.",
        fix=("Delete the pods one by one, replicas first, and let each follow again before the next.",),
        commands=(cluster.kubectl("get", "pods", "-L", REVISION),),
        key="OnDelete",
    )


# --- a budget


def _allows_nothing(cluster: Cluster, budget: Obj) -> tuple[Evidence, ...] | None:
    """What shows that no pod of the set may ever be evicted, also while all are well. None where one may."""
    labels, more = budget.mapping("spec.selector.matchLabels"), budget.items("spec.selector.matchExpressions")
    hit = [p for p in cluster.pods if p.namespace == budget.ref.namespace and all(p.obj.labels.get(k) == v for k, v in labels.items())]
    if not hit or more or budget.get("spec.selector") is None:
        return None
    allowed, healthy, expected = (budget.get(f"status.{k}") for k in ("disruptionsAllowed", "currentHealthy", "expectedPods"))
    asked = "spec.maxUnavailable" if budget.get("spec.maxUnavailable") is not None else "spec.minAvailable"
    if all(isinstance(n, int) for n in (allowed, healthy, expected)):
        nothing = allowed == 0 and healthy >= expected > 0
        return (budget.seen(asked), budget.seen("status.disruptionsAllowed")) if nothing else None
    least, most = budget.get("spec.minAvailable"), budget.get("spec.maxUnavailable")
    never = str(most) in ("0", "0%") or least == "100%" or (isinstance(least, int) and least >= len(hit) == len(cluster.pods))
    return (budget.seen(asked),) if never else None


def _pinned(cluster: Cluster, budget: Obj, seen: tuple[Evidence, ...]) -> Finding:
    return RULE.finding(
        budget.ref,
        f"PodDisruptionBudget {budget.ref.name} lets no pod of {cluster.name} be evicted, even while all are well: draining a node "
        "waits for ever.",
        *seen,
        impact="A node's upgrade hangs until somebody deletes the pod by hand, or forces it and takes the primary away unprepared.",
        fix=(
            "Set maxUnavailable: 1: pods leave one by one, and volumes stay.",
            "With a static lease nobody can write while the primary moves, whatever the budget says: choose the hour.",
        ),
        commands=(cluster.kubectl("describe", "pdb", budget.ref.name),),
    )


RULE = Rule(
    id="LFS806",
    name="rollout-stuck",
    title="The rollout waits for a pod that does not get ready",
    severity=Severity.WARNING,
    heals="with time",
    symptom="`kubectl rollout status` does not end; pods are missing or run an older revision, and nothing happens.",
    impact="A correction that was applied does not reach the pods; with the primary among those that wait, writes stay down.",
    cause="A StatefulSet makes and updates its pods one after the other (OrderedReady): a pod that is not ready holds all others "
    "up, and is itself not replaced by a newer revision.",
    fix=(
        "Find out why that pod is not ready; the other findings tell, or its events and its log.",
        "If the newer revision corrects it, delete that pod by hand: it comes back with the newer revision, and with its volume unless its claim is Terminating.",
        "`podManagementPolicy: Parallel` lets replicas start without waiting; it can be changed only by making the set anew "
        "(kubectl delete --cascade=orphan, then apply).",
    ),
    reads=("statefulsets", "spec", "poddisruptionbudgets", "events"),
    check=check,
    follows=(*NOT_RUNNING, "LFS801", "LFS811", "LFS101", "LFS306", "LFS309"),
)
