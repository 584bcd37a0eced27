"""The use cases. Each takes what it needs from outside as arguments and returns a value; nothing is printed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from . import engine
from .errors import CouldNotLook, UsageError
from .gather import bundle, redact, selection
from .model.cluster import Cluster, Facts
from .model.custom import NOTHING, Custom
from .model.report import Report
from .model.rule import Finding
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
    from .model.effective import Effective
    from .rescue.options import RescueOptions
    from .rescue.plan import RescuePlan
    from .rescue.save import SaveOptions, SaveResult
    from .rescue.undo_plan import UndoPlan

EPOCH = datetime.fromtimestamp(0, timezone.utc)
"""The time of what is judged at no time."""


def files_to_apply(paths: Sequence[str], stdin: Callable[[], BinaryIO], *, recursive: bool) -> Snapshot:
    """The files of `-f`, for the functions below: what would the cluster look like after them?

    Raises UsageError for a path that is not there, or without one Kubernetes object in it; CouldNotLook for a file that
    cannot be read: `kubectl apply` would refuse it as well.
    """
    from .gather import files
    from .parse.files.read import read_desired

    given = files.redacted(files.gather(paths, stdin, EPOCH, recursive=recursive))
    desired = read_desired(given)
    if desired.gaps:
        raise CouldNotLook("bad-file", f"cannot read {desired.gaps[0].detail or desired.gaps[0].what}")
    if not desired.objects:
        raise UsageError("no-objects", f"no Kubernetes object in {', '.join(paths)}", hint="-f takes what kubectl apply -f takes; -R looks into folders further down.")
    return given


def diagnose_live(
    kube: Kube, target: Target, clock: Clock, observer: Observer, custom: Custom = NOTHING, files: Snapshot | None = None
) -> Report:
    """Look at a cluster through its API server and judge it, with `files` as it would be after them. Reads only.

    Raises CouldNotLook where not even the pods could be listed, UsageError for names that do not exist.
    """
    from .gather import live

    return judge(_with(live.gather(kube, target, clock, observer), files), custom)


def diagnose_bundle(path: Path, wanted: tuple[str, ...] = (), custom: Custom = NOTHING, files: Snapshot | None = None) -> Report:
    """Judge a saved bundle: the same findings as live, at the time it was taken. `files` take the place of those kept in it."""
    return judge(_with(saved(path, wanted, custom.patterns), files), custom)


def saved(path: Path, wanted: tuple[str, ...], patterns: tuple[str, ...] = ()) -> Snapshot:
    """What was saved, narrowed to the sets that the names belong to."""
    snapshot = bundle.load(path, patterns)
    return dataclasses.replace(snapshot, wanted=chosen(snapshot, wanted)) if wanted else snapshot


def diagnose_logs(paths: Sequence[str], namespace: str, observer: Observer, custom: Custom = NOTHING) -> Report:
    """Judge logs alone. `namespace` is theirs where they do not tell; empty where nobody knows."""
    from .gather import log_files

    return judge(log_files.gather(paths, namespace, observer, custom.patterns), custom)


def facts_live(kube: Kube, target: Target, clock: Clock, observer: Observer) -> Facts:
    """What a cluster shows of LiteFS, unjudged. Raises as `diagnose_live` does, and where there is no LiteFS."""
    from .gather import live

    return _facts(live.gather(kube, target, clock, observer))


def facts_saved(path: Path, wanted: tuple[str, ...]) -> Facts:
    """The same of what was saved."""
    return _facts(saved(path, wanted))


def facts_files(paths: Sequence[str], stdin: Callable[[], BinaryIO], clock: Clock, wanted: tuple[str, ...] = ()) -> Facts:
    """The same of files, before there is a cluster; `wanted` narrows it to pods and sets that they would make. Raises as
    `lint` does, and UsageError for a name that is none of these."""
    from .gather import files

    facts = assemble(files.gather(paths, stdin, clock.now()))
    selection.require_litefs(facts)
    if not wanted:
        return facts
    names = tuple(_canonical(n, facts.clusters, "the files, and there is no file of that name") for n in wanted)
    clusters = tuple(c for c in facts.clusters if any({str(ref), ref.name} & set(names) for ref in c.bearers))
    return dataclasses.replace(facts, clusters=clusters, wanted=names)


def _facts(snapshot: Snapshot) -> Facts:
    facts = assemble(snapshot)
    selection.require_litefs(facts)
    return dataclasses.replace(facts, wanted=snapshot.wanted)


def settings(facts: Facts) -> list[tuple[Cluster, list[Effective]]]:
    """The settings of each cluster's pods; of the pods that were named, where only pods were. Without secrets."""
    from .gather.redact_settings import plain
    from .model.effective import effective

    named = {name for name in facts.wanted if not name.startswith(("statefulset/", "deployment/", "daemonset/"))}
    sets = {name for cluster in facts.clusters for w in cluster.workloads for name in (str(w), w.name)}
    return [
        (c, [plain(e) for e in effective(c) if not named or named & sets or {e.pod.name, str(e.pod.ref)} & named])
        for c in facts.clusters
    ]


