"""LFS701 exec-failed: a command of `exec` does not start, or ends with an error, and LiteFS ends with it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, exit_seen, failing_runs, faults, is_logged, log_command
from ..model.logs import LogLine, LogRun, words_before
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

MIGRATION = re.compile(r"(?:[\w@.-]*/)*[\w@.-]*migrat[\w.-]*\.(?:js|mjs|cjs|ts|py|rb)")
"""A migration script's path in a command or in a message."""
MISSING = re.compile(r"Cannot find module|can't open file|No such file|ENOENT|cannot load such file|ERR_MODULE_NOT_FOUND")
PIPELINE = "Commit, let the pipeline build the image, apply it, and look at the pod's log."


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, [s for pod in cluster.pods for s in _failed(pod)]):
        yield _finding(cluster, fault)


def _failed(pod: Pod) -> Iterator[Sighting]:
    for run in failing_runs(pod, over=_went_well):
        error = run.latest("exec-failed")
        if error is None:
            continue
        command = _command(run, error)
        evidence = [error.evidence, *(line.evidence for line in _last_words(run))]
        if command is not None:
            evidence.append(command.evidence)
        what = command.field("command") if command else ""
        yield Sighting(pod, f"{what}: {error.field('error')}", what, (*evidence, *_in_file(pod, what)), line=error)
        return


def _went_well(run: LogRun) -> bool:
    return run.hit("exec-failed") is None and run.hit("waiting") is not None


def _last_words(run: LogRun) -> tuple[LogLine, ...]:
    return words_before(run, "exec-failed")


def _command(run: LogRun, error: LogLine) -> LogLine | None:
    """What LiteFS started last before it gave up."""
    line = run.latest("executing", "background")
    return line if line is not None and line.number < error.number else None


def _in_file(pod: Pod, command: str) -> tuple[Evidence, ...]:
    """The lines of litefs.yml that ask for the command."""
    return tuple(e.evidence for e in (pod.config.execs if pod.config else ()) if is_logged(e.argv or (), command))[:1]


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    line, pod = fault.line, fault.pods[0]
    assert line is not None  # every sighting of this rule has one
    run = next((r for r in pod.runs if r.source == line.source), pod.runs[0])
    error = line.field("error")
    said = [w.text for w in _last_words(run)]
    command = fault.seen[0].text.replace(" [", " ", 1).removesuffix("]")
    told = f"`{command}` " if command else "A command of exec "
    words = f"; its last words: {_headline(said)}" if said else ""
    script, near = _script(command, said)
    hint, fix = _advice(error, script, near, said)
    look = [_search(cluster, pod, script)] if script else []
    return RULE.finding(
        fault.subject,
        f"{told}fails: {_short(error)}{words}.{hint}",
        *fault.evidence,
        exit_seen(pod),
        fix=fix,
        commands=(log_command(cluster, pod, run), *(c for c in look if c)),
        key=command,
    )


def _short(error: str) -> str:
    return re.sub(r"^(?:sync cmd: cannot run command: |background cmd: )", "", error)


def _headline(said: list[str]) -> str:
    """The line that names the fault: a program prints its stack below it."""
    named = [w for w in said if re.search(r"[Ee]rror|[Cc]annot|can't|not found|denied|[Ff]ailed", w)]
    return (named or said)[0].strip()[:200]


def _script(command: str, said: list[str]) -> tuple[str, str]:
    """The migration script that is spoken of, and where the build may have put it instead."""
    for text in (*said, command):
        match = MIGRATION.search(text)
        if match:
            folder, name = posixpath.split(match[0])
            near = posixpath.join(folder, "db", name) if folder and posixpath.basename(folder) != "db" else ""
            return match[0], near
    return "", ""


def _advice(error: str, script: str, near: str, said: list[str]) -> tuple[str, tuple[str, ...]]:
    path = f"The path must be the build's output: {near} and not {script}, for example." if near else ""
    if "executable file not found" in error or "no such file or directory" in error:
        program = re.search(r'exec: "([^"]+)"|exec (/\S+):', error)
        name = (program[1] or program[2]) if program else "such program"
        fix = [f"Put {name} into the final stage of the image, on its PATH, or write its full path."]
        return f" The image has no {name}.", (*fix, *([path] if path else []), PIPELINE)
    if "cannot parse exec command" in error:
        return " A quote or a parenthesis in it is not closed.", (
            "Close the quote; put a command that needs a shell into single quotes behind sh -c.",
            "Correct it where the file comes from, commit, apply, and look at the pod's log.",
        )
    if any("readonly database" in w for w in said):
        return " It writes, and this node is no primary.", ("Give the command `if-candidate: true`.", *RULE.fix[1:])
    if near and any(MISSING.search(w) for w in said):
        return f" The build may have put it at {near}.", (path, *RULE.fix[1:])
    return "", RULE.fix[1:]


def _search(cluster: Cluster, failed: Pod, script: str) -> str | None:
    """Finds the script in the image, through a pod of the same image that runs."""
    running = next((p for p in cluster.pods if p.container.running and p.container.image == failed.container.image), None)
    if running is None:
        return None
    find = ["find", "/", "-xdev", "-name", posixpath.basename(script), "-not", "-path", "*/node_modules/*"]
    return cluster.kubectl("exec", running.name, "-c", running.container.name, "--", *find)


RULE = Rule(
    id="LFS701",
    name="exec-failed",
    title="A command in exec fails, and LiteFS ends with it",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`ERROR: cannot exec: ...` ends the log, exit code 1; the program's own message stands just before it.",
    impact="The pod restarts again and again; while it is the primary, nobody can write and no replica can join.",
    cause="LiteFS runs the commands of exec in order; the first that cannot be started or does not end with 0 ends it all.",
    fix=(
        "Make the path of the migration the one that the build puts into the image: dist/db/migrate.js, not dist/migrate.js.",
        "Read the program's own last lines and repair what they say.",
        PIPELINE,
    ),
    reads=("log", "previous"),
    check=check,
    gotcha=6,
    follows=("LFS709", "LFS710", "LFS511", "LFS702", "LFS607"),
)
