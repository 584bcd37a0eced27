"""LFS601 fuse-unavailable: the container may not mount a FUSE file system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.alive import got_mounted, runs_litefs, unseen_run
from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, lines_seen, log_command
from ..model.origin import Evidence
from ..model.pod import Container, Platform, Pod
from ..model.rule import Finding, Rule, Severity, Unknown

FUSE = "fuse"
CRIO_DEVICES = "io.kubernetes.cri-o.Devices"
HINTS = {
    "fuse device not found": "the container has no /dev/fuse",
    "failed to open /dev/fuse": "the container may not use /dev/fuse: mounting the file alone does not give the right to it",
    "mount failed": "the container has the device, but may not mount: SYS_ADMIN is missing, or AppArmor forbids it",
}

COMPOSE_FIX = (
    "Set `privileged: true` on the service.",
    "Or give it the device and the right to mount: `devices: [/dev/fuse]`, `cap_add: [SYS_ADMIN]`, and where AppArmor is on, `security_opt: [apparmor:unconfined]`.",
    "Start it again, and look for `LiteFS mounted to` in `docker compose logs`.",
)


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [s for pod in cluster.pods for s in _in_spec(pod)]
    seen += lines_seen(cluster, "fuse-unavailable", fault=lambda text: FUSE, over=got_mounted)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)
    told = {s.pod.name for s in seen}
    yield from (Unknown(gap) for p in cluster.pods if p.name not in told and (gap := unseen_run(p)) is not None)


def _in_spec(pod: Pod) -> Iterator[Sighting]:
    """What the pod's spec lacks; nothing where LiteFS demonstrably mounts with it."""
    container = pod.container
    unsaid = pod.alone and not (pod.platform is Platform.COMPOSE and pod.described)  # machines of Fly have FUSE
    if unsaid or runs_litefs(pod) or container.security.get("privileged") is True:
        return
    name = "the service" if pod.alone else f"container {container.name}"
    device = _device(pod, container)
    if device and _may_mount(container):
        return
    if device:
        told = f"{name} has {device} but not the capability SYS_ADMIN"
    else:
        lone = " (a hostPath of it is not enough)" if _host_fuse(pod, container) else ""
        told = f"{name} is not privileged and has no FUSE device{lone}"
    yield Sighting(pod, FUSE, told, tuple(_evidence(pod, container)))


def _device(pod: Pod, container: Container) -> str:
    """What gives the container /dev/fuse: a device plugin's resource, a claimed device, CRI-O's annotation."""
    resources = container.spec.get("resources")
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    named = [str(k) for k in (limits if isinstance(limits, Mapping) else {}) if "fuse" in str(k).lower()]
    if named:
        return named[0]
    if isinstance(resources, Mapping) and resources.get("claims"):
        return "a claimed device"
    devices = str(pod.obj.mapping("metadata.annotations").get(CRIO_DEVICES, ""))
    return "/dev/fuse from CRI-O" if "/dev/fuse" in devices else ""


def _may_mount(container: Container) -> bool:
    capabilities = container.security.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, Mapping) else None
    names = {str(a).upper().removeprefix("CAP_") for a in (added if isinstance(added, list) else [])}
    return bool(names & {"SYS_ADMIN", "ALL"})


def _host_fuse(pod: Pod, container: Container) -> bool:
    volumes = {str(v.get("name")): v.get("hostPath") for v in pod.obj.items("spec.volumes")}
    paths = [volumes.get(m.volume) for m in container.mounts]
    return any(isinstance(p, Mapping) and str(p.get("path")).startswith("/dev/fuse") for p in paths)


def _evidence(pod: Pod, container: Container) -> Iterator[Evidence]:
    path = f"{container.field}.securityContext"
    if pod.alone:
        cap_add = pod.obj.get(f"{path}.capabilities.add")
        yield pod.obj.at(path, f"privileged: absent, cap_add: {', '.join(map(str, cap_add or ())) or 'none'}, /dev/fuse in devices: {'yes' if _device(pod, container) else 'no'}")
        return
    yield pod.obj.seen(path, "absent" if pod.obj.get(path) is None else None)
    if pod.obj.get(f"{container.field}.resources.limits") is not None:
        yield pod.obj.seen(f"{container.field}.resources.limits")


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    told = next((s.text for s in fault.seen if s.line is None), "")
    error = fault.line.field("error") if fault.line else ""
    hint = next((words for part, words in HINTS.items() if part in error), "")
    said = f"fusermount3 says: {error}" if error else ""
    parts = [p for p in (told or hint, said) if p]
    text = "; ".join(parts)
    pod = next((s.pod for s in fault.seen if s.line), fault.pods[0])
    return RULE.finding(
        fault.subject,
        f"LiteFS cannot mount its file system: {text}.",
        *fault.evidence,
        impact="LiteFS does not start: the container ends." if pod.alone else None,
        fix=COMPOSE_FIX if pod.alone and fault.line is None else None,
        commands=(
            log_command(cluster, pod),
            cluster.kubectl(
                "get", "pod", pod.name, "-o", f"jsonpath={{.{_json(pod.container.field)}.securityContext}}"
            ),
        ),
    )


def _json(field: str) -> str:
    """`spec.containers.0` as a JSONPath."""
    head, _, index = field.rpartition(".")
    return f"{head}[{index}]"


RULE = Rule(
    id="LFS601",
    name="fuse-unavailable",
    title="The container may not mount a FUSE file system",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`fusermount3: fuse device not found`, `failed to open /dev/fuse` or `mount failed`, exit code 1.",
    impact="LiteFS does not start: the pod restarts again and again.",
    cause="Mounting FUSE takes the device /dev/fuse, the right to use it, and SYS_ADMIN. `privileged: true` gives all three; "
    "so do a FUSE device plugin's resource and the capability SYS_ADMIN together.",
    fix=(
        "Set securityContext.privileged: true, runAsUser: 0 and runAsGroup: 0 on the container that runs LiteFS.",
        "Or give it a FUSE device plugin's resource as a limit, and add the capability SYS_ADMIN.",
        "Commit, apply, and look at the pods' logs for `LiteFS mounted to`.",
    ),
    reads=("spec", "log", "previous"),
    check=check,
    gotcha=7,
    follows=("LFS605",),
)
