"""LFS304 advertise-url-wrong-port: advertise-url leads to a port where LiteFS's API is not."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dial_faults import wrong_ports
from ..model.dns import Dial, dials, led_to, name_of, subject_of, unseen
from ..model.grouping import log_command
from ..model.origin import Evidence, Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck, works
from ..model.topology import topology

FOREIGN = ("unexpected EOF", ": EOF", "connection reset by peer", "code=404", "malformed HTTP")
REFUSED = "connection refused"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden = unseen(cluster)
    if hidden is not None:
        yield Unknown(hidden)
    for dial in dials(cluster):
        if dial.address is None or works(cluster, dial):
            continue
        known = list(wrong_ports(cluster, dial))
        words = (*FOREIGN, REFUSED) if known or _answers_elsewhere(cluster, dial) else FOREIGN
        lines = [line.evidence for p in dial.pods if (line := stuck(cluster, p, *words))]
        if known:
            pod, told, seen = known[0]
            yield _finding(cluster, dial, pod, told, [*seen, *lines])
        elif lines:
            yield _finding(cluster, dial, _target(cluster, dial), "what answers there is not LiteFS's API", lines)
        elif (gap := _unsure(cluster, dial)) is not None:
            yield Unknown(gap)


def _target(cluster: Cluster, dial: Dial) -> Pod | None:
    name = name_of(cluster, dial)
    return next(iter(led_to(cluster, dial, name)), None) if name else topology(cluster).primary


def _answers_elsewhere(cluster: Cluster, dial: Dial) -> bool:
    """Whether the primary answers, but on another port than the URL's: then a refusal speaks against the URL."""
    target = _target(cluster, dial)
    return (
        target is not None
        and target.info is not None
        and dial.address is not None
        and (target.http_port != dial.address.port)
    )


def _unsure(cluster: Cluster, dial: Dial) -> Gap | None:
    """The gap that hides the API's port, where an unusual port in the URL may be right or wrong."""
    target = _target(cluster, dial)
    if target is None or target.info is not None or (target.config and target.config.get("http.addr")):
        return None
    usual = dial.address is not None and dial.address.port == target.http_port
    gap = target.gaps.get("config") or target.gaps.get("info")
    return (
        None if usual else gap or Gap(f"config/{target.namespace}/{target.name}", GapReason.ABSENT, "http.addr unknown")
    )


def _finding(cluster: Cluster, dial: Dial, target: Pod | None, told: str, seen: list[Evidence]) -> Finding:
    address = dial.address
    assert address is not None
    port = f"port {address.port}" if address.port_given else f"no port, which means {address.port}"
    who = _listener(target, address.port) if target else ""
    right = target.http_port if target else 20202
    asker = next((p for p in dial.pods if p is not target), dial.pods[0])
    reached = [target.info.seen("isPrimary")] if target and target.info and right != address.port else []
    return RULE.finding(
        subject_of(cluster, dial),
        f"advertise-url {dial.url} has {port}{who}, but {told}.",
        *dial.evidence,
        *seen,
        *reached,
        fix=(f"Write port {right} in advertise-url on all nodes.", *RULE.fix[1:])
        if right != address.port
        else RULE.fix[1:],
        commands=(log_command(cluster, asker), cluster.kubectl("get", "services")),
        key="" if dial.static else dial.url,
    )


def _listener(target: Pod, port: int) -> str:
    """Who has that port in the pod, as far as the configuration tells."""
    for key, what in (("proxy.addr", "LiteFS's proxy"), ("proxy.target", "the application")):
        value = target.config.known(key) if target.config else None
        if str(value or "").rsplit(":", 1)[-1] == str(port):
            return f" ({what}, {key})"
    return ""


RULE = Rule(
    id="LFS304",
    name="advertise-url-wrong-port",
    title="advertise-url has the wrong port",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `connection refused`, `unexpected EOF` or `code=404`, or hang without a word, while the primary "
    "is well.",
    impact="No replica can connect: they serve old data, or do not start the application at all.",
    cause="Replicas must dial the primary's API (http.addr, by default port 20202), not the proxy and not the application; "
    "a URL without a port means port 80.",
    fix=(
        "Write the API's port in advertise-url on all nodes.",
        "Correct it where litefs.yml comes from, commit, let the pipeline build the image if it is inside, apply, restart "
        "the pods, and look at a replica's log for `connected to cluster, ready`.",
    ),
    reads=("config", "info", "log", "services"),
    check=check,
    gotcha=2,
    follows=("LFS305", "LFS508", "LFS507"),
)
