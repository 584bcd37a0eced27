"""The plans of a rescue and of its undo as lines, for people."""

from __future__ import annotations

from collections.abc import Iterator

from ..rescue.plan import RescuePlan
from ..rescue.undo_plan import UndoPlan
from .paint import Line, line
from .words import clean, listed, wrap

Field = tuple[str, str, str]
NAME = 11
"""Columns of a field's name."""


def plan_lines(plan: RescuePlan | UndoPlan, width: int) -> list[Line]:
    """Where, what comes back from where, what stays, what it costs; then every request that changes something."""
    if isinstance(plan, UndoPlan):
        title, fields = f"Undo the rescue of {clean(plan.pod)}, the primary", _undo_fields(plan)
    else:
        title = f"Bring {listed([d.name for d in plan.databases])} back to {clean(plan.pod)}, the primary ({plan.fault})"
        fields = _rescue_fields(plan)
    lines = [line((title, "strong"))]
    for name, text, style in (*_where(plan), *fields, *_end(plan)):
        for i, part in enumerate(wrap(text, width - NAME - 2)):
            lines.append(line("  ", ((name if i == 0 else "").ljust(NAME), "faint"), (part, style)))
    return lines


def _where(plan: RescuePlan | UndoPlan) -> Iterator[Field]:
    context = f"context {plan.context}" if plan.context else "no context"
    context += f", cluster {plan.cluster_name}" if plan.cluster_name else ""
    yield "where", f"{context}, server {plan.server}, namespace {plan.namespace}, statefulset {plan.set_name}", "strong"


def _end(plan: RescuePlan | UndoPlan) -> Iterator[Field]:
    yield from (("note", warning, "warning") for warning in plan.warnings)
    for number, call in enumerate(plan.calls, 1):
        guard = "; only if the uid is the same" if "preconditions" in str(call.body) else ""
        yield f"request {number}", f"{call.what}: {call.method} {call.path}{guard}", "faint"
    yield "plan", plan.id, ""


def _undo_fields(plan: UndoPlan) -> Iterator[Field]:
    yield "comes back", f"{plan.aside}, with cluster id {plan.former_id}", ""
    yield from (("database", f"{name}, at {position} when it was last saved", "") for name, position in plan.before)
    yield "goes aside", f"what {plan.pod} has now (cluster id {plan.cluster_id}); it stays on its volume as {plan.undone}", "error"
    yield "restarted", f"{plan.pod} alone (uid {plan.pod_uid}), for seconds; reads on the replicas go on", ""
    yield "untouched", f"every claim; the pods {listed([p for p, _, _ in plan.others])}", "good"
    yield "saved", f"every copy of every pod, each checked, in {plan.folder}", ""


def _rescue_fields(plan: RescuePlan) -> Iterator[Field]:
    yield "strategy", plan.why, ""
    for back in plan.databases:
        has = f"the primary has {back.primary}" if back.primary else "the primary has none of that name"
        yield "database", f"{back.name} from {back.pod}, at {back.position}; {has}", ""
    others = listed([p for p, _, _ in plan.others]) or "none"
    if plan.strategy == "data-dir":
        what = "the directory" if plan.fault == "LFS102" else f"the directories {listed(plan.parts)}"
        yield "replaced", f"{what} of {plan.pod}; what it holds now stays on its volume as {plan.aside}", "error"
        yield "restarted", f"{plan.pod} alone (uid {plan.pod_uid}), for seconds; reads on the replicas go on", ""
        yield "untouched", f"every claim; the pods {others}", "good"
    else:
        yield "replaced", f"these databases on {plan.pod}; what it holds of them now is saved as files", "error"
        if plan.order:
            yield "deleted", f"one after the other, each only after the primary's data is proven: the volumes and pods of {listed(plan.order)}", "error"
        else:
            yield "restarted", f"{plan.pod} alone (uid {plan.pod_uid}), for seconds: open connections keep an empty schema", ""
            yield "untouched", f"every claim; the pods {others}", "good"
    yield "saved", f"every copy of every pod, each checked, in {plan.folder}", ""
    yield from (("accepted", f"{a.id}: {a.text} ({a.override})", "warning") for a in plan.accepted)
