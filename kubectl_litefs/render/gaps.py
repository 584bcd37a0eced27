"""What could not be looked at, in words: it is never the same as "all is well"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.origin import Gap, GapReason
from ..model.report import ClusterReport, Report
from .finding import INDENT, Look
from .paint import Line, line
from .words import clean, few_rows, listed, wrap

LOUD = (GapReason.FORBIDDEN, GapReason.UNREACHABLE, GapReason.UNPARSED, GapReason.TRUNCATED)
"""Gaps that a reader must know of; NOT_ASKED, OFFLINE and ABSENT only with -v, but for the time and a file that was given."""

FILES = "files/"
"""What gaps of files begin with, where a cluster's logs and lists were given as files."""
MOST_FILES = 8
MOST_ROWS = 4
"""Lines of a reason: its end tells the most, as in `error trying to reach service: ...: connection refused`."""

_RIGHT = re.compile(r"\(needs: ([^)]*)\)")
_USER = re.compile(r"\bUser \"([^\"]+)\"")
_CANNOT = re.compile(r"cannot (\w+) resource \"([^\"]+)\"")


_ANSWERS = {"info.json": "/info", "vars.json": "/debug/vars", "metrics.txt": "/metrics"}


def unseen_names(gaps: Sequence[Gap]) -> list[str]:
    """What the gaps are about, a pod once: `abaci-app-1 (log, /info)`, `networkpolicies`."""
    by_owner: dict[str, list[str]] = {}
    for gap in gaps:
        owner, part = _subject(gap)
        parts = by_owner.setdefault(owner, [])
        if part and part not in parts:
            parts.append(part)
    return [clean(owner + (f" ({', '.join(_short(parts))})" if parts else "")) for owner, parts in by_owner.items()]


def _short(parts: Sequence[str]) -> list[str]:
    """Three answers missing at once are one closed port."""
    answers = set(_ANSWERS.values())
    if not answers <= set(parts):
        return list(parts)
    return ["LiteFS's port", *(p for p in parts if p not in answers)]


def _subject(gap: Gap) -> tuple[str, str]:
    """A gap's bundle path as (pod, what of it) or (kind, "")."""
    parts = gap.what.split("/")
    if parts[0] == "litefs" and len(parts) == 4:
        return parts[2], _ANSWERS.get(parts[3], parts[3])
    if parts[0] == "logs" and len(parts) == 4:
        return parts[2], "previous log" if parts[3].endswith(".previous.log") else "log"
    if parts[0] == "config" and len(parts) == 3:
        return parts[2], "litefs.yml"
    if parts[0] == "objects" and len(parts) == 3:
        return parts[2].removesuffix(".json"), ""
    return "the time" if gap.what == "now" else gap.what.removeprefix(FILES), ""


def right(gap: Gap) -> str:
    """The missing right: `get pods/log`; empty when the text does not tell."""
    found = _RIGHT.search(gap.detail)
    if found:
        return clean(found[1])
    found = _CANNOT.search(gap.detail)
    return clean(f"{found[1]} {found[2]}") if found else ""


def blind_lines(seen: ClusterReport, look: Look) -> list[Line]:
    """A set that nobody could look into, before anything else is said."""
    name = clean(f"{seen.cluster.namespace} / {seen.cluster.subject}" if seen.cluster.pods or seen.cluster.workloads else "?")
    reasons = dict.fromkeys(
        gap.detail or gap.why.value for p in seen.cluster.pods for key in ("info", "log") if (gap := p.gaps.get(key))
    )
    unlisted = None if seen.cluster.pods else seen.cluster.gaps.get("pods")
    told = "No pod of it answered on LiteFS's port and no log could be read: nothing is known of its state."
    if unlisted is not None:
        told = "Its pods were not seen: nothing is known of its state."
        reasons[unlisted.detail or _WORDS[unlisted.why]] = None
    lines = [line(("COULD NOT LOOK", "error"), "  ", (name, "strong")), *(line(INDENT, row) for row in wrap(told, look.width - 2))]
    return lines + [line(INDENT, (row, "faint")) for reason in list(reasons)[:3] for row in few_rows(reason, look.width - 2, MOST_ROWS)]


def gap_lines(report: Report, look: Look) -> list[Line]:
    """What the report could not see."""
    return lines_of(report.gaps, report.namespaces, look)


def lines_of(every: Sequence[Gap], namespaces: Sequence[str], look: Look) -> list[Line]:
    """Missing rights and silent pods; with -v everything that was not seen."""
    shown = [g for g in every if g.why in LOUD or g.what == "now" or look.verbose]
    files = [g for g in every if g.what.startswith(FILES)]
    by_reason: dict[tuple[GapReason, str], list[Gap]] = {}
    for gap in (g for g in shown if g not in files):
        by_reason.setdefault((gap.why, right(gap) if gap.why is GapReason.FORBIDDEN else ""), []).append(gap)
    if not by_reason and not files:
        return []
    lines = [line(("Not seen", "warning")), *_file_lines(files, look)]
    for (why, needs), gaps in sorted(by_reason.items(), key=lambda item: (list(GapReason).index(item[0][0]), item[0][1])):
        asked = needs.rpartition(" ")[2].partition(".")[0]  # `list statefulsets.apps` names the kind already
        what = listed([n for n in unseen_names(gaps) if n != asked], 99 if look.verbose else 4)
        text = _WORDS[why] + (f", may not {needs}" if needs else "") + (f": {what}" if what else "")
        detail = "" if needs else next((g.detail for g in gaps if g.detail), "")
        lines += [line(INDENT, row if at == 0 else INDENT + row) for at, row in enumerate(wrap(text, look.width - 4))]
        if detail:
            lines += [line(INDENT * 2, (row, "faint")) for row in few_rows(detail, look.width - 4, MOST_ROWS)]
    if any(why is GapReason.FORBIDDEN for why, _ in by_reason):
        scope = f"-n {namespaces[0]}" if len(namespaces) == 1 else "-A"
        who = next((found[1] for g in every if (found := _USER.search(g.detail))), "")
        told = (f"{who} has not all the rights it needs. " if who else "") + "This prints what to ask for:"
        lines += [line(INDENT, row) for row in wrap(clean(told), look.width - 2)]
        lines.append(line(INDENT * 2, (clean(f"kubectl litefs rbac diagnose {scope}"), "command")))
    return [*lines, line("")]


def _file_lines(gaps: Sequence[Gap], look: Look) -> list[Line]:
    """What is wrong with each file that was given."""
    most = len(gaps) if look.verbose else MOST_FILES
    told = [f"{gap.what.removeprefix(FILES)}: {gap.detail or _WORDS[gap.why]}" for gap in gaps[:most]]
    if len(gaps) > most:
        told.append(f"and {len(gaps) - most} more files (-v says which)")
    return [line(INDENT, row if at == 0 else INDENT + row) for one in told for at, row in enumerate(wrap(one, look.width - 4))]


_WORDS = {
    GapReason.NOT_ASKED: "not asked for",
    GapReason.OFFLINE: "not in the files",
    GapReason.FORBIDDEN: "forbidden",
    GapReason.UNREACHABLE: "no answer",
    GapReason.UNPARSED: "not understood",
    GapReason.TRUNCATED: "cut short",
    GapReason.ABSENT: "not there",
}
