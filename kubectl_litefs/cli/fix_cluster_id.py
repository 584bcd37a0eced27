"""`kubectl litefs fix-cluster-id`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import LitefsError
from ..exitcodes import MEANINGS, ExitCode
from . import values
from .backup_dir import warnings as place_warnings
from .fix_words import fix_options
from .options import Command, cluster_options, connection, verbosity
from .output import emit, is_terminal, screen
from .params import Duration, Word

if TYPE_CHECKING:
    from ..fix.options import FixOptions
    from ..fix.outcome import Outcome
    from ..fix.plan import Plan

CODES = (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 70)
EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"{c:4}  {MEANINGS[ExitCode(c)]}" for c in CODES)


class FixCommand(Command):
    """`--dry-run` may stand bare, as in kubectl; a flag that has one value may be given once."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        words = ["--dry-run=client" if w == "--dry-run" else w for w in args[:end]] + args[end:]
        twice = self._given_twice(ctx, words)
        if twice is not None:
            raise click.UsageError(f"{twice} is given twice", ctx)
        return super().parse_args(ctx, words)

    def _given_twice(self, ctx: click.Context, words: list[str]) -> str | None:
        """A flag with one value that stands there more than once; None also where click itself will refuse the words."""
        try:
            _, _, order = self.make_parser(ctx).parse_args(args=["-v1" if w == "-v" else w for w in words])
        except click.ClickException:
            return None
        single = [p for p in order if isinstance(p, click.Option) and not p.multiple and not p.count]
        return next((p.opts[-1] for p in single if single.count(p) > 1), None)


@click.command("fix-cluster-id", cls=FixCommand)
@click.argument("pods", nargs=-1, metavar="POD", shell_complete=values.litefs_pods)
@click.option(
    "--dry-run",
    type=Word("none", "client", "server"),
    default="none",
    help="Show the plan only; server: the API server tries each request. Bare: client.",
)
@click.option(
    "--strategy",
    type=Word("pod", "scale", "in-place"),
    default="pod",
    help="pod: claim, then pod. scale: the guide's way, guarded. in-place: keep the volume.",
)
@click.option(
    "--backup", type=Word("export", "snapshot", "retain-pv", "none"), default="export", help="What is kept of the old volume."
)
@click.option("--backup-dir", metavar="DIR", help="Where exports go (default: a folder below ~/.local/state).")
@click.option("--timeout", type=Duration(), default="15m", show_default=True, help="Limit for the run, from the confirmation on.")
@click.option("--yes", is_flag=True, help="Do not ask; needs --plan.")
@click.option("--plan", metavar="ID", help="Carry out this very plan (the id that --dry-run prints), or nothing.")
@click.option("--resume", is_flag=True, help="Take up a run that was stopped; the cluster decides where.")
@click.option("--break-lock", is_flag=True, help="Take a lock that nobody has renewed for a minute.")
@click.option("--accept-loss", metavar="DB[,DB]", multiple=True, help="This database may be lost with the volume.")
@click.option("--primary-is-right", metavar="ID", help="The primary's cluster id, where the evidence leaves it open.")
@click.option("--allow-rollout", is_flag=True, help="The pod may come back with a new revision.")
@click.option("--allow-smaller-volume", is_flag=True, help="The new volume may be smaller than the old one.")
@click.option("--not-managed-by", metavar="KIND/NAME", help="This owner of the StatefulSet does not interfere.")
@click.option("--disable-eviction", is_flag=True, help="Delete the pod instead of evicting it: no disruption budget is asked.")
@click.option("--port", type=click.IntRange(1, 65535), help="LiteFS's HTTP port (default: litefs.yml's, else 20202).")
@click.option("-c", "--container", metavar="NAME", help="The container LiteFS must run in.")
@click.option(
    "-o", "--output", type=Word("text", "json", "yaml"), default="text", help="Output format; json and yaml: events on stderr."
)
@click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
@cluster_options
@verbosity
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> int:
    """Reset one replica that belongs to another LiteFS cluster, without losing data.

    Proves which side is the stranger, refuses where the evidence says that data would be lost, backs up, deletes exactly
    one claim and one pod by uid, waits, and proves that the replica follows again. Start with --dry-run.
    """
    flags = ctx.params
    try:
        options = fix_options(ctx)
        return _run(ctx, options)
    except LitefsError as error:
        if flags["output"] == "text":
            raise
        emit(_document(_error_document(error), flags["output"]))
        return int(error.exit_code)


