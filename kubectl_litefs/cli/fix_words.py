"""The flags of `fix-cluster-id`, each checked by itself before anything is asked of a cluster."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from .backup_dir import backup_dir
from .pod_argument import namespace_name, pod_name

if TYPE_CHECKING:
    from ..fix.options import FixOptions

DAY = 86400.0


def fix_options(ctx: click.Context) -> FixOptions:
    """The flags, each checked by itself. Raises click.UsageError."""
    from ..fix.options import FixOptions

    flags = ctx.params
    words = list(flags["pods"])
    if len(words) == 2 and words[0] in ("pod", "pods", "po"):
        words = words[1:]
    if not words:
        raise click.UsageError("give the pod to reset, for example abaci-app-1", ctx)
    if len(words) > 1:
        raise click.UsageError(f"one target at a time, not {len(words)}: {', '.join(ascii(w[:40]) for w in words[:3])}", ctx)
    if flags["all_namespaces"]:
        raise click.UsageError("-A: this needs one namespace, -n NAME", ctx)
    if flags["selector"] is not None:
        raise click.UsageError("-l: no selectors, one target at a time", ctx)
    timeout = flags["timeout"]
    if not 0 < timeout < DAY:
        raise click.UsageError("--timeout wants a time above 0 and below 24h, for example 15m", ctx)
    if flags["strategy"] == "in-place" and flags["dry_run"] == "server":
        raise click.UsageError(
            "--strategy=in-place works by exec, and exec has no dry run on the server: use --dry-run=client", ctx
        )
    folder = None
    if flags["backup"] == "export":
        folder = backup_dir(flags["backup_dir"], os.environ, ctx)
    elif flags["backup_dir"] is not None:
        raise click.UsageError(f"--backup-dir goes with --backup=export, not with --backup={flags['backup']}", ctx)
    return FixOptions(
        pod=pod_name(words[0], ctx),
        namespace=namespace_name(flags["namespace"], ctx),
        strategy=flags["strategy"],
        backup=flags["backup"],
        backup_dir=folder,
        timeout=timeout,
        request_timeout=5.0 if flags["request_timeout"] is None else flags["request_timeout"],
        dry_run=flags["dry_run"],
        yes=flags["yes"],
        plan_id=flags["plan"],
        resume=flags["resume"],
        break_lock=flags["break_lock"],
        accept_loss=_databases(flags["accept_loss"], ctx),
        primary_is_right=_cluster_id(flags["primary_is_right"], ctx),
        allow_rollout=flags["allow_rollout"],
        allow_smaller_volume=flags["allow_smaller_volume"],
        not_managed_by=_kind_and_name(flags["not_managed_by"], ctx),
        disable_eviction=flags["disable_eviction"],
        port=flags["port"],
        container=flags["container"],
    )


def _databases(given: tuple[str, ...], ctx: click.Context) -> frozenset[str]:
    names = [n for words in given for n in words.split(",")]
    if given and any(n.strip() in ("", "*", "all") for n in names):
        raise click.UsageError("--accept-loss: name each database, for example --accept-loss=db,other", ctx)
    return frozenset(names)


def _cluster_id(given: str | None, ctx: click.Context) -> str | None:
    if given is not None and not re.fullmatch("LFSC[0-9A-F]{16}", given):
        raise click.UsageError(
            f"--primary-is-right={given[:40]!a} is no cluster id: LFSC and 16 capital hex digits, for example LFSC0123456789ABCDEF",
            ctx,
        )
    return given


def _kind_and_name(given: str | None, ctx: click.Context) -> str | None:
    if given is not None and not re.fullmatch(r"[A-Za-z0-9]+/[a-z0-9.-]+", given):
        raise click.UsageError(
            f"--not-managed-by={given[:60]!a}: give KIND/NAME as the refusal names it, for example LitefsCluster/abaci", ctx
        )
    return given
