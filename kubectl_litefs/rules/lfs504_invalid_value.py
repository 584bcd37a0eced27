"""LFS504 invalid-value: a value in litefs.yml that LiteFS refuses."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind, Sight
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, problems_seen, words
from ..model.rule import Finding, Rule, Severity, Unknown

SAME_PATH = "cannot be the same path"
HINTS = (
    ("!!str `true", "a quoted true is a text, write it without quotes"),
    ("!!str `false", "a quoted false is a text, write it without quotes"),
    ("!!str `` into bool", "quotes around a variable that is empty, write the expression without quotes"),
    ("into bool", "true or false is expected here, without quotes"),
    ("into time.Duration", "a length of time needs a unit, such as 10s, 5m or 1h30m"),
    ("into main.", "a mapping with keys of its own is expected here"),
    ("into []string", "a list is expected here, even for one entry"),
    ("!!map", "a text is expected here; two opening braces of a template that was never filled in look like a mapping"),
    ("invalid lease type", "it is exactly static or consul"),
    ("invalid log format", "it is text or json, in small letters"),
    ("missing port in address", "an address needs its colon, such as :20202"),
    ("must specify a consul key", "lease.consul.key names the place of this cluster's lease in Consul"),
    ("invalid exec config format", "exec is one text, or a list of items with cmd"),
    ("directory required", "an empty text is no directory; leave the key out to take the default"),
)
"""Part of LiteFS's message -> what to write instead. The first that fits counts."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.VALUE),
        *lines_seen(cluster, "cannot-unmarshal", "invalid-value"),
    ]
    for fault in faults(cluster, [s for s in seen if not _belongs_elsewhere(s)]):
        yield _finding(cluster, fault) if fault.certain else fault.unknown()


def _belongs_elsewhere(sighting: Sighting) -> bool:
    """Variables that were never filled in are LFS505's; equal directories are LFS410's, where the file is seen."""
    config = sighting.pod.config
    if SAME_PATH in sighting.text:
        return config is not None
    if "`${" in sighting.text:
        return True
    if config is None or config.expand_env or sighting.problem is None:
        return False
    value = config.get(sighting.problem.key)
    return value is not None and "${" in value.raw


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    said = words(fault.text)
    hint = next((f": {means}" for part, means in HINTS if part in said), "")
    key = fault.problem.key if fault.problem else ""
    value = fault.pods[0].config.get(key) if fault.pods[0].config and key else None
    written = f", written as `{value.raw}`" if value is not None and "$" in value.raw else ""
    guess = " (a variable that nothing sets)" if value is not None and value.sight is Sight.UNDEFINED else ""
    name = f"{key} ({fault.place}{written}{guess})" if key else fault.place
    return RULE.finding(
        fault.subject,
        f"LiteFS refuses {name}, {said}{hint}.{fault.note()}",
        *fault.evidence,
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS504",
    name="invalid-value",
    title="litefs.yml has a value that LiteFS refuses",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS ends with exit code 2 or 1 and names the value: `cannot unmarshal ...`, `invalid lease type`, ...",
    impact="LiteFS does not start with this file: the pod serves nothing.",
    cause="Values are typed strictly: a quoted \"true\" is no truth value, a bare number no length of time, "
    "and a few settings take fixed words only.",
    fix=(
        "Write the value in the form that LiteFS takes.",
        "Correct it where the file comes from, commit, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    follows=("LFS505", "LFS508", "LFS207", "LFS507", "LFS506", "LFS410"),
)
