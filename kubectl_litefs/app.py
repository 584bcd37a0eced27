"""The use cases. Each takes what it needs from outside as arguments and returns a value; nothing is printed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from . import engine
from .gather import bundle, selection
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
    from .rescue.options import RescueOptions
    from .rescue.plan import RescuePlan
    from .rescue.save import SaveOptions, SaveResult


def diagnose_live(kube: Kube, target: Target, clock: Clock, observer: Observer) -> Report:
    """Look at a cluster through its API server and judge it. Reads only.

    Raises CouldNotLook where not even the pods could be listed, UsageError for names that do not exist.
    """
    from .gather import live

    return judge(live.gather(kube, target, clock, observer))


def diagnose_bundle(path: Path, wanted: tuple[str, ...] = ()) -> Report:
    """Judge a saved bundle: the same findings as live, at the time it was taken."""
    snapshot = bundle.load(path)
    if wanted:
        snapshot = dataclasses.replace(snapshot, wanted=chosen(snapshot, wanted))
    return judge(snapshot)


def save_bundle(kube: Kube, target: Target, clock: Clock, observer: Observer, out: Path) -> Snapshot:
    """Write what `diagnose` would read, redacted, to a .tar.gz that does not exist yet."""
    from .gather import live

    snapshot = live.gather(kube, target, clock, observer)
    selection.require_litefs(assemble(snapshot))
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


def rescue_save(kube: Kube, options: SaveOptions, clock: Clock, ui: Ui) -> SaveResult:
    """Save every database of every pod that answers, and say which copy is the best. Reads only."""
    from .rescue.save import save

    return save(kube, options, clock, ui)


def rescue_run(
    kube: WritableKube,
    options: RescueOptions,
    clock: Clock,
    ui: Ui,
    confirm: Callable[[RescuePlan], bool],
    environ: Mapping[str, str],
) -> Outcome:
    """Bring the data of the replicas back to the primary; `confirm` is asked once, before anything is changed.

    Raises UsageError for a set that does not exist or is not the only one; everything else is an Outcome.
    """
    from .rescue.run import RescueRun

    return dataclasses.replace(RescueRun(kube, options, clock, ui, confirm, environ).go(), kind="RescueResult")


def judge(snapshot: Snapshot) -> Report:
    """Facts, rules, report: the one path that live and replayed runs share."""
    facts = assemble(snapshot)
    selection.require_litefs(facts)
    return engine.judge(facts, ALL)


def chosen(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in canonical form. One that no LiteFS set or pod of the snapshot bears is refused."""
    clusters = assemble(dataclasses.replace(snapshot, wanted=())).clusters
    existing: dict[str, set[str]] = {}
    for ref in (r for c in clusters for r in (*c.workloads, *(p.ref for p in c.pods))):
        existing.setdefault(ref.kind.lower() + "s", set()).add(ref.name)
    return tuple(selection.canonical(n, existing, ", ".join(snapshot.namespaces)) for n in names)
