"""Strategy `import`: a verified file into the primary by LiteFS's own POST /import, proven by the checksum it must have.

LiteFS sets four bytes each of the change counter and of the schema cookie to zero, so the checksum after an import is known
before it. It validates nothing else: what is sent is what every replica gets.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from ..fix.export import ExportFailed, export, reason, require_same
from ..fix.outcome import BEFORE
from ..fix.sqlite_file import Checker
from ..fix.verify import by_name
from ..fix.work import Phase, Stopped, passing, uid_of
from ..model.litefs import Database
from ..model.origin import Gap
from .plan import Back
from .store import Store
from .work import Arrival, RescueWork

ZEROED = (slice(24, 28), slice(40, 44))
"""Bytes of the header that an import sets to zero: change counter, schema cookie."""
TRIES = 2
"""A connection that breaks half-way is tried once more."""
UNKNOWN = (None, 502, 504)
"""Answers that are not LiteFS's own: where all of the file was read, it may have all of it."""
CHUNK = 1 << 20


def predicted(path: Path) -> str:
    """LiteFS's checksum of this file after an import. In constant memory."""
    checker, first = Checker(), True
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            if first:
                head = bytearray(chunk)
                for part in ZEROED:
                    head[part] = bytes(4)
                chunk, first = bytes(head), False
            checker.feed(chunk)
    problem = checker.problem()
    if problem:
        raise Stopped("not-whole", f"{path} is no whole database: {problem}. Nothing was sent", ExitCode.BACKUP_FAILED)
    return checker.checksum()


def import_all(work: RescueWork) -> None:
    for back in work.plan.databases:
        import_one(work, back)


def import_one(work: RescueWork, back: Back) -> None:
    """Sent where it is not there yet, and proven by position and by an export of the primary. Raises Stopped."""
    path, known = work.find(back), work.arrivals.get(back.name)
    try:
        want = predicted(path) if path is not None else known.checksum if known is not None else ""
        before = position(work, back.name)
        if before is None or before.txid == 0 or before.checksum != want:
            if path is None:
                raise work.no_copy(back)
            keep(work, back, before)
            send(work, back, path, want, before)
    except OSError as error:
        work.phase = Phase.ARMED if work.phase is Phase.DELETING else work.phase
        raise work.no_copy(back, f"{error.filename or path}: {error.strerror or error}") from error
    prove(work, back, want)


def keep(work: RescueWork, back: Back, before: Database | None) -> None:
    """What stands there is a file before anything goes over it, also what was written since the last save. Raises Stopped."""
    if before is None or before.txid == 0:
        return
    plan = work.plan
    place = (plan.server, plan.namespace, plan.pod, plan.primary_cluster_id, back.name)
    try:
        with contextlib.closing(Store(work.folder, work.clock)) as store:
            copy = store.kept(place, before.position)
            if copy is None:
                part = store.part()
                got = export(work.node(plan.pod), back.name, part, moving=True)
                require_same(work.node(plan.pod), plan.primary_cluster_id)
                copy = store.add(part, got, place, uid_of(work.pod()))
    except (LitefsError, OSError) as error:
        code, resume = (ExitCode.BACKUP_FAILED, "") if work.phase in BEFORE else (ExitCode.STOPPED_AFTER, " --resume")
        text = f"what {plan.pod} holds of {back.name} (txid {before.txid:x}) could not be saved: {reason(error)}. Nothing goes over it"
        raise Stopped("backup-failed", text, code, f"When the cause is gone: kubectl litefs rescue run {plan.set_name} -n {plan.namespace}{resume}") from error
    if before.position != back.primary:
        work.warn(f"{back.name} was written to on {plan.pod} since the plan; what it was before the copy went over it is {work.folder / copy.file}")


def send(work: RescueWork, back: Back, path: Path, want: str, before: Database | None) -> None:
    """Returns when it has arrived. `before` is what the primary has of that name. Raises Stopped."""
    for attempt in range(TRIES):
        pods = (*(work.arrivals[back.name].pods if back.name in work.arrivals else ()), uid_of(work.pod()))
        work.arrived("import", back, Arrival(want, None, tuple(dict.fromkeys(pods))))
        earlier, work.phase = work.phase, Phase.DELETING
        with open(path, "rb") as file:
            try:
                work.kube.upload(work.node(work.plan.pod).path("import"), file, query={"name": back.name}, timeout=max(1.0, work.left()))
                after, error = None, None
            except KubeError as lost:
                after, error = _look(work, back.name), lost
            whole = file.read(1) == b""
        if error is None or (isinstance(after, Database) and after.checksum == want and after.txid > 0):
            work.phase = Phase.ARMED  # or only its answer was lost
            return
        if isinstance(after, KubeError) or (whole and error.status in UNKNOWN):
            work.phase = Phase.ARMED
            raise _unknown(work, back, error)
        empty = all(d is None or d.txid == 0 for d in (before, after))  # the application may have made it anew meanwhile
        work.phase = earlier if empty else Phase.ARMED
        if error.status is not None or attempt + 1 == TRIES or not empty:
            raise _failed(work, back, error, empty) from error
        work.ui.step("import", "", "waiting", f"{back.name}: {error.message}; once more")


