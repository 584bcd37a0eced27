"""Flags, kubeconfig and environment -> a session with the API server that kubectl would talk to."""

from __future__ import annotations

import os

from ..ports import Kube
from .credentials import credentials
from .options import ConnectionOptions
from .proxies import proxy_for
from .resolve import resolve
from .session import Session
from .tls import context_for


def connect(options: ConnectionOptions) -> Kube:
    """Sends nothing yet. Raises UsageError for unknown names, CouldNotLook where no server or credentials can be had."""
    resolved = resolve(options, os.environ)
    proof = credentials(resolved)
    context = context_for(resolved, proof) if resolved.secure else None
    return Session(resolved, proof, context, proxy_for(resolved, os.environ))
