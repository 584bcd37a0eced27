"""What the user asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FixOptions:
    """`pod` is a pod's plain name. Times are seconds. Each permission names the thing it permits."""

    pod: str
    namespace: str | None = None
    strategy: str = "pod"
    """`pod`, `scale` or `in-place`."""
    backup: str = "export"
    """`export`, `snapshot`, `retain-pv` or `none`."""
    backup_dir: Path | None = None
    timeout: float = 900.0
    request_timeout: float = 5.0
    dry_run: str = "none"
    """`none`, `client` or `server`."""
    yes: bool = False
    plan_id: str | None = None
    resume: bool = False
    break_lock: bool = False
    accept_loss: frozenset[str] = frozenset()
    primary_is_right: str | None = None
    allow_rollout: bool = False
    allow_smaller_volume: bool = False
    not_managed_by: str | None = None
    disable_eviction: bool = False
    port: int | None = None
    container: str | None = None
    restored: frozenset[str] = frozenset()
    """Databases whose best copy a rescue has brought to the primary and proven there: for these the primary is right."""
