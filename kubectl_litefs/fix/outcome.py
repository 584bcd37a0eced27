"""How a run ended: the exit code, in words, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import CouldNotLook, KubeError, LitefsError
from ..exitcodes import ExitCode
from .aim import Aim
from .patient import STUMBLES
from .refusals import Refusal
from .work import Interrupted, Phase

BEFORE = (Phase.LOOKING, Phase.PLANNED)


@dataclass(frozen=True, slots=True)
class Words:
    """How a command speaks of itself: what finishes it, what is done, and what each state of the cluster means.

    `undone` are phases from which a stop has put everything back.
    """

    resume: str
    done: str
    states: Mapping[Phase, str]
    undone: Mapping[Phase, str]


def fix_words(pod: str, namespace: str) -> Words:
    return Words(
        f"kubectl litefs fix-cluster-id {pod} -n {namespace} --resume",
        "the fix is done",
        {
            Phase.DELETING: "while the claim was being deleted: it may be Terminating",
            Phase.ARMED: "after the claim was deleted: the volume goes with the old pod",
            Phase.REPLACED: "after the volume was replaced, before it was verified",
        },
        {
            Phase.SCALED: "while pods were scaled down; no volume was deleted",
            Phase.RENAMED: "while the file clusterid was put aside; no data was touched",
        },
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`name` is a short word for scripts: `fixed`, `nothing-to-do`, `dry-run`, `refused`, ..."""

    code: ExitCode
    name: str
    message: str
    hint: str | None = None
    plan: Aim | None = None
    refusals: tuple[Refusal, ...] = ()
    backup: str = ""
    warnings: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    """What shows that it is done, beyond the message: row counts."""
    kind: str = "FixResult"

    def document(self) -> dict[str, Any]:
        """As printed by `-o json`."""
        return {
            "apiVersion": "kubectl-litefs/v1",
            "kind": self.kind,
            "outcome": self.name,
            "exitCode": int(self.code),
            "message": self.message,
            "hint": self.hint,
            "refusals": [{"id": r.id, "text": r.text, "instead": r.instead, "override": r.override} for r in self.refusals],
            "backup": self.backup or None,
            "planId": self.plan.id if self.plan else None,
            "warnings": list(self.warnings),
            "proof": list(self.proof),
            "plan": self.plan.document() if self.plan else None,
        }


def failure(error: BaseException, phase: Phase, plan: Aim | None, words: Words) -> Outcome:
    """What an error means for the state of the cluster: the exit code tells the state, never the signal."""
    resume = words.resume
    if isinstance(error, Interrupted):
        return _interrupted(error, phase, plan, words)
    assert isinstance(error, LitefsError)
    code, hint = error.exit_code, error.hint
    undone = phase in words.undone
    message = error.message if not isinstance(error, KubeError) else _words(error)
    if phase not in BEFORE and code not in (ExitCode.CHANGED, ExitCode.UNVERIFIED, ExitCode.STOPPED_AFTER):
        code = ExitCode.STOPPED_BEFORE if undone else ExitCode.STOPPED_AFTER
        hint = hint if undone else f"Finish it: {resume}"
    elif phase in BEFORE and code is ExitCode.USAGE:  # the names were good when the run began
        code, message = ExitCode.CHANGED, f"{error.message}. Nothing was changed"
    elif phase in BEFORE and isinstance(error, KubeError):
        code = _before(error, phase)
    if phase in BEFORE and code is ExitCode.STOPPED_BEFORE:
        message += ". Nothing was changed"
    elif code is ExitCode.STOPPED_AFTER and resume not in (hint or "") and "--resume" not in (hint or ""):
        hint = f"{hint + ' ' if hint else ''}Finish it: {resume}"
    return Outcome(code, _NAMES.get(code, error.reference), message, hint, plan)


def _before(error: KubeError, phase: Phase) -> ExitCode:
    """Nothing was changed. A refusal of ours to look is 3; a server that stumbles, or is lost after the plan, is 9."""
    if error.status == 403 or (phase is Phase.LOOKING and error.status not in (429, *STUMBLES)):
        return CouldNotLook.exit_code
    return ExitCode.STOPPED_BEFORE


def _words(error: KubeError) -> str:
    needs = f" (needs: {error.verb} {error.resource})" if error.status == 403 and error.resource else ""
    return error.as_kubectl_prints_it() + needs


def _interrupted(error: Interrupted, phase: Phase, plan: Aim | None, words: Words) -> Outcome:
    said = f"stopped by {error.signal}"
    if phase in BEFORE:
        return Outcome(ExitCode.STOPPED_BEFORE, "stopped", f"{said}. Nothing was changed", None, plan)
    if phase is Phase.DONE:
        return Outcome(ExitCode.OK, "fixed", words.done, None, plan)
    if phase in words.undone:
        return Outcome(ExitCode.STOPPED_BEFORE, "stopped", f"{said} {words.undone[phase]}", None, plan)
    return Outcome(ExitCode.STOPPED_AFTER, "stopped", f"{said} {words.states[phase]}", f"Finish it: {words.resume}", plan)


_NAMES = {
    ExitCode.REFUSED: "refused",
    ExitCode.LOCKED: "locked",
    ExitCode.CHANGED: "changed",
    ExitCode.BACKUP_FAILED: "backup-failed",
    ExitCode.DECLINED: "declined",
    ExitCode.STOPPED_BEFORE: "stopped",
    ExitCode.STOPPED_AFTER: "stopped",
    ExitCode.UNVERIFIED: "unverified",
    ExitCode.COULD_NOT_LOOK: "could-not-look",
    ExitCode.USAGE: "usage",
}


def refused(refusals: Sequence[Refusal], pod: str) -> Outcome:
    """Exit 4, with everything that speaks against it."""
    first = refusals[0]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    return Outcome(ExitCode.REFUSED, "refused", f"{pod} is not reset: {first.text}{more}", first.instead, None, tuple(refusals))
