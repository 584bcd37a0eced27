"""What a run carries with it: the cluster, the clock, the lock, the journal, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from ..model.litefs import Database, Info
from ..model.origin import Gap
from ..ports import Clock, WritableKube
from .aim import Aim
from .calls import core
from .export import Node
from .journal import Journal
from .lock import Lock
from .options import FixOptions
from .patient import STUMBLES
from .plan import Plan

POLL = 1.5
"""Seconds between two looks while waiting: two objects each time, so less than two requests a second. Plain GETs read
what is true now; a watch may serve an old cache, and ends in ways that need the same polling behind it."""


class Phase(str, Enum):
    """How far the cluster has been changed. It decides the exit code of whatever goes wrong."""

    LOOKING = "looking"
    """The plan was not shown yet."""
    PLANNED = "planned"
    """Nothing was changed but the lock, and what a backup adds."""
    SCALED = "scaled"
    """Strategy scale: pods are down, their claims untouched; the replicas must be set back."""
    RENAMED = "renamed"
    """Strategy in-place: the file is put aside, the old pod still runs; it can be put back."""
    DELETING = "deleting"
    """The request that deletes the claim is under way: whether it arrived must be looked up."""
    ARMED = "armed"
    """The claim is Terminating, the old pod may still run: past the point of no return."""
    REPLACED = "replaced"
    """The new pod has its new claim; what remains is to verify."""
    DONE = "done"


class Ui(Protocol):
    """Who is told. `progress` is an Observer's."""

    def progress(self, text: str) -> None: ...

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        """`state` is `doing`, `waiting`, `done`, `failed` or `skipped`; `detail` says for what, or with what result."""

    def say(self, text: str) -> None:
        """A line that must not be missed: a warning."""


class Interrupted(BaseException):
    """A signal. No LitefsError, so that nothing that forgives errors swallows it."""

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass
class Work:
    """`deadline` is on the clock's monotonic time; the run may last until then."""

    kube: WritableKube
    options: FixOptions
    clock: Clock
    ui: Ui
    plan: Aim
    lock: Lock
    journal: Journal
    deadline: float
    phase: Phase = Phase.PLANNED
    backup: str = ""
    """Where the backup lies, in words for the user; empty while there is none."""
    warned: list[str] = field(default_factory=list)

    def left(self) -> float:
        return max(0.0, self.deadline - self.clock.monotonic())

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(max(0.05, min(seconds, self.left() + 0.05)))
        self.tick()

    def tick(self) -> None:
        """Keep the lock alive. Losing it after the point of no return is said, not fatal: our requests name uids."""
        try:
            self.lock.tick()
        except LitefsError as error:
            self.lock_lost(error)

    def lock_lost(self, error: LitefsError) -> None:
        if self.phase in (Phase.LOOKING, Phase.PLANNED):
            raise error
        self.warn(f"{error.message}; this run goes on, with requests that name exact uids only")

    def warn(self, text: str) -> None:
        if text not in self.warned:
            self.warned.append(text)
            self.ui.say(text)

    def record(self, step: str, **values: Any) -> None:
        """Journal and Lease, before the next thing happens."""
        self.journal.write(step, plan=self.plan.id, **values)
        if self.journal.warning:
            self.warn(self.journal.warning)
        try:
            self.lock.note(step=step)
        except KubeError as error:
            if self.phase is Phase.PLANNED:
                raise
            self.warn(f"the lock could not be renewed: {error.message}")
        except LitefsError as error:
            self.lock_lost(error)

    # --- looking

    def object(self, path: str) -> dict[str, Any] | None:
        """An object as it is now, None where there is none. Raises KubeError."""
        try:
            found = json.loads(self.kube.exchange("GET", path, timeout=self.options.request_timeout).body)
        except KubeError as error:
            if error.status == 404:
                return None
            raise
        except (ValueError, RecursionError):
            raise KubeError(f"the answer to {path} is no JSON", status=None, reason="BadAnswer", verb="get") from None
        if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
            raise KubeError(f"the answer to {path} is no object", status=None, reason="BadAnswer", verb="get")
        return found

    def pod(self) -> dict[str, Any] | None:
        return self.object(core(self.plan.namespace, "pods", self.plan.pod))

    def claim(self) -> dict[str, Any] | None:
        return self.object(core(self.plan.namespace, "persistentvolumeclaims", self.plan.claim))

    def statefulset(self) -> dict[str, Any] | None:
        return self.object(f"/apis/apps/v1/namespaces/{self.plan.namespace}/statefulsets/{self.plan.set_name}")

    def node(self, pod: str) -> Node:
        timeout = self.options.request_timeout
        return Node(self.kube, self.plan.namespace, pod, self.plan.port, timeout, self.left, self.tick)

    def info(self, pod: str) -> Info | Gap:
        return self.node(pod).info()

    def databases(self, pod: str) -> tuple[Database, ...] | Gap:
        return self.node(pod).databases()


@dataclass
class FixWork(Work):
    """That of `fix-cluster-id`."""

    plan: Plan


def passing(error: KubeError) -> bool:
    """Whether it is worth looking again: no answer, a stumble, or too many requests."""
    return error.status is None or error.status == 429 or error.status in STUMBLES


def uid_of(found: Mapping[str, Any] | None) -> str:
    return str(found["metadata"].get("uid", "")) if found else ""


def terminating(found: Mapping[str, Any] | None) -> bool:
    return bool(found and found["metadata"].get("deletionTimestamp"))


class Stopped(LitefsError):
    """The run ends here. The exit code tells the state; the hint says what to type."""

    def __init__(self, reference: str, message: str, code: ExitCode, hint: str | None = None) -> None:
        super().__init__(reference, message, hint=hint, exit_code=code)
