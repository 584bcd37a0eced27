"""Flags, kubeconfig and environment -> a session with the API server that kubectl would talk to."""

from __future__ import annotations

import os
from functools import partial
from typing import TypeVar

from ..ports import Kube, WritableKube
from .credentials import credentials
from .options import ConnectionOptions
from .proxies import proxy_for
from .resolve import resolve
from .session import Session
from .tls import context_for
from .writer import WritingSession

S = TypeVar("S", bound=Session)


def connect(options: ConnectionOptions) -> Kube:
    """Sends nothing yet. Raises UsageError for unknown names, CouldNotLook where no server or credentials can be had."""
    return _session(Session, options)


def connect_writable(options: ConnectionOptions) -> WritableKube:
    """The same for a command that repairs: the same server and credentials, and the right to write."""
    return _session(WritingSession, options)


def _session(kind: type[S], options: ConnectionOptions) -> S:
    resolved = resolve(options, os.environ)
    proof = credentials(resolved)
    context = context_for(resolved, proof) if resolved.secure else None
    plugged = resolved.user.get("exec") is not None or resolved.user.get("auth-provider") is not None
    renew = partial(credentials, resolved) if plugged and resolved.secure else None
    return kind(resolved, proof, context, proxy_for(resolved, os.environ), renew)
