"""What a run found, ready to be rendered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ..exitcodes import ExitCode
from .change import Drift
from .cluster import Cluster
from .origin import Gap, GapReason, ObjectRef
from .rule import Finding, Rule, Severity
from .snapshot import Source
from .topology import Topology


class Status(str, Enum):
    """How one rule's check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One rule over all clusters. `gaps` are what it could not see: all that mattered if skipped."""

    rule: str
    status: Status
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """One LiteFS cluster with who is who, and its findings (worst first, a consequence after its cause)."""

    cluster: Cluster
    topology: Topology
    findings: tuple[Finding, ...]
    planned: bool = False
    """Known from files only: nobody was asked, so nobody can have failed to answer."""

    @property
    def active(self) -> tuple[Finding, ...]:
        """The findings that nobody has suppressed."""
        return tuple(f for f in self.findings if f.suppressed is None)

    @property
    def blind(self) -> bool:
        """Not one of its pods could be looked into: no /info and no log.

        A log without a line tells nothing: so is that of a pod that has not started. A set that is scaled to 0 is not
        blind: there is nothing to see. One that wants pods and has none is.
        """
        seen = any(p.info or any(run.lines for run in p.runs) for p in self.cluster.pods)
        return not self.planned and not seen and not self.scaled_to_zero

    @property
    def scaled_to_zero(self) -> bool:
        """Nothing runs because nothing is asked for."""
        wanted = [o.get("spec.replicas", 1) for o in self.cluster.owners() if o.ref.kind != "DaemonSet"]
        return not self.cluster.pods and bool(wanted) and not any(wanted)


@dataclass(frozen=True, slots=True)
class Changes:
    """Files against a cluster: what they end, where the two differ, and the pods that would start anew.

    What the cluster says of those pods now says nothing of how they run then.
    """

    gone: tuple[Finding, ...]
    drift: tuple[Drift, ...]
    restarted: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run. The exit code comes from here, never from the output format.

    `findings` holds suppressed ones, too; they count for nothing. `rules` are those that were judged, in the order of
    `checks`. `notices` are what the user must know of the suppressions: one that is unknown, over or fits nothing.
    """

    clusters: tuple[ClusterReport, ...]
    findings: tuple[Finding, ...]
    checks: tuple[CheckResult, ...]
    gaps: tuple[Gap, ...]
    namespaces: tuple[str, ...]
    source: Source
    taken_at: datetime | None
    tool_version: str
    rules: tuple[Rule, ...] = ()
    notices: tuple[str, ...] = ()
    changes: Changes | None = None
    """Where files were laid over the cluster: then everything else says how it would be after them."""

    @property
    def active(self) -> tuple[Finding, ...]:
        """The findings that nobody has suppressed."""
        return tuple(f for f in self.findings if f.suppressed is None)

    def count(self, severity: Severity) -> int:
        return sum(f.severity is severity for f in self.active)

    def summary(self) -> dict[str, int]:
        """Counts by severity (consequences included) and by status of the checks."""
        states = Counter(c.status for c in self.checks)
        return {
            "error": self.count(Severity.ERROR),
            "warning": self.count(Severity.WARNING),
            "info": self.count(Severity.INFO),
            "passed": states[Status.PASSED],
            "skipped": states[Status.SKIPPED],
            "crashed": states[Status.CRASHED],
        }

    def exit_code(self, fail_on: Severity | None = Severity.ERROR, strict: bool = False) -> ExitCode:
        """1 for findings at or above `fail_on` (None: never), 3 for a set nobody could look into, else 0.

        A finding outweighs blindness: what was seen is certain. `strict` makes every gap that matters (a check
        skipped, or passed over partial facts, or a look that failed, whoever needs it) a 3; for files only those that
        a file could have closed. A file that could not be read is a 3 always. A suppression hides a finding, never that
        something was not seen.
        """
        if fail_on is not None and any(f.severity.rank <= fail_on.rank for f in self.active):
            return ExitCode.FINDINGS
        if not self.clusters or any(c.blind for c in self.clusters):
            return ExitCode.COULD_NOT_LOOK
        if any(c.status is Status.CRASHED for c in self.checks) or self._unread():
            return ExitCode.COULD_NOT_LOOK
        if strict and any(self._matters(g) for c in self.checks for g in c.gaps):
            return ExitCode.COULD_NOT_LOOK
        if strict and self.source != "files" and (any(c.status is Status.SKIPPED for c in self.checks) or self._failed()):
            return ExitCode.COULD_NOT_LOOK
        return ExitCode.OK

    def _matters(self, gap: Gap) -> bool:
        """Of files alone: not what only a cluster could tell, but the litefs.yml that was not among them."""
        return self.source != "files" or gap.why is not GapReason.OFFLINE or gap.what.startswith("config/")

    def _failed(self) -> bool:
        """Whether anything was asked for and not given."""
        return any(g.why in (GapReason.FORBIDDEN, GapReason.UNREACHABLE, GapReason.UNPARSED) for g in self.gaps)

    def _unread(self) -> bool:
        """Whether a file that was given could not be read, or only in part."""
        unread = [g for g in self.gaps if g.why in (GapReason.UNPARSED, GapReason.FORBIDDEN, GapReason.TRUNCATED)]
        return any(self.source == "files" or g.what.startswith("files/") for g in unread)
