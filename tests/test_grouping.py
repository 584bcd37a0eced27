"""One fault in several places and pods is one finding, on the subject that has it."""

from __future__ import annotations

from typing import Any

from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.config import ProblemKind
from kubectl_litefs.model.grouping import (
    Fault,
    accepted,
    as_logged,
    failing_runs,
    faults,
    lines_seen,
    listed,
    own_config,
    problems_seen,
    started,
    words,
)
from kubectl_litefs.parse.assemble import assemble

from .harness import snapshot

REFUSED = "-20s ERROR: yaml: unmarshal errors:\n  line 1: field colour not found in type main.Config\n"
WITH_COLOUR = """\
colour: blue
lease:
  type: static
  hostname: abaci-app-0
  advertise-url: http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202
"""
BLIND = [{"what": "objects/abaci/configmaps.json", "why": "FORBIDDEN"}]


def cluster(**body: Any) -> Cluster:
    (found,) = assemble(snapshot({k.replace("_yml", ".yml"): v for k, v in body.items()})).clusters
    return found


def found(seen: Cluster) -> list[Fault]:
    sightings = [*problems_seen(seen, ProblemKind.UNKNOWN_FIELD), *lines_seen(seen, "unknown-field")]
    return faults(seen, sightings)


def test_file_and_log_say_the_same_words() -> None:
    (fault,) = found(cluster(litefs_yml=WITH_COLOUR, logs={"abaci-app-1": REFUSED}, info={"abaci-app-1": None}))
    assert str(fault.subject) == "statefulset/abaci-app"
    assert [p.name for p in fault.pods] == ["abaci-app-0", "abaci-app-1", "abaci-app-2"]
    assert [(e.source, e.line) for e in fault.evidence] == [
        ("objects/abaci/configmaps.json", 1),
        ("logs/abaci/abaci-app-1/app.log", 2),
    ]
    assert fault.place == "line 1 of ConfigMap abaci-litefs, key litefs.yml"


def test_a_log_alone_speaks_for_its_pod() -> None:
    (fault,) = found(cluster(gaps=BLIND, logs={"abaci-app-1": REFUSED}, info={"abaci-app-1": None}))
    assert str(fault.subject) == "pod/abaci-app-1"
    assert "line 1 of litefs.yml" in fault.place


def test_logs_of_all_pods_speak_for_the_set() -> None:
    names = [f"abaci-app-{i}" for i in range(3)]
    (fault,) = found(cluster(gaps=BLIND, logs=dict.fromkeys(names, REFUSED), info=dict.fromkeys(names)))
    assert str(fault.subject) == "statefulset/abaci-app"


def test_nodes_that_still_run_with_the_older_file_are_named() -> None:
    (fault,) = found(cluster(litefs_yml=WITH_COLOUR))
    assert "abaci-app-0, abaci-app-1 and abaci-app-2 started before" in fault.note()


def test_an_older_run_is_healed_by_a_newer_start() -> None:
    healed = cluster(previous={"abaci-app-1": REFUSED})
    pod = healed.pod("abaci-app-1")
    assert pod is not None and pod.previous is not None and pod.log is not None
    assert started(pod.log) and not started(pod.previous)
    assert list(failing_runs(pod)) == [] and found(healed) == []
    assert accepted(pod)


def test_another_file_than_the_one_that_litefs_reads_is_not_judged() -> None:
    read = cluster(litefs_yml=WITH_COLOUR, **{"more-log": {"abaci-app-1": "config file read from /app/litefs.yml\n"}})
    one, other = read.pod("abaci-app-0"), read.pod("abaci-app-1")
    assert one is not None and other is not None
    assert own_config(one) is one.config and one.config is not None
    assert own_config(other) is None


def test_words_leave_out_what_differs_between_file_and_log() -> None:
    assert words("ERROR: yaml: line 5: found x") == words("line 7: found x") == "found x"
    assert words("ERROR: cannot unmarshal config file at /etc/litefs.yml: EOF") == "EOF"
    assert words('line 3: field x not found in type struct { URL string "yaml" }') == "field x not found in type"


def test_names_are_listed_in_words() -> None:
    assert listed(["a"]) == "a"
    assert listed("abc") == "a, b and c"
    assert listed("abcde") == "a and 4 others"
    assert as_logged(("sh", "-c", "a b")) == "sh [-c a b]" and as_logged(()) == ""
