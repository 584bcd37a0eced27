"""A fix's plan and its outcome as lines, for people."""

from __future__ import annotations

from ..fix.outcome import Outcome
from ..fix.plan import Plan
from .paint import Line, line
from .words import clean, count, listed, wrap

NAME = 11
"""Columns of a field's name."""


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """Where, what dies, what stays, what is kept, how long; then every request that changes something."""
    how = "its volume stays, its cluster id goes" if plan.strategy == "in-place" else "a new, empty volume"
    lines = [line((f"Reset {clean(plan.pod)}: {how}; filled again by {clean(plan.primary)}", "strong"))]
    for name, text, style in _fields(plan):
        for i, part in enumerate(wrap(text, width - NAME - 2)):
            lines.append(line("  ", ((name if i == 0 else "").ljust(NAME), "faint"), (part, style)))
    return lines


def _fields(plan: Plan) -> list[tuple[str, str, str]]:
    context = f"context {plan.context}" if plan.context else "no context"
    context += f", cluster {plan.cluster_name}" if plan.cluster_name else ""
    fields = [
        ("where", f"{context}, server {plan.server}, namespace {plan.namespace}, statefulset {plan.set_name}", "strong"),
        ("stranger", f"{plan.pod} has cluster id {plan.target_cluster_id}", ""),
        ("primary", f"{plan.primary} has cluster id {plan.primary_cluster_id}", ""),
    ]
    for held in plan.databases:
        against = f", the primary's {held.primary}" if held.primary else ""
        fields.append(("database", f"{held.name} at {held.target}{against}: {held.verdict}", ""))
    volume = f", volume {plan.volume}" if plan.volume else ""
    others = listed([p for p, _, _ in plan.others]) or "none"
    fields += [
        ("deleted", _deleted(plan, volume), "error"),
        ("untouched", f"{plan.primary} (the primary); other pods: {others}", "good"),
        ("backup", _backup(plan), ""),
        ("downtime", f"{plan.pod} alone: up to {plan.grace:.0f} s until it ends, then its start and the copy of all data; reads on it fail meanwhile", ""),
    ]
    fields += [("accepted", f"{a.id}: {a.text} ({a.override})", "warning") for a in plan.accepted]
    fields += [("note", warning, "warning") for warning in plan.warnings]
    for number, call in enumerate(plan.calls, 1):
        guard = "; only if the uid is the same" if "preconditions" in str(call.body) else ""
        fields.append((f"request {number}", f"{call.method} {call.path}{guard}", "faint"))
    return [*fields, ("plan", plan.id, "")]


def _deleted(plan: Plan, volume: str) -> str:
    pod = f"pod {plan.pod} (uid {plan.pod_uid})"
    if plan.strategy == "in-place":
        return f"{pod}; on its volume the primary's databases overwrite those of the same name"
    return f"claim {plan.claim} (uid {plan.claim_uid}{volume}, {plan.capacity or 'size unknown'}) and {pod}"


def _backup(plan: Plan) -> str:
    if plan.backup == "none":
        return "NONE: what it holds is gone for good"
    if plan.backup == "export":
        if not plan.databases:
            return "none needed: it holds no database above txid 0"
        return f"{count(len(plan.databases), 'database')} as files below {plan.backup_dir}, each checked whole"
    return f"a VolumeSnapshot of {plan.claim}" if plan.backup == "snapshot" else f"volume {plan.volume} is set to Retain and kept"


def outcome_lines(outcome: Outcome, width: int) -> list[Line]:
    """The last words. The exit code says the same."""
    if outcome.refusals:
        return _refused(outcome, width)
    first = outcome.message.split(" ", 1)[0]
    text = outcome.message if "-" in first else outcome.message[:1].upper() + outcome.message[1:]
    text = clean(text).rstrip(".") + "."
    lines = [line((part, "good" if outcome.code == 0 else "strong")) for part in wrap(text, width)]
    lines += [line("  ", (part, "")) for told in outcome.proof for part in wrap(told, width - 2)]
    return lines + [line(part) for part in wrap(outcome.hint or "", width) if part]


def _refused(outcome: Outcome, width: int) -> list[Line]:
    lines = [line(("Refused. Nothing was changed.", "error"))]
    for refusal in outcome.refusals:
        never = f"Permitted by {refusal.override}." if refusal.override else "Nothing permits it."
        for i, part in enumerate(wrap(refusal.text + ".", width - 7)):
            lines.append(line("  ", ((refusal.id if i == 0 else "").ljust(5), "strong"), part))
        lines += [line(" " * 7, (part, "faint")) for part in wrap(f"{never} {refusal.instead}", width - 7)]
    return lines
