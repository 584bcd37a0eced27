"""Commands that save or bring back copies of databases, with the real names filled in. Nothing here is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote
from zlib import crc32

from .cluster import Cluster
from .families import proxy_url
from .litefs import Database
from .pod import Pod

MOST = 40
"""Databases that get a command of their own."""


def copy_name(pod: Pod, database: str) -> str:
    """A file name for one copy; a database's name may hold anything, and no two may share a file."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", database)
    return f"{pod.name}-{safe}.db" if safe == database else f"{pod.name}-{safe}-{crc32(database.encode()):08x}.db"


def sound(pod: Pod, database: str) -> str:
    """A condition for a shell: the saved copy is whole. An export that breaks off ends as if all were well."""
    return f"[ \"$(sqlite3 {copy_name(pod, database)} 'PRAGMA integrity_check')\" = ok ]"


def export(pod: Pod, database: Database) -> tuple[str, str]:
    """Save a copy to a file, then look whether it is whole."""
    file = copy_name(pod, database.name)
    name = quote(database.name, safe="")
    return (
        f"kubectl get --raw {shlex.quote(proxy_url(pod, 'export?name=' + name))} > {file}",
        f"sqlite3 {file} 'PRAGMA integrity_check'",
    )


def exports(pods: Iterable[Pod], only: str | None = None) -> Iterator[str]:
    """Save every database above txid 0 of these pods. Where they were not seen, the command that lists them."""
    for pod in pods:
        if pod.databases is None:
            yield f"kubectl get --raw {shlex.quote(proxy_url(pod, 'debug/vars'))}"
        for database in pod.with_data[:MOST]:
            if only is None or database.name == only:
                yield from export(pod, database)


def save_all(cluster: Cluster) -> str:
    """Our own command that saves and checks every copy, and changes nothing."""
    subject = cluster.subject
    name = subject.name if subject.kind == "StatefulSet" else f"{subject.kind.lower()}/{subject.name}"
    return f"kubectl litefs rescue save {name} -n {cluster.namespace}"


def plain(database: str) -> bool:
    """Whether a name is safe to import under: LiteFS does not check it."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", database) is not None


def import_copy(cluster: Cluster, primary: Pod, source: Pod, database: str) -> str:
    """Only a whole copy goes in, and only then the pod is restarted: its start would make an empty file otherwise."""
    path = proxy_url(primary, "import?name=" + quote(database, safe=""))
    bring = f"kubectl create --raw {shlex.quote(path)} -f {copy_name(source, database)}"
    return " && ".join([sound(source, database), bring, cluster.kubectl("delete", "pod", primary.name)])


def run_in(cluster: Cluster, pod: Pod, *words: str, stdin: bool = False) -> str:
    """`kubectl exec` in the LiteFS container."""
    return cluster.kubectl("exec", *(["-i"] if stdin else []), pod.name, "-c", pod.container.name, "--", *words)


def directory_back(cluster: Cluster, primary: Pod, source: Pod) -> tuple[str, ...]:
    """Copy a replica's data directory beside the primary's own, compare, swap, restart only the primary.

    Empty where a data directory is not known.
    """
    if not primary.data_dir or not source.data_dir:
        return ()
    here, there = shlex.quote(primary.data_dir), shlex.quote(source.data_dir)
    swap = run_in(
        cluster, primary, "sh", "-c",
        f"cd {here} && mkdir lost && mv dbs clusterid lost/ && mv rescue/dbs rescue/clusterid .",
    )  # fmt: skip
    return (
        run_in(cluster, source, "tar", "-C", source.data_dir, "-cf", "-", "clusterid", "dbs") + " > replica.tar",
        run_in(cluster, primary, "sh", "-c", f"mkdir {here}/rescue && tar -C {here}/rescue -xf -", stdin=True)
        + " < replica.tar",
        run_in(cluster, source, "sh", "-c", f"cd {there} && sha256sum clusterid dbs/*/database"),
        run_in(cluster, primary, "sh", "-c", f"cd {here}/rescue && sha256sum clusterid dbs/*/database"),
        f"{swap} && {cluster.kubectl('delete', 'pod', primary.name)}",
        f"kubectl get --raw {shlex.quote(proxy_url(primary, 'info'))}",
    )


def best_source(pods: Iterable[Pod]) -> tuple[Pod | None, bool]:
    """The pod that is furthest in every database that any of them holds, and whether two of them contradict.

    None where no single one is; they contradict where the same txid has another checksum. A filtered replica is
    never the source.
    """
    pods = [p for p in pods if p.with_data]
    best: dict[str, Database] = {}
    contradict = False
    for pod in pods:
        for mine in pod.with_data:
            other = best.get(mine.name)
            if other is not None and other.txid == mine.txid and other.checksum != mine.checksum:
                contradict = True
            if other is None or mine.txid > other.txid:
                best[mine.name] = mine
    for pod in pods:
        filtered = bool(pod.config and pod.config.known("lease.databases"))
        if not filtered and all((m := pod.database(n)) is not None and m.txid == d.txid for n, d in best.items()):
            return pod, contradict
    return None, contradict


def best_holder(holders: Sequence[tuple[Pod, Database]]) -> tuple[Pod, bool]:
    """The pod that is furthest in one database, and whether another has other content at the same txid."""
    top = max(d.txid for _, d in holders)
    best = [(p, d) for p, d in holders if d.txid == top]
    return best[0][0], len({d.checksum for _, d in best}) > 1
