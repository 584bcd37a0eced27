"""How the user wants the API server to be reached. Standard library only: the command line imports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """kubectl's flags of the same names; None or empty means "not given".

    `request_timeout` is in seconds; callers pass it on to each request, it changes nothing in how credentials are
    found. `as_user_extra` maps a key to its values.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    server: str | None = None
    token: str | None = field(default=None, repr=False)
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    as_user_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    request_timeout: float | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    namespace: str | None = None
