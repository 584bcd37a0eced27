"""Who follows whom at which position: each set drawn as `diagnose` draws it, every pod, with checksums."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from ..model.memory import NOTHING, Known, Memory, missing
from ..model.origin import ObjectRef
from ..model.pod import Pod
from ..model.report import ClusterReport, Report
from ..model.rule import Severity
from .finding import INDENT, Look
from .gaps import blind_lines, gap_lines
from .paint import Line, colored, line, plain
from .topology import WORD, Cell, branch, grid, in_order, remark, short_id, title
from .words import clean, clip, count, with_flags, wrap

WIDE = 1000
"""Columns of `-o wide`: nothing is cut."""

UNREAD = "the kubelet's statistics are not read"
"""Why nobody can say how full a volume is."""

MOST_ROWS = 3
"""Lines that a finding's message may take."""

CONNECTED: Mapping[bool | None, Cell] = {True: ("connected", "good"), False: ("NOT connected", "error"), None: ("-", "faint")}


def render(
    report: Report,
    *,
    width: int,
    color: bool,
    fancy: bool = False,
    wide: bool = False,
    kube_flags: Sequence[str] = (),
    bundle: str = "",
    memory: Memory = NOTHING,
    error: str = "",
) -> str:
    """Text that ends in a newline. `bundle` is where the report is from, `error` why there is no newer one."""
    look = Look(width=width, fancy=fancy, verbose=False, show_all=True, kube_flags=tuple(kube_flags))
    lines = _outage(report, look, error)
    for seen in report.clusters:
        lines += [*_drawn(seen, memory, look, wide), *_verdict(seen, look, outdated=bool(error)), *(blind_lines(seen, look) if seen.blind else []), line("")]
    lines += [*gap_lines(report, look), *_next(report, look, bundle)]
    while lines and not any(text for text, _ in lines[-1]):
        lines.pop()
    return colored(lines) if color else plain(lines)


def clock_time(at: datetime | None) -> str:
    """`12:30:05 UTC`."""
    return at.astimezone(timezone.utc).strftime("%H:%M:%S UTC") if at else "an unknown time"


def _outage(report: Report, look: Look, error: str) -> list[Line]:
    if not error:
        return []
    told = f"What follows is OLD, of {clock_time(report.taken_at)}: {error}"
    return [*(line((row, "error")) for row in wrap(told, look.width)), line("")]


def _drawn(seen: ClusterReport, memory: Memory, look: Look, wide: bool) -> list[Line]:
    pods, absent = in_order(seen), missing(seen)
    rows = [_row(seen, pod, memory.get(pod.ref), wide) for pod in pods] + [_absent(seen, ref, memory.get(ref), wide) for ref in absent]
    branches = [branch(seen, pod, look.fancy, last=pod is pods[-1] and not absent) for pod in pods]
    hanging = seen.topology.primary is not None
    branches += [_twig(look.fancy, last=ref is absent[-1]) if hanging else INDENT for ref in absent]
    lines = [title(seen, look.width), *grid(branches, rows, WIDE if wide else look.width)]
    if wide or seen.blind:
        return lines
    sizes = sorted({size for pod in pods if (size := capacity(seen, pod))})
    held = f"volumes of {' and '.join(sizes)}" if sizes else "volumes"
    return [*lines, line(INDENT, (clip(f"{held}, how full is unknown: {UNREAD}", look.width - 2), "faint"))] if pods else lines


def _twig(fancy: bool, *, last: bool) -> str:
    if fancy:
        return "  └─ " if last else "  ├─ "
    return "  `- " if last else "  |- "


def _row(seen: ClusterReport, pod: Pod, known: Known | None, wide: bool) -> list[Cell]:
    """The pod as it is; where it is silent, with its last answer, marked as old."""
    old = known if known is not None and known.pod is not pod and pod.info is None else None
    shown = old.pod if old else pod
    role = WORD[seen.topology.role(pod)]
    note = ", ".join(n for n in (_age(old), remark(seen, pod)) if n)
    return [
        (clean(pod.name), "strong" if seen.topology.primary is pod else ""),
        role,
        *([CONNECTED[seen.topology.connected(pod)]] if wide else []),
        (_identity(seen, shown, wide), "faint"),
        (positions(seen, shown, wide), "faint" if old else ""),
        *([(_volume(seen, pod), "faint")] if wide else []),
        (note, "warning" if old else ""),
    ]


