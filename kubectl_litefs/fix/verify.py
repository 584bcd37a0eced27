"""Proof that the replica follows again: by cluster id, positions and log. Ready proves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..model.litefs import Database
from ..model.origin import Gap
from .calls import core
from .work import FixWork, Phase, Stopped, uid_of

APART = 10.0
"""Seconds between the two samples that must both be good."""
LOOK = 2.0
"""Seconds between two looks: three requests each."""
JOINED = re.compile(rb"connected to cluster, ready")
TOO_SMALL = re.compile(r"no space left on device|disk full|database or disk is full", re.IGNORECASE)
HANG = 150.0
"""Seconds a dial may hang after its primary's restart (38 to 135 s were seen)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One good look: the replica's positions and the primary's right after."""

    mine: dict[str, Database]
    theirs: dict[str, Database]


class Verification:
    """`good` is the first of the two samples once it is there."""

    def __init__(self, work: FixWork) -> None:
        self.work, self.plan = work, work.plan
        self.began = work.clock.monotonic()
        self.joined = False

    def run(self) -> None:
        """Returns when both samples are good. Raises Stopped (exit 11) where that cannot be, or not in time."""
        first: tuple[float, Sample] | None = None
        while True:
            try:
                seen = self.look()
            except KubeError as error:
                if error.status in (401, 403):  # a pod that has no address yet, or no container, answers 400, 404 or 503
                    raise self.unverified(error.as_kubectl_prints_it()) from error
                seen = f"no answer yet: {error.as_kubectl_prints_it()}"
            now = self.work.clock.monotonic()
            if isinstance(seen, str):
                first = None
                self.pause(seen)
                continue
            if first is None:
                first = (now, seen)
            elif now - first[0] >= APART:
                frozen = self.frozen(first[1], seen)
                if not frozen:
                    break
                first = None
                self.pause(frozen)
                continue
            self.pause("it does; a second look 10 s later must say so, too")
        self.others_untouched()

    def pause(self, reason: str) -> None:
        self.work.ui.step("verify", f"verify that {self.plan.pod} follows", "waiting", reason)
        if self.work.left() <= 0:
            raise self.unverified(reason + self.from_log())
        self.work.sleep(LOOK)

    def look(self) -> Sample | str:
        """A good sample, or in words what is not good yet. Raises Stopped where it can never be."""
        info = self.work.info(self.plan.pod)
        if isinstance(info, Gap):
            return f"{self.plan.pod} answers nonsense: {info.detail}"
        want = self.plan.primary_cluster_id
        if info.is_primary:
            raise self.unverified(
                f"{self.plan.pod} came back as a primary of its own, with cluster id {info.cluster_id}: its configuration makes it one (lease.candidate)"
            )
        if info.cluster_id and info.cluster_id != want:
            raise self.unverified(f"{self.plan.pod} came back with cluster id {info.cluster_id}, its primary has {want}")
        if not info.cluster_id:
            return f"it has not joined yet{self.patience()}"
        mine = self.work.databases(self.plan.pod)
        theirs = self.work.databases(self.plan.primary)
        if isinstance(mine, Gap) or isinstance(theirs, Gap):
            return "its databases are not to be seen yet"
        return self.compare(by_name(mine), by_name(theirs))

    def compare(self, mine: dict[str, Database], theirs: dict[str, Database]) -> Sample | str:
        for name, floor in sorted(self.plan.floor.items()):
            has, lead = mine.get(name), theirs.get(name)
            if has is None or has.txid == 0:
                return f"{name} has not arrived yet{self.patience()}"
            if has.txid < floor:
                return f"{name} is at txid {has.txid:x} of at least {floor:x}"
            if lead is not None and lead.txid == has.txid and lead.checksum != has.checksum:
                return f"{name} differs at txid {has.txid:x}: checksum {has.checksum}, the primary's is {lead.checksum}"
        if not self.joined and not self.has_joined():
            return "its log does not say `connected to cluster, ready` yet"
        return Sample(mine, theirs)

    def frozen(self, first: Sample, second: Sample) -> str:
        """A replica that holds a good copy and no longer follows: the primary moved on, it did not."""
        for name in self.plan.floor:
            lead, was, has = first.theirs.get(name), first.mine.get(name), second.mine.get(name)
            if lead is not None and was is not None and has is not None and has.txid < lead.txid and has.txid == was.txid:
                return f"{name} stays at txid {has.txid:x} while the primary is at {second.theirs[name].txid if name in second.theirs else lead.txid:x}"
        return ""

    def has_joined(self) -> bool:
        """Whether this run's log has the line. Read once it can matter, and only its beginning."""
        path = core(self.plan.namespace, "pods", self.plan.pod) + "/log"
        query = {"limitBytes": str(4 << 20), "container": self.plan.container}
        data = self.work.kube.get(path, query, timeout=self.work.options.request_timeout, max_bytes=8 << 20)
        self.joined = JOINED.search(data) is not None
        self.log = data[-65536:]
        return self.joined

    log: bytes = b""

    def patience(self) -> str:
        """Why this may take long, once it does."""
        waited = self.work.clock.monotonic() - self.began
        if waited > 10 and waited <= HANG:
            return "; a dial to a primary that was restarted may hang one to two minutes"
        return (
            f"; LiteFS gives a snapshot up after data.retention (10 min by default) and begins anew ({waited:.0f} s so far)"
            if waited > HANG
            else ""
        )

    def from_log(self) -> str:
        """What the log says of a volume that is too small."""
        try:
            self.has_joined()
        except KubeError:
            return ""
        found = TOO_SMALL.search(self.log.decode("utf8", "replace"))
        return f"; its log says `{found[0]}`: the new volume ({self.plan.capacity} before) may be too small" if found else ""

    def others_untouched(self) -> None:
        """The other pods are the same pods, the set is as planned, and one pod leads."""
        for pod, uid, _ in (*self.plan.others, (self.plan.primary, self.plan.primary_uid, "")):
            found = self.work.object(core(self.plan.namespace, "pods", pod))
            if uid_of(found) != uid and not self.scaled_away(pod):
                self.work.warn(
                    f"{pod} is another pod than before (uid {uid_of(found) or 'gone'}, was {uid}); this run did not touch it"
                )
        owner = self.work.statefulset()
        spec = (owner or {}).get("spec") or {}
        if uid_of(owner) != self.plan.set_uid:
            raise self.unverified(
                f"the StatefulSet {self.plan.set_name} is another one now (uid {uid_of(owner) or 'gone'}, was {self.plan.set_uid})"
            )
        if spec.get("replicas") != self.plan.replicas:
            self.work.warn(
                f"the StatefulSet has {spec.get('replicas')} replicas now, {self.plan.replicas} before; this run did not change them"
            )
        leads = []
        for pod in (self.plan.primary, *(p for p, _, _ in self.plan.others)):
            info = self.work.info(pod)
            if not isinstance(info, Gap) and info.is_primary:
                leads.append(pod)
        if leads != [self.plan.primary]:
            raise self.unverified(
                f"{len(leads)} pods report isPrimary=true ({', '.join(leads) or 'none'}), want {self.plan.primary} alone"
            )

    def scaled_away(self, pod: str) -> bool:
        """Strategy scale stops the later ordinals, too, as its plan says."""
        mine, theirs = self.plan.pod.rpartition("-")[2], pod.rpartition("-")[2]
        return self.plan.strategy == "scale" and theirs.isdigit() and int(theirs) > int(mine)

    def unverified(self, what: str) -> Stopped:
        backup = f" The backup is in {self.work.backup}." if self.work.backup else ""
        return Stopped(
            "unverified",
            f"the volume was replaced, but that {self.plan.pod} follows could not be verified: {what}",
            ExitCode.UNVERIFIED,
            f"kubectl litefs diagnose -n {self.plan.namespace} says what is wrong; --resume looks again.{backup}",
        )


def by_name(databases: Iterable[Database]) -> dict[str, Database]:
    return {d.name: d for d in databases}


def verify(work: FixWork) -> None:
    try:
        Verification(work).run()
    except KubeError as error:
        raise Verification(work).unverified(error.as_kubectl_prints_it()) from error
    work.phase = Phase.DONE
