"""Suppressions over findings: which are known and accepted, and what is wrong with a suppression. Pure."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from .model.cluster import Cluster, Facts
from .model.origin import ObjectRef
from .model.report import CheckResult, Status
from .model.rule import Finding
from .model.suppression import MEMBERS, Suppression

NEVER = frozenset({"LFS901"})
"""What nobody can accept: that a check broke is not known of the cluster, so there is nothing to accept."""


def valid(suppressions: Iterable[Suppression], now: datetime | None) -> tuple[Suppression, ...]:
    """Those that hold at `now`: when the facts were gathered, so that a replayed bundle gives the same report.

    Where the time is unknown, as of logs without times, none that ends does: what is over must not hide anything.
    """
    return tuple(s for s in suppressions if s.rule not in NEVER and not _over(s, now))


def _over(suppression: Suppression, now: datetime | None) -> bool:
    return suppression.until is not None and (now is None or now.astimezone(timezone.utc).date() > suppression.until)


def mark(findings: Iterable[Finding], cluster: Cluster, suppressions: Sequence[Suppression]) -> list[Finding]:
    """The findings, each with the first suppression that fits it, in their order."""
    owners = {p.ref: p.workload for p in cluster.pods}

    def first(finding: Finding) -> Suppression | None:
        return next((s for s in suppressions if covers(s, finding, owners.get(finding.subject))), None)

    return [dataclasses.replace(f, suppressed=first(f)) for f in findings]


def covers(suppression: Suppression, finding: Finding, owner: ObjectRef | None) -> bool:
    """What is said of a set holds for its pods; what is said of a pod does not hold for its set."""
    if suppression.rule != finding.rule:
        return False
    of_set = owner is not None and owner.kind in MEMBERS and suppression.fits(owner)
    return suppression.fits(finding.subject) or of_set


def notices(
    suppressions: Sequence[Suppression], facts: Facts, findings: Sequence[Finding], checks: Sequence[CheckResult]
) -> tuple[str, ...]:
    """One line for each suppression that does not do what its author thinks, or does not say why."""
    used = {f.suppressed for f in findings if f.suppressed is not None}
    status = {c.rule: c.status for c in checks}
    lines: dict[str, None] = {}
    for one in suppressions:
        problem = _problem(one, facts, one in used, status)
        if problem:
            lines[f"{one.by}: {problem}"] = None
    return tuple(lines)


def _problem(one: Suppression, facts: Facts, used: bool, status: dict[str, Status]) -> str:
    what = f"{one.rule} on {one.subject}" if one.subject else one.rule
    if one.rule in NEVER:
        return f"{one.rule} cannot be suppressed: it says that a check broke, so that nothing is known"
    if one.rule not in status:
        near = difflib.get_close_matches(one.rule, sorted(set(status) - NEVER), 1, 0.6)
        return f"there is no rule {one.rule!r}, so nothing is suppressed" + (f"; did you mean {near[0]}?" if near else "")
    if _over(one, facts.taken_at) and facts.taken_at is None:
        return f"the suppression of {what} ends on {one.until}, and no line has a time that tells whether it is over: it does not count"
    if _over(one, facts.taken_at):
        return f"the suppression of {what} ended on {one.until}: it counts again"
    if not used:
        unseen = status[one.rule] in (Status.SKIPPED, Status.CRASHED)
        elsewhere = one.standing and one.namespace and one.namespace not in facts.namespaces
        return "" if unseen or elsewhere else f"the suppression of {what} matches nothing that was found"
    return "" if one.reason else f"the suppression of {what} gives no reason; write it behind a colon: {one.rule}: WHY"
