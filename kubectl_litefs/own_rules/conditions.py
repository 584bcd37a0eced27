"""The conditions of a rule, and what each says of one subject: yes with evidence, no, or a gap that hides the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.logs import LogRun
from ..model.objects import Obj
from ..model.origin import Evidence, Gap, GapReason, ObjectRef
from ..model.pod import Pod
from ..model.signatures import OWN
from ..parse.clean import clip
from .asks import Ask, written
from .paths import MISSING, Path, walk
from .patterns import LONGEST

REDACTED = "REDACTED"
"""What gathering puts in the place of a secret: the value that was there is not known."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule is judged on: an object of the cluster. `pod` only where it is a pod that runs LiteFS."""

    cluster: Cluster
    obj: Obj
    pod: Pod | None = None

    @property
    def ref(self) -> ObjectRef:
        return self.obj.ref


@dataclass(frozen=True, slots=True)
class Met:
    """The condition holds. `value` is what was seen, `groups` what a pattern captured."""

    evidence: tuple[Evidence, ...]
    value: str = ""
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict)


Answer = Met | Gap | None
"""None: it does not hold."""


class Condition(Protocol):
    """One entry of `when`."""

    def reads(self, kind: str) -> tuple[str, ...]:
        """What it looks at, as `Rule.reads` names it; for a field that is the subject itself."""

    def of(self, subject: Subject) -> Answer:
        """What it says of one subject."""


@dataclass(frozen=True, slots=True)
class FieldIs:
    """A field of the object; with `*` in its path any of the places it leads to."""

    path: Path
    ask: Ask

    def reads(self, kind: str) -> tuple[str, ...]:
        return ()

    def of(self, subject: Subject) -> Answer:
        hidden: Gap | None = None
        for place, value in self._places(subject):
            missing = value is MISSING
            if value == REDACTED and self.ask.name != "exists":
                hidden = Gap(subject.obj.source, GapReason.NOT_ASKED, f"{place} of {subject.ref} is a secret: its value is not read")
                continue
            groups = self.ask.holds(value, missing)
            if groups is not None:
                shown = "(absent)" if missing else written(value)
                return Met((Evidence(subject.obj.source, None, f"{place}: {clip(shown, LONGEST)} ({subject.ref})"),), shown, groups)
        return hidden

    def _places(self, subject: Subject) -> list[tuple[str, object]]:
        if self.path[0] == "container" and subject.pod is not None:
            return list(walk(subject.pod.container.spec, self.path[1:], subject.pod.container.field))
        return list(walk(subject.obj.raw, self.path))


@dataclass(frozen=True, slots=True)
class LogSays:
    """A line of the log matches, or none does where `seen` is False. `run` is `log` or `previous`, as in `Pod.gaps`."""

    pattern: str
    run: str
    seen: bool

    def reads(self, kind: str) -> tuple[str, ...]:
        return (self.run,)

    def of(self, subject: Subject) -> Answer:
        pod = subject.pod
        if pod is None:
            return None
        run: LogRun | None = pod.previous if self.run == "previous" else pod.log
        if run is None:
            return pod.gaps.get(self.run)
        hits = run.hit(OWN + self.pattern)
        if hits is None:
            if not run.complete:
                return Gap(run.source, GapReason.TRUNCATED, "its beginning or middle was cut")
            return None if self.seen else Met((Evidence(run.source, None, f"no line matches {self.pattern}"),))
        ends = tuple(dict.fromkeys((hits.first.evidence, hits.last.evidence)))
        return Met(ends, hits.last.text, dict(hits.last.fields or {})) if self.seen else None


@dataclass(frozen=True, slots=True)
class MetricIs:
    """A metric of LiteFS, for any of its databases."""

    name: str
    ask: Ask

    def reads(self, kind: str) -> tuple[str, ...]:
        return ("metrics",)

    def of(self, subject: Subject) -> Answer:
        pod = subject.pod
        if pod is None:
            return None
        if pod.metrics is None:
            return pod.gaps.get("metrics") or Gap(f"litefs/{pod.namespace}/{pod.name}/metrics.txt", GapReason.ABSENT)
        series = [s for s in pod.metrics.values if s == self.name or s.startswith(self.name + "{")]
        if not series and self.ask.holds(None, missing=True) is not None:
            return Met((Evidence(pod.metrics.source, None, f"{self.name}: (absent)"),), "(absent)")
        for name in series:
            value = pod.metrics.values[name]
            if self.ask.holds(value, missing=False) is not None:
                return Met((pod.metrics.lines[name],), written(value))
        return None


@dataclass(frozen=True, slots=True)
class SettingIs:
    """A key of litefs.yml as the pod runs with it, defaults included. `exists` asks whether the file names it."""

    key: str
    ask: Ask

    def reads(self, kind: str) -> tuple[str, ...]:
        return ("config",)

    def of(self, subject: Subject) -> Answer:
        pod = subject.pod
        if pod is None:
            return None
        where = f"config/{pod.namespace}/{pod.name}"
        if pod.config is None or not pod.config.readable:
            return pod.gaps.get("config") or Gap(where, GapReason.UNPARSED, "litefs.yml cannot be read")
        value = pod.config.get(self.key)
        if value is None:
            return Gap(where, GapReason.UNPARSED, f"{self.key} cannot be told")
        if value.sight is not Sight.KNOWN and self.ask.name != "exists":
            return Gap(where, GapReason.UNPARSED, f"{self.key} hangs on something that is not seen")
        missing = not value.given if self.ask.name == "exists" else value.value is None
        values = value.value if isinstance(value.value, list) and value.value else [value.value]
        for one in values:
            groups = self.ask.holds(one, missing)
            if groups is not None:
                return Met((value.evidence,), "(absent)" if missing else written(one), groups)
        return None


def together(conditions: tuple[Condition, ...], subject: Subject) -> Answer:
    """All must hold. One that does not decides, whatever could not be seen for another."""
    answers = [c.of(subject) for c in conditions]
    if any(a is None for a in answers):
        return None
    gap = next((a for a in answers if isinstance(a, Gap)), None)
    if gap is not None:
        return gap
    met = [a for a in answers if isinstance(a, Met)]
    groups: dict[str, str] = {}
    for one in met:
        groups |= one.groups
    return Met(tuple(e for m in met for e in m.evidence), next((m.value for m in met if m.value), ""), groups)
