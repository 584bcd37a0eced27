"""What has happened, and which saved copy of which database goes back to the primary. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..fix.case import Case
from ..model.identity import Recreated, recreated
from ..model.litefs import Database
from ..model.lost import Absent, Lost, absent_databases, lost_databases
from ..model.pod import Pod
from .choice import Missing
from .options import RescueOptions
from .store import Copy


@dataclass(frozen=True, slots=True)
class Wanted:
    """One database that goes back: the saved copy, and the primary's own position of that name (None: it has none)."""

    copy: Copy
    primary: str | None

    @property
    def name(self) -> str:
        return self.copy.database


@dataclass(frozen=True, slots=True)
class Situation:
    """`case.target` is the primary. `fault` is `LFS102`, `LFS110` (also for LFS108 on every replica), or empty where there is nothing to bring back.

    `cluster_id` is that of the history that counts, `holders` the replicas that have it. `open` are databases whose best
    copies contradict each other, `unsaved` those with no good copy. `again` are lost databases that the application has made anew.
    """

    case: Case
    fault: str
    cluster_id: str
    holders: tuple[Pod, ...]
    wanted: tuple[Wanted, ...]
    open: tuple[str, ...]
    unsaved: tuple[str, ...]
    again: tuple[str, ...]
    reasons: tuple[str, ...]
    copies: tuple[Copy, ...]
    missing: tuple[Missing, ...] = ()

    @property
    def only_primary(self) -> tuple[str, ...]:
        """Databases that only the primary has: they are not in the history that counts."""
        lead = self.case.primary
        names = {d.name for p in self.holders for d in p.with_data}
        return tuple(d.name for d in (lead.with_data if lead else ()) if d.name not in names)

    def unsaved_of(self, wanted: Wanted) -> Iterator[tuple[Pod, Database]]:
        """Replicas of the history that counts whose own state of this database is in no file, not even as a damaged one."""
        for pod in self.case.cluster.pods:
            held = pod.database(wanted.name)
            if pod is self.case.primary or pod.cluster_id != self.cluster_id or held is None or held.txid == 0:
                continue
            mine = [c for c in self.copies if (c.pod, c.cluster_id, c.database) == (pod.name, self.cluster_id, wanted.name)]
            files = {wanted.copy.position, *(c.position for c in mine if c.proven)}
            if held.position not in files and not any(c.damaged and c.txid == held.txid for c in mine):
                yield pod, held


def situation(case: Case, copies: Sequence[Copy], options: RescueOptions) -> Situation:
    """From the facts of the cluster and what was saved of it."""
    lead = case.primary
    proof = next((r for r in recreated(case.cluster) if lead is not None and r.primary is lead), None)
    if proof is not None:
        return _recreated(case, proof, copies, options)
    losses, absent = lost_databases(case.cluster), tuple(a for a in absent_databases(case.cluster) if a.everywhere)
    if losses or absent:
        return _lost(case, losses, absent, copies, options)
    return Situation(case, "", str(case.target_id or ""), (), (), (), (), (), (), tuple(copies))


def _recreated(case: Case, proof: Recreated, copies: Sequence[Copy], options: RescueOptions) -> Situation:
    ids = sorted({s.own for s in proof.replicas})
    holders = tuple(p for p in case.cluster.pods if p.cluster_id in ids and p is not case.primary)
    names = sorted({d.name for p in holders for d in p.with_data})
    wanted, open_, unsaved = _best(case, ids[0], holders, names, copies, options)
    if len(ids) > 1:
        wanted, open_ = (), tuple(names)
    return Situation(case, "LFS102", ids[0] if len(ids) == 1 else "", holders, wanted, open_, unsaved, (), proof.reasons, tuple(copies))


def _lost(case: Case, losses: tuple[Lost, ...], absent: tuple[Absent, ...], copies: Sequence[Copy], options: RescueOptions) -> Situation:
    """A database that the primary does not have at all (LFS108) comes back in the same way."""
    again = tuple(x.name for x in losses if x.again)
    fresh = [x for x in losses if not x.again]
    both: tuple[Lost | Absent, ...] = (*losses, *absent)
    holders = tuple(dict.fromkeys(p for x in both for p, _ in x.holders))
    cluster_id = str(case.target_id or "")
    wanted, open_, unsaved = _best(case, cluster_id, holders, sorted({x.name for x in both} - {*again}), copies, options)
    reasons = tuple(f"{x.name} is at txid 0 on the primary and above it on {', '.join(p.name for p, _ in x.holders)}" for x in fresh)
    reasons += tuple(f"{x.name} is on every replica and not on the primary" for x in absent)
    return Situation(case, "LFS110", cluster_id, holders, wanted, open_, unsaved, again, reasons, tuple(copies))


def _best(
    case: Case, cluster_id: str, holders: tuple[Pod, ...], names: Sequence[str], copies: Sequence[Copy], options: RescueOptions
) -> tuple[tuple[Wanted, ...], tuple[str, ...], tuple[str, ...]]:
    """(what goes back, databases that contradict, databases without a good copy)."""
    wanted, open_, unsaved = [], [], []
    held = {p.name for p in holders}
    lead = case.primary
    for name in names:
        good = [c for c in copies if c.database == name and c.cluster_id == cluster_id and c.pod in held and c.proven]
        top = max((c.txid for c in good), default=0)
        level = sorted((c for c in good if c.txid == top), key=lambda c: c.pod)
        contradict = len({c.checksum for c in level}) > 1
        if contradict:
            open_.append(name)
        if options.source is not None:
            level = [c for c in level if c.pod == options.source]
        if not level:
            unsaved.append(name)
            continue
        if contradict and options.source is None:
            continue
        mine = lead.database(name) if lead else None
        wanted.append(Wanted(level[0], mine.position if mine else None))
    return tuple(wanted), tuple(open_), tuple(unsaved)


def whole_source(found: Situation) -> tuple[Pod | None, str]:
    """The replica that has the best copy of everything that goes back, or None and why there is none."""
    why = "no single replica has the best copy of every database"
    names = {w.name for w in found.wanted}
    for pod in sorted(found.holders, key=lambda p: p.name):
        copies = [c for c in found.copies if c.pod == pod.name and c.cluster_id == found.cluster_id]
        mine = {(c.database, c.txid, c.checksum) for c in copies if c.proven}
        if not all((w.name, w.copy.txid, w.copy.checksum) in mine for w in found.wanted):
            continue
        whole = found.fault == "LFS102"
        if whole and pod.config and pod.config.known("lease.databases"):
            why = f"{pod.name} filters databases (lease.databases), so its directory may lack some"
        elif any(c.damaged for c in copies if whole or c.database in names):
            why = f"a copy of {pod.name} is damaged"
        elif pod.data_dir is None:
            why = f"the data directory of {pod.name} is not known"
        else:
            return pod, ""
    return None, why
