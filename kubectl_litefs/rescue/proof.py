"""Proof that the data is back: the primary first, then every replica, then the rows. Ready proves nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..fix.export import Export, ExportFailed, export, reason
from ..fix.verify import APART, by_name
from ..fix.work import Phase, Stopped, Work
from ..model.litefs import Database, Info, Metrics
from ..model.origin import Gap
from ..parse.litefs_http import read_metrics
from .plan import Back, RescuePlan
from .work import RescueWork

LOOK = 2.0
HANG = 190.0
"""Seconds a replica may hang dialling the old address of a primary that was restarted (73 and 135 s were seen)."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table before (in the copy that went back) and after (in an export of the primary); None: no such table.

    `compared` is False where that copy is out of reach.
    """

    database: str
    table: str
    before: int | None
    after: int | None
    compared: bool = True

    def words(self) -> str:
        before, after = ("none" if n is None else str(n) for n in (self.before, self.after))
        copy = f"{before} rows in the copy, {after} now" if self.compared else f"{after} rows now, not compared with the copy"
        return f"{self.database}: table {self.table}: {copy}"


class Twice(ABC):
    """Looks until all is well, and once more ten seconds later."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.began = work.clock.monotonic()

    @abstractmethod
    def look(self) -> str:
        """What is not good yet; empty where everything is. Raises Stopped where it can never be."""

    @abstractmethod
    def unverified(self, what: str) -> Stopped:
        """Exit 11, in the command's words."""

    def run(self) -> None:
        """Two good looks ten seconds apart. Raises Stopped (exit 11) with what is not good, or not in time."""
        first: float | None = None
        while True:
            try:
                seen = self.look()
            except KubeError as error:
                if error.status in (401, 403):
                    raise self.unverified(error.as_kubectl_prints_it()) from error
                seen = self.no_answer(error)
            now = self.work.clock.monotonic()
            if seen:
                first = None
            elif first is None:
                first, seen = now, "all is well; a second look 10 s later must say so, too"
            elif now - first >= APART:
                return
            else:
                seen = "all is well; a second look 10 s later must say so, too"
            self.pause(seen)

    def no_answer(self, error: KubeError) -> str:
        return f"no answer yet: {error.as_kubectl_prints_it()}"

    def pause(self, reason: str) -> None:
        self.work.ui.step("verify", "", "waiting", reason)
        waited = self.work.clock.monotonic() - self.began
        if self.work.left() <= 0 or waited > HANG + APART:
            raise self.unverified(reason)
        self.work.sleep(LOOK)

    def positions(self, pod: str) -> dict[str, Database] | str:
        found = self.work.databases(pod)
        return f"the databases of {pod} are not to be seen yet" if isinstance(found, Gap) else by_name(found)


