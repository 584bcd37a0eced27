"""What a plan says besides what it does: how the copies compare, what could not be checked. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .case import Case
from .options import FixOptions


@dataclass(frozen=True, slots=True)
class Held:
    """One database of the target beside the primary's; positions are None where there is none."""

    name: str
    target: str
    primary: str | None
    verdict: str
    """`contained` (equal position), or in words why that is not proven."""


def compared(case: Case) -> tuple[Held, ...]:
    """The target's databases against the primary's. Txids of two ids are no one history."""
    found = []
    for mine in case.target.with_data:
        theirs = case.primary.database(mine.name) if case.primary else None
        if theirs is None:
            verdict = "only here: not on the primary"
        elif theirs.position == mine.position:
            verdict = "contained"
        else:
            verdict = "not proven to be in the primary's: two ids are two histories"
        found.append(Held(mine.name, mine.position, theirs.position if theirs else None, verdict))
    return tuple(found)


def warnings(case: Case, options: FixOptions) -> list[str]:
    """What could not be checked, and what is only likely."""
    said = []
    log = case.target.log
    refused = log.hit("different-cluster-id") if log else None
    if refused is None:
        gap = case.target.gaps.get("log")
        said.append(
            f"the log of {case.target.name} does not show the refusal ({gap.detail if gap else 'no such line in it'}); /info alone says that the ids differ"
        )
    for plural, what in (
        ("persistentvolumes", "the reclaim policy of the volume"),
        ("nodes", "whether the node is ready"),
        ("storageclasses", "whether the storage class exists"),
        ("poddisruptionbudgets", "whether a disruption budget stands against the eviction"),
    ):
        gap = case.cluster.gaps.get(plural)
        if gap is not None:
            said.append(f"cannot check {what}: {gap.detail or gap.why.value}")
    claim = case.claim
    extra = [f for f in (claim.get("metadata.finalizers") or [] if claim else []) if f != "kubernetes.io/pvc-protection"]
    if extra:
        said.append(f"the claim has the finalizer {', '.join(map(str, extra))}: it goes only when its owner lets it")
    volume = case.cluster.find("persistentvolumes", str(claim.get("spec.volumeName", "")), "") if claim else None
    if volume is not None and volume.get("spec.persistentVolumeReclaimPolicy") == "Retain":
        said.append(
            f"volume {volume.ref.name} is kept after the claim is gone (reclaim policy Retain); delete it yourself when all is well"
        )
    for budget in case.cluster.list("poddisruptionbudgets") or ():
        labels = budget.mapping("spec.selector.matchLabels")
        if (
            labels
            and all(case.target.obj.labels.get(k) == v for k, v in labels.items())
            and budget.get("status.disruptionsAllowed") == 0
        ):
            said.append(
                f"PodDisruptionBudget {budget.ref.name} allows no disruption now: the eviction will wait for it (--disable-eviction deletes instead)"
            )
    owner = case.set
    if owner is not None and owner.get("spec.persistentVolumeClaimRetentionPolicy.whenScaled") == "Delete":
        said.append(
            "whenScaled=Delete: scaling this set down, as the guide does, would delete the claims of every pod that goes; this plan scales nothing"
        )
    if case.held_nothing:
        said.append(
            f"{case.target.name} holds no database above txid 0: nothing can be lost with its volume, and there is nothing to back up"
        )
    if options.strategy == "scale" and owner is not None:
        stopped = [
            p.name
            for p in case.cluster.pods
            if p.workload == case.target.workload and (p.ordinal or 0) > (case.target.ordinal or 0)
        ]
        said.append(f"strategy scale also stops {', '.join(stopped)}" if stopped else "strategy scale stops no other pod")
    return said
