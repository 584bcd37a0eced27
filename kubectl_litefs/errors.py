"""Errors that end a run. Everything a user can cause is a `LitefsError`; anything else is a bug in the tool."""

from __future__ import annotations

from .exitcodes import ExitCode


class LitefsError(Exception):
    """An error with an exit code, said in one or two plain lines.

    `reference` is a short kebab-case name (`namespace-not-found`), `message` says what is wrong with the
    values seen, `hint` what to type or do next. Neither ends in a newline.
    """

    exit_code: ExitCode = ExitCode.COULD_NOT_LOOK

    def __init__(
        self, reference: str, message: str, *, hint: str | None = None, exit_code: ExitCode | None = None
    ) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.hint = hint
        if exit_code is not None:
            self.exit_code = exit_code


class UsageError(LitefsError):
    """The words of the call are wrong: an unknown name, a bad value, two flags that exclude each other."""

    exit_code = ExitCode.USAGE


class CouldNotLook(LitefsError):
    """The cluster or the input could not be examined at all."""

    exit_code = ExitCode.COULD_NOT_LOOK


class KubeError(CouldNotLook):
    """One request to the API server failed. `gather` turns it into a gap unless nothing can go on without it.

    `status` is the HTTP status, None where no answer came. `reason` is the API's reason (`Forbidden`,
    `NotFound`, `ServiceUnavailable`) or ours for a transport failure (`Timeout`, `Unreachable`, `TLS`).
    `verb` and `resource` name the RBAC right that the request needs (`get`, `pods/proxy`). `retry_after` is what the
    server asks to wait, in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None,
        reason: str,
        verb: str = "",
        resource: str = "",
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__("kubernetes-api", message, hint=hint)
        self.retry_after = retry_after
        self.status = status
        self.reason = reason
        self.verb = verb
        self.resource = resource

    def as_kubectl_prints_it(self) -> str:
        """`Error from server (REASON): MESSAGE` for an answer of the server, the bare message otherwise."""
        return self.message if self.status is None else f"Error from server ({self.reason}): {self.message}"
