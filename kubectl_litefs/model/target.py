"""What the user asked to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`namespace` None means the context's. `names` are as typed: `statefulset/abaci-app`, `pod/abaci-app-1`, or a
    plain pod name; each selects the whole set it belongs to. `selector` is a label selector for pods.

    `request_timeout` bounds one request and `run_timeout` the whole gathering, in seconds.
    """

    namespace: str | None = None
    all_namespaces: bool = False
    selector: str | None = None
    names: tuple[str, ...] = ()
    request_timeout: float = 5.0
    run_timeout: float = 15.0
    second_look: float | None = 2.0
    """Seconds between two sweeps, where a second one is made; None where none ever is."""
    always_look_twice: bool = False
    """Make the second sweep even where the first leaves no doubt: what is about to be deleted is looked at twice."""
    kinds: frozenset[str] | None = None
    """Only these plurals are listed; None lists all that `diagnose` reads. Pods must be among them."""
    followers_only: bool = False
    """Read only the logs that tell who follows: this run's, of pods that do not say they are primary."""
    port: int | None = None
    """LiteFS's HTTP port on every pod, where it is neither 20202 nor to be read from litefs.yml."""
    logs: bool = True
    """Read the logs. Without them the positions are there sooner, and less can be judged."""
