"""LFS811 probe-kills-waiting-node: the kubelet kills a node that waits for its primary, as it should."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.grouping import Sighting, exit_seen, faults, listed, log_command, own_config
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.proxy import mappings, proxy_port
from ..model.rule import Finding, Rule, Severity, Unknown

ANSWERED = ("/info", "/metrics", "/debug/", "/export", "/events")
"""What LiteFS's API answers to a GET; everything else is 404, `/litefs/health` too: that one is the proxy's."""
PATIENT = 600
"""Seconds: whoever waits that long means to. A node waits two minutes for its primary in an ordinary rollout."""
EXIT = 137
HERE = re.compile(r"\b(?:localhost|127\.0\.0\.1):(\d{1,5})(/[^\s'\"]*)?")
"""What curl or wget asks in an exec probe."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of the LiteFS container by HTTP, TCP, gRPC, or a command that asks a port. `path` is None where it asks for none."""

    kind: str
    port: int
    path: str | None
    patience: int
    evidence: Evidence


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        probe = _gate(pod)
        if probe is None:
            continue
        if pod.config is None and pod.info is None and (gap := pod.gaps.get("config") or pod.gaps.get("info")) is not None:
            yield Unknown(gap)  # its API may have another port, and its application may not wait
        elif (why := _why(cluster, pod, probe)) is not None:
            seen.append(Sighting(pod, probe.kind, why, (probe.evidence,)))
    for fault in faults(cluster, seen):
        yield _finding(cluster, list(fault.seen))


def _gate(pod: Pod) -> Probe | None:
    """The probe that a waiting node must pass: liveness begins only after startup has succeeded."""
    startup, liveness = _probe(pod, "startupProbe"), _probe(pod, "livenessProbe")
    if startup is not None and not _answers(pod, startup):
        return startup
    return liveness


def _answers(pod: Pod, probe: Probe) -> bool:
    """Whether LiteFS answers this probe from its start on."""
    return probe.port == pod.http_port and (probe.path is None or probe.path.startswith(ANSWERED))


def _probe(pod: Pod, kind: str) -> Probe | None:
    spec = pod.container.spec.get(kind)
    if not isinstance(spec, Mapping):
        return None
    for how in ("httpGet", "tcpSocket", "grpc"):
        action = spec.get(how)
        port = _number(pod, action.get("port")) if isinstance(action, Mapping) else None
        if isinstance(action, Mapping) and port is not None:
            path = str(action.get("path") or "/") if how == "httpGet" else None
            return Probe(kind, port, path, _patience(spec), _seen(pod, kind))
    action = spec.get("exec")
    words = action.get("command") if isinstance(action, Mapping) else None
    asked = HERE.search(" ".join(str(w) for w in words)) if isinstance(words, list) else None
    return Probe(kind, int(asked[1]), asked[2] or "/", _patience(spec), _seen(pod, kind)) if asked else None


def _seen(pod: Pod, kind: str) -> Evidence:
    return pod.obj.seen(f"{pod.container.field}.{kind}")


def _number(pod: Pod, port: object) -> int | None:
    if isinstance(port, int) or str(port).isdigit():
        return int(str(port))
    named = [p.get("containerPort") for p in mappings(pod.container.spec.get("ports")) if p.get("name") == port]
    return next((n for n in named if isinstance(n, int)), None)


def _patience(spec: Mapping[str, object]) -> int:
    """Seconds from the container's start until the kubelet gives up."""

    def number(key: str, default: int) -> int:
        value = spec.get(key)
        return value if isinstance(value, int) else default

    return number("initialDelaySeconds", 0) + number("failureThreshold", 3) * number("periodSeconds", 10)


def _why(cluster: Cluster, pod: Pod, probe: Probe) -> str | None:
    """What is wrong with the probe, in words; None where nothing is."""
    if _answers(pod, probe):
        return None
    if probe.port == pod.http_port:
        outlived = pod.started is not None and (cluster.now - pod.started).total_seconds() > probe.patience + 30
        if outlived and not pod.container.restarts:
            return None  # it evidently passes
        return f"asks LiteFS's API on port {probe.port} for {probe.path}, which answers 404"
    config = own_config(pod)
    if probe.patience >= PATIENT or (config is not None and config.known("skip-sync") is True):
        return None
    if config is not None and not config.execs and probe.port != proxy_port(pod):
        return None  # LiteFS starts no application: the port belongs to another container
    whose = "LiteFS's proxy" if probe.port == proxy_port(pod) else "the application"
    return f"asks {whose} on port {probe.port}, which does not listen before the node has joined"


def _finding(cluster: Cluster, seen: list[Sighting]) -> Finding:
    first = seen[0].pod
    probe = _gate(first)
    assert probe is not None  # it was judged
    killed = [(p, e) for p in (s.pod for s in seen) if (e := _killed(cluster, p)) is not None]
    kind = "startup" if probe.kind == "startupProbe" else "liveness"
    whole = {s.pod.name for s in seen} == {p.name for p in cluster.pods}
    whom = "every node is" if probe.port == first.http_port else "a node that waits for its primary is"
    done = f" It has killed {listed(p.name for p, _ in killed)}." if killed else ""
    return RULE.finding(
        cluster.subject if whole else first.ref,
        f"The {kind} probe of container {first.container.name} {seen[0].text}: {whom} killed after {probe.patience} s.{done}",
        *(e for s in seen for e in s.evidence),
        *(x for p, e in killed for x in (e, exit_seen(p))),
        severity=Severity.ERROR if killed else None,
        impact="Nodes are killed before they can join, again and again." if killed else None,
        commands=(
            cluster.kubectl("describe", "pod", (killed[0][0] if killed else first).name),
            log_command(cluster, killed[0][0] if killed else first),
        ),
        key=probe.kind,
    )


def _killed(cluster: Cluster, pod: Pod) -> Evidence | None:
    """The kubelet's word that this probe failed, where the container was then killed and not for lack of memory."""
    if pod.container.exit_code != EXIT or pod.container.terminated.get("reason") == "OOMKilled":
        return None
    return next((e.seen("message") for e in cluster.list("events") or () if _failed(e, pod)), None)


def _failed(event: Obj, pod: Pod) -> bool:
    about, uid = event.mapping("involvedObject"), pod.obj.get("metadata.uid")
    mine = about.get("kind", "Pod") == "Pod" and about.get("name") == pod.name and about.get("uid", uid) == uid
    message = str(event.get("message") or "").lower()
    return mine and event.get("reason") in ("Unhealthy", "Killing") and ("liveness probe" in message or "startup probe" in message)


RULE = Rule(
    id="LFS811",
    name="probe-kills-waiting-node",
    title="A probe kills a node that waits for its primary",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="A replica restarts while its primary is away, exit code 137, events `Liveness probe failed` or `Startup probe failed`; "
    "it may never join after a long outage.",
    impact="When the primary is away, or is slow to dial, replicas are killed as well, and a long migration on the primary is cut off.",
    cause="LiteFS starts its proxy and the application only when the node has joined; until then only its API on port 20202 "
    "listens. `/litefs/health` is answered by the proxy, not by the API.",
    fix=(
        "Let startup and liveness probes ask LiteFS itself: httpGet /info on port 20202 (http.addr).",
        "Let only the readiness probe ask the application.",
        "Commit, apply, and watch one replica restart while the primary is away.",
    ),
    reads=("spec", "config", "events"),
    check=check,
)
