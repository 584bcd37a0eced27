"""Cluster ids: which replica is a stranger to its primary, and whether the primary is the stranger instead.

Seen on real clusters: a replica's id cannot change within a run, and every first start of a candidate makes a new
one. Positions prove nothing across two ids, which are two histories.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .candidates import candidacy, named_pod
from .cluster import Cluster
from .families import names
from .lease import lease_of, parse_url
from .logs import LogLine
from .origin import Evidence
from .pod import Pod
from .topology import CONNECT_ERRORS, primaries

PASSING = ("emptyDir", "ephemeral", "csi", "configMap", "secret", "projected", "downwardAPI", "image", "gitRepo")
"""Kinds of volumes in the API that end with their pod, or that LiteFS cannot write to."""

OLDER = timedelta(minutes=1)
"""How much older a volume must be than another thing to count: pods of one set are born seconds apart."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A replica whose cluster id is not its primary's. `primary` is None where it was not seen."""

    pod: Pod
    own: str
    theirs: str
    primary: Pod | None
    evidence: tuple[Evidence, ...]

    @property
    def holds_data(self) -> bool | None:
        """Whether any of its databases is above txid 0; None where they were not seen."""
        return None if self.pod.databases is None else bool(self.pod.with_data)


@dataclass(frozen=True, slots=True)
class Recreated:
    """Proof that the primary is the stranger: `replicas` hold the older history under one id, or several."""

    primary: Pod | None
    theirs: str
    replicas: tuple[Stranger, ...]
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def strangers(cluster: Cluster) -> tuple[Stranger, ...]:
    """Replicas that do not share their primary's id, by /info, or by the newest state of their log."""
    leads = primaries(cluster)
    return tuple(s for pod in cluster.pods if (s := _stranger(cluster, pod, leads)) is not None)


def _stranger(cluster: Cluster, pod: Pod, leads: tuple[Pod, ...]) -> Stranger | None:
    if pod.is_primary:
        return None
    lead = _primary_of(cluster, pod, leads)
    line = _refusal(cluster, pod)
    mine, theirs = pod.cluster_id, lead.cluster_id if lead else None
    if mine and theirs and lead and lead.info and pod.info:
        if mine == theirs:
            return None
        seen = (line.evidence if line else None, pod.info.seen("clusterID"), lead.info.seen("clusterID"))
        return Stranger(pod, mine, theirs, lead, tuple(e for e in seen if e))
    if line is None or line.field("replica") == line.field("primary"):
        return None
    own, other = line.field("replica"), line.field("primary")
    return Stranger(pod, own, other, lead or expected_primary(cluster, pod), (line.evidence,))


def _refusal(cluster: Cluster, pod: Pod) -> LogLine | None:
    """The line that refuses the stream, where it is the newest state of the log."""
    hits = pod.log.hit("different-cluster-id") if pod.log else None
    if hits is None or pod.log is None:
        return None
    newest = pod.log.latest(*CONNECT_ERRORS, "connected", "snapshot-received", "lease-acquired")
    if newest is None or newest.number != hits.last.number:
        return None
    attempt = pod.log.latest("existing-primary")
    retried = attempt is not None and attempt.number > hits.last.number
    if retried and (pod.container.running or "spec" in pod.gaps) and not pod.log.repeats("different-cluster-id", cluster.now):
        return None  # a successful connection logs nothing more
    return hits.last


def _primary_of(cluster: Cluster, pod: Pod, leads: tuple[Pod, ...]) -> Pod | None:
    """The pod that leads: the one primary; of several, the one that this pod's URL names."""
    if len(leads) < 2:
        return leads[0] if leads else None
    named = expected_primary(cluster, pod)
    return named if named in leads else None


def expected_primary(cluster: Cluster, pod: Pod) -> Pod | None:
    """The pod that should lead: named by the URL, else the only candidate."""
    address = parse_url(lease_of(pod).url or "")
    named = named_pod(cluster, address.host) if address and lease_of(pod).is_static else None
    sure = candidacy(cluster.pods).yes
    return named or (sure[0] if len(sure) == 1 else None)


def volume_explains(pod: Pod) -> bool:
    """Whether the pod's data directory lies on no volume that outlives it, so that each new start makes a new id."""
    if pod.data_dir is None:
        return False
    mount = pod.mount_for(pod.data_dir)
    return mount is None or mount.source in PASSING


def keeps_databases(pod: Pod) -> bool:
    """Whether a claim holds `dbs` although the data directory itself, with the id, lies on none."""
    return pod.data_dir is not None and (m := pod.mount_for(f"{pod.data_dir}/dbs")) is not None and m.claim is not None


