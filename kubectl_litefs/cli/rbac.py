"""`kubectl litefs rbac`."""

from __future__ import annotations

import os

import click

from ..errors import UsageError
from . import values
from .output import emit
from .params import Word, did_you_mean
from .pod_argument import namespace_name, pod_name


@click.command("rbac")
@click.argument("name", type=Word("diagnose", "bundle", "fix-cluster-id", "rescue"), metavar="COMMAND")
@click.argument("pod", required=False, shell_complete=values.litefs_pods)
@click.option("-n", "--namespace", metavar="NAME", shell_complete=values.namespaces, help="For this namespace (default: the context's).")
@click.option("-A", "--all-namespaces", is_flag=True, help="For every namespace.")
@click.option("--context", metavar="NAME", shell_complete=values.contexts, help="The kubeconfig context whose namespace is meant.")
@click.option("--kubeconfig", type=click.Path(), metavar="FILE", help="The kubeconfig file to use.")
@click.pass_context
def command(
    ctx: click.Context, /, name: str, pod: str | None, namespace: str | None, all_namespaces: bool, context: str | None, kubeconfig: str | None
) -> int:
    """Print the smallest Role that COMMAND needs, with an account and bindings, ready for `kubectl apply -f -`.

    Asks no cluster. `bundle` reads what `diagnose` reads. `fix-cluster-id` may be followed by the pod's name: then
    what can be limited to it is.
    """
    if namespace and all_namespaces:
        raise click.UsageError("-n and -A exclude each other", ctx)
    namespace_name(namespace, ctx)
    from ..rbac import fix_role, rescue_role, role

    if all_namespaces and name in ("fix-cluster-id", "rescue"):
        raise click.UsageError(f"-A: {name} works in one namespace, -n NAME", ctx)
    if name == "fix-cluster-id":
        emit(fix_role(namespace or _context_namespace(context, kubeconfig), pod_name(pod, ctx) if pod is not None else None))
        return 0
    if pod is not None:
        raise click.UsageError(f"{name} takes no pod: it looks at whole sets", ctx)
    if name == "rescue":
        emit(rescue_role(namespace or _context_namespace(context, kubeconfig)))
        return 0
    emit(role(namespace or _context_namespace(context, kubeconfig), all_namespaces=all_namespaces))
    return 0


def _context_namespace(context: str | None, kubeconfig: str | None) -> str:
    """What kubectl would use: the context's namespace, else `default`."""
    from ..kube.kubeconfig import load

    config = load(kubeconfig, os.environ)
    name = context or config.current_context or ""
    if name and name not in config.contexts:
        named = "" if context else " (it is the current-context); -n NAME names the namespace"
        raise UsageError("unknown-context", f'no context "{name}" in {config.where}{did_you_mean(name, sorted(config.contexts))}{named}')
    chosen = config.contexts.get(name, {})
    return str(chosen.get("namespace") or "default")
