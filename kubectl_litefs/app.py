"""The use cases. Each takes what it needs from outside as arguments and returns a value; nothing is printed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import engine
from .errors import CouldNotLook
from .gather import bundle, selection
from .model.cluster import Cluster, Facts
from .model.report import Report
from .model.snapshot import Snapshot
from .model.target import Target
from .parse.assemble import assemble
from .ports import Clock, Kube, Observer, WritableKube
from .rules import ALL

if TYPE_CHECKING:
    from .fix.options import FixOptions
    from .fix.outcome import Outcome
    from .fix.plan import Plan
    from .fix.work import Ui
    from .model.effective import Effective


def diagnose_live(kube: Kube, target: Target, clock: Clock, observer: Observer) -> Report:
    """Look at a cluster through its API server and judge it. Reads only.

    Raises CouldNotLook where not even the pods could be listed, UsageError for names that do not exist.
    """
    from .gather import live

    return judge(live.gather(kube, target, clock, observer))


def diagnose_bundle(path: Path, wanted: tuple[str, ...] = ()) -> Report:
    """Judge a saved bundle: the same findings as live, at the time it was taken."""
    return judge(saved(path, wanted))


def saved(path: Path, wanted: tuple[str, ...]) -> Snapshot:
    """What was saved, narrowed to the sets that the names belong to."""
    snapshot = bundle.load(path)
    return dataclasses.replace(snapshot, wanted=chosen(snapshot, wanted)) if wanted else snapshot


def diagnose_logs(paths: Sequence[str], namespace: str, observer: Observer) -> Report:
    """Judge logs alone. `namespace` is theirs where they do not tell; empty where nobody knows."""
    from .gather import log_files

    return judge(log_files.gather(paths, namespace, observer))


def facts_live(kube: Kube, target: Target, clock: Clock, observer: Observer) -> Facts:
    """What a cluster shows of LiteFS, unjudged. Raises as `diagnose_live` does, and where there is no LiteFS."""
    from .gather import live

    return _facts(live.gather(kube, target, clock, observer))


def facts_saved(path: Path, wanted: tuple[str, ...]) -> Facts:
    """The same of what was saved."""
    return _facts(saved(path, wanted))


def _facts(snapshot: Snapshot) -> Facts:
    facts = assemble(snapshot)
    require_litefs(facts)
    return dataclasses.replace(facts, wanted=snapshot.wanted)


def settings(facts: Facts) -> list[tuple[Cluster, list[Effective]]]:
    """The settings of each cluster's pods; of the pods that were named, where only pods were."""
    from .model.effective import effective

    named = {name for name in facts.wanted if not name.startswith(("statefulset/", "deployment/", "daemonset/"))}
    sets = {name for cluster in facts.clusters for w in cluster.workloads for name in (str(w), w.name)}
    return [
        (c, [e for e in effective(c) if not named or named & sets or {e.pod.name, str(e.pod.ref)} & named]) for c in facts.clusters
    ]


def save_bundle(kube: Kube, target: Target, clock: Clock, observer: Observer, out: Path) -> Snapshot:
    """Write what `diagnose` would read, redacted, to a .tar.gz that does not exist yet."""
    from .gather import live

    snapshot = live.gather(kube, target, clock, observer)
    require_litefs(assemble(snapshot))
    bundle.save(snapshot, out)
    return snapshot


def fix_cluster_id(
    kube: WritableKube, options: FixOptions, clock: Clock, ui: Ui, confirm: Callable[[Plan], bool], environ: Mapping[str, str]
) -> Outcome:
    """Reset one replica that belongs to another LiteFS cluster; `confirm` is asked once, before anything is changed.

    Raises UsageError for a pod that does not exist; everything else is an Outcome.
    """
    from .fix.run import Run

    return Run(kube, options, clock, ui, confirm, environ).go()


def judge(snapshot: Snapshot) -> Report:
    """Facts, rules, report: the one path that live and replayed runs share."""
    facts = assemble(snapshot)
    require_litefs(facts)
    return engine.judge(facts, ALL)


def require_litefs(facts: Facts) -> None:
    """No LiteFS found is never a pass."""
    if not facts.clusters:
        raise CouldNotLook(
            "no-litefs-found",
            "no LiteFS found; looked at " + ("; ".join(facts.looked_at) or "nothing"),
            hint=_NO_LITEFS[facts.source],
        )


_NO_LITEFS = {
    "live": "Name the namespace with -n, or the set: kubectl litefs diagnose statefulset/NAME -n NAMESPACE",
    "bundle": "It was saved of another namespace, or of no LiteFS cluster.",
    "files": "Pods, ConfigMaps and the logs of LiteFS's container tell the most.",
    "logs": "LiteFS's lines stand in its container's log: kubectl logs POD --all-containers --prefix --timestamps > POD.log",
}


def chosen(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in canonical form. One that no LiteFS set or pod of the snapshot bears is refused."""
    clusters = assemble(dataclasses.replace(snapshot, wanted=())).clusters
    existing: dict[str, set[str]] = {}
    for ref in (r for c in clusters for r in (*c.workloads, *(p.ref for p in c.pods))):
        existing.setdefault(ref.kind.lower() + "s", set()).add(ref.name)
    return tuple(selection.canonical(n, existing, ", ".join(snapshot.namespaces)) for n in names)
