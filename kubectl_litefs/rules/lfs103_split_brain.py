"""LFS103 split-brain: more than one pod of a set is primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.families import names, positions
from ..model.rule import Finding, Rule, Severity
from ..model.topology import primaries


def check(cluster: Cluster) -> Iterator[Finding]:
    leads = primaries(cluster)
    if len(leads) < 2:
        return
    ids = {p.cluster_id for p in leads if p.cluster_id}
    histories = f"{len(ids)} cluster ids, so {len(ids)} separate histories" if len(ids) > 1 else "one cluster id"
    told = "; ".join(f"{p.name}: {p.cluster_id or 'no id'}, {positions(p)}" for p in leads[:6])
    yield RULE.finding(
        cluster.subject,
        f"{len(leads)} pods are primary at once: {names(leads)}, with {histories} ({told}).",
        *(e for p in leads if p.info for e in (p.info.seen("isPrimary"), p.info.seen("clusterID"))),
        *(d.evidence for p in leads for d in p.with_data),
        commands=tuple(exports(leads)),
    )


RULE = Rule(
    id="LFS103",
    name="split-brain",
    title="More than one pod is primary",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Nothing in any log, and all pods are Ready. What is written through one pod is not seen through another.",
    impact="Every primary takes writes of its own: the databases drift apart, and no copy holds all of it.",
    cause="Under a static lease each candidate makes itself primary without asking anybody.",
    fix=(
        "Send writes to one of them only, and decide whose data counts.",
        "Save the databases of every primary before anything is changed; each integrity check must answer ok.",
        "Correct the candidates so that exactly one pod is one. The others then refuse the stream for their own cluster id, which "
        "keeps what they hold until you have saved it (LFS101).",
    ),
    reads=("info",),
    check=check,
    gotcha=3,
    follows=("LFS205", "LFS207", "LFS508"),
)
