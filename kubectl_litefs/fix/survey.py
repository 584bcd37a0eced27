"""Looks at the target's whole cluster, twice within one survey, with the facts of `diagnose`. Reads only."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Callable

from ..errors import CouldNotLook, KubeError, LitefsError, UsageError
from ..exitcodes import ExitCode
from ..gather import live
from ..model.cluster import Cluster, Facts
from ..model.origin import GapReason
from ..model.target import Target
from ..parse.assemble import assemble
from ..ports import Clock, Observer, WritableKube
from .case import Case
from .options import FixOptions
from .patient import Patient

KINDS = frozenset(
    {
        "pods",
        "services",
        "persistentvolumeclaims",
        "events",
        "statefulsets",
        "poddisruptionbudgets",
        "persistentvolumes",
        "nodes",
        "storageclasses",
    }
)
"""What is listed; with the strategy `scale` the HorizontalPodAutoscalers, too."""
INDISPENSABLE = ("statefulsets", "persistentvolumeclaims")
"""Besides the pods: without these nothing can be proven."""
BETWEEN_LOOKS = 3.0
"""Seconds between the two samples."""
WHOLE = 90.0
"""Seconds for one survey, where the server asks to wait."""


def facts_of(
    patient: Patient, names: tuple[str, ...], options: FixOptions, clock: Clock, observer: Observer, kinds: frozenset[str] = KINDS
) -> Facts:
    """One look at the whole clusters that `names` (`pod/NAME`, `statefulset/NAME`) belong to, their LiteFS asked twice."""
    target = Target(
        namespace=options.namespace or patient.namespace,
        names=names,
        request_timeout=WHOLE,
        run_timeout=min(WHOLE, max(1.0, patient.left())),
        second_look=BETWEEN_LOOKS,
        always_look_twice=True,
        kinds=kinds,
        port=options.port,
    )
    return assemble(live.gather(patient, target, clock, observer))


def survey(kube: WritableKube, options: FixOptions, clock: Clock, observer: Observer, left: Callable[[], float]) -> Case:
    """One look at everything. Raises UsageError for a pod that does not exist, CouldNotLook where sight is missing."""
    namespace = options.namespace or kube.namespace
    kinds = KINDS | ({"horizontalpodautoscalers"} if options.strategy == "scale" else frozenset())
    patient = Patient(kube, clock, left, options.request_timeout)
    try:
        facts = facts_of(patient, (f"pod/{options.pod}",), options, clock, observer, kinds)
    except UsageError as error:
        raise _no_such_pod(patient, options, namespace) if error.reference == "not-found" else error from None
    cluster = next((c for c in facts.clusters if c.pod(options.pod) is not None), None)
    if cluster is None:
        hint = f"It answers as LiteFS on no port that is known; name it with --port. `kubectl litefs diagnose -n {namespace}` looks at the namespace."
        raise LitefsError(
            "no-litefs", f"pod {options.pod} does not run LiteFS as far as can be seen", hint=hint, exit_code=ExitCode.REFUSED
        )
    require_sight(cluster)
    pod = cluster.pod(options.pod)
    assert pod is not None
    if options.container is not None and pod.container.name != options.container:
        names = ", ".join(c.name for c in pod.containers if not c.init)
        raise UsageError(
            "wrong-container",
            f"--container={options.container}: LiteFS runs in container {pod.container.name} of {pod.name}",
            hint=f"Its containers: {names}",
        )
    if options.port is not None:
        pod = dataclasses.replace(pod, http_port=options.port)
        cluster = dataclasses.replace(
            cluster,
            pods=tuple(pod if p.name == pod.name else dataclasses.replace(p, http_port=options.port) for p in cluster.pods),
        )
    return Case(cluster, pod, kube.server, kube.context, kube.cluster, headers_of(kube, cluster, options))


def headers_of(kube: WritableKube, cluster: Cluster, options: FixOptions) -> dict[str, tuple[str, ...]]:
    """Pod -> what LiteFS says of its cluster id in the header of an answer."""
    return {p.name: _headers(kube, p.namespace, p.name, p.http_port, options) for p in cluster.pods if p.info is not None}


def _headers(kube: WritableKube, namespace: str, pod: str, port: int, options: FixOptions) -> tuple[str, ...]:
    """What LiteFS says of itself in the header of an answer (http/server.go sets it on each)."""
    try:
        answer = kube.exchange(
            "GET", f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/info", timeout=options.request_timeout
        )
    except KubeError:
        return ()  # the body was seen twice; a third silence proves nothing new
    return (re.sub(r"[^\x21-\x7e]", "?", answer.headers.get("litefs-cluster-id", ""))[:64],)


def require_sight(cluster: Cluster) -> None:
    for plural in INDISPENSABLE:
        gap = cluster.gaps.get(plural)
        if gap is None or cluster.list(plural) is not None:
            continue
        message = f"cannot read the {plural} of namespace {cluster.namespace}: {gap.detail or gap.why.value}"
        if gap.why is GapReason.FORBIDDEN:
            raise CouldNotLook("forbidden", message, hint="kubectl litefs rbac fix-cluster-id prints the Role that is needed.")
        raise LitefsError("cannot-look", message, hint="Nothing was changed. Try again.", exit_code=ExitCode.STOPPED_BEFORE)


def _no_such_pod(kube: Patient, options: FixOptions, namespace: str) -> UsageError:
    """A typo is answered with what there is, an ordinal beyond the set with its range."""
    pods = _names(kube, f"/api/v1/namespaces/{namespace}/pods")
    sets = _names(kube, f"/apis/apps/v1/namespaces/{namespace}/statefulsets")
    if options.pod in sets:
        mine = [p for p in sorted(pods) if re.fullmatch(re.escape(options.pod) + r"-\d+", p)]
        return UsageError(
            "no-ordinal",
            f'"{options.pod}" is a StatefulSet, no pod: give the pod with its ordinal',
            hint=f"Its pods: {', '.join(mine) or 'none'}",
        )
    found = re.fullmatch(r"(.+)-(\d+)", options.pod)
    if found and found[1] in sets:
        replicas, start = sets[found[1]]
        plain = f"{found[1]}-{int(found[2])}"
        if plain in pods and plain != options.pod:
            return UsageError(
                "not-found", f'pod "{options.pod}" not found in namespace {namespace}', hint=f"Did you mean {plain}?"
            )
        if not start <= int(found[2]) < start + replicas:
            last = start + replicas - 1
            return UsageError(
                "no-such-ordinal",
                f"ordinal {int(found[2])} is beyond the replicas of statefulset {found[1]}, {start}..{last}",
                hint=f"For example {found[1]}-{last}.",
            )
    near = difflib.get_close_matches(options.pod, sorted(pods), 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There is: {', '.join(sorted(pods)[:10]) or 'none'}"
    return UsageError("not-found", f'pod "{options.pod}" not found in namespace {namespace}', hint=hint)


def _names(kube: Patient, path: str) -> dict[str, tuple[int, int]]:
    """Name -> (replicas, first ordinal); empty where they cannot be listed."""
    try:
        items = json.loads(kube.get(path, {"limit": "500"}, timeout=5, max_bytes=64 * 1024 * 1024))["items"]
        specs = {str(i["metadata"]["name"]): i.get("spec") or {} for i in items}
        return {n: (int(s.get("replicas", 1)), int((s.get("ordinals") or {}).get("start", 0))) for n, s in specs.items()}
    except (KubeError, ValueError, KeyError, TypeError, AttributeError):
        return {}
