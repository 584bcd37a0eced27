"""The TLS context for a cluster: its own CA or the system's, and the client certificate."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator

from ..errors import CouldNotLook
from .credentials import Credentials, decoded
from .resolve import Resolved
from .words import one_line


def context_for(resolved: Resolved, credentials: Credentials) -> ssl.SSLContext:
    """Raises CouldNotLook for certificates that cannot be used."""
    cluster = resolved.cluster
    try:
        data = cluster.get("certificate-authority-data")
        if cluster.get("insecure-skip-tls-verify"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif data:
            context = ssl.create_default_context(cadata=decoded(data, "certificate-authority").decode("ascii"))
        elif cluster.get("certificate-authority"):
            context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        else:
            context = ssl.create_default_context()  # the system's; SSL_CERT_FILE and SSL_CERT_DIR count, as for kubectl
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)  # 3.13 sets it; Go has no such mode
        if credentials.certificate is not None:
            cert, key = credentials.certificate
            with _as_file(cert) as cert_file, _as_file(key) as key_file:
                context.load_cert_chain(cert_file, key_file)
    except (OSError, ValueError) as error:
        raise CouldNotLook("unusable-certificate", one_line(f"a certificate for {resolved.server} cannot be used: {error}")) from error
    return context


@contextlib.contextmanager
def _as_file(pem: str | bytes) -> Iterator[str]:
    """OpenSSL reads files only: data goes to a private one that is gone again before the first request."""
    if isinstance(pem, str):
        yield pem
        return
    descriptor, path = tempfile.mkstemp(prefix="kubectl-litefs-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        yield path
    finally:
        os.unlink(path)
