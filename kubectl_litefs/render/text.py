"""The report for a person. The first screen holds who is who, the worst finding, its subject and its command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.report import ClusterReport, Report, Status
from ..model.rule import Finding, Severity
from ..model.suppression import Suppression
from .changes import change_lines
from .finding import Look, block, groups, note, subjects
from .gaps import blind_lines, gap_lines, unseen_names
from .paint import Line, colored, line, plain
from .topology import draw
from .words import clean, clip, count, listed, with_flags, wrap


def render(
    report: Report,
    *,
    width: int,
    color: bool,
    verbose: bool,
    show_all: bool,
    kube_flags: Sequence[str] = (),
    fancy: bool = False,
) -> str:
    """Text that ends in a newline. `fancy` allows box characters; `kube_flags` go into every printed command."""
    look = Look(width=width, fancy=fancy, verbose=verbose, show_all=show_all, kube_flags=tuple(kube_flags))
    lines = [*_blind(report, look), *_clusters(report, look), *gap_lines(report, look), *change_lines(report, look), *_narrow(report, look), *_closing(report, look)]
    return colored(lines) if color else plain(lines)


def _blind(report: Report, look: Look) -> list[Line]:
    lines: list[Line] = []
    for seen in report.clusters:
        if seen.blind:
            lines += [*blind_lines(seen, look), line("")]
    return lines


def _narrow(report: Report, look: Look) -> list[Line]:
    """What a report on logs alone cannot know."""
    if report.source != "logs":
        return []
    told = "Only logs were given: no cluster was asked, so whether the data is where it belongs, and whether a quiet replica follows, is not known."
    return [*(line((row, "faint")) for row in wrap(told, look.width)), line("")]


def _clusters(report: Report, look: Look) -> list[Line]:
    """The sets, the one with the worst finding first."""
    lines: list[Line] = []
    for seen in sorted(report.clusters, key=_rank):
        lines += draw(seen, width=look.width, fancy=look.fancy, everything=look.show_all or look.verbose)
        loud = [f for f in seen.active if f.severity is not Severity.INFO]
        lines += [*_state(seen, len(loud)), line("")]
        lines += _findings(loud, look)
        lines += _notes([f for f in seen.active if f.severity is Severity.INFO], look)
        lines += _accepted(seen, look)
    return lines


def _rank(seen: ClusterReport) -> tuple[int, str, str]:
    worst = min((f.severity.rank for f in seen.active), default=3)
    return worst, seen.cluster.namespace, seen.cluster.name


def _state(seen: ClusterReport, loud: int) -> list[Line]:
    """One line of verdict where no error says more; never "well" for a pod that is not known to follow."""
    if seen.blind or any(f.severity is Severity.ERROR for f in seen.active):
        return []
    if seen.planned:
        return [line("  ", ("No fault found in what the files show." if not loud else "No error found in what the files show.", "good"))]
    if seen.scaled_to_zero:
        return [line("  ", ("Scaled to 0: nothing runs, so nothing but the configuration was judged.", "strong"))]
    if not seen.topology.all_follow:
        return [line("  ", ("No rule found an error, but not every pod is known to follow the primary.", "warning"))]
    accepted = [f for f in seen.findings if f.suppressed and f.severity is not Severity.INFO]
    if any(f.severity is Severity.ERROR for f in accepted):
        return [line("  ", ("No error but those that are suppressed; with them, this set is not well.", "warning"))]
    if loud:
        return [line("  ", ("Replication works.", "good"))]
    return [line("  ", ("No fault found but what is suppressed." if accepted else "No fault found.", "good"))]


def _accepted(seen: ClusterReport, look: Look) -> list[Line]:
    """What somebody has suppressed, one line for each rule and reason."""
    accepted: dict[tuple[str, Suppression], list[Finding]] = {}
    for finding in seen.findings:
        if finding.suppressed is not None:
            accepted.setdefault((finding.rule, finding.suppressed), []).append(finding)
    lines = []
    for (rule, by), same in accepted.items():
        until = f", until {by.until}" if by.until else ""
        text = f"{rule} ({subjects(same)}): {by.reason or 'no reason given'} ({by.by}{until})"
        lines.append(line("suppressed  ", (clean(text) if look.verbose else clip(text, look.width - 12), "faint")))
    return [*lines, line("")] if lines else []


def _findings(findings: Sequence[Finding], look: Look) -> list[Line]:
    lines: list[Line] = []
    for group in groups(findings, apart=look.show_all):
        lines += [*block(group, look), line("")]
    return lines


def _notes(findings: Sequence[Finding], look: Look) -> list[Line]:
    """Worth knowing, short, each rule once; in full with --all."""
    if not findings:
        return []
    if look.show_all:
        return _findings(findings, look)
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return [*(row for same in by_rule.values() for row in note(same, look)), line("")]


@dataclass(frozen=True, slots=True)
class _Next:
    """The one command to run now, and what it is for."""

    command: str
    why: str


def _closing(report: Report, look: Look) -> list[Line]:
    counts = report.summary()
    pieces: list[str | tuple[str, str]] = []
    for severity, noun in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")):
        number = counts[severity.value]
        folded = 0 if look.show_all else sum(f.severity is severity and f.consequence_of is not None for f in report.active)
        text = count(number, noun) + (f" ({folded} folded)" if folded else "")
        pieces += [", " if pieces else "", (text, severity.value if number and severity is not Severity.INFO else "")]
    suppressed = len(report.findings) - len(report.active)
    pieces += [f", {suppressed} suppressed"] if suppressed else []
    checks: list[str | tuple[str, str]] = [f"{count(counts['passed'], 'check')} passed"]
    if counts["skipped"]:
        checks += [", ", (f"{counts['skipped']} could not look", "warning"), "" if look.verbose else " (-v says which)"]
    if counts["crashed"]:
        checks += [", ", (f"{counts['crashed']} broke (a bug of this tool)", "error")]
    length = sum(len(p if isinstance(p, str) else p[0]) for p in (*pieces, "; ", *checks))
    lines = [line(*pieces, "; ", *checks)] if length <= look.width else [line(*pieces), line(*checks)]
    if look.verbose:
        lines += _skipped(report, look)
    step = _next(report)
    if step is not None:
        command, why = clean(with_flags(step.command, look.kube_flags)), clean(f"   # {step.why}")
        fits = len("next: " + command + why) <= look.width
        lines.append(line(("next: ", "strong"), (command, "command"), (why if fits else "", "faint")))
    return lines


def _skipped(report: Report, look: Look) -> list[Line]:
    return [
        line(f"  {check.rule} could not look: ", (listed(unseen_names(check.gaps), 4), "faint"))
        for check in report.checks
        if check.status is Status.SKIPPED
    ]


def _next(report: Report) -> _Next | None:
    worst = next(iter(sorted((f for f in report.active if f.severity is not Severity.INFO), key=lambda f: f.severity.rank)), None)
    if worst is not None:
        if worst.commands:
            return _Next(worst.commands[0], f"{worst.rule} {worst.subject.name}")
        if any(r.id == worst.rule and r.docs is None for r in report.rules):  # `explain` knows no others
            return _Next(f"kubectl litefs explain {worst.rule}", worst.name)
    return None
