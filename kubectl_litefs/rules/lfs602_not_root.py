"""LFS602 not-root: LiteFS does not run as root."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.alive import ended, got_mounted, runs_litefs, unseen_run
from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, lines_seen, log_command
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.users import ROOTS, setting, switched_to

USER = "user"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [s for pod in cluster.pods for s in _in_spec(pod)]
    seen += lines_seen(cluster, "store-permission", "allow-other-refused", fault=lambda text: USER, over=got_mounted)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)
    told = {s.pod.name for s in seen}
    yield from (Unknown(gap) for p in cluster.pods if p.name not in told and (gap := unseen_run(p)) is not None)


def _in_spec(pod: Pod) -> Iterator[Sighting]:
    """What makes it another user; nothing where LiteFS demonstrably mounts with it."""
    if runs_litefs(pod):
        return
    container, command = pod.container, pod.container.litefs
    user, where = setting(pod, container, "runAsUser")
    refuses, refusal = setting(pod, container, "runAsNonRoot")
    to = switched_to(command.user_switch, command.user_switch_to) if command else None
    if isinstance(user, int) and user != 0:
        yield _sighting(pod, f"container {container.name} runs as user {user}", where)
    elif refuses is True:
        also = ", while LiteFS needs user 0" if user == 0 else ""
        yield _sighting(pod, f"container {container.name} has runAsNonRoot: true{also}", refusal)
    elif user is None and container.build is not None and container.build.user is not None:
        name = container.build.user.value
        if name is not None and name not in ROOTS:
            where = container.build.user.evidence
            told = f"the image runs as user {name} (USER in its Dockerfile)" if where.excerpt.startswith("USER") else f"it is started with {where.excerpt}"
            yield _sighting(pod, told, where)
    if command is not None and to:
        yield _sighting(pod, f"{command.user_switch} makes it user {to} before litefs starts", command.evidence)


def _sighting(pod: Pod, told: str, evidence: Evidence | None) -> Sighting:
    return Sighting(pod, USER, told, (evidence,) if evidence else ())


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    told = next((s.text for s in fault.seen if s.line is None), "")
    said = fault.line.text.removeprefix("ERROR: ") if fault.line else ""
    reason = ended(fault.pods[0])[1] if fault.line is None else ""
    kubelet = reason if "runAsNonRoot" in reason or "will run as root" in reason else ""
    words = said or kubelet
    text = f"{told}{f': {words}' if words else ''}" if told else f"LiteFS may not write where it must: {words}"
    pod = next((s.pod for s in fault.seen if s.line), fault.pods[0])
    may_differ = cluster.alone and fault.line is None and pod.container.litefs is None
    return RULE.finding(
        fault.subject,
        f"LiteFS needs root, but {text}." if told else f"{text}.",
        *fault.evidence,
        severity=Severity.WARNING if may_differ else None,
        fix=("Take `user` off the service, and USER and su-exec off the image's start.", *RULE.fix[1:3]) if pod.platform else None,
        commands=(log_command(cluster, pod), cluster.kubectl("get", "pod", pod.name, "-o", "yaml")),
    )


RULE = Rule(
    id="LFS602",
    name="not-root",
    title="LiteFS does not run as root",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`cannot open store: mkdir ...: permission denied`, or the kubelet refuses to start the container.",
    impact="LiteFS does not start: the pod restarts again and again.",
    cause="LiteFS writes to its data directory and mounts a file system. runAsUser, runAsNonRoot, the image's USER or a tool "
    "such as su-exec in front of it takes those rights away.",
    fix=(
        "Set runAsUser: 0 and runAsGroup: 0 on the container, and remove USER and su-exec from the image's start.",
        "Let LiteFS, as root, start the application as another user: `exec: su-exec node node server.js` with "
        "fuse.allow-other: true.",
        "A read-only file system at data.dir needs a writable volume there.",
        "Commit, let the pipeline build the image, apply, and look at the pods' logs.",
    ),
    reads=("spec", "log", "previous"),
    check=check,
    gotcha=7,
    follows=("LFS605",),
)
