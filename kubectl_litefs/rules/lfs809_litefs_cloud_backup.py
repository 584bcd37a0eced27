"""LFS809 litefs-cloud-backup: backups go to LiteFS Cloud, which is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.alive import recent_runs
from ..model.cluster import Cluster
from ..model.config import Sight
from ..model.copies import exports
from ..model.grouping import Fault, Sighting, config_command, listed, log_command, own_config, place
from ..model.logs import LogLine
from ..model.origin import Evidence, Gap, GapReason
from ..model.pod import Pod
from ..model.proxy import mappings
from ..model.rule import Finding, Rule, Severity, Unknown

TOKEN = "LITEFS_CLOUD_TOKEN"
CLOUD = "litefs-cloud"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    asked = [s for pod in cluster.pods for s in _asked(pod)]
    restored = [(p, x) for p in cluster.pods if not _to_a_file(p) and (x := _restored(cluster, p)) is not None]
    yield from _unclear(cluster, asked)
    for pod, line in restored:
        yield _replaced(cluster, pod, line, [e for s in asked if s.pod is pod for e in s.evidence])
    told = {pod.name for pod, _ in restored}
    rest = tuple(s for s in asked if s.pod.name not in told)
    if rest:
        yield _finding(cluster, Fault(cluster.subject, "asked", rest))


def _unclear(cluster: Cluster, asked: list[Sighting]) -> Iterator[Unknown]:
    """A token from a Secret that need not exist, where nothing else shows what LiteFS runs with."""
    for pod in cluster.pods:
        token = pod.env.get(TOKEN)
        maybe = token is not None and token.sight is Sight.UNKNOWN and _optional(pod)
        says = any(r.any("no-backup", "cloud-backup", "file-backup") for r in pod.runs[:1])
        if maybe and token is not None and not says and not any(s.pod is pod for s in asked):
            yield Unknown(Gap(f"objects/{pod.namespace}/pods.json", GapReason.NOT_ASKED, f"the value of {TOKEN}: {token.evidence.excerpt}"))


def _asked(pod: Pod) -> Iterator[Sighting]:
    """What turns LiteFS Cloud on: the file, the variable alone, or LiteFS's own word that it is on."""
    if _to_a_file(pod):
        return
    config = own_config(pod)
    kind = config.get("backup.type") if config else None
    if config is not None and kind is not None and kind.known and kind.value == CLOUD:
        yield Sighting(pod, "asked", f"backup.type is {CLOUD} ({place(config, kind.evidence)})", (kind.evidence,))
    token = pod.env.get(TOKEN)
    if token is not None and ((token.sight is Sight.UNKNOWN and not _optional(pod)) or (token.value or "").strip()):
        yield Sighting(pod, "asked", f"the variable {TOKEN} is set", (token.evidence,))
    for signature in ("cloud-backup", "backup-failed"):
        hits = pod.log.hit(signature) if pod.log else None
        if hits is not None:
            failed = "backups fail" if signature == "backup-failed" else "LiteFS says that it backs up to LiteFS Cloud"
            yield Sighting(pod, "asked", failed, (hits.last.evidence,), line=hits.last)


def _optional(pod: Pod) -> bool:
    """Whether the Secret that would give the token need not exist."""
    entries = [e for e in mappings(pod.container.spec.get("env")) if e.get("name") == TOKEN]
    refs = [v for e in entries if isinstance(source := e.get("valueFrom"), Mapping) for v in source.values()]
    return any(isinstance(ref, Mapping) and ref.get("optional") is True for ref in refs)


def _to_a_file(pod: Pod) -> bool:
    """Whether backups go into a directory: then no variable and no restore has to do with the cloud."""
    config = own_config(pod)
    if config is not None and config.known("backup.type") == "file":
        return True
    return any(run.hit("file-backup") for run in pod.runs)


def _restored(cluster: Cluster, pod: Pod) -> LogLine | None:
    lines = (r.latest("backup-restore") for r in recent_runs(cluster, pod))
    return next((x for x in lines if x is not None), None)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    texts = list(dict.fromkeys(s.text for s in fault.seen))
    first = fault.pods[0]
    whole = len(fault.pods) == len(cluster.pods)
    who = "" if whole else f" on {listed(p.name for p in fault.pods)}"
    told = "; ".join(texts[:3])
    return RULE.finding(
        fault.subject,
        f"LiteFS Cloud has been shut down, so there is no backup{who}: {told}.",
        *fault.evidence,
        commands=(config_command(cluster, first), log_command(cluster, next((s.pod for s in fault.seen if s.line), first))),
    )


def _replaced(cluster: Cluster, pod: Pod, line: LogLine, asked: list[Evidence]) -> Finding:
    name, reason = line.field("db"), line.field("reason")
    what = f"Database {name}" if name else "A database"
    if reason == "no-local":
        told = f"{what} was not on {pod.name} and is being brought there from a backup"
    else:
        told = f"{what} on {pod.name} is being replaced by what a backup holds{f' ({reason})' if reason else ''}"
    return RULE.finding(
        pod.ref,
        f"{told}, without anybody having asked for it.",
        line.evidence,
        *asked,
        severity=Severity.ERROR,
        impact="What the backup does not have is gone from this node, and every replica follows it.",
        fix=(_SAVE, *RULE.fix),
        commands=(log_command(cluster, pod), *exports(p for p in cluster.pods if p is not pod), *exports([pod])),
        key=f"restore {name}".strip(),
    )


_SAVE = "At once save every database from every replica: one that is not connected may still hold what was there before."

RULE = Rule(
    id="LFS809",
    name="litefs-cloud-backup",
    title="Backups are set to LiteFS Cloud, a service that is gone",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="`backup stream failed, retrying: ...` on the primary again and again; or nothing at all.",
    impact="There is no backup, though everything looks as if there were one.",
    cause="`backup.type: litefs-cloud`, or just the variable LITEFS_CLOUD_TOKEN, which turns it on without any key in the file.",
    fix=(
        "Remove the backup section and the variable LITEFS_CLOUD_TOKEN, also from the Secret that gives it.",
        "Make backups of your own: a CronJob that runs `litefs export`, or snapshots of the primary's volume.",
        "Commit, apply, restart the pods one by one, and look for `no backup client configured` in the log.",
    ),
    reads=("config", "log"),
    check=check,
)
