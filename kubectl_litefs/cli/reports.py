"""What every command that judges has in common: its flags, and where its report goes."""

from __future__ import annotations

import contextlib
import importlib
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from ..errors import CouldNotLook
from ..model.rule import Severity
from ..render import FORMATS
from .output import Screen, emit, screen
from .params import Word, did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..model.report import Report

    OutputType = click.ParamType["Output"]
else:  # before click 8.4 it was no generic class
    OutputType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])


class Output(NamedTuple):
    """A format and where it goes; None is standard output."""

    format: str
    path: Path | None


Outputs = tuple[Output, ...]


class _OutputType(OutputType):
    """`json`, `json=report.json`, `json=-`."""

    name = "output"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "[" + "|".join(FORMATS) + "][=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        if isinstance(value, Output):
            return value
        name, equals, file = str(value).partition("=")
        if name not in FORMATS:
            self.fail(f"{name!r} is none of {', '.join(FORMATS)}{did_you_mean(name, list(FORMATS))}", param, ctx)
        if equals and not file:
            self.fail(f"{value!r} names no file behind the =", param, ctx)
        path = None if file in ("", "-") else Path(file)
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            what = "is a directory" if path.is_dir() else f"cannot be written: there is no directory {path.parent}"
            self.fail(f"{file} {what}", param, ctx)
        return Output(name, path)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


def _places(ctx: click.Context, param: click.Parameter, given: tuple[Output, ...]) -> Outputs:
    """Text where nothing was said. A place takes one format: on standard output two would be neither."""
    outputs = given or (Output("text", None),)
    places = [None if o.path is None else os.path.realpath(o.path) for o in outputs]
    twice = next((o for at, o in enumerate(outputs) if places[at] in places[:at]), None)
    if twice is not None:
        where = "standard output" if twice.path is None else str(twice.path)
        raise click.UsageError(f"two formats for {where}: give one of them a file of its own, as in -o json=report.json", ctx)
    return outputs


_OUTPUT = click.option(
    "-o", "--output", "outputs", type=_OutputType(), multiple=True, callback=_places,
    help="Output format; repeatable, each but one into a file (-o json=report.json -o text).",
)  # fmt: skip
_ALL = click.option("--all", "show_all", is_flag=True, help="Show folded findings in full, too.")
_COLOR = click.option("--color", type=Word("auto", "always", "never"), default="auto", help="Colour (auto: on a terminal).")
_FAIL_ON = click.option("--fail-on", type=Word("error", "warning", "info", "never"), default="error", help="Exit 1 from this severity on.")
_STRICT = click.option("--strict", is_flag=True, help="Exit 3 when anything could not be looked at.")


def view_options(function: F) -> F:
    """`-o`, `--all`, `--color`: how a report looks."""
    for option in (_COLOR, _ALL, _OUTPUT):
        function = option(function)
    return function


def report_options(function: F) -> F:
    """The same with `--fail-on` and `--strict`: what its exit code says."""
    for option in (_COLOR, _ALL, _STRICT, _FAIL_ON, _OUTPUT):
        function = option(function)
    return function


def write(ctx: click.Context, report: Report, outputs: Outputs) -> int:
    """The report in every format to its place, files first; the exit code, which is the same whatever the format.

    Takes the other flags of `report_options` from the context. A file that cannot be written does not keep the rest
    from being written; it ends the run with 3.
    """
    flags = ctx.params
    threshold = flags.get("fail_on", "error")
    fail_on = None if threshold == "never" else Severity(threshold)
    strict = bool(flags.get("strict"))
    failed: list[CouldNotLook] = []
    for output in sorted(outputs, key=lambda o: o.path is None):
        text = _rendered(ctx, report, output, fail_on, strict)
        if output.path is None:
            emit(text)
            continue
        try:
            save(output.path, text)
        except OSError as error:
            failed.append(CouldNotLook("cannot-write", f"cannot write {output.path}: {error.strerror or error}"))
    if failed:
        raise failed[0]
    return int(report.exit_code(fail_on, strict))


def _rendered(ctx: click.Context, report: Report, output: Output, fail_on: Severity | None, strict: bool) -> str:
    """By the renderers' table. A file gets colour only where it was asked for, and is as wide as a pipe."""
    render = importlib.import_module(FORMATS[output.format]).render
    how: dict[str, Any] = {}
    if output.format == "junit":
        how = {"fail_on": fail_on, "strict": strict}
    elif output.format == "text":
        color = ctx.params["color"]
        show = screen(color) if output.path is None else Screen(screen().width, color == "always", False)
        how = {
            "width": show.width, "color": show.color, "fancy": show.fancy, "verbose": ctx.params["verbosity"] > 0,
            "show_all": ctx.params["show_all"], "kube_flags": _kube_flags(ctx),
        }  # fmt: skip
    text: str = render(report, **how)
    return text


def _kube_flags(ctx: click.Context) -> tuple[str, ...]:
    """Only a command that talks to a cluster has them."""
    from .options import kube_flags

    return kube_flags(ctx) if "kubeconfig" in ctx.params else ()


def save(path: Path, text: str) -> None:
    """Write a file whole or not at all: a reader never sees half a report. Through a link, and to a device or a pipe as it is.

    Raises OSError.
    """
    target = os.path.realpath(path)
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode):
            with open(path, "w", encoding="utf8", newline="\n") as stream:
                stream.write(text)
            return
    draft = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # with the umask: a report is no secret
    try:
        with os.fdopen(descriptor, "w", encoding="utf8", newline="\n") as file:
            file.write(text)
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def tell(notices: tuple[str, ...]) -> None:
    """What the user must know beside the report, on standard error: the report goes on to whoever reads it."""
    from ..render.words import clean

    with contextlib.suppress(OSError):
        for notice in notices:
            print(f"warning: {clean(notice)}", file=sys.stderr)
