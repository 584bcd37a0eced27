"""docs/kubectl-litefs.1: the manual page, from the commands and options themselves."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import click

from kubectl_litefs import __version__
from kubectl_litefs.cli.main import CONTEXT, PROG, cli
from kubectl_litefs.cli.options import cluster_options
from kubectl_litefs.exitcodes import MEANINGS

DATE = "2026-11-26"
"""Of the page's text that is not made from code; man(7) wants one, and the day of a build would differ from build to build."""

SCOPE = {"namespace", "all_namespaces", "selector"}
"""kubectl's flags that say what to look at stand with each command, those that say how to get there stand once."""

ESCAPES = {"\\": "\\e", "-": "\\-", "`": "\\(ga", "'": "\\(aq", "^": "\\(ha", "~": "\\(ti"}

ENVIRONMENT = {
    "KUBECONFIG": "Kubeconfig files, as for kubectl; ~/.kube/config where it is not set.",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "The way to the API server, as for kubectl.",
    "SSL_CERT_FILE, SSL_CERT_DIR": "Certificates to trust where the kubeconfig names none.",
    "NO_COLOR, FORCE_COLOR": "Never, or always, print colours.",
    "COLUMNS": "The width of the report.",
    "XDG_STATE_HOME": "Where journals and backups of repairs are kept, in kubectl-litefs; ~/.local/state where it is not set.",
}
FILES = {
    ".kubectl-litefs.yaml": "Here or in a folder above: findings that are known and accepted.",
    "~/.local/state/kubectl-litefs": "Journals and backups of repairs. They are yours to remove.",
}
EXAMPLES = {
    "See it work, without a cluster": "kubectl litefs demo",
    "Look at a namespace": "kubectl litefs diagnose -n abaci",
    "In a pipeline": "kubectl litefs diagnose -n abaci --fail-on warning --strict -o text -o junit=litefs.xml",
    "Look at what a chart would make": "helm template . | kubectl litefs lint -",
    "For a ticket": "kubectl litefs bundle -n abaci -o cluster.tar.gz",
}


def roff(text: str) -> str:
    """A line that troff prints as it stands, so that what is copied from the page can be typed."""
    text = "".join(ESCAPES.get(c, c) for c in text)
    return "\\&" + text if text.startswith(".") else text


def filled(text: str) -> str:
    """Words in lines of the source, which troff fills anew."""
    lines = textwrap.wrap(" ".join(text.split()), 60, break_long_words=False, break_on_hyphens=False)
    return "\n".join(roff(line) for line in lines)


def paragraphs(text: str) -> Iterator[str]:
    """click's help: blank lines between paragraphs, and a \\b before one whose lines stay as they are."""
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line for line in paragraph.split("\n") if line.strip() not in ("", "\b")]
        if "\b" in paragraph:
            kept = textwrap.dedent("\n".join(lines)).split("\n")  # Python 3.13 has taken the indent off already
            yield ".PP\n.RS 4\n.nf\n" + "\n".join(roff(line.rstrip()) for line in kept) + "\n.fi\n.RE"
        elif lines:
            yield ".PP\n" + filled(" ".join(lines))


def tagged(term: str, text: str) -> str:
    return f".TP\n\\fB{roff(term)}\\fR\n{filled(text)}"


def options(command: click.Command, ctx: click.Context, leave_out: set[str]) -> Iterator[str]:
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if isinstance(param, click.Option) and record is not None and param.name not in leave_out and "--help" not in param.opts:
            yield tagged(*record)


def commands(group: click.Group, ctx: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command with its context; a group comes before those that it holds."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is not None and not command.hidden:
            inner = click.Context(command, parent=ctx, info_name=name, **CONTEXT)  # type: ignore[arg-type]
            yield command, inner
            if isinstance(command, click.Group):
                yield from commands(command, inner)


def connection() -> list[click.Parameter]:
    """kubectl's flags that say how to get to a cluster."""

    def any_command() -> None:
        """Takes the flags."""

    return [p for p in click.command(cluster_options(any_command)).params if p.name not in SCOPE]


def section(command: click.Command, ctx: click.Context, common: set[str]) -> Iterator[str]:
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    yield f".SS {roff(ctx.command_path)}\n\\fB{roff(usage)}\\fR"
    yield from paragraphs(command.help or "")
    if command.epilog:
        yield from paragraphs(command.epilog)
    if isinstance(command, click.Group):
        return
    yield from options(command, ctx, common)
    if common & {str(p.name) for p in command.params}:
        yield ".PP\nAnd the options as in kubectl, below."


def page() -> str:
    """The whole page."""
    top = click.Context(cli, info_name=PROG, **CONTEXT)  # type: ignore[arg-type]
    how = connection()
    common = {str(p.name) for p in how}
    parts = [
        '.\\" Generated by tools/man.py: `make docs`. Do not edit.',
        f'.TH KUBECTL\\-LITEFS 1 {DATE} "kubectl\\-litefs {__version__}"',
        ".nh\n.ad l",
        ".SH NAME\nkubectl\\-litefs \\- find and repair broken LiteFS clusters on Kubernetes",
        f".SH SYNOPSIS\n\\fB{roff(PROG)}\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n.br\n\\fB{roff(PROG)} \\fICOMMAND\\fR \\fB\\-\\-help\\fR",
        ".SH DESCRIPTION", *list(paragraphs(cli.help or ""))[:1],
        ".PP\n" + filled("kubectl finds the program as its plugin by its name, kubectl-litefs, on PATH; it can be called by that name, too. Pods of a broken LiteFS cluster are mostly Running and Ready: it looks where kubectl does not."),
        ".SH COMMANDS", *(part for command, ctx in commands(cli, top) for part in section(command, ctx, common)),
        ".SH OPTIONS AS IN KUBECTL", *(tagged(*record) for p in how if (record := p.get_help_record(top)) is not None),
        ".SH EXIT STATUS", *(tagged(str(int(code)), meaning) for code, meaning in MEANINGS.items()),
        ".SH ENVIRONMENT", *(tagged(*pair) for pair in ENVIRONMENT.items()),
        ".SH FILES", *(tagged(*pair) for pair in FILES.items()),
        ".SH EXAMPLES", *(f".PP\n{roff(what)}:\n.PP\n.RS 4\n.nf\n{roff(words)}\n.fi\n.RE" for what, words in EXAMPLES.items()),
        ".SH SEE ALSO\n.BR kubectl (1)",
    ]  # fmt: skip
    return re.sub(r"^(\.SH .*)\n\.PP$", r"\1", "\n".join(parts), flags=re.MULTILINE) + "\n"  # a heading begins a paragraph by itself
