"""Which saved copy of each database is the best, and how sure that is. Pure.

Transaction numbers tell a later state from an earlier one only within one cluster id, and even there they only make it
likely: the proof would be the transaction files, which LiteFS has usually removed by then. An equal number with another
checksum is two histories, between which no program can choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.identity import recreated
from ..model.lost import absent_databases, lost_databases
from .store import Copy


@dataclass(frozen=True, slots=True)
class Missing:
    """What was not saved: a pod that does not answer (`database` is None), or a database of one that does."""

    pod: str
    database: str | None
    txid: int | None
    cluster_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One database in one history. `best` are copies of one content; empty where a person must decide.

    `sure` is `proven` (all good copies are the same), `only` (there is one), `likely` (others are behind it, as far as
    their numbers tell), `behind` (another copy is further, and not whole) or `open` (two histories). `reasons` are
    sentences.
    """

    database: str
    cluster_id: str
    best: tuple[Copy, ...]
    sure: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Which cluster id holds the history that counts; None where nothing proves it. `words` say why."""

    cluster_id: str | None
    words: tuple[str, ...]


def history(cluster: Cluster) -> History:
    """From the same proofs as LFS102 and LFS110."""
    ids = {p.cluster_id for p in cluster.pods if p.cluster_id and p.with_data}
    said = []
    right = next(iter(ids)) if len(ids) == 1 else None
    for proof in recreated(cluster):
        own = sorted({s.own for s in proof.replicas})
        lead = f"the primary {proof.primary.name}" if proof.primary else "the primary"
        said.append(f"{lead} has the new cluster id {proof.theirs}; the older history is {' and '.join(own)}: {'; '.join(proof.reasons)}")
        right = own[0] if len(own) == 1 and not any(o != own[0] for o in ids - {proof.theirs}) else None
    if len(ids) > 1 and not said:
        said.append(
            f"{len(ids)} cluster ids ({', '.join(sorted(ids))}) are {len(ids)} histories; their transaction numbers cannot be "
            "compared, and nothing here proves which one counts"
        )
    for loss in lost_databases(cluster):
        again = ", and has made it anew since" if loss.again else ""
        said.append(f"the primary {loss.primary.name} has lost database {loss.name}{again}: the replicas' copies are the last")
    for absent in absent_databases(cluster):
        said.append(f"the primary {absent.primary.name} does not have database {absent.name}: only {' and '.join(p.name for p, _ in absent.holders)} hold it")
    return History(right, tuple(said))


def choose(copies: Sequence[Copy], missing: Sequence[Missing]) -> tuple[Verdict, ...]:
    """One verdict for each database and cluster id, in that order."""
    groups = dict.fromkeys(sorted({(c.database, c.cluster_id) for c in copies}))
    return tuple(_verdict(d, i, [c for c in copies if (c.database, c.cluster_id) == (d, i)], missing) for d, i in groups)


def _verdict(database: str, cluster_id: str, copies: list[Copy], missing: Sequence[Missing]) -> Verdict:
    good = sorted((c for c in copies if not c.damaged), key=lambda c: (-c.txid, not c.proven, c.pod))
    ahead, reasons = _not_good(database, cluster_id, copies, good, missing)
    if not good:
        return Verdict(database, cluster_id, (), "open", (*reasons, "no copy of it is whole"))
    top = good[0]
    level = [c for c in good if c.txid == top.txid and c.proven]
    contents = {c.checksum for c in level}
    if len(contents) > 1:
        held = "; ".join(f"{c.pod} has checksum {c.checksum}" for c in level)
        reasons.insert(0, f"two histories at txid {top.txid:x}: {held}. All are kept, and a person must decide")
        return Verdict(database, cluster_id, (), "open", tuple(reasons))
    best = tuple(level) or (top,)
    behind = [c for c in good if c not in best]
    reasons = [*_why(best, behind), *reasons]
    sure = "likely" if behind or not top.proven else "proven" if len(best) > 1 else "only"
    sure = "behind" if ahead else sure
    return Verdict(database, cluster_id, best, sure, tuple(reasons))


def _why(best: tuple[Copy, ...], behind: Iterable[Copy]) -> Iterator[str]:
    first = best[0]
    if not first.proven:
        yield f"it was written to all the while: the file is whole, at a state between txid {first.txid:x} and {first.later or 0:x}"
    if len(best) > 1:
        yield f"proven: {_names(best)} have the same txid and the same checksum"
    for copy in behind:
        yield f"likely: {copy.pod} at txid {copy.txid:x} is an earlier state of it (same cluster id, lower txid); nothing here proves it"


def _not_good(
    database: str, cluster_id: str, copies: list[Copy], good: list[Copy], missing: Sequence[Missing]
) -> tuple[bool, list[str]]:
    """(whether another copy is further, what is said of those that are not whole)."""
    top = good[0].txid if good else -1
    damaged = [c for c in copies if c.damaged]
    said = [
        f"{c.pod} is {'further, ' if c.txid > top else ''}at txid {c.txid:x}, but its copy is damaged: {c.damaged}. It is kept as {c.file}"
        for c in damaged
    ]
    lacks = [m for m in missing if (m.database, m.cluster_id) == (database, cluster_id) and m.pod not in {c.pod for c in damaged}]
    said += [f"{m.pod} has it, too, and could not be saved" for m in lacks if m.txid is None or m.txid == top]
    further = [m for m in lacks if m.txid is not None and m.txid > top]
    said += [f"{m.pod} is further, at txid {m.txid:x}, and could not be saved: this copy lacks what is only there" for m in further]
    return bool(further) or any(c.txid > top for c in damaged), said


def _names(copies: Iterable[Copy]) -> str:
    return " and ".join(c.pod for c in copies)
