"""`--ignore`, `--config`, `--no-config`, `--rules`: what the user has accepted already, and what he adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import UsageError
from ..model.custom import NOTHING, Custom
from . import values
from .params import GivenPath

if TYPE_CHECKING:
    from ..model.suppression import Suppression

F = TypeVar("F", bound=Callable[..., Any])

FILE = ".kubectl-litefs.yaml"
_FLAG = "--ignore"

_IGNORE = click.option(
    _FLAG, "ignored", multiple=True, metavar="RULE[=SUBJECT]", shell_complete=values.rules,
    help="Do not count this rule's findings (of StatefulSet/abaci/abaci-app); repeatable.",
)  # fmt: skip
_CONFIG = click.option("--config", type=GivenPath(path_type=Path), metavar="FILE", help=f"What to ignore (default: {FILE} here or above).")
_NO_CONFIG = click.option("--no-config", is_flag=True, help=f"Read no {FILE}.")

_RULES = click.option("--rules", "rule_files", multiple=True, type=GivenPath(path_type=Path), metavar="FILE", help="Judge the rules of this file, too; repeatable.")


def custom_options(function: F) -> F:
    """`--ignore`, `--config`, `--no-config`, `--rules`."""
    return ignore_options(_RULES(function))


def ignore_options(function: F) -> F:
    """The same without `--rules`."""
    for option in (_NO_CONFIG, _CONFIG, _IGNORE):
        function = option(function)
    return function


def asked(ctx: click.Context) -> Custom:
    """All that the flags say of rules."""
    own = rules_of(ctx.params["rule_files"])
    return Custom(suppressions(ctx), own.rules, own.patterns)


def rules_of(files: tuple[Path, ...]) -> Custom:
    """The rules of the files. A rule that is wrong ends the run: one that is left out would seem to have passed."""
    if not files:
        return NOTHING
    from .. import customs

    custom, problems = customs.own_rules(files)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UsageError("bad-rules", f"{problems[0]}{more}", hint=f"kubectl litefs rules --check {files[0]} lists what is wrong.")
    return custom


def suppressions(ctx: click.Context) -> tuple[Suppression, ...]:
    """What the flags and the file say. What is malformed is a usage error: a suppression that is lost is noticed too late."""
    flags = ctx.params
    if flags["config"] is not None and flags["no_config"]:
        raise click.UsageError("--config and --no-config exclude each other", ctx)
    path = flags["config"] or (None if flags["no_config"] else _nearest())
    if path is None and not flags["ignored"]:
        return ()
    from .. import customs

    typed = customs.typed_suppressions(flags["ignored"], _FLAG)
    return typed if path is None else (*typed, *customs.saved_suppressions(path, str(flags["config"] or path.name)))


def _nearest() -> Path | None:
    try:
        return find(Path.cwd(), Path("~").expanduser().resolve())
    except (OSError, RuntimeError):
        return None  # a folder that is gone, a user without a home: there is no file to be found


def find(start: Path, home: Path) -> Path | None:
    """The nearest file from `start` up to the top of its repository or to the home directory.

    Outside both only in `start` itself: what strangers put higher up decides nothing here.
    """
    return next((file for folder in _folders(start, home) if (file := folder / FILE).is_file()), None)


def _folders(start: Path, home: Path) -> Iterator[Path]:
    above = [start, *start.parents]
    ends = [at for at, folder in enumerate(above) if folder == home or (folder / ".git").exists()]
    yield from above[: ends[0] + 1 if ends else 1]
