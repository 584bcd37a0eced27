"""A Lease as the lock of one StatefulSet: one run at a time, and a place that outlives this process.

A Lease does not fence: a holder that slept past its end may wake up and write. What fences are the uid preconditions
of every request that deletes; the lock keeps two people from working at the same set.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import socket
import uuid
from collections.abc import Callable, Mapping
from datetime import timezone
from typing import Any

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from ..model.objects import parse_time
from ..ports import Clock, WritableKube

DURATION = 60
"""Seconds after which a lock that is not renewed counts as left behind."""
RENEW = 15.0
"""Seconds between two renewals."""
ALIVE = 20.0
"""Seconds for which a lock that was not given up is watched at least: whoever lives renews it in that time."""
MAX_NOTES = 240_000
"""Characters of all notes together: Kubernetes allows 256 KiB of annotations."""
PREFIX = "kubectl-litefs/"
FORMER = "former"
"""The note that keeps what another command's stopped run had noted, as JSON: its `--resume` needs it where ours changes nothing."""


class LockLost(LitefsError):
    """The Lease is gone or somebody else's."""

    exit_code = ExitCode.STOPPED_BEFORE


def lock_name(set_name: str) -> str:
    return f"litefs-fix-{set_name}"


def who() -> str:
    """user@host, harmless in a label or on a screen."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return re.sub(r"[^A-Za-z0-9._@-]", "_", f"{user}@{socket.gethostname()}")[:100]


class Lock:
    """Held from `take` to `release`. `tick` renews it when it is time; call it wherever time passes."""

    def __init__(self, kube: WritableKube, namespace: str, set_name: str, clock: Clock, timeout: float) -> None:
        self.kube, self.clock, self.timeout = kube, clock, timeout
        self.name = lock_name(set_name)
        self.collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self.path = f"{self.collection}/{self.name}"
        self.namespace = namespace
        self.holder = f"{who()}#{uuid.uuid4()}"
        self.notes: dict[str, str] = {}
        self.lease: dict[str, Any] | None = None
        self.renewed = 0.0
        self.lost: str | None = None
        self.asked = False
        """A request that may have made or taken the Lease was sent; its answer may be lost."""
        self.found: tuple[str, dict[str, str]] | None = None
        """Holder and notes of the stopped run whose lock was taken over."""

    @property
    def held(self) -> bool:
        """As far as is known."""
        return self.lease is not None and self.lost is None

    def read(self) -> dict[str, Any] | None:
        """The Lease as it is, None where there is none."""
        try:
            found = json.loads(self.kube.exchange("GET", self.path, timeout=self.timeout).body)
        except KubeError as error:
            if error.status == 404:
                return None
            raise
        return found if isinstance(found, dict) else None

    def take(self, notes: Mapping[str, str], tell: Callable[[str], None], *, break_lock: bool = False, resume: bool = False) -> None:
        """Raises LitefsError with exit 5 where somebody else has it. `tell` is told what is waited for."""
        self.notes = dict(notes)
        self.asked = True
        try:
            self._keep(self.kube.exchange("POST", self.collection, self._document(), timeout=self.timeout).body)
            return
        except KubeError as error:
            if error.status != 409:
                raise
        found = self.read()
        if found is None:
            raise self._busy("somebody released it this very moment", None)
        if holder_of(found) == self.holder:  # our own create, whose answer was lost
            self._keep(json.dumps(found).encode())
        else:
            self._take_over(found, tell, break_lock, resume)

    def _take_over(self, found: dict[str, Any], tell: Callable[[str], None], break_lock: bool, resume: bool) -> None:
        """Only a lock that nobody renews, and only when asked to. Whether it is renewed is watched with our own clock:
        two machines' clocks may be an hour apart."""
        mine = holder_of(found).split("#")[0] == who()
        if not (break_lock or (resume and mine)):
            raise self._busy("it is taken", found)
        spec = found.get("spec") or {}
        renewed = parse_time(spec.get("renewTime"))
        duration = float(spec.get("leaseDurationSeconds") or DURATION)
        age = (self.clock.now() - renewed).total_seconds() if mine and renewed else 0.0
        least = ALIVE if duration > ALIVE else 0.0  # a clock that was set, or a machine that slept, makes a live holder's renewal look old
        ends = self.clock.monotonic() + max(least, duration - max(0.0, age))
        while (left := ends - self.clock.monotonic()) > 0:
            tell(f"whether {holder_of(found).split('#')[0]} is still at work: it must not renew the lock for {left:.0f} s more")
            self.clock.sleep(min(5.0, max(0.05, left)))
            again = self.read()
            if again is None:
                break  # the write below finds that out, too
            if (again.get("spec") or {}).get("renewTime") != spec.get("renewTime") or holder_of(again) != holder_of(found):
                raise self._busy("its holder is alive and renews it", again)
            found = again
        self._remember(found)
        document = self._document()
        document["metadata"]["resourceVersion"] = found["metadata"].get("resourceVersion")
        try:
            self._keep(self.kube.exchange("PUT", self.path, document, timeout=self.timeout).body)
        except KubeError as error:
            if error.status == 404:  # released at last: there is nothing to give back
                self.found = None
                self.notes.pop(FORMER, None)
                self._keep(self.kube.exchange("POST", self.collection, self._document(), timeout=self.timeout).body)
            elif error.status == 409:
                raise self._busy("somebody was faster", self.read()) from error
            else:
                raise

    def _remember(self, found: dict[str, Any]) -> None:
        """Another command's record is kept in ours, so that it outlives this process, too."""
        holder, theirs = self.found = (holder_of(found), notes_of(found))
        same = theirs.get("command") == self.notes.get("command")
        former = theirs.get(FORMER, "") if same else json.dumps([holder, theirs]) if theirs else ""
        if former:
            self.notes[FORMER] = former
            if sum(map(len, self.notes.values())) > MAX_NOTES:  # our own plan is in the journal, too
                self.notes.pop("plan-document", None)

    def note(self, **notes: str) -> None:
        """Write down how far we are, for whoever comes after us. Raises LockLost."""
        self.notes.update(notes)
        self._renew()

    def tick(self) -> None:
        """Renew where it is time. A renewal that fails for a moment is tried again at the next tick."""
        if self.lease is not None and self.lost is None and self.clock.monotonic() - self.renewed >= RENEW:
            try:
                self._renew()
            except KubeError:
                self.renewed = self.clock.monotonic() - RENEW + 2.0

    def check(self) -> None:
        """Raises LockLost unless the Lease is ours now."""
        found = self.read()
        if found is None or holder_of(found) != self.holder:
            raise self._lose(found)
        self.lease = found

    def _renew(self) -> None:
        if self.lease is None or self.lost is not None:
            return
        document = self._document()
        document["metadata"]["resourceVersion"] = self.lease["metadata"].get("resourceVersion")
        try:
            self._keep(self.kube.exchange("PUT", self.path, document, timeout=self.timeout).body)
        except KubeError as error:
            if error.status not in (404, 409):
                raise
            found = self.read()
            if found is None or holder_of(found) != self.holder:
                raise self._lose(found) from error
            self.lease = found  # an earlier renewal of ours whose answer was lost, or somebody's annotation

    def release(self) -> None:
        """Delete the Lease if it is ours; by uid, so nobody else's goes. Never raises: it ends by itself after a minute."""
        if not self.asked or self.lost is not None:
            return
        try:
            found = self.lease or self.read()
            if found is None or holder_of(found) != self.holder:
                return
            body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": found["metadata"].get("uid")}}
            self.kube.exchange("DELETE", self.path, body, timeout=self.timeout)
        except LitefsError as error:
            self.lost = f"the Lease {self.name} could not be deleted: {error.message}"
        self.lease, self.asked = None, False

    def leave_as_found(self) -> dict[str, str]:
        """This run has changed nothing: a stopped run's Lease goes back to it as it was, any other is released. Never raises.

        The notes of the one that is still to be finished, empty where there is none.
        """
        self._back_to(self.found)
        return self.found[1] if self.found else {}

    def leave_to_former(self) -> None:
        """The run that is taken up had changed nothing either: the Lease goes back to the one before, or is released. Never raises."""
        try:
            holder, notes = json.loads(self.notes.get(FORMER, "null"))
            former = (str(holder), {str(k): str(v) for k, v in notes.items()})
        except (ValueError, TypeError, AttributeError, RecursionError):
            former = None
        self._back_to(former)

    def _back_to(self, former: tuple[str, dict[str, str]] | None) -> None:
        if former is None:
            self.release()
            return
        with contextlib.suppress(LitefsError):  # then ours runs out by itself, and keeps the other's record in it
            self.lease = self.lease or (self.read() if self.asked else None)
            if holder_of(self.lease) == self.holder:
                self.holder, self.notes = former
                self.abandon()
        self.lease, self.asked = None, False

    def abandon(self) -> None:
        """Leave the Lease for `--resume`, marked as nobody's at work: it runs out at once. Never raises."""
        if self.lease is None or self.lost is not None:
            return
        document = self._document()
        document["metadata"]["resourceVersion"] = self.lease["metadata"].get("resourceVersion")
        document["spec"]["leaseDurationSeconds"] = 1
        with contextlib.suppress(LitefsError):  # then it runs out by itself, after a minute
            self.kube.exchange("PUT", self.path, document, timeout=self.timeout)

    def _lose(self, found: dict[str, Any] | None) -> LockLost:
        self.lost = f"the Lease {self.name} is held by {holder_of(found)}" if found else f"the Lease {self.name} is gone"
        return LockLost("lock-lost", self.lost)

    def _keep(self, body: bytes) -> None:
        kept = json.loads(body)
        self.lease = kept if isinstance(kept, dict) else None
        self.renewed = self.clock.monotonic()

    def _document(self) -> dict[str, Any]:
        now = self.clock.now().astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        acquired = ((self.lease or {}).get("spec") or {}).get("acquireTime") or now
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/managed-by": "kubectl-litefs"},
                "annotations": {PREFIX + k: v for k, v in self.notes.items()},
            },
            "spec": {"holderIdentity": self.holder, "leaseDurationSeconds": DURATION, "acquireTime": acquired, "renewTime": now},
        }

    def _busy(self, why: str, found: dict[str, Any] | None) -> LitefsError:
        notes = notes_of(found)
        seen = f" by {holder_of(found)}, renewed {(found.get('spec') or {}).get('renewTime')}" if found else ""
        whose = f"a {notes['command']}" if "command" in notes else f"pod {notes.get('pod', '?')}"
        plan = f", plan {notes.get('plan', '?')[:12]} of {whose}" if notes else ""
        return LitefsError(
            "locked",
            f"the lock {self.name} cannot be had: {why}{seen}{plan}",
            hint="Wait for it. Where its holder is dead: --resume takes up its run (same user and host; else --resume --break-lock). --break-lock waits until it has not been renewed for a minute.",
            exit_code=ExitCode.LOCKED,
        )


def holder_of(lease: Mapping[str, Any] | None) -> str:
    return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")


def notes_of(lease: Mapping[str, Any] | None) -> dict[str, str]:
    """What the run that took the lock has written down."""
    annotations = ((lease or {}).get("metadata") or {}).get("annotations") or {}
    return {k[len(PREFIX) :]: str(v) for k, v in annotations.items() if k.startswith(PREFIX)}


def taken_up_by(notes: Mapping[str, str], set_name: str, namespace: str) -> str:
    """What to type to go on with the run that has left these notes."""
    commands = {"rescue": f"rescue run {set_name}", "rescue undo": f"rescue undo {set_name}"}
    command = commands.get(notes.get("command", ""), f"fix-cluster-id {notes.get('pod', 'POD')}")
    return f"kubectl litefs {command} -n {namespace} --resume"
