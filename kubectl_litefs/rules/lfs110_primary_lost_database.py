"""LFS110 primary-lost-database: the primary lost a database that the replicas still hold."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import blind
from ..model.cluster import Cluster
from ..model.copies import best_holder, exports, import_copy, plain, save_all
from ..model.families import position
from ..model.lost import Lost, cleared_lines, lost_databases
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    found = lost_databases(cluster)
    for loss in found:
        yield _finding(cluster, loss)
    lead = topology(cluster).primary
    if not found and lead is not None and lead.databases is None:
        yield Unknown(lead.gaps.get("vars") or blind(lead))


def _finding(cluster: Cluster, loss: Lost) -> Finding:
    held = ", ".join(f"{p.name} ({position(d)})" for p, d in loss.holders)
    why = " LiteFS found a broken header there and cleared its files." if loss.name in cleared_lines(loss.primary) else ""
    if loss.again:
        state = "The application has made it anew there, and these copies are replaced as soon as their pods connect."
    else:
        state = "The first write to a new file of that name replaces these copies within a second."
    commands, fix = _rescue(cluster, loss)
    return RULE.finding(
        loss.primary.ref,
        f"The primary {loss.primary.name} has lost database {loss.name}; it is still on {held}.{why} {state}",
        *loss.evidence,
        fix=fix,
        commands=commands,
        key=loss.name,
    )


def _rescue(cluster: Cluster, loss: Lost) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Export from every holder at once; the way back only where it overwrites nothing and the best copy is clear."""
    saves = (save_all(cluster), *exports([p for p, _ in loss.holders], loss.name))
    if loss.again:
        return saves, (RULE.fix[0], *_MADE_AGAIN)
    source, contradict = best_holder(loss.holders)
    if contradict:
        return saves, (*RULE.fix[:2], _CONTRADICT)
    if not plain(loss.name):
        return saves, (*RULE.fix[:2], _ODD_NAME)
    return (*saves, import_copy(cluster, loss.primary, source, loss.name)), RULE.fix


_MADE_AGAIN = (
    "Do not restart these replicas and do not repair their connection before the files are saved.",
    "Do not import the file over what the primary has collected since: compare both, and carry rows over by hand.",
)
_CONTRADICT = "The replicas hold different content at the same txid: keep every file, and let a person decide which one goes back."
_ODD_NAME = "LiteFS does not check the names it imports under, and this one is no plain file name: bring it back by hand."

RULE = Rule(
    id="LFS110",
    name="primary-lost-database",
    title="The primary lost a database; the replicas hold the last copy",
    severity=Severity.ERROR,
    heals="no",
    symptom="`invalid database header on ..., clearing data files` at the primary's start, or a database at txid 0 there while "
    "replicas have data. The pods are Ready.",
    impact="The replicas are the last copy, and they obey: as soon as the application makes the file again on the primary, LiteFS "
    "replaces them too.",
    cause="LiteFS found a broken header at its start and deleted its copy, or somebody removed the files. The cluster id is "
    "unchanged, so nothing protects the replicas.",
    fix=(
        "At once, before anything else, save the database from every replica: `kubectl litefs rescue save` does it and checks each "
        "file. By hand: the exports below; each integrity check must answer ok.",
        "Stop the writers if that is quick. Do not restart the primary before the import: its start commands (migrations) make the "
        "file again. Never reset a replica now.",
        "Import the best file into the primary, then restart the primary's pod: open connections keep the empty schema. `kubectl "
        "litefs rescue run` does both, and proves the result.",
        "Then txid and checksum must be equal on all pods; `client transaction id ... exceeds` in the primary's log is the rescue "
        "here, not a loss.",
    ),
    reads=("info", "vars", "log"),
    check=check,
    follows=(),
)
