"""LFS409 volume-reclaimed-on-delete: whoever deletes a claim deletes its volume, and the data on it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..model.claims import volume_of
from ..model.cluster import Cluster
from ..model.grouping import listed
from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

POLICY = "spec.persistentVolumeReclaimPolicy"
GOES = ("Delete", "Recycle")
"""Recycle, long deprecated, keeps the volume and wipes it."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    lost: list[tuple[Pod, Obj]] = []
    for pod in cluster.pods:
        volume = _volume(cluster, pod)
        if isinstance(volume, Gap):
            yield Unknown(volume)
        elif volume is not None and volume.get(POLICY) in GOES:
            lost.append((pod, volume))
    if lost:
        yield _finding(cluster, lost)


def _volume(cluster: Cluster, pod: Pod) -> Obj | Gap | None:
    """The volume under the data directory, what hides it, or None where there is none (yet)."""
    if pod.data_dir is None:
        return pod.gaps.get("config") or Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "data.dir is unknown")
    if pod.data_claim is None:
        return None
    for plural in ("persistentvolumeclaims", "persistentvolumes"):
        if plural in cluster.gaps:
            return cluster.gaps[plural]
    claim = cluster.claim(pod)
    if claim is None or not claim.get("spec.volumeName"):
        return None
    gone = Gap(f"persistentvolume/{claim.get('spec.volumeName')}", GapReason.ABSENT, f"the volume of claim {claim.ref.name} was not seen")
    return volume_of(cluster, claim) or gone


def _finding(cluster: Cluster, lost: list[tuple[Pod, Obj]]) -> Finding:
    volumes = list(dict.fromkeys(v.ref.name for _, v in lost))
    policy = " or ".join(sorted({str(v.get(POLICY)) for _, v in lost}))
    keep = '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
    whose = f"volume of {listed(p.name for p, _ in lost)} has" if len(lost) == 1 else f"volumes of {listed(p.name for p, _ in lost)} have"
    return RULE.finding(
        cluster.subject,
        f"The {whose} the reclaim policy {policy}: a claim that is deleted takes its data with it.",
        *(v.seen(POLICY) for _, v in lost),
        commands=(
            shlex.join(["kubectl", "get", "persistentvolume", *volumes]),
            *(shlex.join(["kubectl", "patch", "persistentvolume", name, "-p", keep]) for name in volumes[:5]),
        ),
    )


RULE = Rule(
    id="LFS409",
    name="volume-reclaimed-on-delete",
    title="A volume is deleted together with its claim",
    severity=Severity.INFO,
    heals="no",
    symptom="Nothing, until a claim is deleted: then the volume is gone, too.",
    impact="A deleted claim cannot come back. Where it was the primary's, or the last good copy, its databases are lost.",
    cause="The reclaim policy of the PersistentVolume is Delete, which most storage classes set.",
    fix=(
        "Nothing has to be done now. To be able to take a deletion back, set the reclaim policy of the volumes to Retain; it "
        "takes effect at once.",
        "Volumes that are made later take the policy of their storage class: choose one with reclaimPolicy: Retain.",
        "With Retain a volume stays after its claim is gone: delete it by hand once nobody needs it, or it costs money.",
    ),
    reads=("persistentvolumeclaims", "persistentvolumes", "info", "config"),
    check=check,
    gotcha=5,
)
