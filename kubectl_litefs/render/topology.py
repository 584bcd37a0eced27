"""Who is primary, who follows, at which positions: a cluster drawn in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.lease import lease_of
from ..model.pod import Pod
from ..model.report import ClusterReport
from ..model.topology import Role
from .paint import Line, Piece, line
from .pods import unowned
from .words import clean, clip, count

MOST_PODS = 8
"""Pods drawn; of a larger set the ones that are well are left out first."""

MOST_DATABASES = 3

WORD = {
    Role.PRIMARY: ("primary", "good"),
    Role.FOLLOWING: ("following", "good"),
    Role.BEHIND: ("BEHIND", "warning"),
    Role.STRANGER: ("STRANGER", "error"),
    Role.DISCONNECTED: ("CUT OFF", "error"),
    Role.CONNECTING: ("connecting", "warning"),
    Role.REPLICA: ("replica", ""),
    Role.DOWN: ("DOWN", "error"),
    Role.UNKNOWN: ("unseen", "warning"),
}
"""What a pod is, in one word, and its colour."""

Cell = Piece
"""Text and style of one column."""


def draw(seen: ClusterReport, *, width: int, fancy: bool, everything: bool) -> list[Line]:
    """The set's line, then one line for each pod, the primary first."""
    lines = [title(seen, width)]
    if seen.planned:
        return lines
    pods = in_order(seen)
    shown, left_out = pods, 0
    if not everything and len(pods) > MOST_PODS:
        well = [p for p in pods if seen.topology.role(p) is Role.FOLLOWING]
        left_out = min(len(well), len(pods) - MOST_PODS)
        dropped = {p.name for p in well[len(well) - left_out :]} if left_out else set()
        shown = [p for p in pods if p.name not in dropped]
    rows = [_row(seen, pod) for pod in shown]
    branches = [branch(seen, pod, fancy, last=at == len(shown) - 1 and not left_out) for at, pod in enumerate(shown)]
    lines += grid(branches, rows, width)
    if left_out:
        lines.append(line(("  `- " if not fancy else "  └─ ", "faint"), f"{left_out} more pods are following"))
    return lines


