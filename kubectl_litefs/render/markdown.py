"""The report as Markdown for a comment on a pull request: a verdict, a table, and each finding folded below it.

What comes from a cluster or a file is never markup: it stands escaped, or in a code block that it cannot end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.report import Report, Status
from ..model.rule import Finding
from .changes import drift_words
from .gaps import unseen_names
from .words import clean, clip, count, listed, place

LONGEST = 60_000
"""Characters; a comment on GitHub may have 65,536, one on GitLab a million."""
MOST_ROWS = 50
MARK = "<!-- kubectl-litefs report -->"
"""The first line: a job finds by it the comment that it wrote before."""

_SPECIAL = re.compile(r"[\\`*_\[\]|~$]|:(?=//)|(?<=\bwww)\.|(?:^|(?<=^\d))[-+#=.)]")
_BREAK = "<!-- -->"
_LINKED = re.compile(r"(@|#(?=\d)|GH-(?=\d))")
_SIGNS = {"error": "\u274c", "warning": "\u26a0\ufe0f", "info": "\u2139\ufe0f"}


def render(report: Report) -> str:
    """Text that ends in a newline."""
    parts = [MARK, "### kubectl litefs", _verdict(report)]
    active = report.active
    if active:
        parts.append(_table(active))
    tail = [*_changes(report), *_suppressed(report), *_unseen(report)]
    room = LONGEST - sum(len(p) + 2 for p in (*parts, *tail))
    for at, finding in enumerate(active):
        folded = _details(finding)
        room -= len(folded) + 2
        if room < 0:
            parts.append(f"{count(len(active) - at, 'finding')} more than fit here; `-o json` has them all.")
            break
        parts.append(folded)
    return "\n\n".join([*parts, *tail]) + "\n"


def _verdict(report: Report) -> str:
    """Never "well" where not all could be seen."""
    counts = report.summary()
    numbers = ", ".join([count(counts["error"], "error"), count(counts["warning"], "warning"), count(counts["info"], "note")])
    suppressed = len(report.findings) - len(report.active)
    numbers += f", {suppressed} suppressed" if suppressed else ""
    numbers += f"; {count(counts['passed'], 'check')} passed"
    numbers += f", {counts['skipped']} could not look" if counts["skipped"] else ""
    numbers += f", {counts['crashed']} broke" if counts["crashed"] else ""
    sets = [f"{escape(c.cluster.namespace)}/{escape(c.cluster.name)}" for c in report.clusters]
    blind = [name for name, c in zip(sets, report.clusters, strict=True) if c.blind]
    lines = [f"**{numbers}.** Looked at {listed(sets) or 'nothing'}."]
    if blind:
        lines.append(f"**Could not look into {listed(blind)}: nothing is known of its state.**")
    return " ".join(lines)


def _table(findings: Sequence[Finding]) -> str:
    rows = ["| | rule | on | what |", "|---|---|---|---|"]
    for f in findings[:MOST_ROWS]:
        notes = ", ".join([*(["follows"] if f.consequence_of else []), *([f.change.value] if f.change else [])])
        sign = f"{_SIGNS[f.severity.value]} {f.severity.value}" + (f" ({notes})" if notes else "")
        rows.append(f"| {sign} | {escape(f.rule)} {escape(f.name)} | {escape(str(f.subject))} | {escape(clip(f.message, 300))} |")
    if len(findings) > MOST_ROWS:
        rows.append(f"| | | | {len(findings) - MOST_ROWS} more |")
    return "\n".join(rows)


def _details(finding: Finding) -> str:
    """One finding in full, folded."""
    title = f"{escape(finding.rule)} {escape(finding.name)}: {escape(str(finding.subject))}"
    parts = [f"<details><summary>{title}</summary>", escape(finding.message)]
    parts += [f"**So:** {escape(finding.impact)}"] if finding.impact else []
    if finding.remediation:
        parts += ["**What to do**", "\n".join(f"{n}. {escape(step)}" for n, step in enumerate(finding.remediation, 1))]
    parts += [fence(finding.commands)] if finding.commands else []
    if finding.evidence:
        parts += ["**What was seen**", fence([f"{place(e)}  {e.excerpt}" for e in finding.evidence])]
    parts += [f"**Why:** {escape(finding.cause)}"] if finding.cause else []
    return "\n\n".join([*parts, "</details>"])


def _changes(report: Report) -> list[str]:
    """What the files end, which pods start anew, and where the cluster differs from them."""
    changes = report.changes
    if changes is None:
        return []
    lines = [f"- {escape(f.rule)} {escape(f.name)} on {escape(str(f.subject))}: {escape(clip(f.message, 300))}" for f in changes.gone]
    parts = ["**Fixed by these files**\n\n" + _some(lines) if lines else "**These files fix nothing that was found.**"]
    if changes.restarted:
        parts.append(f"Judged as if started anew: {escape(listed([r.name for r in changes.restarted]))}.")
    if changes.drift:
        rows = [f"{place(d.evidence)}  {drift_words(d)}" for d in changes.drift[:MOST_ROWS]]
        more = len(changes.drift) - MOST_ROWS
        told = fence([clip(row, 300) for row in rows] + ([f"and {more} more"] if more > 0 else []))
        title = f"The cluster differs from the files in {count(len(changes.drift), 'place')}"
        parts.append(f"<details><summary>{title}</summary>\n\n{told}\n\n</details>")
    return parts


def _suppressed(report: Report) -> list[str]:
    lines = []
    for f in report.findings:
        if f.suppressed is not None:
            until = f", until {f.suppressed.until}" if f.suppressed.until else ""
            why = f"{f.suppressed.reason or 'no reason given'} ({f.suppressed.by}{until})"
            lines.append(f"- {escape(f.rule)} {escape(f.name)} on {escape(str(f.subject))}: {escape(why)}")
    return ["**Suppressed**\n\n" + _some(lines)] if lines else []


def _unseen(report: Report) -> list[str]:
    lines = [
        f"- {escape(c.rule)}: " + escape(listed(unseen_names(c.gaps)) or "nothing to look at")
        for c in report.checks
        if c.status is Status.SKIPPED
    ]
    lines += [f"- {escape(c.rule)} broke: a bug of this tool" for c in report.checks if c.status is Status.CRASHED]
    if not lines:
        return []
    return [f"<details><summary>{count(len(lines), 'check')} could not look</summary>\n\n" + _some(lines) + "\n\n</details>"]


def _some(lines: Sequence[str]) -> str:
    more = len(lines) - MOST_ROWS
    return "\n".join([*lines[:MOST_ROWS], *([f"- and {more} more"] if more > 0 else [])])


def escape(text: str) -> str:
    """Prose without markup: nothing is a tag, a link, a mention or a reference to an issue."""
    plain = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parts = _LINKED.split(plain)
    return "".join(part + _BREAK if at % 2 else _SPECIAL.sub(r"\\\g<0>", part) for at, part in enumerate(parts))


def fence(lines: Sequence[str]) -> str:
    """A code block with a fence longer than any in it."""
    body = "\n".join(clean(line) for line in lines)
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}\n{body}\n{mark}"