def prove(work: RescueWork, back: Back, want: str) -> None:
    """The predicted checksum, at a position and in an export. Raises Stopped (exit 10) where the application wrote on."""
    now = position(work, back.name)
    if now is None or now.checksum != want:
        seen = f"{now.txid:x}/{now.checksum}" if now else "gone"
        raise Stopped(
            "not-proven",
            f"{back.name} was imported, but {work.plan.pod} is at {seen} and not at the checksum {want} that the file must have there: the application wrote into it",
            ExitCode.STOPPED_AFTER,
            "Stop the writers, then --resume: it saves what was written and imports the file again.",
        )
    part = work.folder / f"proof-{work.plan.id[:12]}.sqlite.part"
    try:
        found = export(work.node(work.plan.pod), back.name, part)
        if found.checksum != want:
            raise Stopped("not-proven", f"the export of {back.name} has checksum {found.checksum}, want {want}", ExitCode.STOPPED_AFTER, "--resume tries it again.")
    except (ExportFailed, OSError) as error:
        raise Stopped("not-proven", f"{back.name} was imported, and its export could not be checked: {reason(error)}", ExitCode.STOPPED_AFTER, "--resume tries it again.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    pods = work.arrivals[back.name].pods if back.name in work.arrivals else ()
    work.arrived("proven", back, Arrival(want, now.txid, pods))


def proven(work: RescueWork, back: Back) -> bool:
    arrival = work.arrivals.get(back.name)
    return arrival is not None and arrival.txid is not None


def gone(work: RescueWork) -> str:
    """Why what was imported is no longer on the primary; empty where it is, or where nothing is proven yet. Raises Stopped (exit 10)."""
    pod, want = work.plan.pod, work.plan.id_afterwards
    info, held = work.info(pod), work.databases(pod)
    if isinstance(info, Gap) or isinstance(held, Gap) or not info.cluster_id:
        raise Stopped("cannot-look", f"{pod} does not say its cluster id and positions", ExitCode.STOPPED_AFTER)
    if info.cluster_id != want:
        return f"{pod} has cluster id {info.cluster_id} now, it was {want} when the import began: its volume is another one"
    txids = by_name(held)
    for name, arrival in work.arrivals.items():
        has = txids[name].txid if name in txids else 0
        if arrival.txid is not None and (has < arrival.txid or (has == arrival.txid and txids[name].checksum != arrival.checksum)):
            return f"{pod} had {name} at txid {arrival.txid:x} after the import and is at {has:x} now: it has lost it again"
    return ""


def stale(work: RescueWork, uid: str) -> bool:
    """Whether a pod may have run before all the imports had arrived: connections that it opened then keep the empty schema."""
    return any(uid in arrival.pods for arrival in work.arrivals.values())


def position(work: RescueWork, name: str) -> Database | None:
    """The primary's, None where it has no such database."""
    found = work.databases(work.plan.pod)
    if isinstance(found, Gap):
        raise Stopped("cannot-look", f"{work.plan.pod} does not say its positions: {found.detail}", ExitCode.STOPPED_BEFORE)
    return next((d for d in found if d.name == name), None)


def _look(work: RescueWork, name: str) -> Database | KubeError | None:
    """After a lost answer: asked until there is one, or time is up; then why there is none."""
    while True:
        try:
            return position(work, name)
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                return error
            work.sleep(error.retry_after or 1.5)


def _unknown(work: RescueWork, back: Back, error: KubeError) -> Stopped:
    """LiteFS may have all of it, and wait for a transaction that holds the lock, however long."""
    return Stopped(
        "import-unknown",
        f"{back.name} was sent to {work.plan.pod}, and the answer was lost: {error.as_kubectl_prints_it()}. It may still arrive, and it may have arrived",
        ExitCode.STOPPED_AFTER,
        f"--resume looks whether it is there, and sends it again where it is not. The copies are in {work.places}.",
    )


def _failed(work: RescueWork, back: Back, error: KubeError, empty: bool) -> Stopped:
    why = f"the import of {back.name} into {work.plan.pod} failed: {error.as_kubectl_prints_it()}"
    if empty:
        return Stopped("import-failed", f"{why}. The primary had nothing of that name, so nothing is lost", ExitCode.STOPPED_BEFORE, "Is its volume full? The copies are saved; run it again.")
    return Stopped(
        "import-failed",
        f"{why}. What {work.plan.pod} had of {back.name} may be damaged now (with a write-ahead log it is cut before the file is read); its copy is in {work.places}",
        ExitCode.STOPPED_AFTER,
        "Free space on its volume if it is full, then --resume. Restart nothing before.",
    )
