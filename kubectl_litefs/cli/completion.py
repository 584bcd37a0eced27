"""`kubectl litefs completion`."""

from __future__ import annotations

import os

import click

from ..errors import UsageError
from ..exitcodes import ExitCode
from . import shim
from .output import emit
from .params import GivenPath, Word
from .shim import Found, Kind

SHELLS = ("bash", "zsh", "fish")
MANAGE = ("install", "uninstall", "status")


@click.command("completion")
@click.argument("what", type=Word(*SHELLS, *MANAGE), metavar="WHAT")
@click.option("--dir", "folder", type=GivenPath(file_okay=False), metavar="FOLDER", help="For install and uninstall: this folder.")
@click.pass_context
def command(ctx: click.Context, /, what: str, folder: str | None) -> int:
    """Completion in a shell.

    \b
    install     let kubectl's own completion also complete `kubectl litefs`:
                writes one small file, kubectl_complete-litefs, into a folder
                of yours that is on PATH. Needless after pip, pipx and uv.
    uninstall   take that file away again
    status      say whether kubectl finds it (exit code 1: it does not)
    bash, zsh, fish
                print the script that completes `kubectl-litefs` itself

    No start-up file of a shell is ever changed.
    """
    if folder is not None and what not in ("install", "uninstall"):
        raise click.UsageError(f"--dir is for install and uninstall, not for {what}", ctx)
    if what in SHELLS:
        from .scripts import SCRIPTS

        emit(SCRIPTS[what])
        return 0
    if os.name != "posix":
        raise UsageError("needless", "the Python package brings kubectl_complete-litefs with it on this system; there is nothing to do")
    return {"install": _install, "uninstall": _uninstall, "status": _status}[what](folder)


def _install(folder: str | None) -> int:
    active = _active()
    if folder is None:
        if active is not None and active.kind is not Kind.FOREIGN:
            emit(f"Nothing to do: kubectl finds {_text(active)}.")
            return 0
        if active is not None:
            raise UsageError(
                "shadowed",
                f"kubectl would go on using {_text(active)}",
                hint="move it away, or name a folder that stands before it on PATH with --dir",
            )
        folder = shim.own_folder(os.environ)
    written = shim.write(folder)
    path = os.path.join(os.path.abspath(folder), shim.NAME)
    emit(f"{'Wrote' if written else 'There already:'} {_clean(path)}")
    active = _active()
    if active is None or active.path != path:
        why = f"kubectl finds {_text(active)} before it" if active else f"{_clean(os.path.dirname(path))} is not on PATH"
        emit(f"It has no effect yet: {why}.")
    else:
        emit("Completion of `kubectl litefs` works in every shell where kubectl's own completion does (kubectl completion --help).")
    return 0


def _uninstall(folder: str | None) -> int:
    found = [shim.look(folder)] if folder is not None else list(shim.on_path(os.environ))
    ours = [f for f in found if f.kind is Kind.OURS]
    for one in ours:
        shim.remove(one)
        emit(f"Removed {_clean(one.path)}")
    for one in found:
        if one.kind in (Kind.PACKAGED, Kind.FOREIGN):
            emit(f"Left alone: {_text(one)}")
    if not ours:
        emit("There was nothing to remove.")
    return 0


def _status(_: str | None) -> int:
    active = _active()
    found = list(shim.on_path(os.environ))
    if active is None:
        emit("kubectl finds no kubectl_complete-litefs on PATH, so `kubectl litefs` is not completed.")
    else:
        emit(f"kubectl finds {_text(active)}.")
    for one in found:
        if active is not None and one.path == active.path:
            continue
        why = "it comes later on PATH" if one.runs else "it is not executable"
        emit(f"Not used: {_text(one)}: {why}.")
    if active is None or active.kind is Kind.FOREIGN:
        emit("To change that: kubectl litefs completion install" if active is None else "To use this tool's own, move that file away.")
        return int(ExitCode.FINDINGS)
    return 0


def _active() -> Found | None:
    """The one that kubectl runs: the first that can be executed."""
    return next((f for f in shim.on_path(os.environ) if f.runs), None)


def _text(found: Found) -> str:
    return f"{_clean(found.path)} ({found.kind.value})"


def _clean(path: str) -> str:
    from ..render.words import clean

    return clean(path)
