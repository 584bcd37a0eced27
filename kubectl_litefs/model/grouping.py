"""One fault seen by several pods and in several places is one finding: gather the sightings, then group them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .cluster import Cluster
from .config import ConfigFile, Exec, Problem, ProblemKind
from .logs import LogLine, LogRun
from .objects import parse_time
from .origin import Evidence, Gap, GapReason, ObjectRef
from .pod import Pod
from .rule import Unknown

_LEAD = re.compile(r"^(?:ERROR: )?(?:cannot unmarshal config file at .+?: )?(?:yaml: )?(?:line \d+: )?")
LONG = 300
"""Characters of a logged command that surely were not cut."""
_CONFIGMAP = re.compile(r"^ConfigMap ([^\s,]+)")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One fault as one pod shows it in one place.

    `fault` is equal for the same fault, wherever it was seen; `text` is LiteFS's wording of it. `problem` or `line`
    is set where the file or the log says it. `certain` is False while the file's word hangs on an unseen variable.
    """

    pod: Pod
    fault: str
    text: str
    evidence: tuple[Evidence, ...]
    problem: Problem | None = None
    line: LogLine | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault with all that shows it, on the set where every pod has it, else on one pod."""

    subject: ObjectRef
    fault: str
    seen: tuple[Sighting, ...]

    @property
    def pods(self) -> tuple[Pod, ...]:
        return tuple({s.pod.name: s.pod for s in self.seen}.values())

    @property
    def problem(self) -> Problem | None:
        return next((s.problem for s in self.seen if s.problem), None)

    @property
    def line(self) -> LogLine | None:
        return next((s.line for s in self.seen if s.line), None)

    @property
    def certain(self) -> bool:
        return any(s.certain for s in self.seen)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The file first, then each pod's log, then how the containers ended."""
        ordered = sorted(self.seen, key=lambda s: s.line is not None)
        ends = (exit_seen(p) for p in self.pods if any(s.line for s in self.seen if s.pod is p))
        return tuple(dict.fromkeys((*(e for s in ordered for e in s.evidence), *(e for e in ends if e))))

    @property
    def text(self) -> str:
        return self.line.text if self.line else self.seen[0].text

    @property
    def place(self) -> str:
        """`line 13 of ConfigMap abaci-litefs, key litefs.yml`; without the file, the line LiteFS names."""
        for sighting in self.seen:
            if sighting.problem is not None and sighting.pod.config is not None:
                return place(sighting.pod.config, sighting.problem.evidence)
        named = re.search(r"\bline (\d+)", self.line.text) if self.line else None
        return f"line {named[1]} of litefs.yml, counted with its variables filled in" if named else "litefs.yml"

    def unknown(self) -> Unknown:
        """What a rule says where only a guess speaks for the fault."""
        sighting = self.seen[0]
        what = f"config/{sighting.pod.namespace}/{sighting.pod.name}"
        detail = f"{self.place}: it depends on a variable that the image may define ({sighting.text})"
        return Unknown(Gap(what, GapReason.NOT_ASKED, detail))

    def note(self) -> str:
        """A sentence for nodes that still run with the file as it was when they started; empty where none does."""
        if any(s.line for s in self.seen):
            return ""
        running = [p.name for p in self.pods if accepted(p)]
        if not running:
            return ""
        still = "still runs" if len(running) == 1 else "still run"
        return f" {listed(running)} started before the file was like this and {still}; the next restart fails."


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; more than four are counted."""
    words = list(names)
    if len(words) > 4:
        return f"{words[0]} and {len(words) - 1} others"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def place(config: ConfigFile, evidence: Evidence) -> str:
    return f"line {evidence.line} of {config.name}" if evidence.line else config.name


def words(text: str) -> str:
    """LiteFS's words without what differs between the file and the log: the line's number, `ERROR: `, a struct."""
    return _LEAD.sub("", text).split(" struct {")[0].strip()[:200]


# --- what counts


def started(run: LogRun) -> bool:
    """Whether LiteFS got past its configuration in this run: its structured lines come only after that."""
    return bool(run.lease or run.version or any(h.last.kind == "litefs" for h in run.hits.values()))


def accepted(pod: Pod) -> bool:
    """Whether the newest start of LiteFS took its configuration."""
    if pod.info is not None:
        return True
    newest = next((r for r in pod.runs if r.litefs_lines), None)
    return newest is not None and started(newest)


def failing_runs(pod: Pod, over: Callable[[LogRun], bool] = started) -> Iterator[LogRun]:
    """Runs from the newest back to the first that got `over` the fault: what an older one says has been healed."""
    for run in pod.runs:
        if over(run):
            return
        yield run


def own_config(pod: Pod) -> ConfigFile | None:
    """The file that was found, unless LiteFS's log says that it reads another one."""
    read = next((h.last.field("path") for r in pod.runs if (h := r.hit("config-read"))), None)
    if pod.config is None or (read and pod.config.path.startswith("/") and read.startswith("/") and read != pod.config.path):
        return None
    return pod.config


def generated(config: ConfigFile) -> bool:
    """Whether the pod's own command writes the file: then it is the same at every start."""
    return not config.name.startswith("ConfigMap ")


def read_as_it_is(cluster: Cluster, pod: Pod, config: ConfigFile) -> bool:
    """Whether the ConfigMap was last changed before the running container began: then LiteFS took this very file."""
    named = _CONFIGMAP.match(config.name)
    found = cluster.find("configmaps", named[1], pod.namespace) if named else None
    changes = [parse_time(f.get("time")) for f in found.items("metadata.managedFields")] if found else []
    known = [at for at in changes if at is not None]
    return bool(known) and pod.started is not None and max(known) < pod.started


