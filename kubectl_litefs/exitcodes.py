"""Exit codes, the same in every output format. They are a contract: never renumbered."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process's exit status means. `MEANINGS` says it in words."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    COULD_NOT_LOOK = 3
    BUG = 70
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "nothing at or above `--fail-on` (default `error`)",
    ExitCode.FINDINGS: "findings at or above `--fail-on`",
    ExitCode.USAGE: "usage: bad flag, value, name or file",
    ExitCode.COULD_NOT_LOOK: (
        "could not examine: API unreachable, forbidden, unusable kubeconfig or credentials, unreadable input, "
        "no LiteFS found, not one pod of a set could be looked into; with `--strict` also partial sight"
    ),
    ExitCode.BUG: "a bug in the tool: one line and where to report it; the traceback only with `-v 9`",
    ExitCode.INTERRUPTED: "interrupted",
}
