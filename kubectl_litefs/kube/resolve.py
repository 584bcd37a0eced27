"""From kubeconfig, flags and environment to one cluster and one user, as kubectl does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import UsageError
from . import incluster
from .kubeconfig import Entry, Kubeconfig, load, text, unusable
from .options import ConnectionOptions
from .validate import check_cluster, check_user
from .words import nearest, one_line


@dataclass(frozen=True, slots=True)
class Resolved:
    """`server` is a base URL without a slash at its end. `cluster` and `user` have the flags laid over them."""

    server: str
    context: str | None
    namespace: str
    cluster: Entry
    cluster_name: str
    """Empty where no kubeconfig names one: in a pod, or with --server alone."""
    user: Entry = field(repr=False)
    user_name: str
    user_known: bool
    """False: the context names a user that the kubeconfig does not have."""
    where: str
    """The kubeconfig files, for messages."""

    @property
    def secure(self) -> bool:
        return self.server.startswith("https:")


def resolve(options: ConnectionOptions, environ: Mapping[str, str]) -> Resolved:
    """Raises UsageError for a name given by a flag that does not exist, CouldNotLook for everything else."""
    config = load(options.kubeconfig, environ)
    context_name, context = _context(options, config)
    cluster_name = options.cluster or text(context, "cluster", f"context {context_name}")
    user_name = options.user or text(context, "user", f"context {context_name}")
    for flag, name, known in (
        ("--cluster", options.cluster, config.clusters),
        ("--user", options.user, config.users),
    ):
        if name and name not in known:
            raise _unknown(flag, name, known, config)
    cluster = config.clusters.get(cluster_name, {})
    user = config.users.get(user_name, {})
    given = options.server or text(cluster, "server", f"cluster {cluster_name}")
    in_pod = incluster.possible(environ)
    if not given and not cluster_name and in_pod:
        cluster, user = incluster.entries(environ)
        context_name = ""
    elif not given:
        cluster = {**cluster, "server": environ.get("KUBERNETES_MASTER") or _no_server(config, context_name, cluster_name)}
    cluster = _cluster_with_flags(cluster, options)
    user = _user_with_flags(user, options)
    check_cluster(cluster, cluster_name)
    check_user(user, user_name, by_flags=options.as_user is None and bool(options.as_groups or options.as_uid))
    return Resolved(
        server=base_url(cluster["server"]),
        context=context_name or None,
        namespace=_namespace(options, context, context_name, environ if in_pod else None),
        cluster=cluster,
        cluster_name=cluster_name,
        user=user,
        user_name=user_name,
        user_known=not user_name or user_name in config.users,
        where=config.where,
    )


def _context(options: ConnectionOptions, config: Kubeconfig) -> tuple[str, Entry]:
    name = options.context or config.current_context
    if not name:
        return "", {}
    if name in config.contexts:
        return name, config.contexts[name]
    if options.context:
        raise _unknown("--context", name, config.contexts, config)
    known = nearest(name, config.contexts)
    raise unusable(f"current-context is {name}, but {config.where} has no such context{known}", hint="kubectl config use-context NAME")


def _unknown(flag: str, name: str, known: Mapping[str, Entry], config: Kubeconfig) -> UsageError:
    kind = flag.lstrip("-")
    return UsageError(f"unknown-{kind}", one_line(f"{flag}: {config.where} has no {kind} {name!r}{nearest(name, known)}", 600))


def _no_server(config: Kubeconfig, context: str, cluster: str) -> str:
    """Says why there is no server. kubectl would try http://localhost:8080 here, which is never meant."""
    if cluster and cluster not in config.clusters:
        raise unusable(f"context {context} names cluster {cluster}, which {config.where} does not have{nearest(cluster, config.clusters)}")
    if cluster:
        raise unusable(f"cluster {cluster} in {config.where} has no server")
    if context:
        raise unusable(f"context {context} in {config.where} names no cluster")
    if config.files:
        choose = f"; there is {', '.join(sorted(config.contexts)[:8])}" if config.contexts else ""
        raise unusable(
            f"{config.where} sets no current-context{choose}", hint="choose one: --context NAME, or kubectl config use-context NAME"
        )
    raise unusable(
        f"no kubeconfig: {', '.join(config.missing)} does not exist, and this is no pod with a service account",
        hint="name one with --kubeconfig FILE or KUBECONFIG, or the API server with --server URL",
    )


def _cluster_with_flags(cluster: Entry, options: ConnectionOptions) -> Entry:
    """kubectl: a CA or insecure flag replaces all of these three; a server flag drops the file's tls-server-name."""
    cluster = dict(cluster)
    if options.insecure_skip_tls_verify or options.certificate_authority:
        for key in ("insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data"):
            cluster.pop(key, None)
    if options.server or options.tls_server_name:
        cluster.pop("tls-server-name", None)
    flags = {
        "server": options.server,
        "certificate-authority": options.certificate_authority,
        "insecure-skip-tls-verify": options.insecure_skip_tls_verify,
        "tls-server-name": options.tls_server_name,
    }
    return {**cluster, **{k: v for k, v in flags.items() if v}}


def _user_with_flags(user: Entry, options: ConnectionOptions) -> Entry:
    """Each flag replaces its own field only: `--as` keeps the groups that the entry impersonates."""
    user = dict(user)
    if options.client_certificate:
        user.pop("client-certificate-data", None)
    if options.client_key:
        user.pop("client-key-data", None)
    flags = {
        "token": options.token,
        "client-certificate": options.client_certificate,
        "client-key": options.client_key,
        "as": options.as_user,
        "as-uid": options.as_uid,
        "as-groups": list(options.as_groups),
        "as-user-extra": {**(user.get("as-user-extra") or {}), **{k: list(v) for k, v in options.as_user_extra.items()}},
    }
    return {**user, **{k: v for k, v in flags.items() if v}}


def _namespace(options: ConnectionOptions, context: Entry, name: str, pod_environ: Mapping[str, str] | None) -> str:
    """The flag's, the context's, in a pod the pod's own, `default`."""
    found = options.namespace or text(context, "namespace", f"context {name}")
    if not found and pod_environ is not None:
        found = incluster.namespace(pod_environ)
    return found or "default"


def base_url(server: str) -> str:
    """The server's URL. Without a scheme it is http, whatever certificates are there: so does kubectl."""
    try:
        parts = urlsplit(server if "://" in server else f"http://{server}")
        _ = parts.port
    except ValueError as error:
        raise unusable(f"the server's address {server} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise unusable(f"the server's address {server} is not a URL: write https://HOST:PORT")
    if "://" not in server and parts.path not in ("", "/"):
        raise unusable(f"the server's address {server} has a path but no scheme: write https://{server}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
