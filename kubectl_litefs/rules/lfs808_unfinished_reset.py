"""LFS808 unfinished-reset: what a `fix-cluster-id` or a `rescue` that was stopped has left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from ..model.candidates import unread_set
from ..model.cluster import Cluster
from ..model.objects import Obj
from ..model.rule import Finding, Rule, Severity, Unknown

LOCK = "litefs-fix-"
NOTES = "kubectl-litefs/"
REPLICAS = NOTES + "restore-replicas"
RESCUES = {"rescue": "rescue run", "rescue undo": "rescue undo"}
"""The note of the command in a Lease, and what takes it up."""
ARMED = ("delete-claim", "remove-pod")
"""Steps after which the claim may be Terminating."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for owner in cluster.owners():
        wanted = owner.mapping("metadata.annotations").get(REPLICAS)
        if wanted is not None:
            yield _scaled(cluster, owner, str(wanted))
        lock = cluster.find("leases", LOCK + owner.ref.name, owner.ref.namespace)
        if lock is not None and _run_out(cluster, lock):
            yield _stopped(cluster, owner, lock)
    unread = unread_set(cluster)
    if unread is not None:
        yield Unknown(unread)
    if "leases" in cluster.gaps and cluster.list("leases") is None:
        yield Unknown(cluster.gaps["leases"])


def _run_out(cluster: Cluster, lock: Obj) -> bool:
    """A lock that is renewed belongs to a run that is at work now."""
    renewed = lock.time("spec.renewTime")
    return renewed is None or cluster.now - renewed > timedelta(seconds=float(lock.get("spec.leaseDurationSeconds", 60)) + 5)


def _scaled(cluster: Cluster, owner: Obj, wanted: str) -> Finding:
    now = owner.get("spec.replicas")
    return RULE.finding(
        owner.ref,
        f"A reset of {owner.ref.name} was stopped while it was scaled down: it had {wanted} replicas, now it asks for {now}.",
        owner.seen("metadata.annotations", {REPLICAS: wanted}),
        owner.seen("spec.replicas"),
        commands=(cluster.kubectl("scale", "statefulset", owner.ref.name, f"--replicas={wanted}"),) if wanted.isdigit() else (),
        key="replicas",
    )


def _stopped(cluster: Cluster, owner: Obj, lock: Obj) -> Finding:
    notes = lock.mapping("metadata.annotations")
    command = RESCUES.get(str(notes.get(NOTES + "command")))
    if command is not None:
        return _rescue(owner, lock, notes, command)
    pod, step = str(notes.get(NOTES + "pod", "?")), str(notes.get(NOTES + "step", "?"))
    armed = " Its claim may be Terminating: do not restart the pod." if step in ARMED else ""
    return RULE.finding(
        owner.ref,
        f"A reset of {pod} by {lock.get('spec.holderIdentity', '?')} was stopped at the step {step}, and nobody goes on with it.{armed}",
        lock.seen("spec.renewTime"),
        lock.seen("metadata.annotations", {k: v for k, v in sorted(notes.items()) if k in (NOTES + "pod", NOTES + "step", NOTES + "backup")}),
        commands=(f"kubectl litefs fix-cluster-id {pod} -n {owner.ref.namespace} --resume",) if pod in {p.name for p in cluster.pods} | _names(owner) else (),
        key="lock",
    )


def _rescue(owner: Obj, lock: Obj, notes: Mapping[str, object], command: str) -> Finding:
    step = str(notes.get(NOTES + "step", "?"))
    return RULE.finding(
        owner.ref,
        f"A `{command}` of {owner.ref.name} by {lock.get('spec.holderIdentity', '?')} was stopped at the step {step}, and nobody goes on with it. Restart and reset no pod before it is finished.",
        lock.seen("spec.renewTime"),
        lock.seen("metadata.annotations", {k: v for k, v in sorted(notes.items()) if k in (NOTES + "command", NOTES + "step")}),
        commands=(f"kubectl litefs {command} {owner.ref.name} -n {owner.ref.namespace} --resume",),
        key="lock",
    )


def _names(owner: Obj) -> set[str]:
    """The pods that the set wants, whether they are there or not: a name from an annotation goes into a command."""
    start, replicas = int(owner.get("spec.ordinals.start", 0)), int(owner.get("spec.replicas", 1))
    return {f"{owner.ref.name}-{n}" for n in range(start, start + min(replicas, 1000))}


RULE = Rule(
    id="LFS808",
    name="unfinished-reset",
    title="A reset of a replica was stopped half-way",
    severity=Severity.WARNING,
    heals="no",
    symptom="A Lease litefs-fix-NAME that nobody renews, or the annotation kubectl-litefs/restore-replicas on the StatefulSet.",
    impact="The replica may wait with a claim that goes with its next restart, or the set may run fewer pods than it should.",
    cause="`kubectl litefs fix-cluster-id` was stopped: Ctrl-C, a lost connection, a laptop that was closed.",
    fix=(
        "Take it up: --resume decides from the cluster where it stands, and does nothing twice.",
        "If nobody wants it any more and no claim is Terminating, delete the Lease; set the replicas back where the annotation says so.",
    ),
    reads=("spec", "statefulsets"),
    check=check,
)
