"""LFS610 mount-not-accessible: the application is another user than LiteFS, and the mount is for LiteFS's user only."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ConfigFile, Exec, Sight
from ..model.copies import run_in
from ..model.grouping import Fault, Sighting, config_command, faults, listed, own_config
from ..model.origin import Evidence, Gap, GapReason
from ..model.paths import fuse_dir
from ..model.pod import Container, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.sidecar import others, views
from ..model.users import setting, switched_to

KEY = "fuse.allow-other"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    unsure: list[Gap] = []
    for pod in cluster.pods:
        config = own_config(pod)
        if config is None:
            unseen = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "exec and fuse.allow-other are unknown")
            unsure.append(pod.gaps.get("config") or unseen)
            continue
        if config.known(KEY) is True:
            continue
        found = [*_commands(pod, config), *_containers(pod)]
        value = config.get(KEY)
        hidden = value is not None and value.sight not in (Sight.KNOWN, Sight.UNSET)
        seen += [f for f in found if isinstance(f, Sighting) and not hidden]
        unsure += [f for f in found if isinstance(f, Gap)]
        if found and hidden:
            unsure.append(Gap(f"config/{pod.namespace}/{pod.name}", GapReason.NOT_ASKED, f"what {KEY} is cannot be seen"))
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)
    if not seen:
        yield from (Unknown(gap) for gap in unsure)


def _owner(pod: Pod) -> tuple[str, ...]:
    """The names and numbers of LiteFS's own user: root mostly."""
    command = pod.container.litefs
    to = switched_to(command.user_switch, command.user_switch_to) if command else None
    if to is not None:
        return (to.partition(":")[0],)
    user, _ = setting(pod, pod.container, "runAsUser")
    return (str(user),) if isinstance(user, int) and user != 0 else ("0", "root")


def _commands(pod: Pod, config: ConfigFile) -> Iterator[Sighting | Gap]:
    """Commands that LiteFS starts and that make themselves another user."""
    for command in config.execs:
        user = switched_to(command.user_switch, command.user)
        if user is None or user.partition(":")[0] in _owner(pod):
            continue
        if not command.known:
            what = f"config/{pod.namespace}/{pod.name}"
            yield Gap(what, GapReason.NOT_ASKED, f"`{command.raw}` depends on a variable that cannot be seen")
            continue
        told = f"command `{_short(command)}` makes itself user {user}"
        yield _sighting(pod, told, config, [command.evidence])


def _short(command: Exec) -> str:
    return command.cmd if len(command.cmd) <= 80 else command.cmd[:77] + "..."


def _containers(pod: Pod) -> Iterator[Sighting | Gap]:
    """Other containers that see LiteFS's file system and are surely another user, or may be."""
    config, where = own_config(pod), fuse_dir(pod)
    if config is None or where is None or not others(pod):
        return
    for view in views(pod, where[0]):
        if view.shared is None:
            continue
        told, evidence = _other_user(pod, view.container)
        if told:
            yield _sighting(pod, told, config, [*evidence, view.mount.evidence])
        elif told is None:
            detail = f"as whom container {view.container.name} runs: its image decides"
            yield Gap(f"objects/{pod.namespace}/pods.json", GapReason.NOT_ASKED, detail)


def _other_user(pod: Pod, container: Container) -> tuple[str | None, list[Evidence | None]]:
    """Words where the container runs as another user than LiteFS, "" where as the same, None where that is not known."""
    user, seen = setting(pod, container, "runAsUser")
    if isinstance(user, int):
        same = str(user) in _owner(pod)
        return ("" if same else f"container {container.name} runs as user {user}"), [seen]
    refuses, seen = setting(pod, container, "runAsNonRoot")
    if refuses is True and "0" in _owner(pod):
        return f"container {container.name} has runAsNonRoot: true", [seen]
    return None, []


def _sighting(pod: Pod, told: str, config: ConfigFile, evidence: list[Evidence | None]) -> Sighting:
    value = config.get(KEY)
    seen = [*evidence, value.evidence if value is not None else None]
    return Sighting(pod, told, told, tuple(e for e in seen if e is not None))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    first = fault.pods[0]
    where = (fuse_dir(first) or ("/litefs",))[0]
    return RULE.finding(
        fault.subject,
        f"{fault.text[0].upper()}{fault.text[1:]}, and {KEY} is not set: on {listed(p.name for p in fault.pods)} only LiteFS's own "
        f"user may open what is in {where}.",
        *fault.evidence,
        commands=(config_command(cluster, first), run_in(cluster, first, "id"), run_in(cluster, first, "cat", "/proc/mounts")),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS610",
    name="mount-not-accessible",
    title="The application may not open LiteFS's file system",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="The application says `permission denied` or `unable to open database file`; root sees the files.",
    impact="The application cannot open its databases at all.",
    cause="A FUSE file system is for the user who mounted it and for nobody else, not even for root, unless it is mounted with "
    "allow_other. chown and chmod do not change that.",
    fix=(
        "Write `fuse: {allow-other: true}` into litefs.yml. LiteFS as root needs nothing else for it.",
        "Or let the application run as LiteFS's own user: without su-exec, gosu or another runAsUser.",
        "Commit, let the pipeline build the image if the file is inside, apply, restart the pods, and look for `allow_other` in "
        "/proc/mounts.",
    ),
    reads=("config", "spec"),
    check=check,
)
