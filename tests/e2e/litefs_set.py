"""The StatefulSet on the played node, with stand-ins for LiteFS."""

from __future__ import annotations

from .api import Api, until
from .litefs import LiteFS
from .played import LABEL, Node
from .workload import Workload


class LitefsSet(Workload):
    """The objects, and the stand-ins behind them."""

    def __init__(self, api: Api, node: Node, namespace: str, storage_class: str, *, ordinals: int, grace: int, when_scaled: str) -> None:
        self.node = node
        only_there = {"nodeSelector": {LABEL: node.run}, "tolerations": [{"key": LABEL, "operator": "Equal", "value": node.run, "effect": "NoSchedule"}]}
        image = "registry.invalid/litefs-app:1"
        super().__init__(api, namespace, storage_class, image=image, placement=only_there, ordinals=ordinals, grace=grace, when_scaled=when_scaled)

    def litefs(self, ordinal: int) -> LiteFS:
        """The stand-in that runs in the pod now."""
        played = self.node.pods.get((self.namespace, self.pod_name(ordinal)))
        assert played is not None and played.litefs is not None, f"{self.pod_name(ordinal)} does not run"
        return played.litefs

    def answers(self, ordinal: int, uid: str) -> bool:
        played = self.node.pods.get((self.namespace, self.pod_name(ordinal)))
        return played is not None and played.litefs is not None and played.uid == uid

    def leads(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} is a primary", lambda: self.litefs(ordinal).candidate and self.litefs(ordinal).ready.is_set(), 60)

    def follows(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} follows", lambda: self._in_step(ordinal), 60)

    def _in_step(self, ordinal: int) -> bool:
        node, primary = self.litefs(ordinal), self.litefs(0)
        return node.following and node.cluster == primary.cluster and node.databases.positions() == primary.databases.positions()

    def refused(self, ordinal: int) -> None:
        until(f"{self.pod_name(ordinal)} is refused", lambda: any("different cluster id" in line for _, line in self.litefs(ordinal).log.lines()), 60)

    def write(self, ordinal: int, sql: str) -> None:
        self.litefs(ordinal).databases.execute("db", sql)

    def lose(self, ordinal: int) -> None:
        self.litefs(ordinal).databases.path("db").unlink()

    def rows(self, ordinal: int) -> list[str]:
        return [str(x) for (x,) in self.litefs(ordinal).databases.execute("db", "select x from t order by rowid")]