def _with(snapshot: Snapshot, files: Snapshot | None) -> Snapshot:
    if files is None:
        return snapshot
    items = {p: item for p, item in snapshot.items.items() if not p.startswith(bundle.FILES)}
    return dataclasses.replace(snapshot, items={**items, **files.items})


STATUS_KINDS = frozenset({"pods", "services", "persistentvolumeclaims", "statefulsets", "deployments", "daemonsets"})
"""What `status` lists: the pods, what owns them, their volumes, and the Services that tell a pod of LiteFS from others."""

STATUS_RULES = frozenset("LFS101 LFS102 LFS103 LFS104 LFS105 LFS108 LFS110 LFS309 LFS801 LFS802 LFS806".split())
"""Those that say who does not follow, and who holds what nobody else does."""


def status_live(kube: Kube, target: Target, clock: Clock, observer: Observer, suppressions: Sequence[Suppression] = ()) -> Report:
    """Who follows whom, at which positions. Reads less than `diagnose`, and judges only what tells that."""
    from .gather import live

    brief = dataclasses.replace(target, kinds=STATUS_KINDS, followers_only=True)
    return _status(live.gather(kube, brief, clock, observer), suppressions)


def status_bundle(path: Path, wanted: tuple[str, ...] = (), suppressions: Sequence[Suppression] = ()) -> Report:
    """The same of a saved bundle, at the time it was taken."""
    return _status(saved(path, wanted), suppressions)


def _status(snapshot: Snapshot, suppressions: Sequence[Suppression]) -> Report:
    """By the same rules as `diagnose`. What is suppressed of the others does not concern it; a rule that nobody knows does."""
    facts = assemble(snapshot)
    selection.require_litefs(facts)
    chosen_rules = [r for r in ALL if r.id in STATUS_RULES or r.id == engine.CRASHED]
    others = {r.id for r in ALL} - STATUS_RULES
    annotated, problems = ignores.from_annotations(facts)
    report = engine.judge(facts, chosen_rules, [s for s in (*suppressions, *annotated) if s.rule not in others])
    return dataclasses.replace(report, notices=(*problems, *report.notices))


def lint(paths: Sequence[str], stdin: Callable[[], BinaryIO], clock: Clock, custom: Custom = NOTHING) -> Report:
    """Judge files before there is a cluster: manifests, litefs.yml. `-` among the paths is standard input.

    Raises UsageError for a path that is not there, CouldNotLook where no LiteFS stands in any of the files.
    """
    return _without_cluster(_judged(facts_files(paths, stdin, clock), custom))


