"""Strategy `in-place`: the volume stays, only the file `clusterid` is put aside; LiteFS takes over the primary's id.

For local volumes, a full quota, or a template that would come back smaller. Databases that only the target holds stay on
its volume; those of the same name are overwritten by the primary's all the same, so evidence and backup are the same.
"""

from __future__ import annotations

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from .calls import Call
from .work import FixWork, Phase, Stopped, uid_of

TIMEOUT = 20.0
"""Seconds for one `mv` in the container."""


def put_aside(work: FixWork) -> None:
    """Rename `clusterid`; a running LiteFS does not read it again. Undone by `put_back` until the pod ends."""
    rename = work.plan.calls[0]
    work.record("rename-clusterid", pod=work.plan.pod)
    work.phase = Phase.RENAMED
    _run(work, rename)
    old, new = rename.body["command"][-2:]
    if _holds(work, old) or not _holds(work, new):
        raise Stopped("not-renamed", f"{old} in {work.plan.pod} was not renamed to {new}", ExitCode.STOPPED_BEFORE)


def _run(work: FixWork, call: Call) -> None:
    command = call.body["command"]
    done = work.kube.execute(work.plan.namespace, work.plan.pod, work.plan.container, command, timeout=TIMEOUT)
    if done.code != 0:
        raise Stopped(
            "exec-failed",
            f"`{' '.join(command)}` in {work.plan.pod} ended with {done.code}: {done.output.strip()[:200]}",
            ExitCode.STOPPED_BEFORE,
        )


def _holds(work: FixWork, path: str) -> bool:
    return (
        work.kube.execute(work.plan.namespace, work.plan.pod, work.plan.container, ("test", "-e", path), timeout=TIMEOUT).code
        == 0
    )


def put_back(work: FixWork) -> str:
    """After a stop, while the old pod still runs: the file under its old name. Empty where that is so, else the command."""
    if work.phase is not Phase.RENAMED:
        return ""
    old, new = work.plan.calls[0].body["command"][-2:]
    try:
        if uid_of(work.pod()) == work.plan.pod_uid and _holds(work, new) and not _holds(work, old):
            _run(work, Call("rename it back", "EXEC", "", {"command": ["mv", "-n", "--", new, old]}))
        work.phase = Phase.PLANNED
        return ""
    except (KubeError, LitefsError) as error:
        command = f"kubectl -n {work.plan.namespace} exec {work.plan.pod} -c {work.plan.container} -- mv -n -- {new} {old}"
        return f"The file could not be renamed back ({error.message}): {command}"
