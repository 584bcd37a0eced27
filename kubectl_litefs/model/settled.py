"""Whether a cluster is well, may become so by waiting, or cannot: what `diagnose --wait` goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..exitcodes import ExitCode
from .candidates import primary_elsewhere
from .memory import missing
from .origin import Gap, GapReason
from .pod import Pod
from .report import ClusterReport, Report
from .rollout import may_replace, unfinished, unseen
from .rule import Finding, Severity
from .topology import Role

NOT_YET = {Role.CONNECTING: "is connecting", Role.DISCONNECTED: "is not connected", Role.DOWN: "does not run", Role.UNKNOWN: "does not answer"}

APART = ("LFS101", "LFS309", "LFS402", "LFS801")
"""Who suppresses one of these for a pod has accepted that it does not follow."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`waits`: waiting may help. `reasons` are what is wrong, or not done yet; empty where all is well. `code` is the
    exit code if nothing changes."""

    waits: bool
    reasons: tuple[str, ...]
    code: ExitCode


def verdict(report: Report, fail_on: Severity | None, strict: bool) -> Verdict:
    """All is well where nothing counts against the cluster, every pod is known to follow, and no rollout is under way."""
    code = report.exit_code(fail_on, strict)
    counting = [(seen, f) for seen in report.clusters for f in seen.active if fail_on is not None and f.severity.rank <= fail_on.rank]
    hopeless = [f for seen, f in counting if not may_heal(seen, f)]
    if hopeless:
        return Verdict(False, tuple(_told(f) for f in hopeless), code)
    refused = _refused(report, strict)
    if refused:
        told = f"no right to read {', '.join(refused)} (kubectl litefs rbac diagnose prints what to ask for)"
        return Verdict(False, (told,), ExitCode.COULD_NOT_LOOK if code is ExitCode.OK and fail_on is not None else code)
    reasons = [_told(f) for _, f in counting]
    undone = [r for seen in report.clusters for r in _undone(seen)]
    hidden = [f"whether a rollout is under way cannot be seen ({', '.join(kinds)})" for seen in report.clusters if (kinds := unseen(seen.cluster))]
    if not reasons and code is not ExitCode.OK:
        reasons.append("not everything could be looked at")
    reasons += [*undone, *hidden]
    if code is ExitCode.OK and reasons and fail_on is not None:
        code = ExitCode.FINDINGS if undone else ExitCode.COULD_NOT_LOOK
    return Verdict(bool(reasons), tuple(dict.fromkeys(reasons)), code)


def _refused(report: Report, strict: bool) -> tuple[str, ...]:
    """What is forbidden, where that alone keeps all from being well: no waiting brings a right."""
    needed = report.gaps if strict else [g for seen in report.clusters for g in _needed(seen)]
    return tuple(dict.fromkeys(_part(g.what) for g in needed if g.why is GapReason.FORBIDDEN))


def _needed(seen: ClusterReport) -> Iterator[Gap]:
    """The gaps without which nobody can say that the set is well."""
    yield from (seen.cluster.gaps[kind] for kind in unseen(seen.cluster))
    pods = seen.cluster.pods
    if seen.blind and all(_kept_from_us(p) and _kept_from_us(p, "log") for p in pods):
        yield from (p.gaps["info"] for p in pods)


def _part(what: str) -> str:
    """`objects/abaci/nodes.json` is nodes; of pods it is which pod's log or answer."""
    head, _, name = what.rpartition("/")
    return name.removesuffix(".json") if head.startswith("objects/") else f"{name} of {head.rpartition('/')[2]}"


def may_heal(seen: ClusterReport, finding: Finding) -> bool:
    """Whether waiting may end it: by time, or by a rollout that will replace the pod it is about.

    Where nobody knows, as of a user's own rule, waiting may help.
    """
    if finding.heals != "with a new pod":
        return finding.heals != "no"
    about = [p for p in seen.cluster.pods if p.ref == finding.subject] or seen.cluster.pods
    return any(may_replace(seen.cluster, p) for p in about)


def _told(finding: Finding) -> str:
    return f"{finding.rule} {finding.name} on {finding.subject}"


def _undone(seen: ClusterReport) -> Iterator[str]:
    """What is not as it is asked for, though no rule speaks of it, or not yet."""
    yield from unfinished(seen.cluster)
    yield from (f"{ref} is asked for and not there" for ref in missing(seen))
    accepted = {(f.rule, f.subject) for f in seen.findings if f.suppressed is not None}
    for pod in seen.cluster.pods:
        role = seen.topology.role(pod)
        if role in NOT_YET and not _kept_from_us(pod) and not any((rule, pod.ref) in accepted for rule in APART):
            yield f"{pod.name} {NOT_YET[role]}"
    answering = any(p.info is not None for p in seen.cluster.pods)
    if answering and not seen.topology.primaries and not any(r == "LFS104" for r, _ in accepted) and primary_elsewhere(seen.cluster) is not True:
        yield "no pod leads"


def _kept_from_us(pod: Pod, what: str = "info") -> bool:
    """Whether it may not be asked: no waiting changes that."""
    gap = pod.gaps.get(what)
    return gap is not None and gap.why is GapReason.FORBIDDEN
