"""Recordings of real LiteFS clusters that ship with the package: bundles as `kubectl litefs bundle` saves them."""

from __future__ import annotations

from pathlib import Path

SCENARIOS: dict[str, str] = {
    "healthy": "three pods that replicate as they should",
    "cluster-id-mismatch": "one replica belongs to another cluster and serves old data",
    "primary-volume-recreated": "the primary lost its volume; the replicas hold the only good copy",
    "all-candidates": "a variable was unset, so every pod is a primary",
    "hostname-override": "the image sets HOSTNAME, so writes are sent to 0.0.0.0",
    "silent-connection": "replicas hang on a wrong port, without an error line",
    "primary-redirect-url": "litefs.yml has a setting that LiteFS 0.5 refuses",
    "bad-migrate-path": "the first command cannot run, so the primary restarts in a loop",
    "two-faults": "a foreign replica and an overridden HOSTNAME at once",
}
"""Name -> what is wrong there, in a few words."""

DEFAULT = "cluster-id-mismatch"
"""Shown when none is named: all pods Running and Ready, one of them stale."""


def path(name: str) -> Path:
    """Where the recording lies. KeyError for one that does not exist."""
    if name not in SCENARIOS:
        raise KeyError(name)
    return Path(__file__).parent / f"{name}.tar.gz"
