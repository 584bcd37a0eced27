"""LiteFS's file system as other containers of its pod see it, or would if their volumes let them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from .pod import Container, Mount, Pod

RECEIVES = ("HostToContainer", "Bidirectional")
"""Mount propagation with which a container sees what is mounted after its start."""


@dataclass(frozen=True, slots=True)
class View:
    """Another container's mount. `shared` is LiteFS's own mount of the same volume; None for a volume that it lacks."""

    container: Container
    mount: Mount
    shared: Mount | None


def others(pod: Pod) -> tuple[Container, ...]:
    """What runs beside LiteFS's container."""
    return tuple(c for c in pod.containers if not c.init and c is not pod.container)


def fuse_volume(pod: Pod, where: str) -> Mount | None:
    """The volume of LiteFS's container that its mount point lies on; the one that keeps its data is none of these."""
    mount = pod.mount_for(where)
    data = pod.mount_for(pod.data_dir) if pod.data_dir else None
    return None if mount is None or (data is not None and mount.volume == data.volume) else mount


def views(pod: Pod, where: str) -> Iterator[View]:
    """Each other container that mounts the volume at LiteFS's mount point, or has one of its own at the same path."""
    shared = fuse_volume(pod, where)
    for container in others(pod):
        for mount in container.mounts:
            if shared is not None and mount.volume == shared.volume:
                yield View(container, mount, shared)
                break
            if posixpath.normpath(mount.path) == posixpath.normpath(where):
                yield View(container, mount, None)
                break
