"""LFS705 proxy-database-unknown: the proxy watches a database that LiteFS does not have."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, config_commands, faults, listed, own_config, place
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    """LiteFS makes a database at its first write; that there is another one with data makes the name suspicious."""
    named = [s for pod in cluster.pods for s in _named(pod)]
    primary = topology(cluster).primary
    if not named or primary is None:
        return
    if primary.databases is None:
        gap = primary.gaps.get("vars")
        if gap is not None:
            yield Unknown(gap)
        return
    if not primary.with_data:
        return
    have = {d.name for d in primary.databases}
    for fault in faults(cluster, [s for s in named if s.fault not in have]):
        yield _finding(cluster, fault, primary)


def _named(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    value = config.get("proxy.db") if config and config.known("proxy.target") else None
    if config is not None and value is not None and value.known and value.value:
        text = f"proxy.db is {value.value} ({place(config, value.evidence)})"
        yield Sighting(pod, str(value.value), text, (value.evidence,))


def _finding(cluster: Cluster, fault: Fault, primary: Pod) -> Finding:
    names = listed(d.name for d in primary.with_data)
    return RULE.finding(
        fault.subject,
        f"{fault.seen[0].text}, but the primary {primary.name} has {names} and no {fault.fault}.",
        *fault.evidence,
        *(d.evidence for d in primary.with_data[:4]),
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS705",
    name="proxy-database-unknown",
    title="proxy.db names a database that LiteFS does not have",
    severity=Severity.WARNING,
    heals="with time",
    symptom="After a write a reader may see the state before it: the proxy waits for nobody.",
    impact="The proxy does not hold requests back until a replica has the caller's own writes.",
    cause="proxy.db is the name of the database file in the mount, without a path; it differs from what the application "
    "opens.",
    fix=(
        "Set proxy.db to the database's file name in the mount, such as db for /litefs/db.",
        "Correct it where the file comes from, commit, apply, and restart the pods one by one.",
    ),
    reads=("config", "vars", "info"),
    check=check,
)