class Proof(Twice):
    """`replicas` are the pods that must follow in the end."""

    work: RescueWork

    def __init__(self, work: RescueWork, replicas: tuple[str, ...]) -> None:
        super().__init__(work)
        self.plan, self.replicas = work.plan, replicas
        self.want_id = self.plan.id_afterwards
        self.primary_good, self.absent = False, ""

    def no_answer(self, error: KubeError) -> str:
        self.absent = next((p for p in self.replicas if error.status == 404 and f'"{p}"' in error.message), "")
        return f"{self.absent} is not there" if self.absent else super().no_answer(error)

    def look(self) -> str:
        self.primary_good, self.absent = False, ""
        info = self.work.info(self.plan.pod)
        if isinstance(info, Gap):
            return f"{self.plan.pod} answers nonsense: {info.detail}"
        if info.cluster_id and info.cluster_id != self.want_id:
            raise self.unverified(f"{self.plan.pod} has cluster id {info.cluster_id}, want {self.want_id}")
        if not info.is_primary:
            return self.led_by() or f"{self.plan.pod} is not primary yet"
        before = self.positions(self.plan.pod)
        if isinstance(before, str):
            return before
        for back in self.plan.databases:
            wrong = self.compare(back.name, before.get(back.name))
            if wrong:
                return wrong
        self.primary_good = True
        return self.followers(before)

    def led_by(self) -> str:
        """Where somebody has changed the configuration meanwhile, another pod may have taken over."""
        for pod in self.replicas:
            info = self.work.info(pod)
            if not isinstance(info, Gap) and info.is_primary:
                return f"{pod} is primary now, not {self.plan.pod}: the data was not compared there"
        return ""

    def compare(self, name: str, has: Database | None) -> str:
        """The primary's database against what went back."""
        back = next(b for b in self.plan.databases if b.name == name)
        arrival = self.work.arrivals.get(name)
        floor, checksum = (back.txid, back.checksum) if arrival is None else (arrival.txid or 1, arrival.checksum)
        if has is None or has.txid == 0:
            return f"{name} is not on {self.plan.pod} yet"
        if has.txid < floor:
            raise self.unverified(f"{name} is at txid {has.txid:x} on {self.plan.pod}, what went back was at {floor:x}")
        if has.txid == floor and has.checksum != checksum:
            raise self.unverified(f"{name} has checksum {has.checksum} at txid {has.txid:x}, what went back has {checksum}")
        return ""

    def followers(self, before: Mapping[str, Database]) -> str:
        """Replicas are read between two looks at the primary: a write in between is no difference."""
        theirs = {}
        for pod in self.replicas:
            seen = self.positions(pod)
            if isinstance(seen, str):
                return seen
            info = self.work.info(pod)
            if isinstance(info, Gap) or info.cluster_id != self.want_id:
                return f"{pod} does not have the primary's cluster id yet"
            theirs[pod] = seen
        after = self.positions(self.plan.pod)
        if isinstance(after, str):
            return after
        for pod, seen in theirs.items():
            for back in self.plan.databases:
                low, mine, high = before[back.name], seen.get(back.name), after.get(back.name)
                if mine is None or high is None or not low.txid <= mine.txid <= high.txid:
                    return f"{back.name} of {pod} is at txid {mine.txid if mine else 0:x}, the primary is at {low.txid:x}{self.patience()}"
                if any(p.txid == mine.txid and p.checksum != mine.checksum for p in (low, high)):
                    return f"{back.name} of {pod} differs from the primary's at txid {mine.txid:x}{self.patience()}"
        count = self.subscribers()
        if count is None or count < len(self.replicas):
            return f"{count if count is not None else 'an unknown number'} of {len(self.replicas)} replicas are connected{self.patience()}"
        return ""

    def patience(self) -> str:
        waited = self.work.clock.monotonic() - self.began
        return f" ({waited:.0f} s; after the primary's restart a replica may hang for two minutes and more)" if waited > 10 else ""

    def subscribers(self) -> int | None:
        source = f"litefs/{self.plan.namespace}/{self.plan.pod}/metrics.txt"
        found = read_metrics(source, self.work.node(self.plan.pod).ask("metrics"))
        return found.subscribers if isinstance(found, Metrics) else None

    def unverified(self, what: str) -> Stopped:
        place = f"The copies are in {self.work.places}."
        if self.primary_good and self.absent:
            hint = f"The primary's data is verified. {place} {scale_back(self.plan)}"
        elif self.primary_good:
            hint = f"The primary's data is verified. A replica that still hangs may be restarted now: kubectl -n {self.plan.namespace} delete pod REPLICA; --resume looks again. {place}"
        else:
            hint = f"Reset and restart no replica. kubectl litefs diagnose -n {self.plan.namespace} says what is wrong; --resume looks again. {place}"
        return Stopped("unverified", f"the data was brought back, but the result could not be verified: {what}", ExitCode.UNVERIFIED, hint)


def scale_back(plan: RescuePlan) -> str:
    scale = f"kubectl -n {plan.namespace} scale statefulset {plan.set_name} --replicas={plan.replicas}"
    return f"The set was planned with {plan.replicas} pods: {scale}, then kubectl litefs rescue run {plan.set_name} -n {plan.namespace} --resume"


def serves(work: RescueWork, info: Info) -> bool:
    """Whether the primary runs with what was swapped in: the id, and no database behind it."""
    try:
        seen = work.databases(work.plan.pod)
    except KubeError:
        return False
    if isinstance(seen, Gap) or info.cluster_id != work.plan.cluster_id:
        return False
    txids = {n: d.txid for n, d in by_name(seen).items()}
    return all(txids.get(b.name, 0) >= b.txid for b in work.plan.databases)


