"""LFS802 replica-behind: a connected replica does not catch up with its primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.families import proxy_url
from ..model.litefs import Database
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import Role, topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    """Replicas are read before the primary, so in one look a write on its way looks like a delay: two looks decide."""
    who = topology(cluster)
    if who.primary is None:
        return
    for pod in cluster.pods:
        if who.role(pod) is not Role.BEHIND:
            continue
        if not _both_seen(pod) or not _both_seen(who.primary):
            yield Unknown(_one_look(pod))
            continue
        late = [late for theirs in who.primary.sweeps[0].with_data if (late := _late(pod, theirs)) is not None]
        if late:
            yield _finding(cluster, pod, who.primary, late)


def _both_seen(pod: Pod) -> bool:
    return len(pod.sweeps) > 1 and all(s.databases is not None for s in (pod.sweeps[0], pod.sweeps[-1]))


def _one_look(pod: Pod) -> Gap:
    what = f"sweeps/1/litefs/{pod.namespace}/{pod.name}/vars.json"
    return Gap(what, GapReason.ABSENT, f"{pod.name} is behind its primary in the only look there was: whether it stays so takes two")


Late = tuple[Database, "Database | None", "Database | None"]
"""The primary's entry in the first look, the replica's then, and the replica's in the newest look."""


def _late(pod: Pod, theirs: Database) -> Late | None:
    """Where the replica has even now not reached what the primary had before. A filtered database is not waited for."""
    wanted = pod.config.known("lease.databases") if pod.config else None
    if wanted and theirs.name not in wanted:
        return None
    before, now = pod.sweeps[0].database(theirs.name), pod.sweeps[-1].database(theirs.name)
    first, last = (before.txid if before else 0), (now.txid if now else 0)
    return (theirs, before, now) if first < theirs.txid and last < theirs.txid else None


def _finding(cluster: Cluster, pod: Pod, primary: Pod, late: list[Late]) -> Finding:
    told = "; ".join(f"{theirs.name} at txid {(now.txid if now else 0):x}, the primary had {theirs.txid:x} before that" for theirs, _, now in late[:5])
    moved = any(now is not None and now.txid > (before.txid if before else 0) for _, before, now in late)
    return RULE.finding(
        pod.ref,
        f"{pod.name} is connected to its primary {primary.name} and stays behind it: {told}. "
        f"{'It moves, but too slowly.' if moved else 'It does not move at all.'}",
        *(d.evidence for entry in late for d in (entry[2], entry[0]) if d is not None),
        pod.metrics.lines.get("litefs_lag_seconds") if pod.metrics else None,
        commands=(
            f"kubectl get --raw {proxy_url(pod, 'debug/vars')}",
            f"kubectl get --raw {proxy_url(primary, 'debug/vars')}",
            cluster.kubectl("top", "pod", pod.name, "--containers"),
        ),
    )


RULE = Rule(
    id="LFS802",
    name="replica-behind",
    title="A connected replica stays behind its primary",
    severity=Severity.WARNING,
    heals="with time",
    symptom="Reads on one pod show older data than on the others, and no log has an error.",
    impact="The replica serves old data; if it takes over, or is what you restore from, the newest transactions are missing.",
    cause="It cannot apply transactions as fast as they come: a long read transaction of its application holds them up, its "
    "volume or CPU is slow, or it is receiving a large snapshot.",
    fix=(
        "Look again in a minute: while a large snapshot arrives this is normal and passes.",
        "See `locks` of the database in the replica's /debug/vars: a read lock that stays means a transaction that the "
        "application does not end; restart that application's pod.",
        "Raise the CPU limit, or use a faster volume, where the pod is throttled.",
    ),
    reads=("vars", "info", "log"),
    check=check,
    follows=("LFS404", "LFS812", "LFS804"),
)
