"""One LiteFS cluster as Kubernetes shows it: the unit that rules judge."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .objects import Obj
from .origin import Gap, ObjectRef
from .pod import Pod
from .snapshot import Source


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pods that name the same primary: one StatefulSet mostly, sometimes a writer set and a reader set.

    `objects` maps an API plural (`services`, `statefulsets`, `persistentvolumeclaims`, ...) to the objects of the
    cluster's namespaces; a plural that could not be read is absent there and stands in `gaps` (an empty tuple means
    "there is none"). One that was read in part is in both. `others` are pods of the same namespaces that do not run LiteFS.
    `moment` is when gathering ended, the only "now" there is; None where nothing tells the time. `asked` is not empty
    once somebody has asked for a `now` that nobody knows.
    """

    namespace: str
    workloads: tuple[ObjectRef, ...]
    pods: tuple[Pod, ...]
    others: tuple[Obj, ...]
    objects: Mapping[str, tuple[Obj, ...]]
    gaps: Mapping[str, Gap]
    moment: datetime | None
    asked: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def now(self) -> datetime:
        """When gathering ended. Where that is unknown no line has a time that could be compared with it: whoever asks
        is noted, so that the engine can say what was not known."""
        if self.moment is None:
            self.asked.append("now")
            return datetime.max.replace(tzinfo=timezone.utc)
        return self.moment

    @property
    def name(self) -> str:
        """The first workload's name, or the pod's where there is none."""
        return self.workloads[0].name if self.workloads else self.pods[0].name if self.pods else "?"

    @property
    def subject(self) -> ObjectRef:
        """The object that a fault of the whole set is reported on."""
        return self.workloads[0] if self.workloads else self.pods[0].ref

    @property
    def bearers(self) -> tuple[ObjectRef, ...]:
        """What of it a name may mean."""
        return (*self.workloads, *(p.ref for p in self.pods))

    @property
    def alone(self) -> bool:
        """Whether it is a litefs.yml alone: its one pod stands for nodes that nobody has seen."""
        return any(p.alone for p in self.pods)

    def list(self, plural: str) -> tuple[Obj, ...] | None:
        """All objects of a kind, None when they could not be read, or only some of them."""
        return None if plural in self.gaps else self.objects.get(plural)

    def find(self, plural: str, name: str, namespace: str | None = None) -> Obj | None:
        """One object by name, in the cluster's namespace unless another is named ("" for cluster-scoped)."""
        wanted = self.namespace if namespace is None else namespace
        return next(
            (o for o in self.objects.get(plural, ()) if o.ref.name == name and o.ref.namespace == wanted), None
        )

    def pod(self, name: str) -> Pod | None:
        return next((p for p in self.pods if p.name == name), None)

    def claim(self, pod: Pod) -> Obj | None:
        """The PersistentVolumeClaim that the pod's data directory lies on."""
        name = pod.data_claim
        return self.find("persistentvolumeclaims", name, pod.namespace) if name else None

    def owners(self) -> Iterator[Obj]:
        """The workload objects of the cluster."""
        plural = {"StatefulSet": "statefulsets", "Deployment": "deployments", "DaemonSet": "daemonsets"}
        for ref in self.workloads:
            found = self.find(plural.get(ref.kind, ""), ref.name, ref.namespace)
            if found is not None:
                yield found

    def kubectl(self, *words: str) -> str:
        """A command line ready to paste: `kubectl -n abaci logs abaci-app-1`."""
        return shlex.join(["kubectl", "-n", self.namespace, *words])


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules and renderers may know."""

    clusters: tuple[Cluster, ...]
    namespaces: tuple[str, ...]
    gaps: tuple[Gap, ...]
    taken_at: datetime | None
    source: Source
    looked_at: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    """The names that were asked for, as in `Snapshot`."""
