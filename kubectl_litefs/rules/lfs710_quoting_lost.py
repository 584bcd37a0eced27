"""LFS710 quoting-lost: words after `--` are joined and split again, so a quoted word falls apart."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, log_command, runs_of
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for pod in cluster.pods:
        if pod.container.litefs is None:
            where = f"{pod.container.field}.command of {pod.ref}"
            yield Unknown(Gap(pod.obj.source, GapReason.NOT_ASKED, f"the image's own command starts LiteFS ({where} is not set)"))
    for fault in faults(cluster, [s for pod in cluster.pods for s in _lost(pod)]):
        yield _finding(cluster, fault)


def _lost(pod: Pod) -> Iterator[Sighting]:
    litefs = pod.container.litefs
    words = litefs.after_dashes if litefs else None
    if litefs is None or words is None or len(words) < 2 or not any(len(w.split()) > 1 for w in words):
        return
    command = next((e for e in pod.config.execs if e.from_args), None) if pod.config else None
    if command is not None and not command.known:
        return
    if command is not None and command.argv in (words, _unquoted(words)) and not command.dropped:
        return  # the words carry quotes of their own
    if command is None and any(set(w) & set("'\"\\") for w in words):
        return  # nobody has split them as LiteFS does
    becomes = command.argv if command is not None and command.argv is not None else tuple(" ".join(words).split())
    text = f"{_shown(words)}\0{_shown(becomes)}"
    ran = tuple(runs_of(pod, command, "background")) if command is not None else ()
    yield Sighting(pod, "words", text, (litefs.evidence, *ran))


def _unquoted(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without quotes that were written into them to survive."""

    def one(word: str) -> str:
        try:
            parts = shlex.split(word)
        except ValueError:
            return word
        return parts[0] if len(parts) == 1 else word

    return tuple(one(w) for w in words)


def _shown(words: tuple[str, ...]) -> str:
    text = shlex.join(words)
    return text if len(text) <= 120 else text[:117] + "..."


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    written, becomes = fault.seen[0].text.split("\0", 1)
    pod = fault.pods[0]
    return RULE.finding(
        fault.subject,
        f"`{written}` after -- comes out as `{becomes}`: LiteFS joins the words with blanks and splits them again.",
        *fault.evidence,
        commands=(cluster.kubectl("get", "pod", pod.name, "-o", "yaml"), log_command(cluster, pod)),
    )


RULE = Rule(
    id="LFS710",
    name="quoting-lost",
    title="Quotes after -- are lost: the command falls apart",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`sh -c \"a && b\"` after -- runs `sh -c a`; the log shows the command without what belonged to it.",
    impact="Another command than the written one runs.",
    cause="LiteFS joins the words after -- with single blanks and splits the result anew; the quotes that held a word "
    "together were the first shell's, and are gone.",
    fix=(
        "Put the command into exec of litefs.yml, or pass all of it as one single word after --.",
        "Commit, let the pipeline build if the command is the image's, apply, and look at the pod's log.",
    ),
    reads=("spec",),
    check=check,
)
