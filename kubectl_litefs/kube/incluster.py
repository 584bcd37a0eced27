"""In a pod without a kubeconfig: the pod's service account, as kubectl uses it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace

from ..errors import CouldNotLook
from .kubeconfig import Entry
from .words import one_line

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def possible(environ: Mapping[str, str]) -> bool:
    """Whether this runs in a pod that has a service account's token."""
    address = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(address) and os.path.isfile(os.path.join(ACCOUNT, "token"))


def entries(environ: Mapping[str, str]) -> tuple[Entry, Entry]:
    """(cluster, user) in a kubeconfig's own terms, read by the `kubernetes` package's loader."""
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    loaded = SimpleNamespace(api_key={})
    try:
        InClusterConfigLoader(
            token_filename=os.path.join(ACCOUNT, "token"),
            cert_filename=os.path.join(ACCOUNT, "ca.crt"),
            try_refresh_token=False,
            environ=environ,
        ).load_and_set(loaded)
    except (ConfigException, OSError, UnicodeDecodeError) as error:
        problem = f"this pod's service account ({ACCOUNT}) cannot be used: {error}"
        raise CouldNotLook("in-cluster-unusable", one_line(problem)) from error
    kept = next(iter(loaded.api_key.values()))  # the key's name differs between versions of the package
    return {"server": loaded.host, "certificate-authority": loaded.ssl_ca_cert}, {"token": kept.split(None, 1)[1].strip()}


def namespace(environ: Mapping[str, str]) -> str:
    """POD_NAMESPACE, else the service account's namespace, else ""."""
    if environ.get("POD_NAMESPACE"):
        return environ["POD_NAMESPACE"]
    try:
        with open(os.path.join(ACCOUNT, "namespace"), encoding="utf8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
