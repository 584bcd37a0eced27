"""LFS708 database-outside-mount: the application opens a database that LiteFS does not see."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.copies import run_in
from ..model.grouping import config_command, listed
from ..model.origin import Evidence, Gap, GapReason
from ..model.paths import Named, fuse_dir, named_elsewhere, named_paths
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

_WHAT = r"(?:DATABASE|DB|SQLITE3?)(?:_(?:URL|URI|PATH|FILE|FILENAME|DSN|LOCATION|DATABASE))?"
MAIN = re.compile(rf"(?:(?:APP|PRISMA|DJANGO|RAILS|LITEFS|DRIZZLE|KNEX|SQLITE)_)?{_WHAT}")
"""Variables that name the application's own database, in the frameworks that people use with SQLite."""
ANY = re.compile(rf"(?:\w+_)?{_WHAT}")
"""Also those of a cache, a queue, a test: no fault anywhere but in LiteFS's own directory."""
ELSEWHERE = ("/dev", "/run", "/var/run", "/proc")


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    found: dict[tuple[str, str], list[tuple[Pod, Named, Evidence]]] = {}
    for pod in cluster.pods:
        mount = fuse_dir(pod)
        if mount is None:
            if any(MAIN.fullmatch(name) for name in pod.env):
                yield Unknown(pod.gaps.get("config") or pod.gaps.get("log") or _no_mount(pod))
            continue
        inside = [n for n in named_paths(pod, MAIN) if n.inside(mount[0])]
        if not inside and (hidden := _hidden(pod)) is not None:
            yield Unknown(hidden)
        for named, under_data in _outside(pod, mount[0], bool(inside)):
            found.setdefault((named.variable.name, under_data), []).append((pod, named, mount[1]))
        for named in _beside(pod, mount[0]):
            found.setdefault((named.variable.name, pod.data_dir or ""), []).append((pod, named, mount[1]))
    for (_, under_data), seen in found.items():
        yield _finding(cluster, seen, under_data)


def _no_mount(pod: Pod) -> Gap:
    return Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "fuse.dir is not known")


def _hidden(pod: Pod) -> Gap | None:
    """A variable of that name whose value nobody may see."""
    for name, variable in pod.env.items():
        if MAIN.fullmatch(name) and variable.sight is Sight.UNKNOWN:
            return Gap(f"objects/{pod.namespace}/pods.json", GapReason.NOT_ASKED, f"the value of {name}: {variable.evidence.excerpt}")
    return None


def _outside(pod: Pod, mount: str, one_is_inside: bool) -> Iterator[tuple[Named, str]]:
    """Variables with LiteFS's data directory where they lead into it, else empty.

    Where one of them leads into the mount, the others are databases that are kept out of it on purpose.
    """
    data = pod.data_dir or ""
    for named in named_paths(pod, ANY):
        if named.inside(mount):
            continue
        if data and named.below(data):
            yield named, data
        elif not one_is_inside and named.sure and MAIN.fullmatch(named.variable.name) and not any(map(named.inside, ELSEWHERE)):
            yield named, ""


def _beside(pod: Pod, mount: str) -> Iterator[Named]:
    """The application in a container of its own that opens LiteFS's own directory over the volume both mount."""
    data = pod.data_dir or ""
    yield from (n for _, n in named_elsewhere(pod, ANY) if data and n.below(data) and not n.inside(mount))


def _finding(cluster: Cluster, seen: list[tuple[Pod, Named, Evidence]], data: str) -> Finding:
    pod, named, mounted = seen[0]
    variable = named.variable
    whole = len(seen) == len(cluster.pods)
    who = "" if whole else f" on {listed(p.name for p, _, _ in seen)}"
    mount = fuse_dir(pod)
    at = mount[0] if mount else ""
    if data:
        told = f"{variable.name} is {variable.value}{who}: that is LiteFS's own directory {data}, not its mount {at}."
    else:
        told = f"{variable.name} is {variable.value}{who}, which is not under LiteFS's mount {at}: LiteFS does not see that database."
    return RULE.finding(
        cluster.subject if whole else pod.ref,
        told,
        *dict.fromkeys(n.variable.evidence for _, n, _ in seen),
        mounted,
        severity=Severity.ERROR if data else None,
        impact="Writes past LiteFS damage the database and its transaction files, and no replica gets them." if data else None,
        fix=(_INTO[0], *RULE.fix[1:]) if data else None,
        commands=(
            run_in(cluster, pod, "ls", "-la", at, re.sub(r"/[^/]*$", "", named.path) or "/"),
            config_command(cluster, pod),
        ),
        key=variable.name,
    )


_INTO = ("Stop the application first, and save every database (GET /export?name=DATABASE on port 20202) before its next start.",)

RULE = Rule(
    id="LFS708",
    name="database-outside-mount",
    title="The application's database is not in LiteFS's mount",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="Each pod has data of its own, LiteFS lists no database or an old one, and no log has an error.",
    impact="The database is not replicated: it is on this one pod, and where its path lies on no volume it is gone with the pod.",
    cause="The variable that tells the application where its database is names another directory than fuse.dir.",
    fix=(
        "If the database holds data already, save it before anything else: sqlite3 FILE '.backup COPY'.",
        "Set the variable to a path in the mount, such as /litefs/db for fuse.dir /litefs, and never one in data.dir.",
        "Bring existing data in with `litefs import -name DB FILE` on the primary, into a database that LiteFS does not have yet.",
        "Commit, apply, restart the pods one by one; /debug/vars on port 20202 must list the database then.",
    ),
    reads=("env", "config", "log"),
    check=check,
)