def recreated(cluster: Cluster) -> tuple[Recreated, ...]:
    """Where the evidence says that the primary is the stranger; one for each id that a primary has."""
    by_primary: dict[str, list[Stranger]] = {}
    for stranger in strangers(cluster):
        by_primary.setdefault(stranger.theirs, []).append(stranger)
    found = (_recreated(cluster, theirs, group) for theirs, group in by_primary.items())
    return tuple(r for r in found if r is not None)


def _recreated(cluster: Cluster, theirs: str, group: list[Stranger]) -> Recreated | None:
    primary = group[0].primary
    if primary is not None and volume_explains(primary) and keeps_databases(primary):
        return None  # only its id is new: the databases lie on a volume and are still the primary's
    proofs: list[tuple[str, str, tuple[Evidence, ...]]] = []
    for kind in (_shared, _followed, _minted_over, _younger_claim):
        proofs += kind(cluster, theirs, group)
    ids = {own for own, _, _ in proofs}
    members = tuple(s for s in group if s.own in ids)
    if not members:
        return None
    evidence = [e for _, _, seen in proofs for e in seen] + [e for s in members for e in s.evidence]
    return Recreated(
        primary, theirs, members, tuple(dict.fromkeys(r for _, r, _ in proofs)), tuple(dict.fromkeys(evidence))
    )


_Proofs = Iterator[tuple[str, str, tuple[Evidence, ...]]]
"""(the id that is proven to be the older one, a phrase, what shows it)"""


def _shared(cluster: Cluster, theirs: str, group: list[Stranger]) -> _Proofs:
    for own in dict.fromkeys(s.own for s in group):
        same = [s for s in group if s.own == own]
        if len(same) > 1 and any(s.holds_data is not False for s in same):
            who = names(s.pod for s in same)
            yield own, f"{who} share one id that the primary does not have", tuple(e for s in same for e in s.evidence)


def _followed(cluster: Cluster, theirs: str, group: list[Stranger]) -> _Proofs:
    """Its id cannot change in a run: it followed under that id, so it is the primary's that changed."""
    followed: dict[str, list[tuple[Stranger, tuple[Evidence, ...]]]] = {}
    for s in group:
        log = s.pod.log
        joined, refused = (log.hit("connected"), log.hit("different-cluster-id")) if log else (None, None)
        if log is None or joined is None or refused is None or s.holds_data is False:
            continue
        led = log.hit("lease-acquired")
        if joined.first.number < refused.first.number and not (led and led.first.number < joined.first.number):
            followed.setdefault(s.own, []).append((s, (joined.first.evidence, refused.first.evidence)))
    for own, who in followed.items():
        one = len(who) == 1
        text = f"{names(s.pod for s, _ in who)} {'was' if one else 'were'} connected earlier in the same run, so it was not {'its' if one else 'their'} id that changed"
        yield own, text, tuple(e for _, seen in who for e in seen)


def _minted_over(cluster: Cluster, theirs: str, group: list[Stranger]) -> _Proofs:
    """Minting alone proves nothing; it counts where a volume with data was there well before that run."""
    for s in group:
        made = minted(s.primary, theirs) if s.primary else None
        claim = cluster.claim(s.pod)
        born = claim.created if claim else None
        if made is None or born is None or claim is None or not s.holds_data or s.primary is None:
            continue
        at = made.time or s.primary.started
        if at is not None and at - born > OLDER:
            text = f"the primary made its id in a run that began long after {s.pod.name}'s volume with data was there"
            yield s.own, text, (made.evidence, claim.seen("metadata.creationTimestamp"))


def _younger_claim(cluster: Cluster, theirs: str, group: list[Stranger]) -> _Proofs:
    for s in group:
        mine, leads = claim_born(cluster, s.pod), claim_born(cluster, s.primary)
        if mine is None or leads is None or s.holds_data is False or s.primary is None:
            continue
        if leads[0] - mine[0] > OLDER:
            yield s.own, f"the primary's volume is younger than {s.pod.name}'s", (leads[1], mine[1])


def claim_born(cluster: Cluster, pod: Pod | None) -> tuple[datetime, Evidence] | None:
    """When the claim of the pod's data directory was made."""
    claim = cluster.claim(pod) if pod else None
    if claim is None or claim.created is None:
        return None
    return claim.created, claim.seen("metadata.creationTimestamp")


def minted(pod: Pod, cluster_id: str) -> LogLine | None:
    """The line with which the pod made this id in one of its runs, None where the id was there before.

    `set cluster id` is logged at every start of a primary; `using existing cluster id` stands before it unless new.
    """
    for run in pod.runs:
        made, had = run.hit("set-id"), run.hit("existing-id")
        if had is not None or run.lease is None:
            continue  # it was made in an earlier run, or the beginning is not seen
        line = next((x for x in made.distinct if x.field("id") == cluster_id), None) if made else None
        if line is not None:
            return line
    return None
