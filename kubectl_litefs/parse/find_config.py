"""Where a pod's litefs.yml is, as far as the cluster's objects show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.config import ConfigFile, Sight
from ..model.objects import Obj
from ..model.origin import Gap, GapReason, Place
from ..model.pod import EnvVar, LitefsCommand
from .command import best_hit, litefs_words, reached
from .container_start import Start
from .litefs_yml import read_litefs_yml
from .mount_flags import MountFlags, parse_mount
from .shell_state import Content, Scene, State, resolve
from .unseen import has_unknown, shown

LAST_PLACE = "/etc/litefs.yml"
NAME = "litefs.yml"
SURELY_MISSING = "surely missing: "


def find_config(
    pod: Obj,
    container: Mapping[str, Any],
    start: Start,
    scene: Scene,
    command: LitefsCommand | None,
    env: Mapping[str, EnvVar],
    env_complete: bool,
    host_name: str | None,
) -> ConfigFile | Gap:
    """litefs.yml of one pod, expanded with its own variables, or why it cannot be seen. `start` was followed in `scene`.

    A gap whose detail begins `surely missing: ` means that LiteFS cannot find the file either.
    """
    hit, state = best_hit(start), reached(start) or start.state
    flags = _flags(litefs_words(hit.words) if hit else (), command)
    what = f"config/{pod.ref.namespace}/{pod.ref.name}"
    found = _locate(flags, container, scene, state, seen=hit is not None)
    if isinstance(found, Gap):
        return Gap(what, found.why, found.detail)
    path, content = found
    if content.text is None:
        return Gap(what, content.reason, f"{path} {content.why}")
    return read_litefs_yml(
        content.text,
        name=content.origin.source if content.origin else content.name,
        source=content.source,
        path=path,
        env=env,
        env_complete=env_complete,
        host_name=host_name,
        expand_env=flags.expand_env,
        after_dashes=flags.after_dashes,
        shell_undefined=tuple(scene.undefined),
        origin=content.origin,
        words_seen=_place(command),
        unset=Sight.UNSET if _image_is_known(pod, container) else Sight.UNDEFINED,
    )


def _place(command: LitefsCommand | None) -> Place | None:
    """Where the command stands in a file; None for a command of a cluster's pod."""
    seen = command.evidence if command is not None else None
    return Place(seen.source, seen.line or 1, seen.column) if seen is not None and seen.column is not None else None


def _image_is_known(pod: Obj, container: Mapping[str, Any]) -> bool:
    """Whether the image's ENV holds nothing that was not seen."""
    image = pod.image(str(container.get("name") or ""))
    return image is not None and image.base_known


def _flags(words: tuple[str, ...], command: LitefsCommand | None) -> MountFlags:
    """The flags with the pod's own variables in them, where a script could be followed."""
    if words:
        return parse_mount(words[1:] if words[1:2] and words[1].startswith("-") else words[2:])
    if command is not None:
        return MountFlags(command.config_path, command.expand_env, command.skip_unmount, command.after_dashes)
    return MountFlags()


def _locate(
    flags: MountFlags, container: Mapping[str, Any], scene: Scene, state: State, *, seen: bool
) -> tuple[str, Content] | Gap:
    """The path LiteFS reads, with what stands there."""
    if flags.config_path is None:
        return _search(container, scene, state, seen=seen)
    if has_unknown(flags.config_path):
        return Gap("", GapReason.NOT_ASKED, f"the path of {NAME} ({shown(flags.config_path)}) is computed")
    path = resolve(state.cwd, flags.config_path)
    if path is None:
        return Gap("", GapReason.NOT_ASKED, f"{flags.config_path} is relative to the image's working directory")
    content = scene.file(state, path)
    if content is None:
        return _in_image(path, state)
    if content.missing:
        if content.fixed or not state.ran_unseen:
            return Gap("", GapReason.ABSENT, f"{SURELY_MISSING}{path}: {content.why}")
        return Gap("", GapReason.NOT_ASKED, f"{path} is written by a program that cannot be followed")
    return path, content


def _in_image(path: str, state: State) -> Gap:
    if state.ran_unseen:
        detail = f"{path} is inside the image, or a program that cannot be followed writes it"
    else:
        detail = f"{path} is inside the image, which is not looked into"
    return Gap("", GapReason.NOT_ASKED, detail)


def _search(container: Mapping[str, Any], scene: Scene, state: State, *, seen: bool) -> tuple[str, Content] | Gap:
    """Without `-config`: the working directory, the home directory, /etc, the first that is there.

    A file of the image in an earlier place would win; the log tells, if it did. Where even the command is the
    image's own, any litefs.yml that is mounted counts.
    """
    places = [p for p in (resolve(state.cwd, NAME), "/root/" + NAME, LAST_PLACE) if p is not None]
    if not seen:
        places += _mounted_names(container)
    hidden: Gap | None = None
    for path in dict.fromkeys(places):
        content = scene.file(state, path)
        if content is not None and content.text is not None:
            return path, content
        if content is not None and not content.missing and hidden is None:
            hidden = Gap("", content.reason, f"{path} {content.why}")
    return hidden or _in_image(NAME, state)


def _mounted_names(container: Mapping[str, Any]) -> Iterator[str]:
    """Where a mounted volume could hold a litefs.yml."""
    mounts = container.get("volumeMounts")
    for mount in mounts if isinstance(mounts, list) else ():
        if isinstance(mount, Mapping):
            at = resolve("/", str(mount.get("mountPath") or "/")) or "/"
            yield at if at.endswith((".yml", ".yaml")) else f"{at.rstrip('/')}/{NAME}"
