"""Groups whose commands are imported when they are called, and not before."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Table = Mapping[str, tuple[str, str]]
"""Name -> (module of `cli` with a click command `command`, one line for --help). Listing them imports none of them."""


class LazyGroup(click.Group):
    """Imports a command only when it is called; offers the nearest name for one that does not exist."""

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(f"kubectl_litefs.cli.{entry[0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.table:
            import difflib

            near = difflib.get_close_matches(name.lower(), list(self.table), 1, 0.5)
            meant = f"did you mean {near[0]}?" if near else "there is " + ", ".join(self.table)
            raise click.UsageError(f"there is no command {name!r}; {meant}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """From the table: click's own would import every command."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=told) for name, (_, told) in self.table.items() if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.table.items()])
