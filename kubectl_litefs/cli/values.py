"""What may be typed as a value: completers for click's `shell_complete`. Nothing heavy is imported before it is needed.

Errors are let through: `complete.respond` turns every one of them into "no suggestions".
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import KubeError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..kube.kubeconfig import Kubeconfig
    from ..model.objects import Obj

    Items = list[CompletionItem[Any]]

LIMIT = 2.0
"""Seconds for everything that is not on this machine, credential plugins included."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""What the API takes for a name. A server that sends anything else wants something else."""
_SHELL = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""What means itself in every shell: some completion scripts expand what they are given."""

Choices = Mapping[str, str]
"""Value -> help."""


def namespaces(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The cluster's; where they may not be listed, those of the kubeconfig's contexts."""
    try:
        found = {o.ref.name: _phase(o) for o in _listed(ctx, "namespaces", everywhere=True)}
    except KubeError:
        entries = _kubeconfig(ctx).contexts.items()
        found = {str(c["namespace"]): f"context {name}" for name, c in entries if c.get("namespace")}
    return _items(_named(found), incomplete)


def contexts(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The kubeconfig's."""
    config = _kubeconfig(ctx)
    return _items({n: _context_help(c, n == config.current_context) for n, c in config.contexts.items()}, incomplete)


def clusters(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The kubeconfig's."""
    from ..kube.words import without_password

    found = _kubeconfig(ctx).clusters
    return _items({n: without_password(str(c.get("server") or "")) for n, c in found.items()}, incomplete)


def users(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The kubeconfig's. Nothing of an entry but its name is shown."""
    return _items(dict.fromkeys(_kubeconfig(ctx).users, ""), incomplete)


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Ids; where the letters typed fit none, names, and ids in small letters: `explain` takes all three."""
    from ..rules import ALL

    ids = {r.id: f"{r.severity.value}: {r.name}" for r in ALL}
    others = {i.lower(): told for i, told in ids.items()} | {r.name: r.id for r in ALL}
    return _items(ids, incomplete) or _items(others, incomplete)


def scenarios(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """The recordings that ship with the package."""
    from ..demo import SCENARIOS

    return _items(SCENARIOS, incomplete)


def litefs_pods(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Pods that run LiteFS, and no other. One at a time."""
    if ctx.params.get(param.name or ""):
        return []
    from ..gather import names

    pods = [p for p in _listed(ctx, "pods") if p.ref.name.startswith(incomplete)]
    return _items(_named({p.ref.name: _phase(p) for p in names.litefs_pods(pods)}), incomplete)


def litefs_sets(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """StatefulSets whose pods run LiteFS, by their plain names. One at a time."""
    if ctx.params.get(param.name or ""):
        return []
    from ..gather import names

    owners = (names.owner(p) or "" for p in names.litefs_pods(_listed(ctx, "pods")))
    sets = Counter(o.partition("/")[2] for o in owners if o.startswith("statefulset/"))
    found = {n: f"{count} pod{'s' if count > 1 else ''}" for n, count in sets.items() if n.startswith(incomplete) and _NAME.fullmatch(n)}
    return _items(found, incomplete)


def workloads(ctx: click.Context, param: click.Parameter, incomplete: str) -> Items:
    """Pods and the sets they belong to; after `sts/` or `sts ` the names of that kind."""
    if ctx.params.get("bundle") is not None:
        return []  # the cluster has nothing to say about a saved bundle
    from ..gather import names
    from ..gather.selection import KINDS

    typed = tuple(ctx.params.get(param.name or "") or ())
    kind, slash, _ = incomplete.partition("/")
    spaced = typed[0].lower().split(".")[0] if typed and "/" not in typed[0] else ""
    if slash or spaced in KINDS:
        plural = KINDS.get(kind.lower().split(".")[0] if slash else spaced)
        prefix = f"{kind}/" if slash else ""
        found = {prefix + n: h for n, h in _named({o.ref.name: "" for o in _listed(ctx, plural)}).items()} if plural else {}
    else:
        pods = [p for p in _listed(ctx, "pods") if _NAME.fullmatch(p.ref.name)]
        sets = Counter(o for o in map(names.owner, pods) if o and _NAME.fullmatch(o.partition("/")[2]))
        found = {name: f"{count} pod{'s' if count > 1 else ''}" for name, count in sets.items()}
        found |= {p.ref.name: _phase(p) for p in pods}
    return _items({value: told for value, told in found.items() if value not in typed}, incomplete)


def _items(choices: Choices, incomplete: str) -> Items:
    """Sorted, and only what begins as typed and is safe on every shell's command line."""
    from click.shell_completion import CompletionItem

    fit = sorted(v for v in choices if v.startswith(incomplete) and _SHELL.fullmatch(v))
    return [CompletionItem(v, help=choices[v] or None) for v in fit]


def _named(found: Choices) -> Choices:
    return {name: told for name, told in found.items() if _NAME.fullmatch(name)}


def _phase(obj: Obj) -> str:
    return str(obj.get("status.phase") or "")


def _context_help(context: Mapping[str, Any], current: bool) -> str:
    told = [f"cluster {context['cluster']}"] if context.get("cluster") else []
    told += [f"namespace {context['namespace']}"] if context.get("namespace") else []
    return ", ".join([*told, "current"] if current else told)


def _kubeconfig(ctx: click.Context) -> Kubeconfig:
    import os

    from ..kube.kubeconfig import load

    return load(ctx.params.get("kubeconfig"), os.environ)


def _listed(ctx: click.Context, plural: str, *, everywhere: bool = False) -> Sequence[Obj]:
    """One list request to the cluster that the flags already typed name."""
    ends = time.monotonic() + LIMIT

    def look() -> Sequence[Obj]:
        from ..gather.names import first_page
        from ..kube.connect import connect
        from .options import connection

        kube = connect(connection(ctx))
        try:
            namespace = None if everywhere or ctx.params.get("all_namespaces") else kube.namespace
            return first_page(kube, plural, namespace, timeout=max(0.1, ends - time.monotonic()))
        finally:
            kube.close()

    return in_time(look, LIMIT)


def in_time(look: Callable[[], Sequence[Obj]], seconds: float) -> Sequence[Obj]:
    """The result, or TimeoutError. A request has its own limit; a name server or a login program may have none."""
    done: list[Sequence[Obj]] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(look())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)  # what hangs must not keep the process alive
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return done[0]
