"""`fix-cluster-id` and `rescue` in this process, against the real API server, with a hand in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from kubectl_litefs import app
from kubectl_litefs.cli.live import SystemClock
from kubectl_litefs.fix.options import FixOptions
from kubectl_litefs.fix.outcome import Outcome
from kubectl_litefs.kube.connect import connect_writable
from kubectl_litefs.kube.options import ConnectionOptions
from kubectl_litefs.ports import Answer, Executed, WritableKube
from kubectl_litefs.rescue.options import RescueOptions

Hook = Callable[[str, str], None]
"""Called with method and path of each request before it is sent; may raise instead."""


class Handled:
    """A WritableKube that lets the test act before each request, and remembers what was sent."""

    def __init__(self, kube: WritableKube, before: Hook) -> None:
        self.kube, self.before = kube, before
        self.server, self.context, self.cluster, self.namespace = kube.server, kube.context, kube.cluster, kube.namespace
        self.changed: list[str] = []

    def get(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, max_bytes: int) -> bytes:
        self.before("GET", path)
        return self.kube.get(path, query, timeout=timeout, max_bytes=max_bytes)

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float, idle: float | None = None) -> Iterator[Iterator[bytes]]:
        self.before("GET", path)
        with self.kube.stream(path, query, timeout=timeout, idle=idle) as chunks:
            yield chunks

    def exchange(self, method: str, path: str, body: dict[str, Any] | None = None, *, query: Mapping[str, str] | None = None, content_type: str = "application/json", timeout: float) -> Answer:
        self.before(method, path)
        if method != "GET" and "accessreviews" not in path and "/leases" not in path:
            self.changed.append(f"{method} {path.rsplit('/', 2)[-2]}/{path.rsplit('/', 1)[-1]}")
        return self.kube.exchange(method, path, body, query=query, content_type=content_type, timeout=timeout)

    def upload(self, path: str, file: BinaryIO, *, query: Mapping[str, str] | None = None, timeout: float) -> Answer:
        self.before("POST", path)
        self.changed.append(f"IMPORT {path.split('/pods/')[1].split(':')[0]}")
        return self.kube.upload(path, file, query=query, timeout=timeout)

    def execute(self, namespace: str, pod: str, container: str, command: Any, *, timeout: float, **streams: Any) -> Executed:
        self.before("EXEC", pod)
        return self.kube.execute(namespace, pod, container, command, timeout=timeout, **streams)

    def close(self) -> None:
        self.kube.close()


@dataclass
class Told:
    """A Ui that writes down and lets the test act at a step."""

    on_step: Callable[[str, str], None]
    steps: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def progress(self, text: str) -> None:
        """Nothing is drawn."""

    def step(self, key: str, title: str, state: str, detail: str = "") -> None:
        self.steps.append((key, state, detail))
        self.on_step(key, state)

    def say(self, text: str) -> None:
        self.said.append(text)

    def waits(self, key: str) -> str:
        return " | ".join(d for k, s, d in self.steps if k == key and s == "waiting")


@dataclass
class Fixer:
    """`fixer(namespace, ...)` is one agreed run at abaci-app-1."""

    kubeconfig: Path
    context: str
    home: Path
    told: Told = field(default_factory=lambda: Told(lambda key, state: None))
    changed: list[str] = field(default_factory=list)

    def __call__(self, namespace: str, pod: str = "abaci-app-1", *, before: Hook | None = None, on_step: Callable[[str, str], None] | None = None, **options: Any) -> Outcome:
        backups = self.home / "backups"
        backups.mkdir(mode=0o700, exist_ok=True)
        given = ConnectionOptions(kubeconfig=str(self.kubeconfig), context=self.context, namespace=namespace)
        kube = Handled(connect_writable(given), before or (lambda method, path: None))
        self.told, self.changed = Told(on_step or (lambda key, state: None)), kube.changed
        wanted: dict[str, Any] = {"accept_loss": frozenset({"db"}), "timeout": 90.0, "backup_dir": backups, "request_timeout": 10.0} | options
        try:
            outcome = app.fix_cluster_id(kube, FixOptions(pod=pod, namespace=namespace, **wanted), SystemClock(), self.told, lambda plan: True, {"XDG_STATE_HOME": str(self.home)})
        finally:
            kube.close()
        print(f"exit {int(outcome.code)} {outcome.name}: {outcome.message} [{outcome.hint}]")
        print(*kube.changed, sep="\n")
        return outcome


@dataclass
class Rescuer:
    """`rescuer(namespace, ...)` is one agreed run for abaci-app."""

    kubeconfig: Path
    context: str
    home: Path
    told: Told = field(default_factory=lambda: Told(lambda key, state: None))
    changed: list[str] = field(default_factory=list)
    plans: list[Any] = field(default_factory=list)

    def __call__(self, namespace: str, *, before: Hook | None = None, on_step: Callable[[str, str], None] | None = None, **options: Any) -> Outcome:
        given = ConnectionOptions(kubeconfig=str(self.kubeconfig), context=self.context, namespace=namespace)
        kube = Handled(connect_writable(given), before or (lambda method, path: None))
        self.told, self.changed = Told(on_step or (lambda key, state: None)), kube.changed
        wanted: dict[str, Any] = {"strategy": "auto", "timeout": 120.0, "request_timeout": 10.0} | options
        asked = RescueOptions(pod="", namespace=namespace, name="statefulset/abaci-app", base=self.home / "saved", **wanted)

        def agree(plan: Any) -> bool:
            self.plans.append(plan)
            return True

        try:
            outcome = app.rescue_run(kube, asked, SystemClock(), self.told, agree, {"XDG_STATE_HOME": str(self.home)})
        finally:
            kube.close()
        print(f"exit {int(outcome.code)} {outcome.name}: {outcome.message} [{outcome.hint}]")
        print(*kube.changed, *self.told.steps, sep="\n")
        return outcome