# --- sightings


def problems_seen(
    cluster: Cluster,
    *kinds: ProblemKind,
    fault: Callable[[str], str] = words,
    takes: Callable[[Pod], bool] = accepted,
) -> Iterator[Sighting]:
    """What LiteFS would refuse in each pod's file.

    What a node that runs contradicts is left out: a guess, or a file that is the same at each start. `takes` says
    that the pod's LiteFS got past this kind of fault.
    """
    for pod in cluster.pods:
        config = own_config(pod)
        for problem in config.problems if config else ():
            if problem.kind not in kinds or config is None:
                continue
            if takes(pod) and (not problem.certain or generated(config) or read_as_it_is(cluster, pod, config)):
                continue
            text = problem.message
            yield Sighting(pod, fault(text), text, (problem.evidence,), problem=problem, certain=problem.certain)


def lines_seen(
    cluster: Cluster,
    *signatures: str,
    fault: Callable[[str], str] = words,
    over: Callable[[LogRun], bool] = started,
) -> Iterator[Sighting]:
    """What each pod's LiteFS said in the runs that failed, each fault once a pod, newest run first."""
    for pod in cluster.pods:
        known: set[str] = set()
        for run in failing_runs(pod, over):
            for name in signatures:
                hits = run.hit(name)
                for line in hits.distinct if hits else ():
                    key = fault(line.text)
                    if key not in known:
                        known.add(key)
                        yield Sighting(pod, key, line.text, (line.evidence,), line=line)


def faults(cluster: Cluster, sightings: Iterable[Sighting]) -> list[Fault]:
    """Equal faults together: one for the set where every pod that could show it does, else one for each pod."""
    by_fault: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        by_fault.setdefault(sighting.fault, []).append(sighting)
    found: list[Fault] = []
    for fault, seen in by_fault.items():
        found += (Fault(subject, fault, tuple(part)) for subject, part in _subjects(cluster, seen))
    return found


def _subjects(cluster: Cluster, seen: list[Sighting]) -> Iterator[tuple[ObjectRef, list[Sighting]]]:
    names = {s.pod.name for s in seen}
    in_file = any(s.line is None for s in seen)

    def whole(pods: Iterable[Pod]) -> bool:
        able = {p.name for p in pods if p.config is not None or p.runs}
        return able <= names and (len(able) > 1 or in_file)

    if whole(cluster.pods):
        yield cluster.subject, seen
        return
    sets: dict[ObjectRef, list[Sighting]] = {}
    for sighting in seen:
        home = sighting.pod.workload
        of_home = [p for p in cluster.pods if p.workload == home]
        subject = home if home is not None and len(of_home) < len(cluster.pods) and whole(of_home) else sighting.pod.ref
        sets.setdefault(subject, []).append(sighting)
    yield from sets.items()


# --- words for people


def exit_seen(pod: Pod) -> Evidence | None:
    """How the LiteFS container's newest ended run ended."""
    for key in ("containerStatuses", "initContainerStatuses"):
        for i, status in enumerate(pod.obj.items(f"status.{key}")):
            if status.get("name") != pod.container.name:
                continue
            for state in ("state", "lastState"):
                path = f"status.{key}.{i}.{state}.terminated.exitCode"
                if pod.obj.get(path) is not None:
                    return pod.obj.seen(path)
    return None


def log_command(cluster: Cluster, pod: Pod, run: LogRun | None = None) -> str:
    """`kubectl logs` for the run that shows the fault: the previous one where that is it, or the container waits."""
    earlier = (run is not None and run is pod.previous) or (run is None and bool(pod.container.waiting))
    previous = ["--previous"] if earlier and pod.container.restarts else []
    return cluster.kubectl("logs", pod.name, "-c", pod.container.name, *previous, "--tail=30")


def config_command(cluster: Cluster, pod: Pod) -> str:
    """Shows the file: the ConfigMap, or the pod whose command writes it."""
    named = _CONFIGMAP.match(pod.config.name) if pod.config else None
    if named:
        return cluster.kubectl("get", "configmap", named[1], "-o", "yaml")
    return cluster.kubectl("get", "pod", pod.name, "-o", "yaml")


def config_commands(cluster: Cluster, fault: Fault) -> tuple[str, ...]:
    """The file, then the log of a pod that failed over it."""
    first = fault.pods[0]
    failed = next((s.pod for s in fault.seen if s.line), None)
    found = [config_command(cluster, first)] if first.config else []
    return tuple([*found, log_command(cluster, failed)] if failed else found)


def lines_of(pod: Pod, *signatures: str) -> Iterator[LogLine]:
    """The distinct lines of these signatures in both runs, the newer run first."""
    for run in pod.runs:
        for name in signatures:
            hits = run.hit(name)
            yield from hits.distinct if hits else ()


def as_logged(argv: tuple[str, ...]) -> str:
    """A command as LiteFS logs it: `node [dist/migrate.js]`, without quotes."""
    return f"{argv[0]} [{' '.join(argv[1:])}]" if argv else ""


def is_logged(argv: tuple[str, ...], seen: str) -> bool:
    """Whether the log's words mean this command: they are cut at some length, and line breaks may be gone."""
    wanted, told = ("".join(text.split()) for text in (as_logged(argv), seen))
    return bool(wanted) and (wanted == told or (len(told) > LONG and wanted.startswith(told[:LONG])))


def runs_of(pod: Pod, command: Exec, *signatures: str) -> Iterator[Evidence]:
    """The log lines in which this pod started the command."""
    yield from (x.evidence for x in lines_of(pod, *signatures) if is_logged(command.argv or (), x.field("command")))
