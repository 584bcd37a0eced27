"""LFS501 unknown-field: a key in litefs.yml that this LiteFS does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import Fault, config_commands, faults, lines_seen, problems_seen
from ..model.old_fields import dotted_key, is_old
from ..model.rule import Finding, Rule, Severity, Unknown

SINCE = {
    "http.snapshot-timeout": "0.5.5",
    "proxy.max-lag": "0.5.3",
    "proxy.always-forward": "0.5.8",
    "proxy.primary-redirect-timeout": "0.5.7",
    "proxy.read-timeout": "0.5.9",
    "proxy.read-header-timeout": "0.5.9",
    "proxy.write-timeout": "0.5.9",
    "proxy.idle-timeout": "0.5.9",
    "lease.databases": "0.5.7",
    "tracing.enabled": "0.5.3",
    "backup": "0.5.0",
    "log": "0.5.0",
}
"""Keys that LiteFS has learned since 0.5 -> the first version that knows them (its config.go, tag by tag)."""

INVENTED = {
    "proxy.primary-redirect-url": "0.5 has no such setting, as the proxy finds the primary by itself",
    "log.level": "there is no such setting; log.debug is the only switch for more lines",
    "lease.is-primary": "there is no such setting; lease.candidate decides which node may be primary",
}
_FIELD = re.compile(r"field (.+?) not found in type (?:main\.)?(\w+)")


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.UNKNOWN_FIELD, ProblemKind.NEWER_FIELD, fault=_key),
        *lines_seen(cluster, "unknown-field", "unknown-field-consul", fault=_key),
    ]
    for fault in faults(cluster, [s for s in seen if s.fault and not is_old(s.fault)]):
        if not fault.certain:
            yield fault.unknown()
        else:
            yield _finding(cluster, fault)


def _key(text: str) -> str:
    """The dotted key that LiteFS's message is about."""
    match = _FIELD.search(text)
    return dotted_key(match[1], match[2]) if match else ""


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    key, name = fault.fault, fault.fault.rsplit(".", 1)[-1]
    suggestion = fault.problem.suggestion if fault.problem else None
    fix: tuple[str, ...] = RULE.fix
    if key in SINCE:
        hint = f"LiteFS knows it only since {SINCE[key]}: the image holds an older one"
        fix = (
            f"Take a LiteFS of at least {SINCE[key]} in the Dockerfile, or take {key} out of the file.",
            "Commit, let the pipeline build the image, apply it, and look at the pod's log.",
        )
    elif key in INVENTED:
        hint = INVENTED[key]
        fix = (f"Delete the line with {name}; nothing takes its place.", *RULE.fix[1:])
    elif suggestion:
        hint = f"the nearest setting is {suggestion}"
        fix = (f"Write {suggestion} if that was meant, else delete the line.", *RULE.fix[1:])
    else:
        hint = "there is no such setting"
    running = fault.note()
    return RULE.finding(
        fault.subject,
        f"LiteFS does not know {key} ({fault.place}): {hint}.{running}",
        *fault.evidence,
        severity=Severity.ERROR,
        fix=fix,
        commands=config_commands(cluster, fault),
        key=key,
    )


RULE = Rule(
    id="LFS501",
    name="unknown-field",
    title="litefs.yml has a key that LiteFS does not know",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS ends with exit code 2 and `field ... not found in type main. ...`; the pod restarts again and again.",
    impact="LiteFS does not start with this file: the pod serves nothing.",
    cause="LiteFS reads its file strictly: one key that it does not know, and it refuses the whole file. "
    "`primary-redirect-url` is the best-known one: version 0.5 took it away.",
    fix=(
        "Delete the key, or write the name that LiteFS knows.",
        "Correct it where the file comes from, commit, apply, and look at the pod's log: each unknown key is named there.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    gotcha=4,
    follows=("LFS506",),
)