command.epilog = EXIT_CODES
for _shared in command.params:
    if _shared.name in ("all_namespaces", "selector") and isinstance(_shared, click.Option):
        _shared.hidden = True  # taken to say that one target at a time is meant


def _run(ctx: click.Context, options: FixOptions) -> int:
    from .. import app
    from ..kube.connect import connect_writable
    from .live import SystemClock
    from .steps import steps

    output = ctx.params["output"]
    show = screen(ctx.params["color"])
    ui = steps(output, show.color)
    try:
        with _signals():
            kube = connect_writable(connection(ctx))
            try:
                for warning in _warnings(ctx, options, kube.server):
                    ui.say(warning)
                outcome = app.fix_cluster_id(
                    kube, options, SystemClock(), ui, lambda plan: _confirm(ctx, plan, ui.close, options), os.environ
                )
            finally:
                kube.close()
    finally:
        ui.close()
    _show(ctx, outcome, options)
    return int(outcome.code)


def _warnings(ctx: click.Context, options: FixOptions, server: str) -> Iterator[str]:
    if options.backup_dir is not None:
        yield from place_warnings(options.backup_dir)
    if server.startswith("http://"):
        yield f"{server} is no TLS: credentials are not sent, and whoever listens in can change what is sent"
    if ctx.params["insecure_skip_tls_verify"]:
        yield f"--insecure-skip-tls-verify: whether {server} is the right server is not checked"
    if options.dry_run != "none" and options.yes:
        yield "--dry-run and --yes: the dry run wins, nothing is changed"


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """The first signal stops the run at the next safe point, the second ends the process at once."""
    from ..fix.work import Interrupted

    seen: list[int] = []

    def handler(number: int, _: Any) -> None:
        if seen:
            os._exit(130)
        seen.append(number)
        raise Interrupted(signal.Signals(number).name)

    kept = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            kept[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in kept.items():
            signal.signal(number, old)


def _confirm(ctx: click.Context, plan: Plan, pause: Callable[[], None], options: FixOptions) -> bool:
    """Shown and asked on a terminal; with --yes --plan it was agreed to before."""
    if options.yes and options.plan_id is not None:
        return True
    text = ctx.params["output"] == "text"
    if not text or not is_terminal(sys.stdin):
        why = "nobody can be asked here" if text else f"-o {ctx.params['output']} asks nobody"
        raise LitefsError(
            "declined",
            f"{why}. Nothing was changed",
            hint=f"Look at the plan with --dry-run, then give --yes --plan={plan.id}",
            exit_code=ExitCode.DECLINED,
        )
    pause()
    _show_plan(ctx, plan)
    sys.stderr.write(f"\nType {plan.pod} to continue: ")
    sys.stderr.flush()
    answer = sys.stdin.readline(1000)
    return answer.rstrip("\r\n") == plan.pod


def _show_plan(ctx: click.Context, plan: Plan) -> None:
    from ..render.fix import plan_lines
    from ..render.paint import colored, plain

    show = screen(ctx.params["color"])
    lines = plan_lines(plan, show.width)
    emit(colored(lines) if show.color else plain(lines))


def _show(ctx: click.Context, outcome: Outcome, options: FixOptions) -> None:
    """The result on stdout. A dry run's result is the plan; `-o json` of it is the plan as a document."""
    output = ctx.params["output"]
    if output != "text":
        document = outcome.document()
        emit(_document(document, output))
        return
    if outcome.code not in (ExitCode.OK, ExitCode.REFUSED):
        raise LitefsError(outcome.name, outcome.message, hint=outcome.hint, exit_code=outcome.code)
    from ..fix.plan import Plan
    from ..render.fix import outcome_lines
    from ..render.paint import colored, plain

    if outcome.name == "dry-run" and isinstance(outcome.plan, Plan):
        _show_plan(ctx, outcome.plan)
    show = screen(ctx.params["color"])
    lines = outcome_lines(outcome, show.width)
    emit(colored(lines) if show.color else plain(lines))


def _document(document: dict[str, Any], output: str) -> str:
    import json

    if output == "json":
        return json.dumps(document, indent=2)
    from ..render import yaml

    return yaml.document(document)


def _error_document(error: LitefsError) -> dict[str, Any]:
    from ..fix.outcome import Outcome

    return Outcome(error.exit_code, error.reference, error.message, error.hint).document()
