"""What a rescue carries with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..exitcodes import ExitCode
from ..fix.lock import MAX_NOTES
from ..fix.outcome import BEFORE
from ..fix.work import Stopped, Work
from .options import RescueOptions
from .plan import Back, RescuePlan
from .store import read, whole


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the import of one database has come to: the checksum that it must have on the primary, the txid at which it was
    proven to have it (None: not yet), and the uids of the primary's pods that may have run before it was there."""

    checksum: str
    txid: int | None = None
    pods: tuple[str, ...] = ()


@dataclass
class RescueWork(Work):
    """`backup` is the folder of this run's own copies; those of the run that is taken up are in `plan.folder`, on the machine
    where that one ran (`began`: user@host)."""

    plan: RescuePlan
    options: RescueOptions
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    began: str = ""

    @property
    def folder(self) -> Path:
        return Path(self.backup)

    @property
    def elsewhere(self) -> str:
        """Where the copies of the run that is taken up lie, where that is another folder; else empty."""
        return f"{self.plan.folder}{f' of {self.began}' if self.began else ''}" if self.plan.folder != self.backup else ""

    @property
    def places(self) -> str:
        return self.backup + (f", those from before the rescue in {self.elsewhere}" if self.elsewhere else "")

    def find(self, back: Back) -> Path | None:
        """A proven file of what goes back, whichever pod it came from; None where there is none that is still what its line says."""
        for folder in dict.fromkeys((self.folder, Path(self.plan.folder))):
            for copy in read(folder):
                mine = (copy.database, copy.cluster_id, copy.txid, copy.checksum)
                if mine == (back.name, self.plan.cluster_id, back.txid, back.checksum) and copy.proven and whole(folder, copy):
                    return folder / copy.file
        return None

    def no_copy(self, back: Back, why: str = "") -> Stopped:
        place = self.elsewhere or self.backup
        why = why or f"not in {place} as seen from here, and on no pod"
        text = f"the copy of {back.name} from {back.pod} at txid {back.txid:x} is not to be had any more: {why}"
        if self.phase in BEFORE:
            return Stopped("no-copy", text, ExitCode.BACKUP_FAILED, "Save it again: kubectl litefs rescue save.")
        hint = f"Where {place} can be read: kubectl litefs rescue run {self.plan.set_name} -n {self.plan.namespace} --resume. Until then reset and restart no replica."
        return Stopped("no-copy", text, ExitCode.STOPPED_AFTER, hint)

    def arrived(self, step: str, back: Back, arrival: Arrival) -> None:
        """In the Lease, too, so that whoever takes this up need not have this machine's files."""
        self.arrivals[back.name] = arrival
        told = {name: asdict(a) for name, a in self.arrivals.items()}
        note = {"imported": json.dumps(told, sort_keys=True)}
        if sum(map(len, {**self.lock.notes, **note}.values())) <= MAX_NOTES:
            self.lock.notes |= note
        self.record(step, database=back.name, imported=told)

    def recall(self, told: object) -> None:
        """What another run has noted. Whatever is no such note is passed over."""
        for name, entry in told.items() if isinstance(told, Mapping) else ():
            arrival = _arrival(entry)
            if arrival is not None:
                self.arrivals[str(name)] = arrival


def _arrival(entry: Any) -> Arrival | None:
    try:
        txid = entry["txid"]
        good = isinstance(entry["checksum"], str) and (txid is None or type(txid) is int)
        return Arrival(entry["checksum"], txid, tuple(str(u) for u in entry["pods"])) if good else None
    except (KeyError, TypeError):
        return None