def _without_cluster(report: Report) -> Report:
    """No commands that ask a cluster, for there is none; and no secrets of the files in what is printed."""

    def plain(finding: Finding) -> Finding:
        seen = tuple(dataclasses.replace(e, excerpt=redact.text(e.excerpt)) for e in finding.evidence)
        return dataclasses.replace(finding, commands=(), evidence=seen, message=redact.text(finding.message))

    clusters = tuple(dataclasses.replace(c, findings=tuple(map(plain, c.findings))) for c in report.clusters)
    return dataclasses.replace(report, clusters=clusters, findings=tuple(map(plain, report.findings)))


def save_bundle(kube: Kube, target: Target, clock: Clock, observer: Observer, out: Path, files: Snapshot | None = None) -> Snapshot:
    """Write what `diagnose` would read, redacted, with the files of `-f`, to a .tar.gz that does not exist yet."""
    from .gather import live

    bundle.require_new(out)
    snapshot = _with(live.gather(kube, target, clock, observer), files)
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


def rescue_undo(
    kube: WritableKube,
    options: RescueOptions,
    clock: Clock,
    ui: Ui,
    confirm: Callable[[UndoPlan], bool],
    environ: Mapping[str, str],
) -> Outcome:
    """Bring back what a rescue has put aside on the primary's volume; otherwise as `rescue_run`."""
    from .rescue.undo import UndoRun

    return dataclasses.replace(UndoRun(kube, options, clock, ui, confirm, environ).go(), kind="RescueResult")


def judge(snapshot: Snapshot, custom: Custom = NOTHING) -> Report:
    """Facts, rules, report: the one path that live and replayed runs share."""
    snapshot = dataclasses.replace(snapshot, patterns=custom.patterns)
    if any(path.startswith(bundle.FILES) for path in snapshot.items):
        return _after_files(snapshot, custom)
    facts = assemble(snapshot)
    selection.require_litefs(facts)
    return _judged(facts, custom)


def _after_files(snapshot: Snapshot, custom: Custom) -> Report:
    """The cluster as it would be once the files in the snapshot are applied, against how it is."""
    from .compare import compare
    from .parse.files.read import read_desired
    from .parse.overlay import overlay

    kept = {p: item for p, item in snapshot.items.items() if p.startswith(bundle.FILES)}
    files = Snapshot(kept, (), (), snapshot.taken_at, "files", wanted=tuple(kept))
    laid = overlay(snapshot, read_desired(files), redact.obj)
    facts = assemble(laid.snapshot, laid.lists)
    selection.require_litefs(facts)
    now, after = _judged(assemble(snapshot), custom), _judged(facts, custom)
    idle = _judged(assemble(laid.snapshot, laid.unchanged), custom)
    report = compare(now, idle, after, (*ALL, *custom.rules), laid.drift, laid.restarted)
    return dataclasses.replace(report, notices=tuple(dict.fromkeys((*laid.notices, *report.notices))))


def _judged(facts: Facts, custom: Custom) -> Report:
    """Every rule, with what the user and the objects' annotations say of them."""
    annotated, problems = ignores.from_annotations(facts)
    report = engine.judge(facts, (*ALL, *custom.rules), (*custom.suppressions, *annotated))
    return dataclasses.replace(report, notices=(*problems, *report.notices)) if problems else report


def chosen(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in canonical form. One that no LiteFS set or pod of the snapshot bears is refused."""
    clusters = assemble(dataclasses.replace(snapshot, wanted=())).clusters
    return tuple(_canonical(n, clusters, ", ".join(snapshot.namespaces)) for n in names)


def _canonical(name: str, clusters: Sequence[Cluster], where: str) -> str:
    existing: dict[str, set[str]] = {}
    for ref in (r for c in clusters for r in c.bearers):
        if name == ref.name:  # of a service of a compose file it may have a slash
            return name
        existing.setdefault(ref.kind.lower() + "s", set()).add(ref.name)
    return selection.canonical(name, existing, where)
