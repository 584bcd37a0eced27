"""Small pods and ConfigMaps for the tests of this folder."""

from __future__ import annotations

from typing import Any

from kubectl_litefs.model.objects import Obj
from kubectl_litefs.model.origin import Gap, GapReason, ObjectRef

PODS = "objects/abaci/pods.json"
CONFIGMAPS = "objects/abaci/configmaps.json"
FIELD = "spec.containers.0"
GAP = Gap(CONFIGMAPS, GapReason.FORBIDDEN, "configmaps: get")


def pod(container: dict[str, Any], **spec: Any) -> Obj:
    """A pod with this one container."""
    raw = {
        "metadata": {
            "name": "app-0",
            "namespace": "abaci",
            "uid": "u-1",
            "labels": {"role": "primary", "app.kubernetes.io/name": "abaci"},
        },
        "spec": {"containers": [{"name": "app", **container}], "nodeName": "node-1", **spec},
        "status": {"podIP": "10.0.0.1"},
    }
    return Obj(ObjectRef("Pod", "abaci", "app-0"), raw, PODS)


def configmap(name: str, data: dict[str, str], binary: dict[str, str] | None = None) -> Obj:
    raw = {"metadata": {"name": name}, "data": data, "binaryData": binary or {}}
    return Obj(ObjectRef("ConfigMap", "abaci", name), raw, CONFIGMAPS)


def reader(*maps: Obj) -> Any:
    """name -> ConfigMap; `hidden` is one that may not be read."""
    by_name: dict[str, Obj | Gap] = {m.ref.name: m for m in maps}
    return ({"hidden": GAP} | by_name).get
