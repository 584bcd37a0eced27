"""A loopback cluster to complete from: a recorded LiteFS cluster, and what else lives beside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_litefs.demo import path
from kubectl_litefs.gather import bundle

from ..api import Answer, RecordedApi, serve

PLAIN = {"metadata": {"name": "abaci-web-0", "namespace": "abaci"}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}, "status": {"phase": "Running"}}
HOSTILE = ["abaci-$(touch${IFS}pwned)", "abaci-`touch pwned`", "abaci-x\ty", "abaci-x\nabaci-forged", "abaci-\x1b[2J", "-abaci", "abaci app", "abaci-;ls", ""]


@dataclass
class Cluster(RecordedApi):
    """`extra` pods are put into the list of pods; `refuse` is answered 403."""

    extra: list[Mapping[str, Any]] = field(default_factory=list)
    refuse: str = ""

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        status, body = super().answer(path, query)
        if self.refuse and path.endswith(self.refuse):
            return 403, b'{"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}'
        if path.endswith("/pods"):
            document = json.loads(body)
            document["items"] += self.extra
            body = json.dumps(document).encode()
        return status, body


def named(name: str) -> Mapping[str, Any]:
    return {**PLAIN, "metadata": {"name": name, "namespace": "abaci"}}


@contextmanager
def running(folder: Path, delay: float = 0.0) -> Iterator[tuple[Cluster, Path]]:
    """(the cluster, a kubeconfig that leads to it)."""
    recorded = bundle.load(path("healthy"))
    api = Cluster(dataclasses.replace(recorded, namespaces=("abaci", "abacus", "kube-system")), extra=[PLAIN])
    with serve(api, delay=delay) as url:
        yield api, kubeconfig(folder / "config", url)


def kubeconfig(file: Path, url: str, **user: object) -> Path:
    """Two contexts; `here` is the current one."""
    file.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "lab", "cluster": {"server": url}}, {"name": "other", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "me@lab", "user": user}, {"name": "$(touch pwned)", "user": {}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "lab", "user": "me@lab", "namespace": "abaci"}},
            {"name": "arn:aws:eks:eu:1:cluster/far", "context": {"cluster": "other", "user": "me@lab", "namespace": "remote"}},
        ],
    }))  # fmt: skip
    return file
