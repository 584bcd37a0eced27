"""Two reports side by side: what is new, what is gone, what stayed, and of what nobody can say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone

from ..exitcodes import ExitCode
from .origin import ObjectRef
from .report import Report, Status
from .rule import Severity


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as a report holds it, as far as a comparison needs it. `suppressed` is the reason; None: it counts."""

    fingerprint: str
    rule: str
    name: str
    severity: Severity
    subject: ObjectRef
    message: str
    suppressed: str | None = None

    def counts(self, fail_on: Severity | None) -> bool:
        """Whether it alone would make an exit code of 1."""
        return fail_on is not None and self.suppressed is None and self.severity.rank <= fail_on.rank


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `unseen` maps a rule to what its check could not see; `blind` are the rules that saw nothing at all."""

    name: str
    tool_version: str
    taken_at: str | None
    namespaces: tuple[str, ...]
    source: str
    entries: tuple[Entry, ...]
    judged: frozenset[str]
    blind: frozenset[str]
    unseen: Mapping[str, tuple[str, ...]]
    closed: bool = False
    """Whether there was a set that nobody could look into at all."""

    def saw(self, entry: Entry, other: Side) -> bool:
        """Whether the finding, which is `other`'s, would have been found here, were the fault there.

        What `other` did not see either was not needed to find it.
        """
        if entry.rule not in self.judged or entry.rule in self.blind:
            return False
        if entry.subject.namespace and self.namespaces and entry.subject.namespace not in self.namespaces:
            return False
        hidden = set(self.unseen.get(entry.rule, ())) - set(other.unseen.get(entry.rule, ()))
        return not any(_hides(what, entry.subject) for what in hidden)


def _hides(what: str, subject: ObjectRef) -> bool:
    """Whether the item (`litefs/abaci/abaci-app-1/info.json`) may have shown the fault: that of another pod has not."""
    parts = what.split("/")
    of_pod = parts[0] in ("litefs", "logs", "config") and len(parts) > 2
    return not of_pod or subject.kind != "Pod" or tuple(parts[1:3]) == (subject.namespace, subject.name)


@dataclass(frozen=True, slots=True)
class Stayed:
    """A finding of both sides, as it was and as it is."""

    before: Entry
    after: Entry

    @property
    def change(self) -> str:
        """What became of it, in words; empty where nothing did."""
        words = [f"was {self.before.severity.value}"] if self.before.severity is not self.after.severity else []
        if (self.before.suppressed is None) != (self.after.suppressed is None):
            words.append("no longer suppressed" if self.after.suppressed is None else "suppressed now")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lost` are findings of A that B could not look for: they are not gone."""

    a: Side
    b: Side
    new: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    unchanged: tuple[Stayed, ...]
    lost: tuple[Entry, ...]
    warnings: tuple[str, ...]

    def surely_new(self, entry: Entry) -> bool:
        """Whether A would have shown it, had it been there."""
        return self.a.saw(entry, self.b)

    def fails(self, fail_on: Severity | None) -> bool:
        """Whether B has a finding at or above `fail_on` that A had not, or had below it, or suppressed."""
        return any(e.counts(fail_on) for e in self.new) or any(s.after.counts(fail_on) and not s.before.counts(fail_on) for s in self.unchanged)

    def exit_code(self, fail_on: Severity | None) -> ExitCode:
        """1 for what is new, 3 where B could not look into a set at all: nothing new is no verdict then."""
        if self.fails(fail_on):
            return ExitCode.FINDINGS
        return ExitCode.COULD_NOT_LOOK if self.b.closed else ExitCode.OK


def side_of(report: Report, name: str) -> Side:
    """What a fresh report has to compare."""
    return Side(
        name=name,
        tool_version=report.tool_version,
        taken_at=report.taken_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if report.taken_at else None,
        namespaces=report.namespaces,
        source=report.source,
        entries=tuple(
            Entry(f.fingerprint, f.rule, f.name, f.severity, f.subject, f.message, f.suppressed.reason if f.suppressed else None)
            for f in report.findings
        ),
        judged=frozenset(c.rule for c in report.checks),
        blind=frozenset(c.rule for c in report.checks if c.status in (Status.SKIPPED, Status.CRASHED)),
        unseen={c.rule: tuple(g.what for g in c.gaps) for c in report.checks},
        closed=any(c.blind for c in report.clusters),
    )


def compare(a: Side, b: Side) -> Comparison:
    """By fingerprint, in the order of each side."""
    before, after = {e.fingerprint: e for e in a.entries}, {e.fingerprint: e for e in b.entries}
    left = [e for f, e in before.items() if f not in after]
    return Comparison(
        a,
        b,
        new=tuple(e for f, e in after.items() if f not in before),
        gone=tuple(e for e in left if b.saw(e, a)),
        unchanged=tuple(Stayed(before[f], e) for f, e in after.items() if f in before),
        lost=tuple(e for e in left if not b.saw(e, a)),
        warnings=tuple(_warnings(a, b)),
    )


def _warnings(a: Side, b: Side) -> list[str]:
    """Why a difference may not be one of the clusters."""
    told = []
    if a.tool_version != b.tool_version:
        told.append(f"{a.name} was judged by version {a.tool_version}, {b.name} by {b.tool_version}: rules may differ")
    if set(a.namespaces) != set(b.namespaces):
        told.append(f"{a.name} is of {_spaces(a)}, {b.name} of {_spaces(b)}")
    if a.judged - b.judged:
        told.append(f"{b.name} was not judged by {', '.join(sorted(a.judged - b.judged))}")
    if a.taken_at and b.taken_at and a.taken_at > b.taken_at:
        told.append(f"{a.name} is newer than {b.name}: what is told as new is the older state")
    return told


def _spaces(side: Side) -> str:
    return f"namespace {', '.join(side.namespaces)}" if side.namespaces else "no namespace"
