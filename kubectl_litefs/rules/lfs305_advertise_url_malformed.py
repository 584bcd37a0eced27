"""LFS305 advertise-url-malformed: advertise-url is no URL that LiteFS can dial."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.dns import dials, dotted_port, subject_of, unseen
from ..model.grouping import config_command, listed, log_command
from ..model.lease import lease_of, parse_url
from ..model.origin import Evidence, ObjectRef
from ..model.pod import Platform, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck

LOGGED = ("invalid URL scheme", "invalid client URL", "URL host required", "unsupported protocol scheme", 'parse "')


ELSEWHERE = {
    Platform.COMPOSE: "Write http://HOST:20202 with a host name by which the other nodes reach the primary: a service's name is one. No blanks, the same on all nodes.",
    Platform.FLY: "Write http://${FLY_MACHINE_ID}.vm.${FLY_APP_NAME}.internal:20202; for a static lease http://MACHINE.vm.APP.internal:20202 with the primary's "
    "machine, the same on all nodes.",
}
"""The first step where there are no pods and no headless Service."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden = unseen(cluster)
    if hidden is not None:
        yield Unknown(hidden)
    told = False
    for dial in dials(cluster):
        fault = fault_of(dial.url)
        if fault:
            told = True
            lines = [line.evidence for p in dial.pods if (line := stuck(cluster, p, *LOGGED))]
            evidence = [*dial.evidence, *lines]
            yield _finding(
                cluster, subject_of(cluster, dial), dial.pods, f"advertise-url `{dial.url}` {fault}", evidence
            )
    for pod, fault, proof in _unseen_but_wrong(cluster):
        told = True
        yield _finding(cluster, pod.ref, (pod,), fault, [proof])
    empty = [p for p in cluster.pods if _is_empty(p)]
    if empty:
        seen = [e for p in empty for e in _seen_empty(p)]
        subject = cluster.subject if len(empty) == len(cluster.pods) else empty[0].ref
        yield _finding(
            cluster, subject, tuple(empty), f"advertise-url is empty on {listed(p.name for p in empty)}", seen
        )
    elif not told:
        yield from _only_logged(cluster)


def fault_of(url: str) -> str:
    """What is wrong with a URL, in words; empty where LiteFS can dial it."""
    address = parse_url(url)
    if address is not None:
        port = dotted_port(address)
        return f"has a dot where the port's colon belongs: .{port} instead of :{port}" if port else ""
    if url != url.strip():
        return "has a blank at its beginning or end"
    if re.search(r"\{|\}|\$", url):
        return "holds a placeholder that was never filled in; a variable is written ${NAME}"
    if re.search(r"\s", url):
        return "has a blank in it"
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", url)
    if scheme is None:
        return "does not begin with http://"
    if scheme[1].lower() not in ("http", "https"):
        return f"begins with {scheme[1]}://, and LiteFS speaks http only"
    rest = url[scheme.end() :].split("/", 1)[0]
    if not rest.rpartition(":")[0] and (not rest or rest.startswith(":")):
        return "has no host"
    return "has no valid host and port"


def _unseen_but_wrong(cluster: Cluster) -> Iterator[tuple[Pod, str, Evidence]]:
    """URLs that hang on variables nobody sees, and are wrong whatever these hold: a dot where the port's colon belongs."""
    for pod in cluster.pods:
        value = pod.config.get("lease.advertise-url") if pod.config else None
        if value is not None and value.sight is Sight.UNKNOWN and (port := _DOTTED_END.search(value.raw)):
            yield pod, f"advertise-url `{value.raw}` has a dot where the port's colon belongs: {port[0]} instead of :{port[0][1:]}", value.evidence


_DOTTED_END = re.compile(r"(?<=[a-z])\.\d{2,5}\Z")
"""Digits behind a name and a dot. Behind a variable they may be the end of an address."""


def _is_empty(pod: Pod) -> bool:
    """A static lease that surely has no advertise-url."""
    lease = lease_of(pod)
    if not lease.is_static or lease.url:
        return False
    if lease.advertise_url is not None:
        return True
    value = pod.config.get("lease.advertise-url") if pod.config else None
    return value is not None and value.known


def _seen_empty(pod: Pod) -> Iterator[Evidence]:
    seen = lease_of(pod).advertise_url
    if seen is not None:
        yield seen.evidence
    elif pod.config is not None:
        yield pod.config.values["lease.advertise-url"].evidence


def _only_logged(cluster: Cluster) -> Iterator[Finding]:
    """Where the URL itself was not seen: what LiteFS says of it."""
    for pod in cluster.pods:
        line = stuck(cluster, pod, *LOGGED)
        if line is not None:
            error = line.field("error")
            yield _finding(cluster, pod.ref, (pod,), f"LiteFS cannot dial advertise-url: {error}", [line.evidence])


def _finding(
    cluster: Cluster, subject: ObjectRef, pods: tuple[Pod, ...], told: str, evidence: list[Evidence]
) -> Finding:
    first = pods[0]
    commands = [config_command(cluster, first)] if first.config else []
    return RULE.finding(
        subject,
        f"{told}.",
        *evidence,
        fix=(ELSEWHERE[first.platform], "Correct it where litefs.yml comes from, deploy again, and look at the logs.") if first.platform else None,
        commands=(*commands, log_command(cluster, first)),
    )


RULE = Rule(
    id="LFS305",
    name="advertise-url-malformed",
    title="advertise-url is not a URL that LiteFS can dial",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `invalid URL scheme`, `invalid client URL` or `URL host required` each second.",
    impact="No replica can connect: they serve old data, or do not start the application at all.",
    cause="LiteFS does not look at advertise-url when it starts; a replica finds out when it dials.",
    fix=(
        "Write http://POD.SERVICE:20202 with the primary's pod and its headless Service, without blanks, on all nodes.",
        "Correct it where litefs.yml comes from, commit, let the pipeline build the image if it is inside, apply, restart "
        "the pods, and look at their logs.",
    ),
    reads=("config", "log"),
    check=check,
    gotcha=2,
    follows=("LFS505", "LFS508", "LFS507"),
)
