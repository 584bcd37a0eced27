"""POD as typed -> a pod's plain name. Asks nobody."""

from __future__ import annotations

import re

import click

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
EXAMPLE = "for example abaci-app-1"


def pod_name(word: str, ctx: click.Context) -> str:
    """`pod/abaci-app-1` -> `abaci-app-1`. Raises click.UsageError naming the value and a correct example."""
    shown = ascii(word[:60])
    kind, slash, name = word.partition("/")
    if word == "":
        raise click.UsageError(f"the pod's name is empty; give one pod, {EXAMPLE}", ctx)
    if slash and kind in ("pod", "pods", "po"):
        word = name
    elif slash and kind in ("sts", "statefulset", "statefulsets", "statefulset.apps"):
        raise click.UsageError(f"{shown} is a whole set; give one pod of it, {EXAMPLE}", ctx)
    if word in ("*", "all") or "=" in word or "," in word:
        raise click.UsageError(f"{shown}: no selectors, one target at a time; give one pod, {EXAMPLE}", ctx)
    if len(word) > 253:
        raise click.UsageError(f"{shown}... has {len(word)} characters; a pod's name has at most 253 (RFC 1123), {EXAMPLE}", ctx)
    if not _NAME.fullmatch(word):
        raise click.UsageError(f"{shown} is no pod's name: small letters, digits, '-' and '.' (RFC 1123), {EXAMPLE}", ctx)
    return word


def namespace_name(word: str | None, ctx: click.Context) -> str | None:
    """The namespace as typed. Raises click.UsageError for what can be none."""
    if word is None:
        return None
    if word == "":
        raise click.UsageError("-n wants the name of a namespace", ctx)
    if not re.fullmatch(_LABEL, word) or len(word) > 63:
        raise click.UsageError(
            f"-n {word[:70]!a} is no namespace's name: small letters, digits and '-', at most 63 (RFC 1123)", ctx
        )
    return word
