"""What a rescue carries with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..exitcodes import ExitCode
from ..fix.work import Stopped, Work
from .options import RescueOptions
from .plan import Back, RescuePlan
from .store import Copy, whole


@dataclass
class RescueWork(Work):
    """`copies` are those of the last save of this run; `reached` maps a database to the txid the primary is known to have
    reached with the data that came back."""

    plan: RescuePlan
    options: RescueOptions
    copies: tuple[Copy, ...] = ()
    reached: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.plan.folder)

    def copy_of(self, back: Back) -> Copy:
        """The proven file that goes back. Raises Stopped where it is no longer what its line says."""
        for copy in self.copies:
            mine = (copy.database, copy.pod, copy.cluster_id, copy.txid, copy.checksum)
            if mine == (back.name, back.pod, self.plan.cluster_id, back.txid, back.checksum) and copy.proven and whole(self.folder, copy):
                return copy
        raise Stopped(
            "no-copy",
            f"the saved copy of {back.name} from {back.pod} is not in {self.folder} any more, or was changed. Nothing was sent",
            ExitCode.BACKUP_FAILED,
            "Save it again: kubectl litefs rescue save.",
        )
