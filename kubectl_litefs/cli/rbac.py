"""`kubectl litefs rbac`."""

from __future__ import annotations

import os

import click

from ..errors import UsageError
from .output import emit
from .params import Word, did_you_mean


@click.command("rbac")
@click.argument("name", type=Word("diagnose", "bundle"), metavar="COMMAND")
@click.option("-n", "--namespace", metavar="NAME", help="For this namespace (default: the context's).")
@click.option("-A", "--all-namespaces", is_flag=True, help="For every namespace.")
@click.option("--context", metavar="NAME", help="The kubeconfig context whose namespace is meant.")
@click.option("--kubeconfig", type=click.Path(), metavar="FILE", help="The kubeconfig file to use.")
@click.pass_context
def command(
    ctx: click.Context, /, name: str, namespace: str | None, all_namespaces: bool, context: str | None, kubeconfig: str | None
) -> int:
    """Print the smallest Role that COMMAND needs, with an account and bindings, ready for `kubectl apply -f -`.

    Asks no cluster. `bundle` reads what `diagnose` reads.
    """
    if namespace and all_namespaces:
        raise click.UsageError("-n and -A exclude each other", ctx)
    from ..rbac import role

    emit(role(namespace or _context_namespace(context, kubeconfig), all_namespaces=all_namespaces))
    return 0


def _context_namespace(context: str | None, kubeconfig: str | None) -> str:
    """What kubectl would use: the context's namespace, else `default`."""
    from ..kube.kubeconfig import load

    config = load(kubeconfig, os.environ)
    if context and context not in config.contexts:
        raise UsageError("unknown-context", f'no context "{context}" in {config.where}' + did_you_mean(context, sorted(config.contexts)))
    chosen = config.contexts.get(context or config.current_context or "", {})
    return str(chosen.get("namespace") or "default")
