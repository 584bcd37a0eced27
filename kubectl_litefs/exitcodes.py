"""Exit codes, the same in every output format. They are a contract: never renumbered."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process's exit status means. `MEANINGS` says it in words."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    COULD_NOT_LOOK = 3
    REFUSED = 4
    LOCKED = 5
    CHANGED = 6
    BACKUP_FAILED = 7
    DECLINED = 8
    STOPPED_BEFORE = 9
    STOPPED_AFTER = 10
    UNVERIFIED = 11
    BUG = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "nothing at or above `--fail-on` (default `error`); or the fix is done; or there was nothing to fix",
    ExitCode.FINDINGS: "findings at or above `--fail-on`; with `--wait` also a rollout that did not end in time",
    ExitCode.USAGE: "usage: bad flag, value, name or file",
    ExitCode.COULD_NOT_LOOK: (
        "could not examine: API unreachable, forbidden, unusable kubeconfig or credentials, unreadable input, "
        "no LiteFS found, not one pod of a set could be looked into; with `--strict` also partial sight"
    ),
    ExitCode.REFUSED: "fix refused: the evidence says it would lose data or cannot work",
    ExitCode.LOCKED: "fix locked: somebody else is at it",
    ExitCode.CHANGED: "fix: the cluster changed since the plan",
    ExitCode.BACKUP_FAILED: "fix: backup failed; nothing was changed",
    ExitCode.DECLINED: "fix: declined, or no terminal and no `--yes`",
    ExitCode.STOPPED_BEFORE: "fix stopped before anything was changed",
    ExitCode.STOPPED_AFTER: "fix stopped after the point of no return: `--resume` finishes it",
    ExitCode.UNVERIFIED: "fix carried out, but the result could not be verified",
    ExitCode.BUG: "a bug in the tool: one line and where to report it; the traceback only with `-v 9`",
    ExitCode.INTERRUPTED: "interrupted, read-only commands",
}
