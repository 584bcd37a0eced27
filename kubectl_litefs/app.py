"""The use cases. Each takes what it needs from outside as arguments and returns a value; nothing is printed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from . import engine
from .errors import CouldNotLook, UsageError
from .gather import bundle, redact, selection
from .model.cluster import Facts
from .model.comparison import Side, side_of
from .model.custom import NOTHING, Custom
from .model.origin import GapReason
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


def diagnose_live(kube: Kube, target: Target, clock: Clock, observer: Observer, custom: Custom = NOTHING) -> Report:
    """Look at a cluster through its API server and judge it. Reads only.

    Raises CouldNotLook where not even the pods could be listed, UsageError for names that do not exist.
    """
    from .gather import live

    return judge(live.gather(kube, target, clock, observer), custom)


def diagnose_bundle(path: Path, wanted: tuple[str, ...] = (), custom: Custom = NOTHING) -> Report:
    """Judge a saved bundle: the same findings as live, at the time it was taken."""
    return judge(_loaded(path, wanted), custom)


def _loaded(path: Path, wanted: tuple[str, ...]) -> Snapshot:
    snapshot = bundle.load(path)
    return dataclasses.replace(snapshot, wanted=chosen(snapshot, wanted)) if wanted else snapshot


MAX_REPORT = 256 * 1024 * 1024
"""Bytes of a saved report: more than any real one."""


def diff_side(path: Path, custom: Custom = NOTHING) -> Side:
    """One side of a comparison: a bundle, judged now, or a report that was saved as JSON. Content decides which.

    Raises UsageError for what is neither, CouldNotLook for what is damaged.
    """
    from .parse.report_file import NoReport, read_report

    try:
        if path.is_dir() or (path.is_file() and _begins(path, b"\x1f\x8b")):
            return side_of(diagnose_bundle(path, custom=custom), str(path))
        if not path.exists():
            raise UsageError("no-input", f"{path}: no such file or directory", hint="diff wants two bundles, or reports saved with -o json.")
        with path.open("rb") as file:
            data = file.read(MAX_REPORT + 1)
    except OSError as error:
        raise CouldNotLook("unreadable", f"cannot read {path}: {error.strerror}") from None
    if len(data) > MAX_REPORT:
        raise CouldNotLook("report-too-large", f"{path} has more than {MAX_REPORT} bytes: more than any real report")
    try:
        return read_report(data, str(path))
    except NoReport as error:
        if error.damaged:
            raise CouldNotLook("report-damaged", f"{path} is damaged: {error}") from None
        raise UsageError("no-report", f"{path} is neither a bundle nor a report: {error}", hint="kubectl litefs diagnose -o json=FILE saves one.") from None


def _begins(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


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
    return _status(_loaded(path, wanted), suppressions)


def _status(snapshot: Snapshot, suppressions: Sequence[Suppression]) -> Report:
    """By the same rules as `diagnose`. What is suppressed of the others does not concern it; a rule that nobody knows does."""
    facts = assemble(snapshot)
    require_litefs(facts)
    chosen_rules = [r for r in ALL if r.id in STATUS_RULES or r.id == engine.CRASHED]
    others = {r.id for r in ALL} - STATUS_RULES
    annotated, problems = ignores.from_annotations(facts)
    report = engine.judge(facts, chosen_rules, [s for s in (*suppressions, *annotated) if s.rule not in others])
    return dataclasses.replace(report, notices=(*problems, *report.notices))


def lint(paths: Sequence[str], stdin: Callable[[], BinaryIO], clock: Clock, custom: Custom = NOTHING) -> Report:
    """Judge files before there is a cluster: manifests, litefs.yml. `-` among the paths is standard input.

    Raises UsageError for a path that is not there, CouldNotLook where no LiteFS stands in any of the files.
    """
    from .gather import files

    facts = assemble(files.gather(paths, stdin, clock.now()))
    if not facts.clusters:
        unread = [g.detail or g.what for g in facts.gaps if g.why in (GapReason.UNPARSED, GapReason.FORBIDDEN)]
        why = f"; could not read {'; '.join(unread[:5])}" if unread else ""
        raise CouldNotLook("no-litefs-found", f"no LiteFS found; looked at {'; '.join(facts.looked_at)}{why}", hint=LINT_HINT)
    return _without_cluster(_judged(facts, custom))


LINT_HINT = "Name what LiteFS runs with: its StatefulSet and ConfigMap, a litefs.yml, or the output of helm template or kustomize build."


def _without_cluster(report: Report) -> Report:
    """No commands that ask a cluster, for there is none; and no secrets of the files in what is printed."""

    def plain(finding: Finding) -> Finding:
        seen = tuple(dataclasses.replace(e, excerpt=redact.text(e.excerpt)) for e in finding.evidence)
        return dataclasses.replace(finding, commands=(), evidence=seen, message=redact.text(finding.message))

    clusters = tuple(dataclasses.replace(c, findings=tuple(map(plain, c.findings))) for c in report.clusters)
    return dataclasses.replace(report, clusters=clusters, findings=tuple(map(plain, report.findings)))


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


def own_rules(paths: Sequence[Path]) -> tuple[Custom, tuple[str, ...]]:
    """The rules of the user's files, and what is wrong with the files: with a problem none of the rules is to be used."""
    from .own_rules.load import load

    files: list[tuple[str, bytes]] = []
    for path in paths:
        try:
            files.append((str(path), path.read_bytes()))
        except OSError as error:
            raise UsageError("no-rules", f"cannot read {path}: {error.strerror}") from None
    loaded = load(files, (r.id for r in ALL))
    return Custom(rules=tuple(loaded.rules), patterns=tuple(loaded.patterns)), tuple(map(str, loaded.problems))


def judge(snapshot: Snapshot, custom: Custom = NOTHING) -> Report:
    """Facts, rules, report: the one path that live and replayed runs share."""
    facts = assemble(dataclasses.replace(snapshot, patterns=custom.patterns))
    require_litefs(facts)
    return _judged(facts, custom)


def _judged(facts: Facts, custom: Custom) -> Report:
    """Every rule, with what the user and the objects' annotations say of them."""
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
