"""What every plan that changes a cluster is about: one pod of one set, by uid. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .calls import Call


@dataclass(frozen=True, slots=True)
class Aim:
    """`pod` is the one that is restarted or replaced. Ids are Kubernetes uids unless they say `cluster`."""

    server: str
    context: str | None
    cluster_name: str | None
    namespace: str
    pod: str
    pod_uid: str
    pod_version: str
    container: str
    port: int
    set_name: str
    set_uid: str
    set_version: str
    replicas: int
    generation: int
    claim: str
    claim_uid: str
    claim_version: str
    primary: str
    primary_uid: str
    primary_cluster_id: str
    others: tuple[tuple[str, str, str], ...]
    """(pod, uid, cluster id) of every other pod."""
    strategy: str
    disable_eviction: bool
    warnings: tuple[str, ...]
    calls: tuple[Call, ...]
    grace: float

    @property
    def id(self) -> str:
        """sha256 of what must be the same when it is carried out."""
        raise NotImplementedError

    @property
    def keeps_claim(self) -> bool:
        """Whether the pod comes back on the volume it had."""
        raise NotImplementedError

    def document(self) -> dict[str, Any]:
        """As printed by `-o json`."""
        raise NotImplementedError
