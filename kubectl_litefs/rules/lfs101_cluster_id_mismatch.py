"""LFS101 cluster-id-mismatch: a replica belongs to another LiteFS cluster than its primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.families import positions
from ..model.identity import Stranger, claim_born, keeps_databases, recreated, strangers, volume_explains
from ..model.lost import lost_databases
from ..model.reset import hindrance, remade, reset_command
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    found = strangers(cluster)
    proven = recreated(cluster) if found else ()
    good_copies = bool(proven or (found and lost_databases(cluster)))
    rescued = {s.pod.name for r in proven for s in r.replicas}
    for stranger in found:
        if stranger.pod.name not in rescued:  # LFS102 speaks of those: there the primary is the stranger
            yield _finding(cluster, stranger, _GOOD_COPIES if good_copies else _doubt(cluster, stranger))


def _finding(cluster: Cluster, stranger: Stranger, doubt: str) -> Finding:
    pod = stranger.pod
    reset = remade(cluster, pod)
    leader = f"its primary {stranger.primary.name} to" if stranger.primary else "its primary to"
    fix: tuple[str, ...] = RULE.fix
    if doubt:
        fix = (f"Do not delete this pod's volume yet: {doubt}.", *_SAVE_ONLY)
    elif not reset:
        fix = (*_SAVE_ONLY[:1], "Then give the pod an empty data directory: no claim that its set would make anew holds it.", RULE.fix[3])
    shown = [d.evidence for d in pod.with_data]
    shown += [d.evidence for d in stranger.primary.with_data] if stranger.primary else []
    return RULE.finding(
        pod.ref,
        f"{pod.name} belongs to LiteFS cluster {stranger.own}, {leader} {stranger.theirs}: it refuses the stream. "
        f"{_holds(stranger)}",
        *stranger.evidence,
        *shown,
        impact="It follows nothing; it has no data to lose." if stranger.holds_data is False else None,
        fix=fix,
        commands=(reset_command(pod),) if reset and not doubt else tuple(exports([pod])),
    )


def _holds(stranger: Stranger) -> str:
    if stranger.holds_data is None:
        return "What it holds could not be seen."
    if not stranger.holds_data:
        return "It holds no data: its id was made by a start that got no further, so nothing is lost with it."
    against = f", the primary {positions(stranger.primary)}" if stranger.primary and stranger.primary.databases is not None else ""
    return f"It holds {positions(stranger.pod)}{against}; two ids are two histories, which no txid can rank."


def _doubt(cluster: Cluster, stranger: Stranger) -> str:
    """Why a reset might destroy the only good copy, or be in vain; empty where nothing speaks against it."""
    pod, lead = stranger.pod, stranger.primary
    if lead is not None and volume_explains(lead):
        return _NEW_ID_EACH_START if keeps_databases(lead) else _NEW_EACH_START
    return hindrance(cluster, pod) or ("" if stranger.holds_data is False else _unproven(cluster, stranger))


def _unproven(cluster: Cluster, stranger: Stranger) -> str:
    """What is missing before data may be deleted."""
    pod, lead = stranger.pod, stranger.primary
    if stranger.holds_data is None:
        return "its databases could not be seen"
    if lead is None or lead.info is None or lead.databases is None:
        return "the primary could not be seen"
    for mine in pod.with_data:
        theirs = lead.database(mine.name)
        if theirs is None or theirs.txid < mine.txid:
            there = f"at txid {theirs.txid:x}" if theirs else "missing"
            return f"{mine.name} is at txid {mine.txid:x} here and {there} on the primary; find out which history counts"
    follower = any(p.cluster_id == lead.cluster_id for p in cluster.pods if p is not lead)
    started = lead.log is not None and lead.log.lease is not None
    if claim_born(cluster, pod) and claim_born(cluster, lead) and (follower or started):
        return ""
    return "nothing that could be seen shows that the primary is the older of the two; compare the ages of their claims"


_GOOD_COPIES = "replicas hold the only good copy here; bring the primary's data back first"
_NEW_ID_EACH_START = "the primary's cluster id lies on no lasting volume and changes with each new pod; repair that first (LFS401)"
_NEW_EACH_START = (
    "the primary's data directory is on no lasting volume, so its new pod began empty, with a new id; this may be the last good copy"
)
_SAVE_ONLY = (
    "Save every database of it now; each integrity check must answer ok.",
    "Do not scale the set down either: that stops every other replica, and with whenScaled: Delete it deletes their volumes.",
)

RULE = Rule(
    id="LFS101",
    name="cluster-id-mismatch",
    title="A replica belongs to another LiteFS cluster than its primary",
    severity=Severity.ERROR,
    heals="no",
    symptom="The replica logs `cannot stream from primary with a different cluster id` each second, at level INFO, and stays "
    "Running and Ready.",
    impact="It serves old data for ever, and what was written to it while it was a primary is on its volume alone.",
    cause="Its volume was once a primary's, mostly after every pod had been a candidate, or came from a backup of another "
    "cluster. Where the primary's volume is the new one, LFS102 says so.",
    fix=(
        "Look at the plan first: it changes nothing, and refuses where the evidence says that data would be lost.",
        "Carry it out with the same command without --dry-run. It saves this pod's databases to files that are checked whole, "
        "deletes its claim and then its pod, both by uid, and waits. In this state LiteFS ignores SIGTERM, so the pod takes its "
        "whole grace period to end.",
        "Do not scale the set down for this, as the guide does: that stops every other replica too, and with whenScaled: Delete "
        "it deletes all their volumes.",
        "Afterwards its log must say `connected to cluster, ready`, and its positions must equal the primary's: the command "
        "checks both.",
    ),
    reads=("info", "log", "vars"),
    check=check,
    gotcha=5,
    follows=("LFS102", "LFS110", "LFS401", "LFS205", "LFS103"),
    refs=("https://github.com/superfly/litefs/issues/331",),
)
