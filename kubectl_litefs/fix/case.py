"""Everything known of one target before anything is decided. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.lease import lease_of
from ..model.objects import Obj
from ..model.pod import Mount, Pod
from ..model.topology import primaries

CLUSTER_ID = re.compile(r"LFSC[0-9A-F]{16}")
"""What LiteFS makes (litefs.go, GenerateClusterID). It accepts more: only the prefix and the length are checked."""


@dataclass(frozen=True, slots=True)
class Case:
    """`headers` maps a pod's name to the `Litefs-Cluster-Id` headers of its answers ("" where one had none)."""

    cluster: Cluster
    target: Pod
    server: str
    context: str | None
    cluster_name: str | None
    headers: Mapping[str, tuple[str, ...]]

    @property
    def namespace(self) -> str:
        return self.target.namespace

    @property
    def primaries(self) -> tuple[Pod, ...]:
        """Pods that say in any sweep that they are primary: a doubt counts."""
        return tuple(p for p in self.cluster.pods if any(s.info is not None and s.info.is_primary for s in p.sweeps))

    @property
    def primary(self) -> Pod | None:
        """The one that says so in every sweep while no other ever does."""
        steady = primaries(self.cluster)
        return steady[0] if len(steady) == 1 and self.primaries == steady else None

    @property
    def others(self) -> tuple[Pod, ...]:
        """The pods of the LiteFS cluster besides target and primary."""
        return tuple(p for p in self.cluster.pods if p is not self.target and p is not self.primary)

    @property
    def set(self) -> Obj | None:
        """The StatefulSet that controls the target, by uid and not by name."""
        for owner in self.target.obj.items("metadata.ownerReferences"):
            if owner.get("controller") is True and owner.get("kind") == "StatefulSet":
                found = self.cluster.find("statefulsets", str(owner.get("name")), self.namespace)
                if found is not None and found.get("metadata.uid") == owner.get("uid"):
                    return found
        return None

    @property
    def data_mount(self) -> Mount | None:
        return self.target.mount_for(self.target.data_dir) if self.target.data_dir else None

    @property
    def template(self) -> Mapping[str, object] | None:
        """The claim template that makes the target's data claim: computed from the set, not guessed from the name."""
        mount, owner = self.data_mount, self.set
        if mount is None or mount.claim is None or owner is None:
            return None
        for template in owner.items("spec.volumeClaimTemplates"):
            metadata = template.get("metadata")
            name = metadata.get("name") if isinstance(metadata, Mapping) else None
            if name and f"{name}-{self.target.name}" == mount.claim:
                return template
        return None

    @property
    def claim(self) -> Obj | None:
        return self.cluster.claim(self.target)

    @property
    def consul(self) -> bool:
        return any(lease_of(p).is_consul for p in (self.target, self.primary) if p is not None)

    @property
    def held_nothing(self) -> bool:
        """The target was looked into and has no database above txid 0: nothing can be lost with it."""
        return self.target.databases is not None and not self.target.with_data

    @property
    def mismatch(self) -> bool:
        """Two ids were seen, and they differ."""
        lead = self.primary
        mine, theirs = self.target_id, lead.cluster_id if lead else None
        return bool(mine and theirs and mine != theirs)

    @property
    def target_id(self) -> str | None:
        """By /info; where that is silent, by the newest refusal in its log."""
        if self.target.cluster_id:
            return self.target.cluster_id
        log = self.target.log
        refused = log.hit("different-cluster-id") if log and self.target.info is None else None
        return refused.last.field("replica") if refused else None

    @property
    def grace(self) -> float:
        """Seconds the pod may take to end: in this state LiteFS ignores SIGTERM and takes all of them."""
        return float(self.target.obj.get("spec.terminationGracePeriodSeconds", 30))


def uid(obj: Obj) -> str:
    return str(obj.get("metadata.uid", ""))


def version(obj: Obj) -> str:
    """The object's resourceVersion."""
    return str(obj.get("metadata.resourceVersion", ""))
