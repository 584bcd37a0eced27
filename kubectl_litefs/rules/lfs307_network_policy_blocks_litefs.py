"""LFS307 network-policy-blocks-litefs: replicas may not reach the primary's API, or may not ask for its address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.dns import Dial, dials, in_hosts_file, is_ip, led_to, name_of
from ..model.families import names
from ..model.grouping import listed, log_command
from ..model.logs import LogLine
from ..model.netpol import blocked, dns_blocked
from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import last_error
from ..model.topology import Role, Topology, joined, topology

VANISHED = ("connection timed out", "no route to host", "i/o timeout", "server misbehaving")
"""How a connection error ends when packets, or questions to DNS, are not answered."""
ABOUT_DNS = "lookup "


@dataclass(frozen=True, slots=True)
class Barred:
    """Policies that keep these replicas from something. `target` is None for DNS."""

    direction: str
    policies: tuple[Obj, ...]
    replicas: tuple[Pod, ...]
    target: Pod | None


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if "networkpolicies" in cluster.gaps:
        yield Unknown(cluster.gaps["networkpolicies"])
    who = topology(cluster)
    barred, unsure = _barred(cluster, who)
    for fault in barred:
        yield _finding(cluster, who, fault)
    for what in unsure:
        yield Unknown(Gap("objects/_cluster/namespaces.json", GapReason.ABSENT, f"a NetworkPolicy hangs on {what}"))
    if not barred:
        yield from _silence(cluster, who)


def _barred(cluster: Cluster, who: Topology) -> tuple[list[Barred], list[str]]:
    replicas = [p for p in cluster.pods if p not in who.leaders]
    found: dict[tuple[str, str, str], Barred] = {}
    unsure: list[str] = []

    def add(direction: str, policies: tuple[Obj, ...], replica: Pod, target: Pod | None) -> None:
        key = direction, " ".join(p.ref.name for p in policies), target.name if target else ""
        before = found[key].replicas if key in found else ()
        found[key] = Barred(direction, policies, (*before, replica), target)

    for replica in replicas:
        for target in who.leaders:
            block = blocked(cluster, replica, target, target.http_port)
            if block is not None and not _works_all_the_same(who, replica, block.policies):
                if block.unsure:
                    unsure.append(block.unsure)
                else:
                    add(block.direction, block.policies, replica, target)
        deaf = dns_blocked(cluster, replica) if _needs_dns(cluster, replica) else ()
        if deaf and not _works_all_the_same(who, replica, deaf):
            add("DNS", deaf, replica, None)
    return list(found.values()), list(dict.fromkeys(unsure))


def _works_all_the_same(who: Topology, replica: Pod, policies: tuple[Obj, ...]) -> bool:
    """Whether the replica has connected under these very policies: then something allows more, or nothing enforces them."""
    if who.role(replica) is not Role.FOLLOWING or not joined(replica) or replica.started is None:
        return False
    return all(p.created is not None and p.created < replica.started and p.get("metadata.generation", 1) == 1 for p in policies)


def _dial(cluster: Cluster, pod: Pod) -> Dial | None:
    return next((d for d in dials(cluster) if pod in d.pods and d.address is not None), None)


def _needs_dns(cluster: Cluster, pod: Pod) -> bool:
    dial = _dial(cluster, pod)
    return dial is not None and not is_ip(dial.host) and not in_hosts_file(dial)


def _vanished(cluster: Cluster, who: Topology, pod: Pod) -> LogLine | None:
    """The newest connection error of a replica that is not connected now, if nothing answered it."""
    line = last_error(cluster, pod) if who.role(pod) is Role.DISCONNECTED else None
    return line if line is not None and any(w in line.field("error") for w in VANISHED) else None


def _hangs(cluster: Cluster, who: Topology, pod: Pod) -> bool:
    """Whether it names a primary, has never connected in this run, and complains of nothing: its dial gets no answer."""
    named = pod.info is not None and bool(pod.info.primary_hostname)
    return who.role(pod) is Role.DISCONNECTED and named and last_error(cluster, pod) is None


def _finding(cluster: Cluster, who: Topology, fault: Barred) -> Finding:
    lines = [line for p in fault.replicas if (line := _vanished(cluster, who, p)) is not None]
    cut = bool(lines) or any(_hangs(cluster, who, p) for p in fault.replicas)
    replica = fault.replicas[0]
    told, remedy = _words(cluster, fault)
    spared = not cut and not all(p.planned for p in fault.replicas)  # before there is a pod, nothing stands that could outlive it
    still = " Not yet felt: connections that stand may outlive the policy, new ones do not." if spared else ""
    return RULE.finding(
        cluster.subject,
        f"{told}.{still}",
        *(p.seen("spec") for p in fault.policies),
        *(line.evidence for line in lines),
        *(e for p in fault.replicas if not lines and cut for e in who.links[p.name].evidence[:1]),
        severity=Severity.ERROR if cut else Severity.WARNING,
        impact=None if not spared else "A replica that restarts, or loses its connection, does not get it back and serves old data.",
        fix=(remedy, *RULE.fix[1:]),
        commands=(
            cluster.kubectl("describe", "networkpolicy", *(p.ref.name for p in fault.policies)),
            log_command(cluster, replica),
            *_try(cluster, replica),
        ),
        key=fault.direction,
    )


def _words(cluster: Cluster, fault: Barred) -> tuple[str, str]:
    """What the policies do, and what to allow."""
    many = len(fault.policies) > 1
    called = f"{'NetworkPolicies' if many else 'NetworkPolicy'} {listed(p.ref.name for p in fault.policies)}"
    selects, keeps = ("select", "keep") if many else ("selects", "keeps")
    whose, them = names(fault.replicas), "them" if len(fault.replicas) > 1 else "it"
    if fault.target is None:
        remedy = "Allow port 53, UDP and TCP, from the pods to every namespace (`egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]`)."
        return f"{called} {selects} {whose} and {keeps} {them} from every DNS server, while advertise-url names a host", remedy
    port, other = fault.target.http_port, fault.target.name
    remedy = f"Allow TCP port {port} between the pods, both ways: {_rule(cluster, port)}."
    if fault.direction == "Ingress":
        return f"{called} {selects} {other} and {keeps} {whose} from its port {port} (Ingress)", remedy
    return f"{called} {selects} {whose} and {keeps} {them} from port {port} of {other} (Egress)", remedy


def _rule(cluster: Cluster, port: int) -> str:
    labels = next((o.mapping("spec.selector.matchLabels") for o in cluster.owners()), {})
    pairs = ", ".join(f"{k}: {v}" for k, v in labels.items()) or "the pods' labels"
    peer = f"[{{podSelector: {{matchLabels: {{{pairs}}}}}}}]"
    return f"`ingress: [{{from: {peer}, ports: [{{port: {port}}}]}}]`, and the same under `egress` with `to`"


def _try(cluster: Cluster, replica: Pod) -> Iterator[str]:
    """Asks the primary's API from the replica, over the URL it uses."""
    dial = _dial(cluster, replica)
    if dial is not None and dial.address is not None:
        url = f"http://{dial.host}:{dial.address.port}/info"
        yield run_in(cluster, replica, "wget", "-T", "5", "-qO-", url)


