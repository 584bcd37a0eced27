"""Who a process is: root, or somebody else."""

from __future__ import annotations

from .origin import Evidence
from .pod import Container, Pod

ROOTS = ("root", "0", "0:0", "root:root", "root:0", "0:root")
BY_DEFAULT_ROOT = ("sudo", "doas", "runuser", "su")
"""Programs that switch to root where no user is named."""


def switched_to(switch: str | None, to: str | None) -> str | None:
    """The user that a program such as su-exec makes of root; None where it stays root, or where nobody switches."""
    user = to or ("root" if switch in BY_DEFAULT_ROOT else "") if switch else ""
    return user if user and user not in ROOTS else None


def setting(pod: Pod, container: Container, key: str) -> tuple[object, Evidence | None]:
    """A security setting of the container, or of the pod where the container says nothing."""
    for path in (f"{container.field}.securityContext.{key}", f"spec.securityContext.{key}"):
        value = pod.obj.get(path)
        if value is not None:
            return value, pod.obj.seen(path)
    return None, None
