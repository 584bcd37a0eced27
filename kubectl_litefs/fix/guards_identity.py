"""Who is who: R1 to R5, R9, R22, R25, R26. The wrong answer here deletes the only good copy."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.copies import save_all
from ..model.families import names
from ..model.identity import claim_born, recreated, strangers
from ..model.pod import Pod
from ..model.reset import leads_again
from .case import CLUSTER_ID, Case
from .options import FixOptions
from .refusals import Guard, Refusal


def rescue(case: Case) -> str:
    """Where the replicas hold the copy that counts, the other command is the right one."""
    return (
        "Delete no volume and restart no replica: the replicas hold the copy that counts. Save every copy first: "
        f"{save_all(case.cluster)}. Then `kubectl litefs rescue plan` shows the way back (LFS102)."
    )


def primary_is_target(case: Case, options: FixOptions) -> Iterator[Refusal]:
    if case.target in case.primaries:
        yield Refusal(
            "R1",
            f"{case.target.name} reports isPrimary=true; its volume is the data",
            "Only a replica can be reset. If the replicas are the ones that mismatch, name one of them.",
        )


def one_primary(case: Case, options: FixOptions) -> Iterator[Refusal]:
    leads = case.primaries
    silent = [p.name for p in case.cluster.pods if p.info is None and p is not case.target]
    if len(case.cluster.pods) < 2:
        yield Refusal(
            "R2",
            "the set runs 1 pod: there is no other copy",
            "A reset needs a primary to copy from: this volume is all there is.",
        )
    elif not leads and not silent:
        yield Refusal(
            "R2",
            "0 pods report isPrimary=true, want exactly 1",
            "A reset needs a primary to copy from. `kubectl litefs diagnose` says why there is none.",
        )
    elif len(leads) > 1 or (leads and case.primary is None):
        yield Refusal(
            "R2",
            f"{len(leads)} pods report isPrimary=true, want exactly 1, in both looks: {names(leads)}",
            "Correct the lease first, so that one pod leads (`kubectl litefs diagnose`, LFS103); each of these holds writes of its own.",
        )


def readable(case: Case, options: FixOptions) -> Iterator[Refusal]:
    if not case.primaries:
        for pod in (p for p in case.cluster.pods if p.info is None and p is not case.target):
            why = case_gap(pod, "info")
            yield Refusal(
                "R3",
                f"/info of {pod.name} unreadable ({why}), and no other pod leads; evidence incomplete",
                "Bring it back first: it may be the primary.",
            )
    elif case.primary is not None and case.primary.databases is None:
        yield Refusal(
            "R3",
            f"/debug/vars of {case.primary.name} unreadable ({case_gap(case.primary, 'vars')}); evidence incomplete",
            "Without the primary's positions nothing can be compared.",
        )
    if case.target.info is None or case.target.databases is None:
        what = "info" if case.target.info is None else "vars"
        text = f"{'/info' if what == 'info' else '/debug/vars'} of {case.target.name} unreadable ({case_gap(case.target, what)}); evidence incomplete"
        saved = options.backup in ("snapshot", "retain-pv") and case.target_id is not None
        instead = "Without it only its log proves the mismatch, and nothing can be exported: keep the volume itself, with --backup=retain-pv or --backup=snapshot."
        yield Refusal("R3", text, instead, "--backup=retain-pv or --backup=snapshot", saved)


def case_gap(pod: Pod, what: str) -> str:
    gap = pod.gaps.get(what)
    return gap.detail if gap is not None else "it was not asked"


def odd_one_out(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """The vote. The primary's id on no other pod, the target's on another: then it is the primary that is new."""
    lead = case.primary
    if lead is None or not case.mismatch or case.held_nothing:
        return
    with_target = [case.target, *(p for p in case.others if p.cluster_id == case.target_id)]
    with_primary = [lead, *(p for p in case.others if p.cluster_id == lead.cluster_id)]
    if len(with_target) > 1 and len(with_primary) == 1:
        yield Refusal(
            "R4",
            f"primary {lead.name} is the odd one out: {len(with_target)} of {len(case.cluster.pods)} pods carry {case.target_id}, "
            f"only the primary carries {lead.cluster_id}; its volume was probably re-created and the replicas hold the only copy",
            rescue(case),
        )
        return
    silent = [p for p in case.others if p.info is None]
    if silent and len(with_primary) == 1:
        yield Refusal(
            "R4",
            f"the vote is incomplete: {names(silent)} did not answer, and only {lead.name} is known to carry {lead.cluster_id}",
            f"Bring {names(silent)} back, or make sure that the primary holds the history that counts.",
            f"--primary-is-right={lead.cluster_id}",
            options.primary_is_right == lead.cluster_id,
        )


def younger_primary(case: Case, options: FixOptions) -> Iterator[Refusal]:
    lead = case.primary
    mine, theirs = claim_born(case.cluster, case.target), claim_born(case.cluster, lead)
    if lead is None or not case.mismatch or case.held_nothing:
        return
    override, granted = f"--primary-is-right={lead.cluster_id}", options.primary_is_right == lead.cluster_id
    if mine is None or theirs is None:
        unseen = case.target.name if mine is None else lead.name
        yield Refusal(
            "R5",
            f"when the claim of {unseen} was made could not be seen, so nothing shows which of the two is the older",
            "Compare the ages of the claims.",
            override,
            granted,
        )
    elif theirs[0] > mine[0]:
        yield Refusal(
            "R5",
            f"the primary's PVC (created {theirs[0]:%Y-%m-%dT%H:%M:%SZ}) is younger than the target's (created {mine[0]:%Y-%m-%dT%H:%M:%SZ})",
            "Mostly the younger volume is the stranger. Look into both databases; then say which id is right.",
            override,
            granted,
        )


def well_formed(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """Ids are compared before anything is deleted, so they must be ids, and the same wherever they are seen."""
    for pod in (p for p in (case.target, case.primary) if p is not None):
        seen = {s.info.cluster_id for s in pod.sweeps if s.info is not None and s.info.cluster_id}
        bad = [i for i in seen if not CLUSTER_ID.fullmatch(i)]
        headers = {h for h in case.headers.get(pod.name, ()) if h}
        if bad:
            yield Refusal(
                "R9",
                f"{pod.name} has the malformed cluster id {bad[0]!r}; LiteFS makes LFSC and 16 capital hex digits",
                "Look at the file clusterid in its data directory.",
            )
        elif len(seen) > 1:
            yield Refusal(
                "R9",
                f"{pod.name} contradicts itself: cluster id {' then '.join(sorted(seen))}",
                "Something else may answer on its port. Look again when it is steady.",
            )
        elif headers and seen and headers != seen:
            yield Refusal(
                "R9",
                f"contradictory cluster id of {pod.name} (body {', '.join(sorted(seen))}, header {', '.join(sorted(headers))})",
                "What answers there is not LiteFS alone: find out what stands behind the port.",
            )
        paths = {s.info.path for s in pod.sweeps if s.info is not None}
        if len(paths) > 1:
            yield Refusal(
                "R9",
                f"{pod.name} contradicts itself: data directory {' then '.join(sorted(str(p) for p in paths))}",
                "Look again when it is steady.",
            )


def consul(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """Consul keeps the cluster id too: where it holds the target's, the primary is the stranger."""
    if not case.consul or case.held_nothing or not case.mismatch:
        return
    lead = case.primary
    held = {line for p in case.cluster.pods for line in consul_ids(p)}
    if case.target_id in held:
        yield Refusal(
            "R22",
            f"the Consul lease holds {case.target_id}, the target's id; the primary has {lead.cluster_id if lead else '?'}: the primary is the stranger",
            rescue(case),
        )
    elif not held and lead is not None:
        yield Refusal(
            "R22",
            f"the lease is Consul's, and which id it holds could not be seen: it may be {case.target_id} or {lead.cluster_id}",
            "Read it: consul kv get KEY/clusterid. If it is the primary's, say so.",
            f"--primary-is-right={lead.cluster_id}",
            options.primary_is_right == lead.cluster_id,
        )


