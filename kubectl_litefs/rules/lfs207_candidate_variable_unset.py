"""LFS207 candidate-variable-unset: `candidate` hangs on a variable that nothing defines."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import candidate_gap, evidence_of, static_pods
from ..model.cluster import Cluster
from ..model.config import ProblemKind, Sight, Variable
from ..model.families import names
from ..model.grouping import own_config, place
from ..model.lease import lease_of
from ..model.origin import GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

NOBODY_LOOKED = (GapReason.OFFLINE, GapReason.NOT_ASKED, GapReason.ABSENT)


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hanging = {p.name: v for p in static_pods(cluster) if (v := _variable(p)) is not None}
    pods = [p for p in cluster.pods if p.name in hanging]
    if len(pods) < 2 and len(cluster.pods) > 1:
        return  # at most one more candidate than there should be: its own business
    leading = [p for p in pods if _observed(p) is True]
    surely = [p for p in pods if _observed(p) is None and hanging[p.name].sight is Sight.UNSET]
    unseen = [p for p in pods if _observed(p) is None and hanging[p.name].sight is not Sight.UNSET]
    if len(leading) + len(surely) > 1:
        yield _finding(cluster, [*leading, *surely], hanging, Severity.ERROR)
    elif unseen and len(unseen) == len(pods) > 1 and all(_from_files(p) for p in cluster.pods):
        yield _finding(cluster, unseen, hanging, Severity.WARNING)
    elif unseen and len(unseen) + len(leading) + len(surely) > 1:
        yield from (Unknown(candidate_gap(p)) for p in unseen)


def _variable(pod: Pod) -> Variable | None:
    """The variable that `candidate` consists of, where nothing that can be seen defines it."""
    config = own_config(pod)
    if config is None or not config.expand_env:
        return None
    if any(x.key == "lease.candidate" and x.kind is ProblemKind.VALUE and x.certain for x in config.problems):
        return None  # in quotes it is an empty text, which LiteFS refuses: LFS504
    for variable in config.variables:
        plain = variable.grammatical and variable.operator is None
        if variable.key == "lease.candidate" and plain and variable.sight in (Sight.UNDEFINED, Sight.UNSET):
            return variable
    return None


def _observed(pod: Pod) -> bool | None:
    """Whether LiteFS itself says that the pod is a candidate."""
    candidate = lease_of(pod).candidate
    return bool(candidate.value) if candidate is not None and candidate.observed else None


def _from_files(pod: Pod) -> bool:
    """Whether nobody asked the pod: there are files only, and so no hope of learning more."""
    gaps = [pod.gaps.get(k) for k in ("info", "log")]
    return pod.info is None and not pod.runs and all(g is not None and g.why in NOBODY_LOOKED for g in gaps)


def _finding(cluster: Cluster, pods: list[Pod], hanging: dict[str, Variable], severity: Severity) -> Finding:
    variable = hanging[pods[0].name]
    where = place(pods[0].config, variable.evidence) if pods[0].config else "litefs.yml"
    sure = severity is Severity.ERROR
    then = "they are all candidates, which is the default" if sure else "if the image does not define it either, all are candidates"
    return RULE.finding(
        cluster.subject,
        f"candidate: {variable.text} ({where}) is empty on {names(pods, 8)}: nothing that can be seen defines {variable.name}, "
        f"and {then}.",
        *(hanging[p.name].evidence for p in pods),
        *(e for p in pods for e in evidence_of(p)),
        severity=severity,
        commands=(cluster.kubectl("get", "pod", pods[0].name, "-o", "yaml") + f" | grep -n {variable.name}",) if variable.name.isidentifier() else (),
    )


RULE = Rule(
    id="LFS207",
    name="candidate-variable-unset",
    title="candidate depends on a variable that no pod defines",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="None: an empty candidate is null, LiteFS takes its default, which is true, and says nothing.",
    impact="Every pod becomes a primary with a cluster id of its own.",
    cause="An unset variable expands to nothing. There is no default syntax either: ${X:-false} expands to nothing as well.",
    fix=(
        "Define the variable before LiteFS starts, or use candidate: ${HOSTNAME == 'NAME-0'}, which needs none.",
        "The file is read once, at the start: commit, apply, restart the pods, and look at `Using static primary` in their logs.",
    ),
    reads=("config", "info", "log"),
    check=check,
    gotcha=3,
)
