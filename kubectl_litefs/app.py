"""The use cases. Each takes what it needs from outside as arguments and returns a value; nothing is printed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import engine
from .errors import CouldNotLook, UsageError
from .gather import bundle, selection
from .model.cluster import Facts
from .model.custom import NOTHING, Custom
from .model.report import Report
from .model.snapshot import Snapshot
from .model.suppression import Suppression
from .model.target import Target
from .parse import ignores
from .parse.assemble import assemble
from .ports import Clock, Kube, Observer, WritableKube
from .rules import ALL

if TYPE_CHECKING:
    from .fix.options import FixOptions
    from .fix.outcome import Outcome
    from .fix.plan import Plan
    from .fix.work import Ui


def diagnose_live(kube: Kube, target: Target, clock: Clock, observer: Observer, custom: Custom = NOTHING) -> Report:
    """Look at a cluster through its API server and judge it. Reads only.

    Raises CouldNotLook where not even the pods could be listed, UsageError for names that do not exist.
    """
    from .gather import live

    return judge(live.gather(kube, target, clock, observer), custom)


def diagnose_bundle(path: Path, wanted: tuple[str, ...] = (), custom: Custom = NOTHING) -> Report:
    """Judge a saved bundle: the same findings as live, at the time it was taken."""
    snapshot = bundle.load(path)
    if wanted:
        snapshot = dataclasses.replace(snapshot, wanted=chosen(snapshot, wanted))
    return judge(snapshot, custom)


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


def typed_suppressions(entries: Sequence[str], by: str) -> tuple[Suppression, ...]:
    """Entries such as `LFS203=StatefulSet/abaci/abaci-app: one region`, typed for this run."""
    try:
        return tuple(s for entry in entries for s in ignores.read_entry(entry, by))
    except ignores.Malformed as error:
        raise UsageError("bad-suppression", f"{by}: {error}", hint="docs/suppressing.md tells the forms.") from None


def saved_suppressions(path: Path, name: str) -> tuple[Suppression, ...]:
    """The suppressions of a file, which messages call `name`. A file with a mistake is refused whole."""
    hint = "--no-config goes on without it."
    try:
        found, problems = ignores.read_file(path.read_bytes(), name)
    except OSError as error:
        raise UsageError("no-config", f"cannot read {name}: {error.strerror}", hint=hint) from None
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UsageError("bad-config", f"{problems[0]}{more}", hint=hint)
    return found


def judge(snapshot: Snapshot, custom: Custom = NOTHING) -> Report:
    """Facts, rules, report: the one path that live and replayed runs share."""
    facts = assemble(snapshot)
    require_litefs(facts)
    annotated, problems = ignores.from_annotations(facts)
    report = engine.judge(facts, (*ALL, *custom.rules), (*custom.suppressions, *annotated))
    return dataclasses.replace(report, notices=(*problems, *report.notices)) if problems else report


def require_litefs(facts: Facts) -> None:
    """No LiteFS found is never a pass."""
    if not facts.clusters:
        raise CouldNotLook(
            "no-litefs-found",
            "no LiteFS found; looked at " + ("; ".join(facts.looked_at) or "nothing"),
            hint="Name the namespace with -n, or the set: kubectl litefs diagnose statefulset/NAME -n NAMESPACE",
        )


def chosen(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in canonical form. One that no LiteFS set or pod of the snapshot bears is refused."""
    clusters = assemble(dataclasses.replace(snapshot, wanted=())).clusters
    existing: dict[str, set[str]] = {}
    for ref in (r for c in clusters for r in (*c.workloads, *(p.ref for p in c.pods))):
        existing.setdefault(ref.kind.lower() + "s", set()).add(ref.name)
    return tuple(selection.canonical(n, existing, ", ".join(snapshot.namespaces)) for n in names)