def consul_ids(pod: Pod) -> Iterator[str]:
    """Ids that LiteFS says Consul holds (`cannot become primary, ... initialized with cluster ID LFSC...`)."""
    for run in pod.runs:
        for signature in ("lease-id-conflict", "no-id-for-primary"):
            hits = run.hit(signature)
            yield from (line.field("id") for line in (hits.distinct if hits else ()) if line.field("id"))


def other_history(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """The rules' own proof that the primary is the stranger (LFS102), whatever the vote and the ages say."""
    lead = case.primary
    if lead is None or not case.mismatch or case.held_nothing:
        return
    for proof in recreated(case.cluster):
        if case.target not in [s.pod for s in proof.replicas]:
            continue
        sure = [r for r in proof.reasons if "earlier in the same run" in r]
        minted = [r for r in proof.reasons if "made its id in a run" in r]
        if sure:
            yield Refusal(
                "R25",
                f"{case.target.name} followed this primary under id {case.target_id} in this very run, now the primary has {lead.cluster_id}: it is the primary's id that changed",
                rescue(case),
            )
        elif minted:
            yield Refusal(
                "R25",
                f"{minted[0]}: the primary has {lead.cluster_id}, {case.target.name} kept {case.target_id}",
                "Look into both databases; then say which id is right.",
                f"--primary-is-right={lead.cluster_id}",
                options.primary_is_right == lead.cluster_id,
            )
        elif any(p.cluster_id == case.target_id for p in case.others) and any(p.cluster_id == lead.cluster_id for p in case.others):
            yield Refusal(
                "R4",
                f"the vote is split: other pods carry {case.target_id}, too, others the primary's {lead.cluster_id}; a primary whose volume "
                "is new and a replica that was reset since would look the same",
                "Look into both databases; then say which id is right.",
                f"--primary-is-right={lead.cluster_id}",
                options.primary_is_right == lead.cluster_id,
            )


def mismatch_in_log(case: Case, options: FixOptions) -> Iterator[Refusal]:
    """A log that names other ids than /info does: one of the two is old or lies."""
    for stranger in strangers(case.cluster):
        if stranger.pod is case.target and case.target.info is not None and case.primary is not None:
            said = {stranger.own, stranger.theirs}
            if case.mismatch and said != {case.target_id, case.primary.cluster_id}:
                yield Refusal(
                    "R9",
                    f"the log of {case.target.name} refuses {stranger.own} <> {stranger.theirs}, /info says {case.target_id} <> {case.primary.cluster_id}",
                    "Look again when it is steady.",
                )


def would_lead(case: Case, options: FixOptions) -> Iterator[Refusal]:
    if case.target not in case.primaries and leads_again(case.target):
        yield Refusal(
            "R26",
            f"{case.target.name} is a candidate (candidate: true) and {case.primary.name if case.primary else 'another pod'} is the primary: on an empty volume it would make a cluster id of its own",
            "A reset cannot help: correct lease.candidate first (`kubectl litefs diagnose`, LFS203 and LFS205), restart the pod, then come back.",
        )


GUARDS: tuple[Guard, ...] = (
    primary_is_target, one_primary, readable, odd_one_out, younger_primary, well_formed, mismatch_in_log, consul, other_history, would_lead,
)  # fmt: skip
