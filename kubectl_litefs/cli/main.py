"""The command group, and the one place where errors become words and exit codes."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from ..errors import KubeError, LitefsError
from ..exitcodes import ExitCode
from . import complete
from .lazy import LazyGroup
from .output import drop_stdout, no_stdout_surprises

PROG = "kubectl litefs"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS: dict[str, tuple[str, str]] = {
    "diagnose": ("diagnose", "Look at LiteFS clusters, judge every rule, say what is wrong and what to do."),
    "status": ("status", "One line for each pod: who follows whom, at which position; -w refreshes."),
    "diff": ("diff", "Two bundles or reports: which findings are new, gone, unchanged."),
    "fix-cluster-id": ("fix_cluster_id", "Reset one replica that belongs to another LiteFS cluster, without losing data."),
    "rescue": ("rescue", "When the replicas hold the only good copy: save every copy, bring the primary's data back."),
    "lint": ("lint", "Judge files before there is a cluster: manifests, litefs.yml, Dockerfiles, scripts."),
    "render": ("render", "The litefs.yml that each pod really runs with, every value with where it is from."),
    "bundle": ("bundle", "Save what `diagnose` would read, redacted, to look at it later or elsewhere."),
    "demo": ("demo", "See the tool at work on recorded clusters; needs no cluster of yours."),
    "explain": ("explain", "One rule in full: symptom, cause, impact, remedy."),
    "rules": ("rules", "The table of all rules."),
    "rbac": ("rbac", "Print the smallest Role that a command needs."),
    "completion": ("completion", "Completion in bash, zsh and fish: for kubectl, and for kubectl-litefs itself."),
    "version": ("version", "Versions of the tool, of Python and of the rule table."),
}
"""Name -> (module with a click command `command`, one line for --help). Listing them imports none of them."""
GROUPS = ("rescue",)
"""Those that hold commands of their own. Alone they show their help, as kubectl's do; click's own answer is an error from 8.2 on."""


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from .. import __version__

        click.echo(f"kubectl-litefs {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings=CONTEXT,
    epilog="Start with `kubectl litefs demo`, or `kubectl litefs diagnose -n NAMESPACE`.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version.")
def cli() -> None:
    """Find out what is wrong with a LiteFS cluster on Kubernetes, and repair it. Only fix-cluster-id, rescue run and rescue undo change a cluster."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. Prints errors to stderr, never a traceback unless `-v 9` asks for it."""
    words = list(sys.argv[1:] if args is None else args)
    if words in ([], *([group] for group in GROUPS)):
        words.append("--help")
    no_stdout_surprises()
    try:
        if words[0] in (complete.WORDS, complete.LINE):
            return complete.respond(cli, words[0], words[1:])
        result: Any = cli.main(words, prog_name=PROG, standalone_mode=False)
        sys.stdout.flush()
        return int(result or 0)
    except LitefsError as error:
        _say(_told(error), error.hint)
        return int(error.exit_code)
    except click.ClickException as error:
        _say(_usage(error), _help_hint(error, words))
        return int(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        drop_stdout()
        return int(ExitCode.OK)
    except OSError as error:
        if not {"-h", "--help"} & set(words):  # what writes a help text is not ours
            return _bug(error, words)
        drop_stdout()
        _say(f"cannot write the result to standard output: {error.strerror}", None)
        return int(ExitCode.COULD_NOT_LOOK)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a bug, and a user gets one line
        return _bug(error, words)


def _told(error: LitefsError) -> str:
    """A refusal in the server's words says that it is the server's; a message with a hint is ours."""
    return error.as_kubectl_prints_it() if isinstance(error, KubeError) and error.hint is None else error.message


def _usage(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split())
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _help_hint(error: click.ClickException, words: Sequence[str]) -> str:
    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and ctx is not None and isinstance(ctx.command, click.Group):
        return f"flags come after the command; {ctx.command_path} --help lists the commands"
    if ctx is not None:
        return f"{ctx.command_path} --help"
    called = words[: 2 if words[0] in GROUPS else 1] if words[0] in COMMANDS else []  # of a flag without its value click does not say whose it is
    return " ".join([PROG, *called, "--help"])


def _say(message: str, hint: str | None) -> None:
    from ..render.words import clean

    with contextlib.suppress(BrokenPipeError):
        print(f"error: {clean(message)}", file=sys.stderr)
        if hint:
            print(f"hint:  {clean(hint)}", file=sys.stderr)


def _bug(error: Exception, words: Sequence[str]) -> int:
    """One line that names it as ours; with `-v 9` the traceback, too."""
    from ..render.words import clean

    if re.search(r"(^| )(-v=?|-v |--verbosity[ =])9( |$)", " ".join(words)):
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    what = clean(f"{type(error).__name__}: {error}")
    print(f"error: a bug in kubectl-litefs: {what[:300]}; please report it at {_tracker()} (-v 9 shows where)", file=sys.stderr)
    return int(ExitCode.BUG)


def _tracker() -> str:
    """Where to report a bug, from the installed package's metadata."""
    from ..project import addresses

    known = addresses()
    return known.get("Issues") or known.get("Homepage") or "the project's issue tracker"