def _absent(seen: ClusterReport, ref: ObjectRef, known: Known | None, wide: bool) -> list[Cell]:
    """A pod that is asked for and not there."""
    identity = _identity(seen, known.pod, wide) if known else "?"
    at = positions(seen, known.pod, wide) if known else "?"
    note = ", ".join(n for n in (_age(known), "is asked for and not there") if n)
    return [
        (clean(ref.name), ""), ("MISSING", "error"), *([CONNECTED[False]] if wide else []), (identity, "faint"), (at, "faint"),
        *([("-", "faint")] if wide else []), (note, "warning" if known else ""),
    ]  # fmt: skip


def _age(old: Known | None) -> str:
    return f"OLD, of {clock_time(old.at)}" if old else ""


def _identity(seen: ClusterReport, pod: Pod, wide: bool) -> str:
    if pod.info is None:
        return "?"
    return clean(pod.cluster_id or "no id") if wide else short_id(pod.cluster_id, [p.cluster_id for p in seen.cluster.pods])


def positions(seen: ClusterReport, pod: Pod, wide: bool) -> str:
    """`db at 1f/aa50 (3 behind)`; wide: as LiteFS writes it, `db 000000000000001f/aa50e9c731d14fcb (3 behind)`."""
    if pod.databases is None:
        return "?"
    parts = []
    for mine in pod.databases:
        late = seen.topology.behind(pod, mine)
        at = f"{mine.name} {mine.position}" if wide else f"{mine.name} at {mine.txid:x}/{mine.checksum[:4]}" if mine.txid else f"{mine.name} empty"
        parts.append(at + (f" ({late} behind)" if late else ""))
    return clean(", ".join(parts)) or "none"


def capacity(seen: ClusterReport, pod: Pod) -> str:
    """The size of the volume that the pod's data lies on, as the API writes it; empty where it cannot be seen."""
    claim = seen.cluster.claim(pod)
    return clean(str(claim.get("status.capacity.storage") or "")) if claim is not None else ""


def _volume(seen: ClusterReport, pod: Pod) -> str:
    size = capacity(seen, pod)
    return f"{clean(pod.data_claim)}{f' {size}' if size else ''}, use unknown" if pod.data_claim else "no claim seen"


def _verdict(seen: ClusterReport, look: Look, *, outdated: bool) -> list[Line]:
    """What the rules say, one line and their message each; "well" only where every pod is seen to follow, now."""
    lines: list[Line] = []
    causes = [f for f in seen.active if f.consequence_of is None or f.consequence_of not in {a.fingerprint for a in seen.active}]
    for finding in causes:
        head = f"{finding.severity.value.upper().ljust(7)}  {finding.rule} {finding.name}"
        lines.append(line((head, finding.severity.value), "  ", clip(finding.subject.name, max(12, look.width - len(head) - 2))))
        rows = wrap(finding.message, look.width - 5)
        rows[MOST_ROWS - 1 :] = [rows[MOST_ROWS - 1] + " ..."] if len(rows) > MOST_ROWS else rows[MOST_ROWS - 1 :]
        lines += [line(INDENT, row) for row in rows]
    if len(causes) < len(seen.active):
        lines.append(line(INDENT, (f"{count(len(seen.active) - len(causes), 'finding')} more, which this explains", "faint")))
    accepted = [f for f in seen.findings if f.suppressed is not None]
    if accepted:
        lines.append(line(INDENT, (clip(f"suppressed: {', '.join(dict.fromkeys(f.rule for f in accepted))}", look.width - 2), "faint")))
    if any(f.severity is Severity.ERROR for f in seen.active) or seen.blind:
        return lines
    if outdated:
        told = ("How it is now is unknown.", "warning")
    elif seen.scaled_to_zero:
        told = ("Scaled to 0: nothing runs.", "strong")
    elif seen.topology.all_follow and not missing(seen):
        told = ("Every replica follows the primary.", "good") if len(seen.cluster.pods) > 1 else ("The primary answers; there is no replica.", "good")
    else:
        told = ("Not every pod is known to follow the primary.", "warning")
    return [line(INDENT, told), *lines]


def _next(report: Report, look: Look, bundle: str) -> list[Line]:
    """Where to read why: only `diagnose` sees enough to say what to do."""
    if not report.active:
        return []
    where = f"--from {shlex.quote(bundle)}" if bundle else f"-n {report.namespaces[0]}" if len(report.namespaces) == 1 else "-A"
    command = clean(with_flags(f"kubectl litefs diagnose {where}", look.kube_flags))
    why = "   # why, and what to do"
    return [line(("next: ", "strong"), (command, "command"), (why if len("next: " + command + why) <= look.width else "", "faint"))]
