"""`rescue save`: every database of every pod that answers, as proven files on this machine. Reads only, by construction:
what it gets is a `Kube`, which cannot write.

Positions are read first and exports begin at once, the furthest copy of each database first: where the primary has lost
a database, its next commit replaces the replicas' copies within a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import CouldNotLook, KubeError, LitefsError
from ..exitcodes import ExitCode
from ..fix.export import ExportFailed, Node, export, require_same
from ..fix.work import Ui
from ..gather import live
from ..gather.selection import require_litefs
from ..gather.workers import run_all
from ..model.candidates import claims_alone, missing_pods, unread_set
from ..model.cluster import Cluster, Facts
from ..model.litefs import Database
from ..model.pod import Pod
from ..model.target import Target
from ..parse.assemble import assemble
from ..ports import Clock, Kube
from .choice import History, Missing, Verdict, choose, history
from .store import Copy, Store, whole

AT_ONCE = 8
"""Exports under way at the same time."""
KINDS = frozenset({"pods", "services", "statefulsets", "deployments", "daemonsets", "persistentvolumeclaims"})
LOOK = 20.0
"""Seconds for one look at the cluster."""


@dataclass(frozen=True, slots=True)
class SaveOptions:
    """`timeout` bounds the run, in seconds. Each set gets a folder of its own below `base`."""

    target: Target
    base: Path
    timeout: float = 1800.0


@dataclass
class SavedSet:
    """What became of one LiteFS cluster."""

    namespace: str
    name: str
    kind: str
    folder: Path
    pods: tuple[tuple[str, str, bool | None], ...]
    """(pod, cluster id, whether it says that it is primary) of each pod; None where it did not answer."""
    copies: list[Copy] = field(default_factory=list)
    kept: int = 0
    """How many of the copies were there from an earlier run."""
    missing: list[Missing] = field(default_factory=list)
    verdicts: tuple[Verdict, ...] = ()
    history: History = field(default_factory=lambda: History(None, ()))
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SaveResult:
    """`name` is a short word for scripts: `saved`, `incomplete`, `nothing-saved`, `stopped`."""

    code: ExitCode
    name: str
    message: str
    sets: tuple[SavedSet, ...]


def save(kube: Kube, options: SaveOptions, clock: Clock, ui: Ui) -> SaveResult:
    """Raises UsageError for unknown names, CouldNotLook where nothing could be looked at, LitefsError where nothing can
    be written. A signal (KeyboardInterrupt) ends it with what is saved by then."""
    return _Saving(kube, options, clock, ui).run()


class _Saving:
    def __init__(self, kube: Kube, options: SaveOptions, clock: Clock, ui: Ui) -> None:
        self.kube, self.options, self.clock, self.ui = kube, options, clock, ui
        self.ends = clock.monotonic() + options.timeout
        self.stop = threading.Event()
        self.telling = threading.Lock()
        self.done: dict[tuple[str, str], list[int]] = {}
        """Pod -> how many of its databases are over, how many it has, how many failed."""

    def run(self) -> SaveResult:
        self.ui.step("look", "look for LiteFS pods and their positions", "doing")
        facts = self.look(logs=False)
        require_litefs(facts)
        require_answers(facts)
        count = sum(len(p.with_data) for c in facts.clusters for p in c.pods)
        self.ui.step("look", "", "done", f"{sum(len(c.pods) for c in facts.clusters)} pods, {count} copies above txid 0")
        sets, stopped = [self.begin(c) for c in facts.clusters], False
        with contextlib.ExitStack() as stack:
            jobs: list[tuple[int, str, Callable[[], None]]] = []
            stores: dict[Path, Store] = {}  # `a-b` of `c` and `a` of `b-c` share a folder; a line names the pod
            for cluster, found in zip(facts.clusters, sets, strict=True):
                if found.folder not in stores:
                    stores[found.folder] = Store(found.folder, self.clock)
                    stack.callback(stores[found.folder].close)
                jobs += self.jobs(cluster, found, stores[found.folder])
            ordered = {key: job for _, key, job in sorted(jobs, key=lambda j: j[:2])}
            try:
                run_all(ordered, self.options.timeout, workers=AT_ONCE)
            except KeyboardInterrupt:
                stopped = True
            finally:
                self.stop.set()
            for cluster, found in zip(facts.clusters, sets, strict=True):
                found.missing += unfinished(cluster, found)
        self.judge(facts, sets, stopped)
        return result(sets, stopped)

    def look(self, *, logs: bool) -> Facts:
        timeout = min(LOOK, max(1.0, self.left()))
        target = dataclasses.replace(self.options.target, kinds=KINDS, logs=logs, second_look=None, run_timeout=timeout)
        return assemble(live.gather(self.kube, target, self.clock, self.ui))

    def left(self) -> float:
        return max(0.0, self.ends - self.clock.monotonic())

    def alive(self) -> None:
        if self.stop.is_set():
            raise ExportFailed("it was stopped", final=True)
        if self.left() <= 0:
            raise ExportFailed(f"time is up after {self.options.timeout:g} s (--timeout)", final=True)

    def begin(self, cluster: Cluster) -> SavedSet:
        subject = cluster.subject
        pods = tuple((p.name, p.cluster_id or "", p.is_primary) for p in cluster.pods)
        folder = self.options.base / f"{cluster.namespace}-{subject.name}"
        found = SavedSet(cluster.namespace, subject.name, subject.kind, folder, pods)
        for pod in cluster.pods:
            if pod.databases is None or pod.info is None:
                gap = pod.gaps.get("info" if pod.info is None else "vars")
                found.missing.append(Missing(pod.name, None, None, "", gap.detail if gap and gap.detail else "it did not answer"))
        for name in missing_pods(cluster):
            found.missing.append(Missing(name, None, None, "", "the pod is not there; its volume may hold a copy"))
        unread = unread_set(cluster)
        if unread is not None:
            found.missing.append(Missing(f"{subject.name}-?", None, None, "", f"how many pods the set asks for cannot be read ({unread.detail or unread.why.value})"))
        found.notes += [f"claim {c} belongs to no pod: its volume may hold a copy, and that is not saved" for c in claims_alone(cluster)]
        return found

    def jobs(self, cluster: Cluster, found: SavedSet, store: Store) -> Iterator[tuple[int, str, Callable[[], None]]]:
        """The furthest copy of each database first, then the next best."""
        ranks: dict[str, list[tuple[int, bool, str]]] = {}
        for pod, database in held(cluster):
            ranks.setdefault(database.name, []).append((-database.txid, bool(pod.is_primary), pod.name))
        for pod, database in held(cluster):
            rank = sorted(ranks[database.name]).index((-database.txid, bool(pod.is_primary), pod.name))

            def job(pod: Pod = pod, database: Database = database) -> None:
                self.save_one(pod, database, found, store)

            self.done.setdefault((pod.namespace, pod.name), [0, 0, 0])[1] += 1
            yield rank, f"{pod.namespace}/{pod.name}/{database.name}", job

    def save_one(self, pod: Pod, database: Database, found: SavedSet, store: Store) -> None:
        """Never raises: what cannot be saved is told in the result."""
        place = (self.kube.server, pod.namespace, pod.name, pod.cluster_id or "", database.name)
        node = Node(self.kube, pod.namespace, pod.name, pod.http_port, self.options.target.request_timeout, self.left, self.alive)
        self.told(pod, "doing", None)
        part = store.part()
        try:
            self.alive()
            kept = store.kept(place, database.position)
            if kept is not None:
                found.kept += 1
                found.copies.append(kept)
            else:
                got = export(node, database.name, part, moving=True)
                require_same(node, pod.cluster_id)
                found.copies.append(store.add(part, got, place, str(pod.obj.get("metadata.uid", ""))))
            self.told(pod, "done", None)
        except (LitefsError, OSError) as error:
            self.failed(pod, database, found, store, part, error)

    def failed(self, pod: Pod, database: Database, found: SavedSet, store: Store, part: Path, error: LitefsError | OSError) -> None:
        """A copy that LiteFS itself holds damaged is kept under a name that says so."""
        why = error.message if isinstance(error, LitefsError) else f"{error.filename or part}: {error.strerror or error}"
        place = (self.kube.server, pod.namespace, pod.name, pod.cluster_id or "", database.name)
        damaged = error.damaged if isinstance(error, ExportFailed) else None
        try:
            if damaged is not None:
                kept = next((c for c in store.copies if c.damaged and c.sha256 == damaged.sha256 and c.place == place and whole(store.folder, c)), None)
                found.copies.append(kept or store.add(part, damaged, place, str(pod.obj.get("metadata.uid", "")), why))
        except OSError as second:
            why += f"; {second.strerror}"
        with contextlib.suppress(OSError):
            part.unlink()
        found.missing.append(Missing(pod.name, database.name, database.txid, pod.cluster_id or "", why))
        self.told(pod, "failed", f"{database.name}: {why}")

    def told(self, pod: Pod, state: str, failure: str | None) -> None:
        """One step for each pod, however many databases it has."""
        with self.telling:
            done = self.done[pod.namespace, pod.name]
            done[0] += state != "doing"
            title = f"save {done[1]} database{'s' if done[1] != 1 else ''} of {pod.name}"
            if failure is not None:
                self.ui.say(f"{pod.name}: not saved: {failure}")
            over = done[0] == done[1]
            done[2] += failure is not None
            state = ("failed" if done[2] else "done") if over else "doing"
            self.ui.step(f"save {pod.namespace}/{pod.name}", title, state, f"{done[0] - done[2]} of {done[1]}")

    # --- what is the best

    def judge(self, before: Facts, sets: list[SavedSet], stopped: bool) -> None:
        """With the logs, too, and with what the positions are by now."""
        after: Facts | None = None
        why = "it was stopped"
        if not stopped:
            self.ui.step("judge", "judge which copy is the best", "doing")
            try:
                after = self.look(logs=True)
            except (KubeError, CouldNotLook) as error:
                why = error.message
            self.ui.step("judge", "", "done" if after else "failed")
        for cluster, found in zip(before.clusters, sets, strict=True):
            now = next((c for c in after.clusters if c.subject == cluster.subject), None) if after else None
            found.copies.sort(key=lambda c: (c.database, c.cluster_id, -c.txid, c.pod))
            found.verdicts = choose(found.copies, found.missing)
            if now is None:
                found.notes.append(f"which history counts was judged without the logs: {why}")
            found.history = history(now or cluster)
            found.notes += moved(found.copies, now)


def held(cluster: Cluster) -> Iterator[tuple[Pod, Database]]:
    for pod in cluster.pods:
        for database in pod.with_data:
            yield pod, database


def unfinished(cluster: Cluster, found: SavedSet) -> list[Missing]:
    """Exports that were given up before they could say so themselves."""
    told = {(c.pod, c.database) for c in found.copies} | {(m.pod, m.database) for m in found.missing}
    rest = [(p, d) for p, d in held(cluster) if (p.name, d.name) not in told]
    return [Missing(p.name, d.name, d.txid, p.cluster_id or "", "it was not saved in time") for p, d in rest]


def moved(copies: Iterable[Copy], now: Cluster | None) -> Iterator[str]:
    """Copies that are no longer where they were saved: then the file is all that is left of that state."""
    for copy in copies:
        pod = now.pod(copy.pod) if now else None
        if pod is None or pod.databases is None or copy.damaged:
            continue
        has = pod.database(copy.database)
        if has is None or has.txid < copy.txid:
            place = f"txid {has.txid:x}" if has else "gone"
            yield f"{copy.pod} had {copy.database} at txid {copy.txid:x} when it was saved and it is {place} now: {copy.file} is what is left of it"


def require_answers(facts: Facts) -> None:
    """Not one pod that could be looked into is no state of which anything can be said."""
    pods = [p for c in facts.clusters for p in c.pods]
    if any(p.databases is not None for p in pods):
        return
    gaps = [p.gaps.get("info") or p.gaps.get("vars") for p in pods]
    why = next((g.detail for g in gaps if g is not None and g.detail), "no pod runs")
    raise CouldNotLook(
        "nobody-answers",
        f"no LiteFS pod answers, so nothing can be saved: {why}",
        hint="Is pods/proxy allowed (kubectl auth can-i get pods --subresource=proxy)? The volumes themselves are untouched.",
    )


def result(sets: list[SavedSet], stopped: bool) -> SaveResult:
    """The exit code is 0 only where every copy that was seen is a whole file now."""
    saved = sum(not c.damaged for s in sets for c in s.copies)
    missing = [m for s in sets for m in s.missing]
    files = f"{saved} {'copy' if saved == 1 else 'copies'} saved"
    if stopped:
        return SaveResult(ExitCode.INTERRUPTED, "stopped", f"stopped: {files}, each whole; the same command saves the rest. Nothing was changed", tuple(sets))
    if not saved and not missing:
        return SaveResult(ExitCode.BACKUP_FAILED, "nothing-saved", "nothing was saved: no pod holds a database above txid 0", tuple(sets))
    if missing:
        first = missing[0]
        what = f"database {first.database} of {first.pod}" if first.database else f"pod {first.pod}"
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        return SaveResult(ExitCode.BACKUP_FAILED, "incomplete", f"not everything was saved: {files}, {what} is missing{more}: {first.why}. Nothing was changed; the same command tries again what is missing", tuple(sets))
    return SaveResult(ExitCode.OK, "saved", f"everything is saved: {files} and checked. Nothing was changed", tuple(sets))

