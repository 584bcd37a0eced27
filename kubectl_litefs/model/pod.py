"""A pod that runs LiteFS, with everything known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from .config import ConfigFile, Sight
from .image import Image
from .litefs import Database, Info, Metrics, Sweep
from .logs import LogRun
from .objects import Obj
from .origin import Evidence, Gap, ObjectRef

ALONE = "File"
"""The kind of what is no object of Kubernetes: a litefs.yml that was given alone, whoever and however many may use it."""


class Platform(str, Enum):
    """What runs a container that Kubernetes does not, told by the file that describes it."""

    COMPOSE = "compose"
    FLY = "fly"


@dataclass(frozen=True, slots=True)
class EnvVar:
    """One environment variable of the container: from `env`, `envFrom`, the downward API, or an `export` in its
    command. `value` is None unless `sight` is KNOWN."""

    name: str
    value: str | None
    sight: Sight
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Mount:
    """`volume` is the pod volume's name; `source` its kind in the API (`persistentVolumeClaim`, `emptyDir`,
    `configMap`, ...); `claim` the claim's name, if it is one; `propagation` as in the API, None by default."""

    path: str
    volume: str
    source: str
    claim: str | None
    sub_path: str | None
    read_only: bool
    propagation: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class LitefsCommand:
    """How a container starts LiteFS, as far as the pod spec tells.

    `words` is the argv of LiteFS (`litefs mount -config /etc/litefs.yml`), empty when it is not in the spec (the
    image's own entrypoint). `subcommand` is `mount`, `run`, ... or "". `config_path` is `-config`'s value.
    `after_dashes` are the words after `--`, None when there is none. `through_shell` is True when a shell runs it
    and `exec` did not replace that shell; `shell_tail` is what the shell runs after LiteFS ends (`&& node x`).
    `user_switch` is `su-exec`, `gosu`, ... when one stands before it, with `user_switch_to` its target.
    `problem` is what LiteFS would say to these words (`too many arguments, ...`), None if nothing.
    """

    words: tuple[str, ...]
    subcommand: str
    config_path: str | None
    expand_env: bool
    skip_unmount: bool
    after_dashes: tuple[str, ...] | None
    through_shell: bool
    shell_tail: str
    user_switch: str | None
    user_switch_to: str | None
    problem: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the pod, spec and status together. `init` is True for init containers (a restartable one,
    a native sidecar, is not `init`)."""

    name: str
    image: str
    init: bool
    spec: Mapping[str, object]
    status: Mapping[str, object]
    command: tuple[str, ...]
    litefs: LitefsCommand | None
    mounts: tuple[Mount, ...]
    field: str
    """Its path in the pod (`spec.containers.0`)."""
    build: Image | None = None
    """Its image, where the Dockerfile is known."""

    @property
    def restarts(self) -> int:
        count = self.status.get("restartCount")
        return count if isinstance(count, int) else 0

    def _state(self, which: str, state: str) -> Mapping[str, object]:
        states = self.status.get(which)
        value = states.get(state) if isinstance(states, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    @property
    def waiting(self) -> Mapping[str, object]:
        """The `waiting` state (`{"reason": "CrashLoopBackOff", ...}`), empty if it is in another."""
        return self._state("state", "waiting")

    @property
    def running(self) -> Mapping[str, object]:
        return self._state("state", "running")

    @property
    def terminated(self) -> Mapping[str, object]:
        """How the newest ended run ended: the current state's, else the last state's. Empty if none ended."""
        return self._state("state", "terminated") or self._state("lastState", "terminated")

    @property
    def exit_code(self) -> int | None:
        code = self.terminated.get("exitCode")
        return code if isinstance(code, int) else None

    @property
    def crash_looping(self) -> bool:
        """Waits in CrashLoopBackOff, or has ended and was restarted at least twice."""
        return self.waiting.get("reason") == "CrashLoopBackOff" or (self.restarts >= 2 and not self.running)

    @property
    def security(self) -> Mapping[str, object]:
        """The container's securityContext."""
        value = self.spec.get("securityContext")
        return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """A LiteFS node on Kubernetes. Two are equal only if they are the same, so a pod can stand in a set.

    `gaps` maps what could not be seen of it (`info`, `vars`, `metrics`, `log`, `previous`, `config`; `spec` and `env` of a
    litefs.yml that was given alone) to the gap.
    `host_name` is the kernel's host name, what an unset HOSTNAME becomes; None when it cannot be told.
    `sweeps` are the looks at its HTTP port, the newest last; empty when it was never asked.
    """

    ref: ObjectRef
    obj: Obj
    workload: ObjectRef | None
    ordinal: int | None
    host_name: str | None
    container: Container
    containers: tuple[Container, ...]
    env: Mapping[str, EnvVar]
    env_complete: bool
    """True when nothing unseen (a Secret, an optional source) can define further variables, the image's ENV aside."""
    http_port: int
    config: ConfigFile | None
    sweeps: tuple[Sweep, ...]
    log: LogRun | None
    previous: LogRun | None
    gaps: Mapping[str, Gap]

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def _newest(self) -> Sweep | None:
        return self.sweeps[-1] if self.sweeps else None

    @property
    def info(self) -> Info | None:
        return self._newest.info if self._newest else None

    @property
    def databases(self) -> tuple[Database, ...] | None:
        """None when /debug/vars was not seen; empty when there is none."""
        return self._newest.databases if self._newest else None

    @property
    def with_data(self) -> tuple[Database, ...]:
        """Databases above txid 0."""
        return self._newest.with_data if self._newest else ()

    def database(self, name: str) -> Database | None:
        return self._newest.database(name) if self._newest else None

    @property
    def metrics(self) -> Metrics | None:
        return self._newest.metrics if self._newest else None

    @property
    def cluster_id(self) -> str | None:
        return self.info.cluster_id if self.info else None

    @property
    def is_primary(self) -> bool | None:
        """None when /info was not seen."""
        return self.info.is_primary if self.info else None

    @property
    def ready(self) -> bool:
        return any(
            c.get("type") == "Ready" and c.get("status") == "True" for c in self.obj.items("status.conditions")
        )

    @property
    def phase(self) -> str:
        return str(self.obj.get("status.phase", "Unknown"))

    @property
    def alone(self) -> bool:
        """Whether it stands for a litefs.yml alone: nobody knows how many nodes use it, and what pods they are."""
        return self.ref.kind == ALONE

    @property
    def platform(self) -> Platform | None:
        """What runs it where its file says so; None for a pod of Kubernetes, and where nobody knows."""
        named = self.obj.get("outside.platform")
        return Platform(named) if named is not None else None

    @property
    def described(self) -> bool:
        """Whether a file of another platform says what this container runs with, and nothing unseen can add to it."""
        return bool(self.obj.get("outside.sure")) and (self.config is not None or self.container.litefs is not None)

    @property
    def planned(self) -> bool:
        """Whether it is known from a file only, before any cluster: there is no status to look at."""
        return self.obj.written is not None and not self.obj.mapping("status")

    @property
    def deleting(self) -> bool:
        return self.obj.get("metadata.deletionTimestamp") is not None

    @property
    def created(self) -> datetime | None:
        return self.obj.created

    @property
    def started(self) -> datetime | None:
        """When the running container instance began; None if it is not running."""
        from .objects import parse_time

        return parse_time(self.container.running.get("startedAt"))

    @property
    def runs(self) -> tuple[LogRun, ...]:
        """The current run's log and the previous one's, those that were seen, newest first."""
        return tuple(r for r in (self.log, self.previous) if r is not None)

    def mount_for(self, path: str) -> Mount | None:
        """The volume mount of the LiteFS container that `path` lies on: the longest prefix."""
        path = "/" + path.strip("/")
        best: Mount | None = None
        for mount in self.container.mounts:
            at = "/" + mount.path.strip("/")
            inside = path == at or at == "/" or path.startswith(at + "/")
            if inside and (best is None or len(at) > len("/" + best.path.strip("/"))):
                best = mount
        return best

    @property
    def data_dir(self) -> str | None:
        """`data.dir`: LiteFS's own word (`/info`), else the config's, else None when neither was seen."""
        if self.info and self.info.path:
            return self.info.path
        known = self.config.known("data.dir") if self.config else None
        return known if isinstance(known, str) else None

    @property
    def data_claim(self) -> str | None:
        """The claim that `data_dir` lies on."""
        mount = self.mount_for(self.data_dir) if self.data_dir else None
        return mount.claim if mount else None
