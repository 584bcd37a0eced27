"""What a rule is, and what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from .change import Change
from .cluster import Cluster
from .origin import Evidence, Gap, ObjectRef
from .suppression import Suppression


class Severity(str, Enum):
    """error: data loss, wrong data, or replication or service down. warning: will bite. info: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return (Severity.ERROR, Severity.WARNING, Severity.INFO).index(self)


Heals = Literal["no", "with a new pod", "with time"]
"""Whether a fault can go away although nobody does anything more: never; when a rollout that is under way replaces the
pod (what stands in its spec, its litefs.yml or its log, not what lies on a volume); or by waiting."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault on one subject, in plain words with the values seen.

    `key` tells apart several findings of one rule on one subject (a database's name); it is part of the
    fingerprint, so nothing that changes between runs belongs there. `docs` is its rule's page, None where there is
    none. `consequence_of` is the fingerprint of the finding that causes this one, `suppressed` who said that it is
    known and accepted; the engine alone sets both. `heals` is None where nobody knows, as of a user's own rule.
    """

    rule: str
    name: str
    severity: Severity
    subject: ObjectRef
    message: str
    impact: str
    cause: str
    evidence: tuple[Evidence, ...]
    remediation: tuple[str, ...]
    commands: tuple[str, ...]
    gotcha: int | None
    key: str = ""
    docs: str | None = None
    consequence_of: str | None = None
    suppressed: Suppression | None = None
    change: Change | None = None
    """Only where files were laid over a cluster; `compare` alone sets it."""
    heals: Heals | None = None

    @property
    def fingerprint(self) -> str:
        """Stable across runs: the rule, the subject, the key; 16 hexadecimal digits."""
        parts = (self.rule, self.subject.kind, self.subject.namespace, self.subject.name, self.key)
        return hashlib.sha256("\0".join(parts).encode("utf8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule could not decide, because of this gap. With no finding beside it the check is skipped, not passed."""

    gap: Gap


Check = Callable[[Cluster], Iterable["Finding | Unknown"]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A documented fault and the pure function that finds it in one LiteFS cluster.

    `reads` names what the check looks at: per pod `spec`, `env`, `config`, `info`, `vars`, `metrics`, `log`,
    `previous`; per namespace an API plural (`services`). Where none of it is there the check is skipped; where
    some of it is missing a pass carries those gaps. A check that needs more says so by yielding `Unknown`.
    `follows` are the rules whose findings can be the cause of this one's, the likeliest first.
    `symptom` is what a person notices; `cause`, `impact` and `fix` are the defaults of every finding.
    `docs` is the address of its page, where that is not one of ours; empty where there is no page.
    `heals` is what `diagnose --wait` needs to know: whether waiting can help.
    """

    id: str
    name: str
    title: str
    severity: Severity
    symptom: str
    impact: str
    cause: str
    fix: tuple[str, ...]
    reads: tuple[str, ...]
    check: Check
    gotcha: int | None = None
    follows: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    since: str = "0.1"
    docs: str | None = None
    heals: Heals | None = None

    @property
    def page(self) -> str | None:
        """Where to read more: the rule's page in the repository, or what its author says."""
        return f"docs/rules/{self.id}.md" if self.docs is None else self.docs or None

    def finding(
        self,
        subject: ObjectRef,
        message: str,
        *evidence: Evidence | None,
        severity: Severity | None = None,
        impact: str | None = None,
        cause: str | None = None,
        fix: Iterable[str] | None = None,
        commands: Iterable[str] = (),
        key: str = "",
        heals: Heals | None = None,
    ) -> Finding:
        """A finding of this rule. Evidence that is None is left out, repeated evidence too."""
        seen = tuple(dict.fromkeys(e for e in evidence if e is not None))
        return Finding(
            rule=self.id,
            name=self.name,
            severity=severity or self.severity,
            subject=subject,
            message=message,
            impact=self.impact if impact is None else impact,
            cause=self.cause if cause is None else cause,
            evidence=seen,
            remediation=tuple(self.fix if fix is None else fix),
            commands=tuple(commands),
            gotcha=self.gotcha,
            key=key,
            docs=self.page,
            heals=heals or self.heals,
        )

    def judge(self, cluster: Cluster) -> Iterator[Finding | Unknown]:
        yield from self.check(cluster)
