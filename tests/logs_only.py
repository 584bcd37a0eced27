"""The logs of a snapshot, and nothing else of it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from kubectl_litefs.model.snapshot import Snapshot


def write_logs(snapshot: Snapshot, folder: Path, pods: Collection[str] | None = None, *, stamped: bool = True) -> list[str]:
    """Write them as a bundle lays them out; the paths."""
    paths = []
    for path, item in snapshot.items.items():
        parts = path.split("/")
        if parts[0] != "logs" or (pods is not None and parts[2] not in pods):
            continue
        data = b"".join(item.open())
        if not stamped:
            data = b"\n".join(line.split(b" ", 1)[-1] for line in data.split(b"\n"))
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        paths.append(str(file))
    return paths
