"""LFS514 config-shadowed: LiteFS reads another litefs.yml than the ConfigMap's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.cluster import Cluster
from ..model.grouping import Sighting, faults
from ..model.pod import Mount, Pod
from ..model.rule import Finding, Rule, Severity

NAMES = ("litefs.yml", "litefs.yaml")


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, [s for pod in cluster.pods for s in _shadowed(cluster, pod)]):
        pod = fault.pods[0]
        yield RULE.finding(
            fault.subject,
            f"{fault.seen[0].fault}.",
            *fault.evidence,
            commands=(cluster.kubectl("logs", pod.name, "-c", pod.container.name),),
            key="shadowed",
        )


def _shadowed(cluster: Cluster, pod: Pod) -> Iterator[Sighting]:
    """LiteFS says where it read its file; a ConfigMap gives another one that nothing in the pod mentions."""
    line = next((h.last for r in pod.runs if (h := r.hit("config-read"))), None)
    if line is None:
        return
    read = line.field("path")
    if any(mount.source == "configMap" and _under(read, mount) for mount in pod.container.mounts):
        return
    for mount in pod.container.mounts:
        name = _configmap(pod, mount)
        for path in _files(cluster, pod, mount, name):
            if path != read and not _mentioned(pod, path, mount):
                told = f"LiteFS reads {read} and not {path}, which ConfigMap {name} gives"
                yield Sighting(pod, told, line.text, (line.evidence, mount.evidence), line=line)
                return


def _under(path: str, mount: Mount) -> bool:
    at = mount.path.rstrip("/")
    return path == at or path.startswith(at + "/")


def _configmap(pod: Pod, mount: Mount) -> str:
    for volume in pod.obj.items("spec.volumes"):
        source = volume.get("configMap")
        if volume.get("name") == mount.volume and isinstance(source, Mapping):
            return str(source.get("name"))
    return ""


def _files(cluster: Cluster, pod: Pod, mount: Mount, name: str) -> Iterator[str]:
    """Where the mount puts a litefs.yml."""
    at = mount.path.rstrip("/")
    if not name:
        return
    if at.endswith(NAMES):
        yield at
        return
    found = cluster.find("configmaps", name, pod.namespace)
    yield from (f"{at}/{n}" for n in NAMES if found is not None and n in found.mapping("data") and not mount.sub_path)


def _mentioned(pod: Pod, path: str, mount: Mount) -> bool:
    """Whether a command of the pod uses the file or its directory: then it is a template, or is copied."""
    words = [w for c in pod.containers for w in c.command]
    other = [m for c in pod.containers if c.name != pod.container.name for m in c.mounts if m.volume == mount.volume]
    return bool(other) or any(path in w or path.rsplit("/", 1)[0] + "/" in w for w in words)


RULE = Rule(
    id="LFS514",
    name="config-shadowed",
    title="LiteFS reads another litefs.yml than the ConfigMap's",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="Changes to the ConfigMap have no effect; the log says `config file read from` another path.",
    impact="The cluster runs with settings that nobody looks at.",
    cause="Without -config LiteFS takes the first of ./litefs.yml, ~/litefs.yml and /etc/litefs.yml. A file left in the "
    "image's working directory hides the one that is mounted.",
    fix=(
        "Start LiteFS with `litefs mount -config` and the mounted path, or remove the file from the image.",
        "Commit, let the pipeline build the image, apply, and look at the log's first line.",
    ),
    reads=("log", "previous"),
    check=check,
)
