"""LFS603 litefs-not-running: the container does not run `litefs mount`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ..model.alive import ended, runs_litefs
from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, lines_seen, log_command, started
from ..model.origin import Evidence, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

MINUTE = timedelta(seconds=60)
COMMAND = "command"
LINES = ("too-many-arguments", "unknown-flag", "bad-flag", "unknown-command", "usage")
NOT_FOUND = re.compile(
    r'exec: "(?P<word>[^"]*litefs[^"]*)": (?:executable file not found in \$PATH|stat .*: no such file)'
)


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        seen += [*_in_spec(pod), *_no_binary(pod), *_silent(cluster, pod)]
        if _nothing_seen(pod):
            yield Unknown(pod.gaps["log"])
    seen += lines_seen(cluster, *LINES, fault=lambda text: COMMAND, over=started)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _in_spec(pod: Pod) -> Iterator[Sighting]:
    command = pod.container.litefs
    if command is not None and command.problem and not runs_litefs(pod):
        words = " ".join(command.words)
        yield Sighting(pod, COMMAND, f"`{words}` does not start a node: {command.problem}", (command.evidence,))


def _no_binary(pod: Pod) -> Iterator[Sighting]:
    """The container runtime's own word that there is no such program."""
    found = NOT_FOUND.search(ended(pod)[1])
    if found is None:
        return
    word = found["word"]
    one = (
        ": it was given as one word, so the runtime looks for a program with a blank in its name" if " " in word else ""
    )
    missing = "" if " " in word else ": the image has no litefs there"
    yield Sighting(
        pod, COMMAND, f'the image has no program called "{word}"{one}{missing}', tuple(_state_seen(pod, word))
    )


def _state_seen(pod: Pod, word: str) -> Iterator[Evidence]:
    for i, status in enumerate(pod.obj.items("status.containerStatuses")):
        if status.get("name") != pod.container.name:
            continue
        for state in ("state.waiting", "state.terminated", "lastState.terminated"):
            path = f"status.containerStatuses.{i}.{state}.message"
            if word in str(pod.obj.get(path, "")):
                yield pod.obj.seen(path)
                return


def _silent(cluster: Cluster, pod: Pod) -> Iterator[Sighting]:
    """Runs for a minute, has a whole log without a line of LiteFS's, and nobody listens on the API's port."""
    gap, begun = pod.gaps.get("info"), pod.started
    if pod.log is None or pod.log.litefs_lines or not pod.log.complete or gap is None or begun is None:
        return
    if gap.why is not GapReason.UNREACHABLE or cluster.now - begun < MINUTE:
        return
    told = f"container {pod.container.name} has run for more than a minute without a line of LiteFS's, and port {pod.http_port} is closed"
    what = gap.detail or "no answer"
    evidence = [Evidence(gap.what, None, what), *(line.evidence for line in pod.log.head[:1])]
    yield Sighting(pod, "silent", told, tuple(evidence))


def _nothing_seen(pod: Pod) -> bool:
    """No log, no answer, and a command that shows nothing either."""
    return "log" in pod.gaps and not pod.runs and pod.info is None and pod.container.litefs is None


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    told = next((s.text for s in fault.seen if s.line is None), "")
    said = next((s.text.removeprefix("ERROR: ") for s in fault.seen if s.line), "")
    text = told or f"litefs was started with words that it does not take: {said}"
    also = f" LiteFS's word: {said}." if told and said and said not in told else ""
    pod = next((s.pod for s in fault.seen if s.line), fault.pods[0])
    command = pod.container.litefs
    return RULE.finding(
        fault.subject,
        f"{text[0].upper()}{text[1:]}.{also}",
        *fault.evidence,
        *([command.evidence] if command else []),
        commands=(log_command(cluster, pod), cluster.kubectl("get", "pod", pod.name, "-o", "yaml")),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS603",
    name="litefs-not-running",
    title="The container does not run `litefs mount`",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS's usage text, `unknown command` or `too many arguments` in the log; or an application without LiteFS.",
    impact="There is no LiteFS node here: the pod restarts again and again, or the application writes into a plain directory.",
    cause="The container's command is no `litefs mount`: it is one word instead of two, the application's own start, or a "
    "command line of an older version.",
    fix=(
        'Write command: ["litefs", "mount", "-config", "/etc/litefs.yml"]; what LiteFS starts goes into exec, or '
        "behind `--`.",
        "If a script starts LiteFS, let it end with `exec litefs mount`.",
        "Commit, let the pipeline build the image, apply, and look at the pods' logs.",
    ),
    reads=("spec", "log", "info"),
    check=check,
    follows=("LFS506", "LFS609"),
)