def rows(work: RescueWork) -> tuple[Rows, ...]:
    """Row counts of each table, in the copies that went back and in an export of the primary now. Raises Stopped (exit 11)."""
    found: list[Rows] = []
    for back in work.plan.databases:
        copy = work.find(back)
        try:
            now, after = exported_rows(work, back)
            if copy is None:
                not_compared(work, back, now)
            before = count_rows(copy) if copy is not None else {}
        except (ExportFailed, OSError) as error:
            raise Stopped("unverified", f"the data was brought back, but {back.name} of {work.plan.pod} could not be exported and checked: {reason(error)}", ExitCode.UNVERIFIED, "--resume looks again.") from error
        counted = [Rows(back.name, t, before.get(t), after.get(t), copy is not None) for t in sorted({*before, *after})]
        for less in (r for r in counted if (r.before or 0) > (r.after or 0)):
            work.warn(f"{less.words()}: the application has deleted rows since, or they did not come back. The copy is {copy}")
        found += counted
    return tuple(found)


def shrunk(work: RescueWork) -> str:
    """Which database has been written to since it was proven and has not half of the copy's rows now; empty where none has.

    After an import txids are low: one that was made anew is soon past them. Raises ExportFailed, OSError.
    """
    for back in work.plan.databases:
        arrival, copy = work.arrivals.get(back.name), work.find(back)
        now = work.node(work.plan.pod).position(back.name)
        if copy is None or (arrival is not None and (now.txid, now.checksum) == (arrival.txid, arrival.checksum)):
            continue
        before, after = count_rows(copy), exported_rows(work, back)[1]
        was, has = sum(before.values()), sum(after.get(table, 0) for table in before)
        if 2 * has < was:
            return f"{back.name} on {work.plan.pod} was written to since it was proven and has {has} rows now in the tables of the copy, which has {was}"
    return ""


def not_compared(work: RescueWork, back: Back, now: Export) -> None:
    """The copy is out of reach. Fine, and said, where its checksum was seen on the primary; else raises Stopped (exit 11)."""
    plan, arrival = work.plan, work.arrivals.get(back.name)
    place = work.elsewhere or work.backup
    if now.checksum == back.checksum or (arrival is not None and arrival.txid is not None):
        work.warn(f"the rows of {back.name} could not be compared with the copy that went back: it is not in {place} as seen from here. That it came back whole is proven by its checksum")
        return
    raise Stopped(
        "unverified",
        f"the data was brought back and every replica follows, but {back.name} has been written to since (it was at txid {back.txid:x} and is at {now.txid:x}), "
        f"and the copy that it could be compared with is not in {place} as seen from here",
        ExitCode.UNVERIFIED,
        f"Where that folder can be read, --resume compares the rows. If it is gone, look into what was saved now ({work.backup}) yourself; when the rows are right, "
        f"give the lock back: kubectl -n {plan.namespace} delete lease {work.lock.name}",
    )


def exported_rows(work: RescueWork, back: Back) -> tuple[Export, dict[str, int]]:
    """(the export, its rows by table) of the primary's database now; no file of it stays. Raises ExportFailed, OSError."""
    part = work.folder / f"proof-{work.plan.id[:12]}.sqlite.part"
    try:
        return export(work.node(work.plan.pod), back.name, part, moving=True), count_rows(part)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def count_rows(path: Path) -> dict[str, int]:
    """Table -> rows. Tables that this SQLite cannot read (modules it lacks) are left out."""
    counts: dict[str, int] = {}
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        names = [str(n) for (n,) in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
        for name in names:
            with contextlib.suppress(sqlite3.Error):
                quoted = name.replace('"', '""')
                counts[name] = int(db.execute(f'select count(*) from "{quoted}"').fetchone()[0])
    except sqlite3.Error:
        return {}
    finally:
        db.close()
    return counts


def verify(work: RescueWork, replicas: tuple[str, ...]) -> tuple[Rows, ...]:
    Proof(work, replicas).run()
    found = rows(work)
    work.phase = Phase.DONE
    return found
