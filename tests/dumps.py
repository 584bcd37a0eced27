"""A snapshot as other tools would have saved it: what they lack is lacking, and there is more in it than we read."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubectl_litefs.model.snapshot import Snapshot
from kubectl_litefs.parse.objects import CLUSTER, NAMESPACED

from . import quick_yaml

SECRET = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "namespace": "abaci"}, "data": {"password": "aHVudGVyMjI="}}
KINDS = NAMESPACED | CLUSTER


def lists(snapshot: Snapshot) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(namespace, plural) -> objects."""
    return {(p.split("/")[1], p.split("/")[2][:-5]): json.loads(i.read())["items"] for p, i in snapshot.items.items() if p.startswith("objects/")}


def logs(snapshot: Snapshot, *, stamped: bool) -> dict[tuple[str, str, str], bytes]:
    """(namespace, pod, container or container.previous) -> bytes."""
    found = {}
    for path, item in snapshot.items.items():
        parts = path.split("/")
        if parts[0] == "logs":
            data = b"".join(item.open())
            lines = data.split(b"\n") if stamped else [line.split(b" ", 1)[-1] for line in data.split(b"\n")]
            found[parts[1], parts[2], parts[3].removesuffix(".log")] = b"\n".join(lines)
    return found


def cluster_info(snapshot: Snapshot, folder: Path, *, as_yaml: bool = False) -> Path:
    """`kubectl cluster-info dump --output-directory`: no sets but Deployments, no ConfigMaps, logs without times."""
    for (namespace, plural), items in lists(snapshot).items():
        if plural in ("nodes", "pods", "services", "events", "deployments", "daemonsets"):
            where = "" if namespace == "_cluster" else f"{namespace}/"
            write(folder / f"{where}{plural}.{'yaml' if as_yaml else 'json'}", {"kind": f"{KINDS[plural]}List", "apiVersion": "v1", "items": items or None})
    pods: dict[tuple[str, str], bytes] = {}
    for (namespace, pod, container), data in logs(snapshot, stamped=False).items():
        if not container.endswith(".previous"):
            name = f"container {container} of pod {namespace}/{pod} ====\n".encode()
            pods[namespace, pod] = pods.get((namespace, pod), b"") + b"==== START logs for " + name + data.rstrip(b"\n") + b"\n==== END logs for " + name
    for (namespace, pod), data in pods.items():
        write(folder / namespace / pod / "logs.txt", data)
    return folder


TROUBLESHOOT = {"persistentvolumeclaims": "pvcs", "persistentvolumes": "pvs", "storageclasses": "storage-classes", "ingresses": "ingress",
                "networkpolicies": "network-policy", "poddisruptionbudgets": "pod-disruption-budgets"}  # fmt: skip


def support_bundle(snapshot: Snapshot, folder: Path) -> Path:
    """troubleshoot.sh: lists by kind and namespace, some of them without a kind; links to the logs."""
    top = folder / "support-bundle-2026-11-23T12_30_00"
    for (namespace, plural), items in lists(snapshot).items():
        name = TROUBLESHOOT.get(plural, plural)
        below = top / "cluster-resources"
        path = below / f"{name}.json" if namespace == "_cluster" else below / name / f"{namespace}.json"
        write(path, [{k: v for k, v in i.items() if k != "kind"} for i in items] if plural in ("nodes", "events", "pods") else {"kind": f"{KINDS.get(plural, 'X')}List", "items": items})
    for (namespace, pod, container), data in logs(snapshot, stamped=True).items():
        write(top / "cluster-resources" / "pods" / "logs" / namespace / pod / f"{container.replace('.previous', '-previous')}.log", data)
    write(top / "cluster-resources" / "secrets" / "abaci.json", {"kind": "SecretList", "items": [SECRET]})
    write(top / "cluster-resources" / "pods-errors.json", ["forbidden"])
    write(top / "version.yaml", b"apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\nspec:\n  versionNumber: 0.1\n")
    write(top / "analysis.json", [{"name": "x", "severity": "debug"}])
    path = folder / "support-bundle.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(top, top.name)
        link = tarfile.TarInfo(f"{top.name}/app/link.log")
        link.type, link.linkname = tarfile.SYMTYPE, "../cluster-resources/pods/logs/abaci"
        tar.addfile(link)
    return path


def plain_folder(snapshot: Snapshot, folder: Path) -> Path:
    """`kubectl get KINDS -o yaml > x.yaml` and `kubectl logs POD --timestamps > POD.log`."""
    found = lists(snapshot)
    for name, chosen in (("pods and sets.yaml", ("pods", "statefulsets", "deployments", "daemonsets")), ("rest", sorted(set(KINDS) - {"pods", "statefulsets", "deployments", "daemonsets"}))):
        items = [{"kind": KINDS[plural], "apiVersion": "v1", **raw} for (_, plural), members in found.items() if plural in chosen for raw in members]
        write(folder / name, quick_yaml.dump({"apiVersion": "v1", "items": [*items, SECRET], "kind": "List"}).encode())
    for (_, pod, container), data in logs(snapshot, stamped=True).items():
        write(folder / f"{pod}{'-previous' if container.endswith('.previous') else ''}.txt", data)
    return folder


def write(path: Path, content: bytes | Mapping[str, Any] | list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content) if path.suffix == ".json" else quick_yaml.dump(content))


WAYS: dict[str, Callable[[Snapshot, Path], Path]] = {"cluster-info dump": cluster_info, "support bundle": support_bundle, "plain folder": plain_folder}