def grid(branches: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    """Rows in columns: the first cell hangs on its branch, the last is a note, cut where the line ends."""
    named = max((len(b + r[0][0]) for b, r in zip(branches, rows, strict=True)), default=0)
    columns = [max(len(r[i][0]) for r in rows) for i in range(1, len(rows[0]) - 1)] if rows else []
    used = named + sum(columns) + 2 * len(columns) + 2
    lines: list[Line] = []
    for hangs, (name, *cells, note) in zip(branches, rows, strict=True):
        pieces: list[str | Piece] = [(hangs, "faint"), (name[0].ljust(named - len(hangs)), name[1])]
        for (text, style), column in zip(cells, columns, strict=True):
            pieces += ["  ", (text.ljust(column), style)]
        lines.append(line(*pieces, "  ", (clip(note[0], max(12, width - used)), note[1])))
    return lines


def title(seen: ClusterReport, width: int) -> Line:
    """Which set it is, and what is known of all of it."""
    cluster = seen.cluster
    sets = ", ".join(str(w) for w in cluster.workloads) or unowned(cluster)
    left = clean(cluster.name if cluster.alone else f"{cluster.namespace} / {sets}")
    right = clip(", ".join(_facts(seen)), max(20, width - len(left) - 2))
    gap = max(2, width - len(left) - len(right))
    return line((left, "strong"), " " * gap, (right, "faint"))


def _facts(seen: ClusterReport) -> list[str]:
    pods = seen.cluster.pods
    versions = sorted({run.version for p in pods for run in p.runs[:1] if run.version})
    kinds = sorted({str(kind.value) for p in pods if (kind := lease_of(p).type) is not None})
    facts = [f"LiteFS {' and '.join(versions)}"] if versions else []
    facts += [f"{' and '.join(kinds)} lease"] if kinds else []
    unseen = not pods and "pods" in seen.cluster.gaps
    return facts if seen.cluster.alone else [*facts, "pods not seen" if unseen else count(len(pods), "pod")]


def in_order(seen: ClusterReport) -> list[Pod]:
    """Primaries first, then by ordinal."""

    def key(pod: Pod) -> tuple[int, int, str]:
        lead = 0 if seen.topology.role(pod) is Role.PRIMARY else 1
        return lead, pod.ordinal if pod.ordinal is not None else 0, pod.name

    return sorted(seen.cluster.pods, key=key)


def branch(seen: ClusterReport, pod: Pod, fancy: bool, *, last: bool) -> str:
    """A tree under the primary, where there is exactly one; else a plain list."""
    if seen.topology.primary is None or seen.topology.role(pod) is Role.PRIMARY:
        return "  "
    if fancy:
        return "  └─ " if last else "  ├─ "
    return "  `- " if last else "  |- "


def _row(seen: ClusterReport, pod: Pod) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    role = seen.topology.role(pod)
    identity = short_id(pod.cluster_id, [p.cluster_id for p in seen.cluster.pods]) if pod.info else "?"
    off = role in (Role.STRANGER, Role.PRIMARY) and len({p.cluster_id for p in seen.cluster.pods if p.cluster_id}) > 1
    return (
        (clean(pod.name), "strong" if role is Role.PRIMARY else ""),
        WORD[role],
        (identity, "warning" if off else "faint"),
        (databases(seen, pod), ""),
        (remark(seen, pod), ""),
    )


def short_id(cluster_id: str | None, others: Sequence[str | None]) -> str:
    """`LFSC..6728`: the last four digits, more where two ids would look alike."""
    if not cluster_id:
        return "no id"
    distinct = {o for o in others if o} | {cluster_id}
    for digits in (4, 8, 16):
        if len({o[-digits:] for o in distinct}) == len(distinct):
            break
    if len(cluster_id) <= digits + 4:
        return clean(cluster_id)
    return clean(f"{cluster_id[:4]}..{cluster_id[-digits:]}")


def databases(seen: ClusterReport, pod: Pod) -> str:
    """`db at 7, 3 behind`; the checksum's beginning where a position alone would hide a difference."""
    if pod.databases is None:
        return "?"
    if not pod.databases:
        return "none"
    parts = []
    for mine in pod.databases[:MOST_DATABASES]:
        text = f"{mine.name} at {mine.txid}" if mine.txid else f"{mine.name} empty"
        late = seen.topology.behind(pod, mine)
        if late:
            text += f" ({late} behind)"
        elif mine.txid and _differs(seen, mine.name, mine.txid, mine.checksum):
            text += f" ({mine.checksum[:4]})"
        parts.append(text)
    more = len(pod.databases) - MOST_DATABASES
    return clean(", ".join(parts) + (f", {more} more" if more > 0 else ""))


def _differs(seen: ClusterReport, name: str, txid: int, checksum: str) -> bool:
    """Whether another pod holds this database at the same transaction with other content."""
    return any(
        (d := other.database(name)) is not None and d.txid == txid and d.checksum != checksum for other in seen.cluster.pods
    )


def remark(seen: ClusterReport, pod: Pod) -> str:
    """What a row adds in words: counts for a primary, the trouble for the others."""
    role, link = seen.topology.role(pod), seen.topology.links[pod.name]
    words = ""
    if role is Role.PRIMARY and seen.topology.primary is pod:
        others = [p for p in seen.cluster.pods if p is not pod]
        following, unseen = (sum(seen.topology.role(p) is r for p in others) for r in (Role.FOLLOWING, Role.UNKNOWN))
        if others:
            words = f"{count(len(others), 'replica')}, {'all' if following == len(others) else following} following"
            words = f"{following} following, {unseen} unseen" if unseen else words
    elif role is Role.PRIMARY:
        words = "one of several primaries"
    elif role is Role.STRANGER:
        words = "refuses the primary's stream"
    elif role in (Role.DISCONNECTED, Role.CONNECTING, Role.DOWN, Role.UNKNOWN):
        words = link.why.split(";")[0]
    restarts = pod.container.restarts
    return ", ".join([w for w in (words, count(restarts, "restart") if restarts else "") if w])
