"""kubectl's flags, shared by every command that talks to a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from ..exitcodes import MEANINGS, ExitCode
from ..model.target import Target
from . import values
from .params import Duration, Level

if TYPE_CHECKING:
    from ..kube.options import ConnectionOptions

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path()
_FLAGS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-n", "--namespace"), {"metavar": "NAME", "shell_complete": values.namespaces, "help": "Look in this namespace (default: the context's)."}),
    (("-A", "--all-namespaces"), {"is_flag": True, "help": "Look in every namespace."}),
    (("-l", "--selector"), {"metavar": "LABELS", "help": "Only sets with pods of these labels (app=abaci)."}),
    (("--context",), {"metavar": "NAME", "shell_complete": values.contexts, "help": "The kubeconfig context to use."}),
    (("--kubeconfig",), {"type": _PATH, "metavar": "FILE", "help": "The kubeconfig file to use."}),
    (("--cluster",), {"metavar": "NAME", "shell_complete": values.clusters, "help": "The kubeconfig cluster to use."}),
    (("--user",), {"metavar": "NAME", "shell_complete": values.users, "help": "The kubeconfig user to use."}),
    (("-s", "--server"), {"metavar": "URL", "help": "Address of the API server."}),
    (("--token",), {"metavar": "TOKEN", "help": "Bearer token for the API server."}),
    (("--as", "as_user"), {"metavar": "USER", "help": "User to impersonate."}),
    (("--as-group", "as_groups"), {"multiple": True, "metavar": "GROUP", "help": "Group to impersonate; repeatable."}),
    (("--as-uid",), {"metavar": "UID", "help": "UID to impersonate."}),
    (("--request-timeout",), {"type": Duration(), "help": "Limit for one request (5s; 0: none)."}),
    (("--insecure-skip-tls-verify",), {"is_flag": True, "default": None, "help": "Do not check the server's certificate."}),
    (("--tls-server-name",), {"metavar": "NAME", "help": "Name to check the server's certificate against."}),
    (("--certificate-authority",), {"type": _PATH, "metavar": "FILE", "help": "CA certificate of the server."}),
    (("--client-certificate",), {"type": _PATH, "metavar": "FILE", "help": "Client certificate."}),
    (("--client-key",), {"type": _PATH, "metavar": "FILE", "help": "Key of the client certificate."}),
)

_CONNECTION = (
    "context", "kubeconfig", "cluster", "user", "server", "token", "as_user", "as_groups", "as_uid", "request_timeout",
    "insecure_skip_tls_verify", "tls_server_name", "certificate_authority", "client_certificate", "client_key",
)  # fmt: skip
_SCOPE = {"-n", "-A", "-l"}
"""What to look at, not how to get there."""

_SECRET = {"token"}
"""Never repeated in a printed command."""


def cluster_options(function: F) -> F:
    """Decorate a command with all of them."""
    for names, settings in reversed(_FLAGS):
        function = click.option(*names, **settings)(function)
    return function


def verbosity(function: F) -> F:
    """`-v`, `-v N`."""
    help_text = "Say more: what could not be looked at, and all evidence. -v 9: the traceback of a bug."
    return click.option(
        "-v", "verbosity", type=Level(), default=0, metavar="[N]", show_default=False, help=help_text
    )(function)


def exit_codes(numbers: Iterable[int], otherwise: Mapping[int, str] | None = None) -> dict[int, str]:
    """What each of these means; `otherwise` is what is said in other words than of other commands."""
    return {n: (otherwise or {}).get(n) or MEANINGS[ExitCode(n)] for n in numbers}


class Command(click.Command):
    """A command on which `-v` may stand with or without its number; its help keeps kubectl's flags apart, and ends with `codes`."""

    def __init__(self, *args: Any, codes: Mapping[int, str] | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.codes = codes or {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shared = {names[0] for names, _ in _FLAGS if names[0] not in _SCOPE}
        own: list[tuple[str, str]] = []
        kubectls: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                (kubectls if shared & set(param.opts) else own).append(record)
        for title, rows in (("Options", own), ("Options as in kubectl", kubectls)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(code), meaning) for code, meaning in self.codes.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words: list[str] = []
        for at, word in enumerate(args):
            if word == "--":
                words += args[at:]
                break
            following = args[at + 1] if at + 1 < len(args) else ""
            words.append("-v1" if word == "-v" and not following.isdigit() else word)
        return super().parse_args(ctx, words)


def given(ctx: click.Context) -> list[str]:
    """The cluster flags that were typed, as they are spelled: `--context`."""
    typed = []
    for names, _ in _FLAGS:
        option = next(p for p in ctx.command.params if names[0] in p.opts)
        if ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE:
            typed.append(max((n for n in names if n.startswith("-")), key=len))
    return typed


def connection(ctx: click.Context) -> ConnectionOptions:
    """How to reach the API server."""
    from ..kube.options import ConnectionOptions

    flags = {name: ctx.params.get(name) for name in _CONNECTION}
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    return ConnectionOptions(namespace=ctx.params.get("namespace"), **given)


def target(ctx: click.Context, names: tuple[str, ...] = ()) -> Target:
    """What to look at."""
    flags = ctx.params
    if flags["namespace"] and flags["all_namespaces"]:
        raise click.UsageError("-n and -A exclude each other", ctx)
    if flags["namespace"] == "":
        raise click.UsageError("-n wants the name of a namespace", ctx)
    if names and flags["selector"]:
        raise click.UsageError("names and -l exclude each other", ctx)
    base = Target()
    return Target(
        namespace=flags["namespace"],
        all_namespaces=flags["all_namespaces"],
        selector=flags["selector"],
        names=names,
        request_timeout=base.request_timeout if flags["request_timeout"] is None else flags["request_timeout"],
        run_timeout=base.run_timeout if flags.get("timeout") is None else flags["timeout"],
    )


_KIND = re.compile(r"(sts|statefulsets?|deploy|deployments?|ds|daemonsets?|po|pods?)(\.apps)?", re.IGNORECASE)


def kind_and_names(words: tuple[str, ...]) -> tuple[str, ...]:
    """kubectl also takes `statefulset abaci-app` for `statefulset/abaci-app`."""
    if len(words) > 1 and _KIND.fullmatch(words[0]) and not any("/" in w for w in words):
        return tuple(f"{words[0]}/{name}" for name in words[1:])
    return words


def kube_flags(ctx: click.Context) -> tuple[str, ...]:
    """The flags to put into every kubectl command that is printed, so that it reaches the same cluster."""
    words: list[str] = []
    for names, settings in _FLAGS:
        option = next(p for p in ctx.command.params if names[0] in p.opts)
        name = option.name or ""
        if name not in _CONNECTION or name in _SECRET or name == "request_timeout":
            continue
        value = ctx.params[name]
        spelled = max((n for n in names if n.startswith("-")), key=len)
        if settings.get("is_flag"):
            words += [spelled] if value else []
        elif isinstance(value, tuple):
            words += [word for item in value for word in (spelled, str(item))]
        elif value:
            words += [spelled, str(value)]
    return tuple(words)
