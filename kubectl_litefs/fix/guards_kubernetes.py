"""Whether Kubernetes would bring the pod back, and whether the claim is the target's alone: R10 to R21."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.objects import Obj
from ..model.quantity import quantity
from ..model.reset import other_uses
from .case import Case
from .options import FixOptions
from .refusals import Guard, Refusal


def controlled(case: Case, options: FixOptions) -> Iterator[Refusal]:
    if case.set is None:
        owners = [o for o in case.target.obj.items("metadata.ownerReferences") if o.get("controller") is True]
        by = f"by {owners[0].get('kind')}/{owners[0].get('name')}" if owners else "by nothing"
        yield Refusal(
            "R10",
            f"{case.target.name} is not controlled by a StatefulSet (controlled {by})",
            "Nothing would make its claim and its pod anew in the same place.",
        )
        return
    for owner in case.set.items("metadata.ownerReferences"):
        name = f"{owner.get('kind')}/{owner.get('name')}"
        yield Refusal(
            "R11",
            f"StatefulSet {case.set.ref.name} is managed by {name}; use its operator",
            "What the operator does meanwhile cannot be foreseen here.",
            f"--not-managed-by={name}",
            options.not_managed_by == name,
        )


def own_claim(case: Case, options: FixOptions) -> Iterator[Refusal]:
    mount, data_dir = case.data_mount, case.target.data_dir
    if case.set is None:
        return
    if mount is None or mount.claim is None or case.template is None:
        on = f"on {mount.source} {mount.claim or mount.volume}" if mount else "on no volume" if data_dir else "not known"
        templates = [
            str(t["metadata"].get("name"))
            for t in case.set.items("spec.volumeClaimTemplates")
            if isinstance(t.get("metadata"), Mapping)
        ]
        yield Refusal(
            "R12",
            f"the data directory {data_dir or '?'} is not on a PVC of this StatefulSet: it lies {on}, its templates are {', '.join(templates) or 'none'}",
            "`kubectl litefs diagnose` explains it (LFS401).",
        )
        return
    if case.claim is None:
        yield Refusal("R12", f"claim {mount.claim} of {case.target.name} was not found", "It may be going already: look again.")
    for use in other_uses(case.cluster, case.target):
        yield Refusal(
            "R13",
            f"the PVC {mount.claim} also holds something else: it is {use}",
            "That would be deleted with it. Move it to a claim of its own first.",
        )


def order(case: Case, options: FixOptions) -> Iterator[Refusal]:
    owner = case.set
    if owner is None or owner.get("spec.podManagementPolicy", "OrderedReady") != "OrderedReady" or case.target.ordinal is None:
        return
    for pod in case.cluster.pods:
        mine = pod.workload == case.target.workload and pod.ordinal is not None and pod.ordinal < case.target.ordinal
        if mine and (not pod.ready or pod.deleting):
            yield Refusal(
                "R14",
                f"ordinal {pod.ordinal} < {case.target.ordinal} is not Ready and podManagementPolicy is OrderedReady: the pod would not come back",
                f"Bring {pod.name} up first: kubectl describe pod {pod.name}",
            )


def rollout(case: Case, options: FixOptions) -> Iterator[Refusal]:
    owner = case.set
    if owner is None:
        return
    current, update = owner.get("status.currentRevision"), owner.get("status.updateRevision")
    seen, wanted = owner.get("status.observedGeneration"), owner.get("metadata.generation")
    has = case.target.obj.labels.get("controller-revision-hash")
    if current != update:
        text = f"a rollout is pending (current revision {current} != update revision {update}); the pod may come back with another template"
    elif seen != wanted:
        text = f"a rollout is pending (generation {wanted}, the controller has seen {seen})"
    elif update is not None and has is not None and has != update:
        text = f"a rollout is pending ({case.target.name} runs revision {has}, the set is at {update})"
    else:
        return
    yield Refusal(
        "R15",
        text,
        f"Let it finish: kubectl rollout status statefulset/{owner.ref.name}",
        "--allow-rollout",
        options.allow_rollout,
    )


def volume(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """The new claim comes from the template, which nobody can change: a grown volume comes back small."""
    template, claim = case.template, case.claim
    if template is None or claim is None:
        return
    asks = Obj(claim.ref, template, claim.source).get("spec.resources.requests.storage")
    has = claim.get("status.capacity.storage") or claim.get("spec.resources.requests.storage")
    small, large = quantity(asks), quantity(has)
    granted = options.allow_smaller_volume
    if small is not None and large is not None and small < large:
        yield Refusal(
            "R16",
            f"the template asks {asks}, the PVC has {has}: the new volume would be smaller",
            "Grow the template first (delete the set with --cascade=orphan and apply it anew).",
            "--allow-smaller-volume",
            granted,
        )
    name = Obj(claim.ref, template, claim.source).get("spec.storageClassName")
    classes = case.cluster.list("storageclasses")
    if isinstance(name, str) and name and classes is not None and name not in {c.ref.name for c in classes}:
        yield Refusal(
            "R16",
            f"storage class {name} of the template does not exist",
            "The new claim would stay Pending.",
            "--allow-smaller-volume",
            granted,
        )


def node(case: Case, options: FixOptions) -> Iterator[Refusal]:
    name = str(case.target.obj.get("spec.nodeName", ""))
    found = case.cluster.find("nodes", name, "") if name else None
    if found is None:
        return
    state = next((c.get("status") for c in found.items("status.conditions") if c.get("type") == "Ready"), None)
    if state != "True":
        yield Refusal(
            "R17",
            f"node {name} is NotReady (Ready={state or 'unknown'}): the pod cannot be confirmed dead",
            "Bring the node back, or take it out of the cluster for good.",
        )


def going(case: Case, options: FixOptions) -> Iterator[Refusal]:
    space = case.cluster.find("namespaces", case.namespace, "")
    for obj in (o for o in (space, case.set) if o is not None):
        if obj.get("metadata.deletionTimestamp"):
            yield Refusal(
                "R18",
                f"{obj.ref} is being deleted (since {obj.get('metadata.deletionTimestamp')})",
                "There is nothing to come back to.",
            )
    if not options.resume:
        for obj in (o for o in (case.claim, case.target.obj) if o is not None):
            if obj.get("metadata.deletionTimestamp"):
                yield Refusal(
                    "R19",
                    f"{obj.ref} is already Terminating (since {obj.get('metadata.deletionTimestamp')}), not by this run",
                    f"If it was a run of this command that stopped: kubectl litefs fix-cluster-id {case.target.name} -n {case.namespace} --resume",
                )


def scaling(case: Case, options: FixOptions) -> Iterator[Refusal]:
    owner = case.set
    if options.strategy != "scale" or owner is None:
        return
    kept = owner.get("spec.persistentVolumeClaimRetentionPolicy.whenScaled", "Retain")
    if kept != "Retain":
        yield Refusal(
            "R20",
            f"whenScaled={kept}: scaling down deletes the PVC of every ordinal >= {case.target.ordinal}, not only this one",
            "Use the default strategy, which scales nothing.",
        )
    scalers = case.cluster.list("horizontalpodautoscalers")
    if scalers is None:
        yield Refusal(
            "R21",
            "whether a HorizontalPodAutoscaler would revert the scale could not be seen (needs: list horizontalpodautoscalers.autoscaling)",
            "Use the default strategy, which scales nothing.",
        )
    for scaler in scalers or ():
        about = scaler.mapping("spec.scaleTargetRef")
        if about.get("kind") == "StatefulSet" and about.get("name") == owner.ref.name:
            yield Refusal(
                "R21",
                f"HorizontalPodAutoscaler {scaler.ref.name} would revert the scale: pause it",
                f'kubectl patch hpa {scaler.ref.name} -n {case.namespace} --type=merge -p \'{{"spec":{{"minReplicas":...}}}}\', or use the default strategy.',
            )
    for label, tool in GITOPS.items():
        value = owner.labels.get(label) or owner.mapping("metadata.annotations").get(label)
        if value:
            yield Refusal(
                "R21",
                f"{tool} ({label}: {value}) would revert the scale: pause it",
                "Use the default strategy, which scales nothing.",
            )


GITOPS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "scaledobject.keda.sh/name": "KEDA",
}
"""Label or annotation -> who sets the replicas back."""

GUARDS: tuple[Guard, ...] = (controlled, own_claim, order, rollout, volume, node, going, scaling)
