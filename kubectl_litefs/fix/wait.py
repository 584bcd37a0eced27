"""Waits until the pod has come back on a new claim, and says what it waits for. Polls; a stale cache cannot fool it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import KubeError
from ..exitcodes import ExitCode
from .calls import core, delete_options
from .destroy import PROTECTION
from .work import POLL, Phase, Stopped, Work, passing, terminating, uid_of

EXTRA = 30.0
"""Seconds beyond the grace period in which a pod must be gone."""
NO_CLAIM = 60.0
"""Seconds a Pending pod may lack its claim before it is deleted once: an older controller then makes both anew."""
REASONS = 10.0
"""Seconds between two looks for the reason of a wait (events, lower ordinals)."""

Object = Mapping[str, Any]


class Replacement:
    """One wait, from the old pod's end to the new pod on its new claim."""

    def __init__(self, work: Work) -> None:
        self.work, self.plan = work, work.plan
        self.began = work.clock.monotonic()
        self.pod_gone: float | None = None
        self.claimless: float | None = None
        self.healed = False
        self.asked = -1e9
        self.cause = ""

    def run(self) -> str:
        """The new pod's uid. Raises Stopped (exit 10) with the cause when time is up."""
        while True:
            try:
                pod, claim = self.work.pod(), self.work.claim()
            except KubeError as error:
                if not passing(error):
                    raise
                self.pause(f"the API server does not answer: {error.as_kubectl_prints_it()}", error.retry_after)
                continue
            new_pod = pod is not None and uid_of(pod) != self.plan.pod_uid
            new_claim = claim is not None and (uid_of(claim) != self.plan.claim_uid or self.plan.keeps_claim)
            if pod is not None and new_pod and new_claim and not terminating(pod) and started(pod):
                return uid_of(pod)
            self.heal(pod, claim, new_pod)
            self.pause(self.reason(pod, claim, new_pod, new_claim))

    def pause(self, reason: str, seconds: float | None = None) -> None:
        waited = self.work.clock.monotonic() - self.began
        self.work.ui.step("wait", "", "waiting", reason)
        over = self.pod_gone is None and waited > self.plan.grace + EXTRA
        if over or self.work.left() <= 0:
            where = "the old pod is still there after its grace period" if over else "time is up"
            raise Stopped("not-back", f"{where}: {reason}", ExitCode.STOPPED_AFTER, self._hint())
        self.work.sleep(seconds or POLL)

    def _hint(self) -> str:
        return "Nothing was forced and nothing further deleted. When the cause is gone: --resume."

    # --- why it is not there yet

    def reason(self, pod: Object | None, claim: Object | None, new_pod: bool, new_claim: bool) -> str:
        if pod is not None and not new_pod:
            return self._old_pod(pod)
        if self.pod_gone is None:
            self.pod_gone = self.work.clock.monotonic()
        if claim is not None and not new_claim:
            return self._old_claim(claim)
        if pod is None:
            return self._no_pod()
        if claim is None:
            return f"the new pod is Pending, its claim {self.plan.claim} was not made yet"
        return self._pending(pod, claim)

    def _old_pod(self, pod: Object) -> str:
        grace = pod["metadata"].get("deletionGracePeriodSeconds", self.plan.grace)
        rest = float(grace or 0) - (self.work.clock.monotonic() - self.began)
        node = self._node(pod)
        if rest > 0:
            return f"the old pod ends, {rest:.0f} s at most (LiteFS ignores SIGTERM in this state)"
        return "the old pod is still Terminating" + (f": {node}" if node else "")

    def _node(self, pod: Object) -> str:
        """Whether its node can still tell that it ended. A node that is lost never does; nothing is forced here."""
        name = (pod.get("spec") or {}).get("nodeName")
        if not name or not self.due():
            return self.cause
        try:
            node = self.work.object(f"/api/v1/nodes/{name}") or {}
        except KubeError:
            return ""  # nodes are cluster-wide and often not ours to read
        ready = next(
            (c.get("status") for c in (node.get("status") or {}).get("conditions") or [] if c.get("type") == "Ready"), None
        )
        self.cause = "" if ready == "True" else f"its node {name} is NotReady, so the pod cannot be confirmed dead"
        return self.cause

    def _old_claim(self, claim: Object) -> str:
        finalizers = [str(f) for f in claim["metadata"].get("finalizers") or []]
        foreign = [f for f in finalizers if f != PROTECTION]
        if foreign:
            owner = foreign[0].split("/")[0]
            return f"the old claim is held by the finalizer {', '.join(foreign)}: its owner ({owner}) must let it go; it is never stripped here"
        return "the old claim is Terminating" + (self.events("PersistentVolumeClaim", self.plan.claim) if self.due() else "")

    def _no_pod(self) -> str:
        if not self.due():
            return self.cause or "the StatefulSet controller has not made the new pod yet"
        lower = self._lower_not_ready()
        told = self.events("StatefulSet", self.plan.set_name)
        waited = self.work.clock.monotonic() - (self.pod_gone or self.began)
        idle = "no controller activity: " if waited > 15 and not told else ""
        self.cause = lower or f"{idle}the StatefulSet controller has not made the new pod yet{told}"
        return self.cause

    def _lower_not_ready(self) -> str:
        """With OrderedReady a lower ordinal that is not Ready holds the pod back."""
        stem, _, ordinal = self.plan.pod.rpartition("-")
        for pod in sorted(p for p, _, _ in (*self.plan.others, (self.plan.primary, "", "")) if p.rpartition("-")[0] == stem):
            number = pod.rpartition("-")[2]
            if not number.isdigit() or not ordinal.isdigit() or int(number) >= int(ordinal):
                continue
            try:
                found = self.work.object(core(self.plan.namespace, "pods", pod))
            except KubeError:
                continue  # the next look asks again
            if found is None or not ready(found):
                return f"ordinal {number} ({pod}) is not Ready, and a StatefulSet with podManagementPolicy OrderedReady makes no later pod"
        return ""

    def _pending(self, pod: Object, claim: Object) -> str:
        phase = str((claim.get("status") or {}).get("phase", "Pending"))
        if not self.due():
            return self.cause or "the new pod starts"
        if phase != "Bound":
            self.cause = f"the new claim is {phase}" + self.events("PersistentVolumeClaim", self.plan.claim)
        else:
            self.cause = "the new pod starts" + self.events("Pod", self.plan.pod)
        return self.cause

    def due(self) -> bool:
        """Whether the reason is to be looked for anew; `cause` holds the last one."""
        now = self.work.clock.monotonic()
        if now - self.asked < REASONS:
            return False
        self.asked = now
        return True

    def events(self, kind: str, name: str) -> str:
        """`: MESSAGE` of the newest warning about the object, empty where there is none or none may be read."""
        query = {"fieldSelector": f"involvedObject.name={name},involvedObject.kind={kind}", "limit": "200"}
        try:
            data = self.work.kube.get(
                f"/api/v1/namespaces/{self.plan.namespace}/events",
                query,
                timeout=self.work.options.request_timeout,
                max_bytes=8 << 20,
            )
            items = [i for i in json.loads(data).get("items") or [] if isinstance(i, dict)]
        except (KubeError, ValueError, AttributeError):
            return ""
        warnings = [i for i in items if i.get("type") == "Warning"]
        newest = max(warnings, key=lambda i: str(i.get("lastTimestamp") or i.get("eventTime") or ""), default=None)
        return f": {newest.get('reason')}: {newest.get('message')}" if newest else ""

    # --- the one thing that is done about it

    def heal(self, pod: Object | None, claim: Object | None, new_pod: bool) -> None:
        """Before PR 113270 (Kubernetes 1.26) a pod that was made while its old claim ended stays Pending for ever."""
        stuck = pod is not None and new_pod and claim is None and (pod.get("status") or {}).get("phase") == "Pending"
        now = self.work.clock.monotonic()
        self.claimless = (self.claimless if self.claimless is not None else now) if stuck else None
        if self.claimless is None or pod is None or self.healed or now - self.claimless < NO_CLAIM:
            return
        self.healed = True
        self.work.warn(
            f"{self.plan.pod} is Pending without a claim for {NO_CLAIM:.0f} s: deleting it once, so that the controller makes both"
        )
        path = core(self.plan.namespace, "pods", self.plan.pod)
        try:
            self.work.kube.exchange("DELETE", path, delete_options(uid_of(pod)), timeout=self.work.options.request_timeout)
        except KubeError as error:
            self.work.warn(f"it could not be deleted: {error.as_kubectl_prints_it()}")


def started(pod: Object) -> bool:
    """Whether a container of it runs: from here on LiteFS is asked, not Kubernetes."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return any(isinstance(s, dict) and (s.get("state") or {}).get("running") for s in statuses)


def ready(pod: Object) -> bool:
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in (pod.get("status") or {}).get("conditions") or [])


def wait_replaced(work: Work) -> str:
    """The new pod's uid, with its new claim. From here on what remains is to verify."""
    found = Replacement(work).run()
    work.phase = Phase.REPLACED
    return found