def _silence(cluster: Cluster, who: Topology) -> Iterator[Finding]:
    """Nothing answers the replicas, and no policy of Kubernetes says why."""
    primary = who.primary
    for about_dns in (True, False):
        lines = {
            p: line
            for p in cluster.pods
            if (line := _vanished(cluster, who, p)) is not None and (ABOUT_DNS in line.field("error")) is about_dns
        }
        lines = {p: x for p, x in lines.items() if about_dns or (primary is not None and _leads_to(cluster, p, primary))}
        if not lines:
            continue
        first, whose = next(iter(lines)), names(lines)
        what = "No DNS server answers" if about_dns else f"Nothing answers at port {primary.http_port if primary else 20202} of the primary when it is asked by"
        seen = "the NetworkPolicies could not be read" if "networkpolicies" in cluster.gaps else "no NetworkPolicy says why"
        yield RULE.finding(
            cluster.subject,
            f"{what} {whose} ({lines[first].field('error')[-160:]}), and {seen}: a policy of the network plugin itself or a "
            "firewall between nodes may drop the packets.",
            *(line.evidence for line in lines.values()),
            severity=Severity.ERROR,
            commands=(log_command(cluster, first), cluster.kubectl("get", "networkpolicies,pods", "-o", "wide"), *_try(cluster, first)),
            key="DNS" if about_dns else "silence",
        )


def _leads_to(cluster: Cluster, pod: Pod, primary: Pod) -> bool:
    """Whether the URL names the primary: then an address that nobody has is not the reason."""
    dial = _dial(cluster, pod)
    name = name_of(cluster, dial) if dial is not None else None
    if dial is None or name is None:
        return dial is not None and dial.host == primary.obj.get("status.podIP")
    return primary in led_to(cluster, dial, name)


RULE = Rule(
    id="LFS307",
    name="network-policy-blocks-litefs",
    title="A NetworkPolicy keeps replicas from the primary, or from DNS",
    severity=Severity.WARNING,
    heals="no",
    symptom="`connection timed out` or `i/o timeout` after minutes of silence; or no line at all, while /info names the primary.",
    impact="Replicas cannot connect: they serve old data, or do not start the application at all.",
    cause="A pod that any policy selects may be reached, or may reach, only what some policy allows. Dropped packets are not "
    "answered, and LiteFS waits for them without a word.",
    fix=(
        "Allow LiteFS's port between the pods of the set, and port 53 to the cluster's DNS.",
        "Keep the policy with the StatefulSet, commit, apply. A replica tries again by itself within about two minutes; its log "
        "must say `connected to cluster, ready`.",
        "If nothing changes: Cilium, Calico and others have policies of their own (`kubectl api-resources | grep -i policies`), "
        "and clouds have firewalls between nodes.",
    ),
    reads=("networkpolicies", "spec", "info", "log"),
    check=check,
)
