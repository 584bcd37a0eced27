"""Fixed reports to render: a harness cluster judged by a few rules made for the purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kubectl_litefs import engine
from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.origin import Evidence
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.rule import Finding, Rule, Severity, Unknown
from kubectl_litefs.parse.assemble import assemble

from ..harness import snapshot
from ..report_schema import check

Found = Finding | Unknown


def rule(id: str, check: Callable[[Cluster], Iterator[Found]], **fields: Any) -> Rule:
    words: dict[str, Any] = {
        "name": "made-up-fault", "title": "A fault made up for a test", "severity": Severity.ERROR, "symptom": "Seen.",
        "impact": "Something is lost.", "cause": "Somebody did something.", "fix": ("First look.", "Then act."),
        "reads": ("spec",), "check": check,
    }  # fmt: skip
    return Rule(id=id, **{**words, **fields})


def says(id: str, pods: Sequence[str] = (), message: str = "is not as it should be", *, commands: Sequence[str] = (), **fields: Any) -> Rule:
    """A rule that fires on each of the pods, or on the set."""

    def check(cluster: Cluster) -> Iterator[Found]:
        for subject in [p.ref for n in pods if (p := cluster.pod(n))] or [cluster.subject]:
            where = Evidence(f"logs/abaci/{subject.name}/app.log", 14, message)
            yield it.finding(subject, f"{subject.name} {message}", where, commands=commands)

    it = rule(id, check, **fields)
    return it


def passes(id: str, **fields: Any) -> Rule:
    return rule(id, lambda cluster: iter(()), **fields)


def judged(*rules: Rule, **body: Any) -> Report:
    """`body` is a case's, with underscores for hyphens."""
    return check(engine.judge(assemble(snapshot({k.replace("_", "-"): v for k, v in body.items()})), rules))
