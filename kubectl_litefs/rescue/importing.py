"""Strategy `import`: a verified file into the primary by LiteFS's own POST /import, proven by the checksum it must have.

LiteFS sets four bytes each of the change counter and of the schema cookie to zero, so the checksum after an import is known
before it. It validates nothing else: what is sent is what every replica gets.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..fix.export import ExportFailed, export
from ..fix.sqlite_file import Checker
from ..fix.work import Phase, Stopped, passing
from ..model.litefs import Database
from ..model.origin import Gap
from .plan import Back
from .work import RescueWork

ZEROED = (slice(24, 28), slice(40, 44))
"""Bytes of the header that an import sets to zero: change counter, schema cookie."""
TRIES = 2
"""A connection that breaks half-way is tried once more."""
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
    """Sent, and proven by position and by an export of the primary. Raises Stopped."""
    copy = work.copy_of(back)
    path = work.folder / copy.file
    want = predicted(path)
    before = position(work, back.name)
    for attempt in range(TRIES):
        work.record("import", database=back.name, file=copy.file, checksum=want)
        earlier, work.phase = work.phase, Phase.DELETING
        try:
            url = work.node(work.plan.pod).path("import")
            with open(path, "rb") as file:
                work.kube.upload(url, file, query={"name": back.name}, timeout=max(1.0, work.left()))
            work.phase = Phase.ARMED
            break
        except KubeError as error:
            after = _look(work, back.name)
            if after is not None and after.checksum == want and after.txid > 0:
                work.phase = Phase.ARMED  # it arrived, only its answer was lost
                break
            empty = before is None or before.txid == 0
            work.phase = earlier if empty else Phase.ARMED
            if error.status is None and attempt + 1 < TRIES and empty:
                work.ui.step("import", "", "waiting", f"{back.name}: {error.message}; once more")
                continue
            raise _failed(work, back, error, empty) from error
    prove(work, back, want)


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
    except ExportFailed as error:
        raise Stopped("not-proven", f"{back.name} was imported, and its export could not be checked: {error.message}", ExitCode.STOPPED_AFTER, "--resume tries it again.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    work.reached[back.name] = now.txid
    work.journal.write("proven", plan=work.plan.id, database=back.name, txid=now.txid)


def position(work: RescueWork, name: str) -> Database | None:
    """The primary's, None where it has no such database."""
    found = work.databases(work.plan.pod)
    if isinstance(found, Gap):
        raise Stopped("cannot-look", f"{work.plan.pod} does not say its positions: {found.detail}", ExitCode.STOPPED_BEFORE)
    return next((d for d in found if d.name == name), None)


def _look(work: RescueWork, name: str) -> Database | None:
    """After a lost answer: asked until there is one, or time is up."""
    while True:
        try:
            return position(work, name)
        except KubeError as error:
            if not passing(error) or work.left() <= 0:
                return None
            work.sleep(error.retry_after or 1.5)


def _failed(work: RescueWork, back: Back, error: KubeError, empty: bool) -> Stopped:
    why = f"the import of {back.name} into {work.plan.pod} failed: {error.as_kubectl_prints_it()}"
    if empty:
        return Stopped("import-failed", f"{why}. The primary had nothing of that name, so nothing is lost", ExitCode.STOPPED_BEFORE, "Is its volume full? The copies are saved; run it again.")
    return Stopped(
        "import-failed",
        f"{why}. What {work.plan.pod} had of {back.name} may be damaged now (with a write-ahead log it is cut before the file is read); its copy is in {work.folder}",
        ExitCode.STOPPED_AFTER,
        "Free space on its volume if it is full, then --resume. Restart nothing before.",
    )
