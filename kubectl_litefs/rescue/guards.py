"""What speaks against bringing data back: one table of guards, each a pure function of the situation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..fix import guards_identity, guards_kubernetes
from ..fix.case import Case
from ..fix.guards_identity import case_gap
from ..fix.refusals import Refusal
from ..model.candidates import missing_pods
from ..model.copies import plain
from ..model.families import names
from ..model.identity import volume_explains
from .options import RescueOptions
from .situation import Situation

Guard = Callable[[Situation, RescueOptions], Iterator[Refusal]]


def one_primary(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    case = found.case
    if case.primary is None:
        leads = case.primaries
        text = f"{len(leads)} pods report isPrimary=true, want exactly 1, in both looks: {names(leads) or 'none'}"
        yield Refusal("S1", text, "Correct the lease first, so that one pod leads (`kubectl litefs diagnose`); bringing data to one of several primaries loses the other's.")
    elif case.primary.databases is None:
        yield Refusal("S1", f"/debug/vars of the primary {case.primary.name} unreadable ({case_gap(case.primary, 'vars')})", "Bring it back first: what it holds must be saved before anything goes over it.")


def everybody_answers(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    for pod in found.case.cluster.pods:
        if pod is not found.case.primary and (pod.info is None or pod.databases is None):
            what = "info" if pod.info is None else "vars"
            yield Refusal(
                "S2",
                f"{pod.name} does not answer ({case_gap(pod, what)}): its copy may be the best",
                "Bring it back, or say whose copies are to be taken.",
                "--source=POD",
                options.source is not None,
            )
    for name in missing_pods(found.case.cluster):
        text = f"{name} is asked for and is not there: its volume may hold the best copy, and what follows is overwritten when it comes"
        yield Refusal("S2", text, f"Bring it back (kubectl -n {found.case.namespace} describe statefulset), or say whose copies are to be taken.", "--source=POD", options.source is not None)


def every_copy_a_file(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    """A replica that follows again takes what the primary has, also where it has more: that must be a file before."""
    for wanted in found.wanted:
        for pod, held in found.unsaved_of(wanted):
            why = next((f" ({m.why})" for m in found.missing if (m.pod, m.database) == (pod.name, wanted.name)), "")
            text = f"what {pod.name} holds of {wanted.name} (txid {held.txid:x}) is in no file{why}"
            if held.txid > wanted.copy.txid:
                yield Refusal("S4", f"{text}, and it is further than the best copy (txid {wanted.copy.txid:x})", f"It would be overwritten. When the cause is gone: kubectl litefs rescue save -n {found.case.namespace}")
            else:
                yield Refusal("S2", f"{text}: it may be the best", "It would be overwritten. Save it, or say whose copies are to be taken.", "--source=POD", options.source is not None)


def one_history(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    for name in found.open:
        yield Refusal(
            "S3",
            f"the best copies of {name} contradict each other: two histories",
            "All of them are saved. Look into the files, decide, and name the replica.",
            "--source=POD",
            bool(found.cluster_id) and options.source is not None and any(w.name == name for w in found.wanted),
        )
    ids = (found.cluster_id, found.case.primary.cluster_id if found.case.primary else None)
    for pod in found.case.cluster.pods if found.fault and found.cluster_id else ():
        if pod.cluster_id and pod.with_data and pod.cluster_id not in ids:
            yield Refusal(
                "S3",
                f"{pod.name} holds data under a third cluster id, {pod.cluster_id}: nothing proves which history counts",
                "All of them are saved. Look into the files, decide, and name the replica.",
                "--source=POD",
                options.source is not None,
            )
    if not found.fault and len({p.cluster_id for p in found.case.cluster.pods if p.with_data}) > 1:
        yield Refusal(
            "S3",
            "the cluster ids differ, and nothing proves that the primary's is the new one",
            "All copies are saved. If a replica is the stranger: kubectl litefs fix-cluster-id; `kubectl litefs diagnose` says what is known.",
        )


def good_copies(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    for name in found.unsaved:
        lacks = sorted((m.pod, m.why) for m in found.missing if (m.database, m.cluster_id) == (name, found.cluster_id))
        why = "; ".join(f"{pod}: {reason}" for pod, reason in lacks)
        text = f"there is no proven copy of {name}{f' ({why})' if why else ''}"
        if options.source:
            text = f"{options.source} has no proven copy of {name}, or another replica is further"
        yield Refusal("S4", text, f"When the cause is gone: kubectl litefs rescue save -n {found.case.namespace}. Nothing that is not proven goes into the primary.")
    if found.fault and not (found.wanted or found.open or found.unsaved or found.again):
        yield Refusal("S4", "there is no proven copy of any database: no replica was seen to hold one", "Bring the replicas back first. Nothing that is not proven goes into the primary.")


def plain_names(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    for wanted in found.wanted:
        if not plain(wanted.name):
            yield Refusal("S5", f"{wanted.name!r} is no plain file name, and LiteFS does not check the names it imports under", "Its copy is saved; bring it back by hand.")


def made_again(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    for name in found.again:
        yield Refusal("S6", f"the application has made {name} anew on the primary, and writes into it", "The older copies are saved. Compare both, and carry rows over by SQL; an import would put one over the other.")


def consul(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    if found.case.consul and found.fault == "LFS102":
        yield Refusal("S7", "the lease is Consul's: the cluster id is kept there, too, and was never tried with another one", "All copies are saved. Read `consul kv get KEY/clusterid` first; then bring the data back by hand (docs/rescue.md).")
    elif found.case.consul and found.fault:
        yield Refusal("S7", "the lease is Consul's: it may go to another pod when the primary is restarted, and what comes of that was never tried", "All copies are saved. Import the best one by hand (docs/rescue.md), and see afterwards which pod leads and what it has.")


def lasting(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    lead = found.case.primary
    if lead is not None and volume_explains(lead):
        yield Refusal("S8", f"the data directory of {lead.name} lies on no lasting volume: what is brought back goes with the next pod", "Give the set a volume first (`kubectl litefs diagnose`, LFS401). The copies are saved.")


def kubernetes(found: Situation, options: RescueOptions) -> Iterator[Refusal]:
    yield from comes_back(found.case, options)


def comes_back(case: Case, options: RescueOptions) -> Iterator[Refusal]:
    """Whether the primary's pod would come back as it is: the same questions as for a reset."""
    for guard in (
        guards_kubernetes.controlled, guards_kubernetes.order, guards_kubernetes.rollout, guards_kubernetes.node,
        guards_kubernetes.going, guards_identity.well_formed,
    ):  # fmt: skip
        yield from guard(case, options)


GUARDS: tuple[Guard, ...] = (
    one_primary, everybody_answers, every_copy_a_file, one_history, good_copies, plain_names, made_again, consul, lasting, kubernetes,
)  # fmt: skip


def judge(found: Situation, options: RescueOptions) -> tuple[Refusal, ...]:
    """All of them, those that nothing permits first."""
    said = [r for guard in GUARDS for r in guard(found, options)]
    return ranked(said)


def ranked(said: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(said, key=lambda r: (r.override is not None, r.id[0] == "R", int(r.id[1:]))))
