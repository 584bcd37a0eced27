"""What the commands that change a cluster share: signals, the confirmation, the result."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import LitefsError
from ..exitcodes import ExitCode
from .options import Command, exit_codes, kube_flags
from .output import emit, is_terminal, screen

if TYPE_CHECKING:
    from ..fix.options import FixOptions
    from ..fix.outcome import Outcome
    from ..render.paint import Line

    PlanLines = Callable[[Any, int], list[Line]]

EXIT_CODES = exit_codes((0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 70))


class RepairCommand(Command):
    """`--dry-run` may stand bare, as in kubectl; a flag that has one value may be given once."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        words = ["--dry-run=client" if w == "--dry-run" else w for w in args[:end]] + args[end:]
        twice = self._given_twice(ctx, words)
        if twice is not None:
            raise click.UsageError(f"{twice} is given twice", ctx)
        return super().parse_args(ctx, words)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LitefsError as error:
            error.hint = _reaching(ctx, error.hint)
            raise

    def _given_twice(self, ctx: click.Context, words: list[str]) -> str | None:
        """A flag with one value that stands there more than once; None also where click itself will refuse the words."""
        try:
            _, _, order = self.make_parser(ctx).parse_args(args=["-v1" if w == "-v" else w for w in words])
        except click.ClickException:
            return None
        single = [p for p in order if isinstance(p, click.Option) and not p.multiple and not p.count]
        return next((p.opts[-1] for p in single if single.count(p) > 1), None)


@contextlib.contextmanager
def signals() -> Iterator[None]:
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


def confirm(ctx: click.Context, plan: Any, pause: Callable[[], None], options: FixOptions, plan_lines: PlanLines) -> bool:
    """Shown and asked on a terminal: the name of the pod is typed. With --yes --plan it was agreed to before."""
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
    _paint(ctx, plan_lines(plan, screen(ctx.params["color"]).width))
    sys.stderr.write(f"\nType {plan.pod} to continue: ")
    sys.stderr.flush()
    answer = sys.stdin.readline(1000)
    return bool(answer.rstrip("\r\n") == plan.pod)


def show_outcome(ctx: click.Context, outcome: Outcome, plan_lines: PlanLines) -> None:
    """The result on stdout. A dry run's result is the plan; `-o json` of it is the plan as a document."""
    output = ctx.params["output"]
    if output != "text":
        emit(document(outcome.document(), output))
        return
    outcome = dataclasses.replace(outcome, refusals=tuple(dataclasses.replace(r, instead=_reaching(ctx, r.instead) or "") for r in outcome.refusals))
    if outcome.code not in (ExitCode.OK, ExitCode.REFUSED):
        raise LitefsError(outcome.name, outcome.message, hint=outcome.hint, exit_code=outcome.code)
    from ..render.fix import outcome_lines

    width = screen(ctx.params["color"]).width
    outcome = dataclasses.replace(outcome, hint=_reaching(ctx, outcome.hint))
    if outcome.name == "dry-run" and outcome.plan is not None:
        _paint(ctx, plan_lines(outcome.plan, width))
    _paint(ctx, outcome_lines(outcome, width))


def _reaching(ctx: click.Context, hint: str | None) -> str | None:
    """What to type, so that it reaches the same cluster."""
    if not hint:
        return hint
    from ..render.words import text_with_flags

    return text_with_flags(hint, kube_flags(ctx))


def _paint(ctx: click.Context, lines: list[Line]) -> None:
    from ..render.paint import colored, plain

    emit(colored(lines) if screen(ctx.params["color"]).color else plain(lines))


def document(tree: dict[str, Any], output: str) -> str:
    """JSON or YAML."""
    import json

    if output == "json":
        return json.dumps(tree, indent=2)
    from ..render import yaml

    return yaml.document(tree)


def error_document(error: LitefsError, kind: str = "FixResult") -> dict[str, Any]:
    from ..fix.outcome import Outcome

    return Outcome(error.exit_code, error.reference, error.message, error.hint, kind=kind).document()
