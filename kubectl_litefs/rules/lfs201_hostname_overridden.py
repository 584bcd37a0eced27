"""LFS201 hostname-overridden: HOSTNAME, or the primary's name, is no pod's own name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model.candidates import named_pod, primary_elsewhere, start_line_command
from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.dns import expected, is_self, may_belong
from ..model.families import names
from ..model.lease import lease_of
from ..model.origin import Evidence, Gap, GapReason, ObjectRef
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


@dataclass(frozen=True, slots=True)
class Named:
    """What one pod calls the primary, in one place. `nowhere` is True for 0.0.0.0, loopback, localhost."""

    pod: Pod
    name: str
    nowhere: bool
    evidence: Evidence


ELSEWHERE = (
    "Do not set HOSTNAME: remove it from `environment` or [env], the start script and the Dockerfile.",
    "Name the primary in lease.hostname by a name that the other nodes reach it by, the same on all nodes.",
    "If a server needs an address to listen on, give it a variable of another name.",
    "Deploy again, and look at the line `Using static primary` of each node's log.",
)
"""What to do where there are no pods."""
CAUSE_ELSEWHERE = "LiteFS sets HOSTNAME only where it is unset or empty: another value wins wherever litefs.yml says ${HOSTNAME}."


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    set_in_spec = [(p, v, e) for p in cluster.pods for v, e in _overrides(p)]
    known: dict[str, bool] = {}
    odd = [n for p in cluster.pods for n in _primary_names(cluster, p, known)]
    if set_in_spec:
        yield _by_spec(cluster, set_in_spec, odd)
    elif nowhere := [n for n in odd if n.nowhere]:
        yield _by_litefs(cluster, nowhere)
    elif odd and all(may_belong(cluster, n.name.split(".")[0].lower()) for n in odd):
        yield Unknown(cluster.gaps.get("pods") or cluster.gaps["statefulsets"])  # it may be a pod of which nothing was seen
    elif odd and not cluster.alone:
        elsewhere = primary_elsewhere(cluster)
        if isinstance(elsewhere, Gap):
            yield Unknown(elsewhere)
        elif not elsewhere:
            yield _no_pods_name(cluster, odd)
    hidden = [p for p in cluster.pods if _is_hidden(p)]
    if not set_in_spec and not odd and hidden:
        variable = hidden[0].env["HOSTNAME"]
        what = f"env/{hidden[0].namespace}/{hidden[0].name}"
        yield Unknown(Gap(what, GapReason.NOT_ASKED, f"HOSTNAME is set, to what cannot be seen: {variable.evidence.excerpt}"))


def _overrides(pod: Pod) -> Iterator[tuple[str, Evidence]]:
    """A HOSTNAME other than the pod's own name. An empty one is none: LiteFS fills it in. Outside Kubernetes a name may lead
    to the node all the same; only an address of the node itself cannot."""
    var = pod.env.get("HOSTNAME")
    if var is not None and pod.platform is not None and not is_self((var.value or "").strip("[]")):
        return
    if var is not None and var.value and var.value != pod.host_name and var.value.split(".")[0] != pod.name:
        yield var.value, var.evidence


def _is_hidden(pod: Pod) -> bool:
    """HOSTNAME comes from a Secret or is computed, and nothing shows what LiteFS made of it."""
    var, lease = pod.env.get("HOSTNAME"), lease_of(pod)
    told = (lease.hostname is not None and lease.hostname.observed) or (pod.info is not None and pod.info.primary_hostname)
    return var is not None and var.sight is Sight.UNKNOWN and not told


def _primary_names(cluster: Cluster, pod: Pod, known: dict[str, bool]) -> Iterator[Named]:
    """Names of the primary that are no pod's, from the log or the file and /info. `known` remembers which are pods'."""
    seen: list[tuple[str, Evidence]] = []
    hostname = lease_of(pod).hostname
    if hostname is not None and hostname.value:
        seen.append((str(hostname.value), hostname.evidence))
    if pod.info is not None and pod.info.primary_hostname:
        seen.append((pod.info.primary_hostname, pod.info.seen("primary.hostname")))
    for name, evidence in seen:
        nowhere = is_self(name.strip("[]"))
        if name not in known:
            known[name] = named_pod(cluster, name) is not None or name.split(".")[0].lower() in expected(cluster)
        if nowhere or not known[name]:
            yield Named(pod, name, nowhere, evidence)


def _who(cluster: Cluster, pods: Iterator[Pod]) -> tuple[ObjectRef, list[Pod]]:
    """The subject, and each pod once: the set, unless it is one pod of several."""
    once = list({p.name: p for p in pods}.values())
    return once[0].ref if len(once) == 1 < len(cluster.pods) else cluster.subject, once


def _by_spec(cluster: Cluster, found: list[tuple[Pod, str, Evidence]], odd: list[Named]) -> Finding:
    subject, pods = _who(cluster, (p for p, _, _ in found))
    values = " and ".join(sorted({v for _, v, _ in found})[:3])
    unseen = any(p.config is None and lease_of(p).hostname is None for p in pods)
    uses = any(v.name == "HOSTNAME" for p in pods if p.config for v in p.config.variables)
    hurts = uses or unseen or any(n.nowhere for n in odd)
    shown = f" LiteFS calls the primary {odd[0].name}." if odd else ""
    quiet = "" if hurts else " Nothing in litefs.yml uses it as it stands, so it does no harm to LiteFS yet."
    outside = pods[0].platform is not None
    return RULE.finding(
        subject,
        f"HOSTNAME is set to {values} in {names(pods)}, not to the {'node' if outside else 'pod'}'s own name.{shown}{quiet}",
        *(e for _, _, e in found),
        *(n.evidence for n in odd),
        severity=None if hurts else Severity.WARNING,
        cause=CAUSE_ELSEWHERE if outside else None,
        fix=ELSEWHERE if outside else None,
        commands=(cluster.kubectl("get", "pod", pods[0].name, "-o", "yaml") + " | grep -n -A3 HOSTNAME",),
    )


def _by_litefs(cluster: Cluster, odd: list[Named]) -> Finding:
    subject, pods = _who(cluster, (n.pod for n in odd))
    written = [v for p in pods if p.config and (v := p.config.get("lease.hostname")) is not None and v.given]
    literal = next((v for v in written if "$" not in v.raw), None)
    outside = pods[0].platform is not None
    unset = "Nothing else" if outside else "Nothing in the pod spec"
    where = f"litefs.yml says hostname: {literal.raw}." if literal else f"{unset} sets HOSTNAME, so the image's ENV does."
    image = () if literal else ("Remove HOSTNAME from the image: commit and push the Dockerfile, let the pipeline build the image.",)
    return RULE.finding(
        subject,
        f"LiteFS calls the primary {odd[0].name} on {names(pods)}: that leads to no other {'node' if outside else 'pod'}. {where}",
        *(n.evidence for n in odd),
        *(v.evidence for v in written),
        cause=CAUSE_ELSEWHERE if outside else None,
        fix=(*image, *(ELSEWHERE if outside else RULE.fix)[1:]),
        commands=(start_line_command(cluster, pods[0]),),
    )


def _no_pods_name(cluster: Cluster, odd: list[Named]) -> Finding:
    subject, pods = _who(cluster, (n.pod for n in odd))
    return RULE.finding(
        subject,
        f"LiteFS calls the primary {odd[0].name} on {names(pods)}, which is the name of no pod of {cluster.name}.",
        *(n.evidence for n in odd),
        severity=Severity.WARNING,
        impact="An application that forwards writes to that name must understand it; most expect a pod's name.",
        fix=(RULE.fix[1], RULE.fix[3]),
        commands=(start_line_command(cluster, pods[0]),),
    )


RULE = Rule(
    id="LFS201",
    name="hostname-overridden",
    title="HOSTNAME or the primary's name is not a pod's own name",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="No error in any log; every /info and the file .primary name 0.0.0.0 or another name that is no pod's.",
    impact="The application forwards its writes to a name that leads nowhere; in advertise-url it also cuts off the replicas.",
    cause="LiteFS sets HOSTNAME only where it is unset or empty: a value from the image (ENV HOSTNAME), a ConfigMap or the pod "
    "spec wins wherever litefs.yml says ${HOSTNAME}.",
    fix=(
        "Do not set HOSTNAME: remove it from the pod spec, the ConfigMap, the start script and the Dockerfile.",
        "Name the primary in lease.hostname by its pod name, the same on all pods.",
        "If a server needs an address to listen on, give it a variable of another name.",
        "Apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("info", "log"),
    check=check,
    gotcha=1,
    follows=("LFS403",),
)
