"""What speaks against an undo: one table of guards, each a pure function. It is safe as long as no replica has lost anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from ..fix.case import CLUSTER_ID
from ..fix.guards_identity import case_gap
from ..fix.refusals import Refusal
from ..model.families import names
from ..model.litefs import Database
from ..model.pod import Pod
from .guards import comes_back, ranked
from .options import RescueOptions
from .undo_plan import Undoing

Guard = Callable[[Undoing, RescueOptions], Iterator[Refusal]]
BY_HAND = "docs/rescue.md tells how a person does it."


def one_primary(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    others = [p for p in found.case.primaries if p is not found.case.target]
    if others:
        yield Refusal("U1", f"{names(others)} says that it is primary, too", "Correct the lease first, so that one pod leads (`kubectl litefs diagnose`).")


def replicas_answer(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    replicas = [p for p in found.case.cluster.pods if p is not found.case.target]
    if not replicas:
        yield Refusal("U2", "there is no replica: what came back would be on no pod any more", "Bring the replicas back first.")
    for pod in replicas:
        if pod.info is None or pod.databases is None:
            what = "info" if pod.info is None else "vars"
            yield Refusal("U2", f"{pod.name} does not answer ({case_gap(pod, what)}): whether it has lost anything cannot be seen", "Bring it back first.")


def replicas_refuse(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    """A replica that has the former id would take the former data."""
    for former in found.former:
        if not CLUSTER_ID.fullmatch(former.cluster_id):
            yield Refusal("U3", f"{former.name} holds no cluster id that LiteFS would make ({former.cluster_id or 'none'})", BY_HAND)
    held = {f.cluster_id for f in found.former}
    for pod in found.case.cluster.pods:
        if pod is not found.case.target and pod.cluster_id in held:
            yield Refusal(
                "U3",
                f"{pod.name} has the cluster id {pod.cluster_id} of the directory that would come back: it would take that data and lose its own",
                "Do not undo: the replicas belong to the former id already.",
            )
    ids = {p.cluster_id for p in found.case.cluster.pods if p is not found.case.target and p.cluster_id}
    if len(ids) > 1:
        yield Refusal("U3", f"the replicas have {len(ids)} cluster ids: {', '.join(sorted(ids))}", "See what is wrong first: kubectl litefs diagnose.")


def nothing_lost(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    """Against every copy that was saved of a replica under the id it has now."""
    for pod in found.case.cluster.pods:
        if pod is not found.case.target and pod.databases is not None:
            yield from _lost(found, pod)
    states: dict[tuple[str, int], set[str]] = defaultdict(set)
    replicas = {p.name for p in found.case.cluster.pods if p is not found.case.target}
    for copy in found.copies:
        if copy.pod in replicas and copy.cluster_id == found.cluster_id and copy.proven:
            states[copy.database, copy.txid].add(copy.checksum)
    for (name, txid), sums in sorted(states.items()):
        if len(sums) > 1:
            yield Refusal(
                "U4",
                f"two replicas had {name} at txid {txid:x} with other contents, and only one of them can have it still",
                "An undo does not bring the other one back; its copy is saved. Carry rows over by SQL.",
            )


def _lost(found: Undoing, pod: Pod) -> Iterator[Refusal]:
    mine = [c for c in found.copies if (c.pod, c.cluster_id) == (pod.name, pod.cluster_id) and c.proven]
    for copy in {c.database: c for c in sorted(mine, key=lambda c: c.txid)}.values():
        now = pod.database(copy.database)
        if now is None or now.txid < copy.txid or (now.txid == copy.txid and now.checksum != copy.checksum):
            yield Refusal(
                "U4",
                f"{pod.name} had {copy.database} at {copy.position}, now it is at {now.position if now else 'nothing'}: it has lost something",
                f"An undo does not bring that back. Its copy is {copy.file}.",
            )


def somebody_has_it(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    """What the primary serves now goes out of use: a replica must have all of it."""
    lead = found.case.target
    if not found.runs_the_rescued:
        return
    for mine in lead.with_data:
        seen = [d for s in lead.sweeps for d in s.databases or () if d.name == mine.name]
        first = min((d.txid for d in seen), default=mine.txid)
        if not any(_has(pod.database(mine.name), first, mine) for pod in found.case.cluster.pods if pod is not lead):
            yield Refusal(
                "U5",
                f"no replica has {mine.name} as the primary {lead.name} has it ({mine.position})",
                "Wait until a replica has caught up (`kubectl litefs diagnose`): what only the primary has would be out of use.",
            )


def _has(theirs: Database | None, first: int, mine: Database) -> bool:
    """`first` is the primary's txid three seconds earlier: an application may write on."""
    return theirs is not None and theirs.txid >= first and not (theirs.txid == mine.txid and theirs.checksum != mine.checksum)


def one_directory(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    if len(found.former) > 1:
        there = ", ".join(f.name for f in found.former)
        yield Refusal("U6", f"{len(found.former)} directories were put aside on {found.case.target.name}: {there}", f"Move those that are not meant out of the data directory. {BY_HAND}")


def consul(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    if found.case.consul:
        yield Refusal("U7", "the lease is Consul's: the cluster id is kept there, too", f"Read `consul kv get KEY/clusterid` first. {BY_HAND}")


def kubernetes(found: Undoing, options: RescueOptions) -> Iterator[Refusal]:
    yield from comes_back(found.case, options)


GUARDS: tuple[Guard, ...] = (
    one_primary, replicas_answer, replicas_refuse, nothing_lost, somebody_has_it, one_directory, consul, kubernetes,
)  # fmt: skip


def judge(found: Undoing, options: RescueOptions) -> tuple[Refusal, ...]:
    """All of them, those that nothing permits first."""
    return ranked(r for guard in GUARDS for r in guard(found, options))
