"""LFS102 primary-volume-recreated: the primary is the stranger, the replicas hold the good copy."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import blind
from ..model.cluster import Cluster
from ..model.copies import best_source, directory_back, exports, save_all
from ..model.families import names, positions
from ..model.identity import Recreated, recreated, strangers, volume_explains
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if cluster.pods and not any(p.info or p.log for p in cluster.pods):
        yield Unknown(blind(cluster.pods[0]))
        return
    found = recreated(cluster)
    for proof in found:
        yield _finding(cluster, proof)
    proven = {s.pod.name for r in found for s in r.replicas}
    open_cases = [s for s in strangers(cluster) if s.pod.name not in proven and s.holds_data is not False]
    ages = cluster.gaps.get("persistentvolumeclaims")
    if open_cases and ages is not None and cluster.list("persistentvolumeclaims") is None:
        yield Unknown(ages)


def _finding(cluster: Cluster, found: Recreated) -> Finding:
    pods = [s.pod for s in found.replicas]
    ids = " and ".join(dict.fromkeys(s.own for s in found.replicas))
    held = "; ".join(f"{p.name}: {positions(p)}" for p in pods[:6])
    leader = f"The primary {found.primary.name}" if found.primary else "The primary"
    has = f", {positions(found.primary)}" if found.primary else ""
    commands, fix = _rescue(cluster, found)
    databases = [d.evidence for p in (found.primary, *pods) if p for d in p.with_data]
    return RULE.finding(
        found.primary.ref if found.primary else cluster.subject,
        f"{leader} has the new cluster id {found.theirs}{has}; {names(pods)} kept {ids} ({held}). The good copy is theirs. "
        f"It is the primary that is the stranger: {'; '.join(found.reasons)}.",
        *found.evidence,
        *databases,
        fix=fix,
        commands=commands,
        key="" if found.primary else found.theirs,
    )


def _rescue(cluster: Cluster, found: Recreated) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Commands and steps. The way back is shown only where one replica is the best in all, and none contradicts it."""
    pods, primary = [s.pod for s in found.replicas], found.primary
    saves = (save_all(cluster), *exports([*pods, *([primary] if primary else [])]))
    if primary is not None and volume_explains(primary):
        return saves, (*RULE.fix[:3], _NO_VOLUME)
    one_history = len({s.own for s in found.replicas}) == 1
    source, contradict = best_source(pods)
    if contradict or not one_history:
        return saves, (*RULE.fix[:3], _TWO_HISTORIES)
    back = directory_back(cluster, primary, source) if primary is not None and source is not None else ()
    if not back:
        return saves, (*RULE.fix[:3], _NO_SINGLE_BEST)
    return (*saves, *back), RULE.fix


_NO_VOLUME = (
    "The primary's data directory lies on no lasting volume (LFS401): what is brought back there goes with the next pod. Keep the "
    "exports and the replicas as they are, give the set a volume, and only then bring the data back."
)
_TWO_HISTORIES = (
    "The replicas contradict each other: no copy is a later state of another. Keep every export; a person must decide which "
    "history counts before anything goes back."
)
_NO_SINGLE_BEST = (
    "Then bring the best replica's data directory to the primary, for each database from the replica with the highest txid; "
    "a replica that filters databases is never the source for the whole directory."
)

RULE = Rule(
    id="LFS102",
    name="primary-volume-recreated",
    title="The primary's volume is new; the replicas hold the good copy",
    severity=Severity.ERROR,
    heals="no",
    symptom="All replicas log `cannot stream from primary with a different cluster id`, and the application suddenly sees an "
    "empty or an old database.",
    impact="Writes go to a new, nearly empty database. The good copy is on the replicas only: whoever resets them deletes it.",
    cause="The primary's claim was deleted and made again, or its volume was lost. LiteFS made a new cluster id there at its next "
    "start. The guide's reset of the replicas would delete the data now.",
    fix=(
        "Do not reset, restart or scale a replica, and change no clusterid file by hand: the differing id is what protects the data.",
        "Save every database of every replica, and what the new primary has collected: `kubectl litefs rescue save` does it and "
        "checks each file. By hand: the exports below; each integrity check must answer ok.",
        "Stop the writers if you can: what the new primary takes from now on will not be in the restored data.",
        "`kubectl litefs rescue plan` shows the way back, `rescue run` takes it and proves it. By hand it is what follows.",
        "Copy the best replica's data directory beside the primary's own, and go on only if both lists of sha256sum are the same.",
        "From here on there is no way back by doing nothing: swap the directories and restart only the primary, at once.",
        "Check that /info shows the old id, then that txid and checksum are equal on all pods. Replicas return by themselves, in "
        "seconds mostly, sometimes after two minutes; the primary's former content stays in the directory lost.",
    ),
    reads=("info", "log", "vars", "persistentvolumeclaims"),
    check=check,
    gotcha=5,
    follows=("LFS401",),
)
