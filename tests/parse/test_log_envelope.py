"""What other tools put around a line is taken off again, and tells whose line it is."""

from __future__ import annotations

import json

import pytest

from kubectl_litefs.model.logs import LogRun
from kubectl_litefs.parse.log_envelope import Speaker, recognize
from kubectl_litefs.parse.log_streams import MOST, Stream, Streams

URL = "http://abaci-app-0.abaci-app-headless:20202"
T = "2026-11-23T12:23:37.831756437Z"
SAID = {
    "abaci-app-0": ["LiteFS v0.5.14, commit=1", f'level=INFO msg="Using static primary: primary=true hostname=abaci-app-0 advertise-url={URL}"'],
    "abaci-app-1": [f'level=INFO msg="Using static primary: primary=false hostname=abaci-app-0 advertise-url={URL}"', "server listens on <8080> \"now\""],
}
MIXED = [(pod, SAID[pod][i]) for i in range(2) for pod in SAID]
"""Two pods, line by line in turn."""


def read(lines: list[str], default: Stream | None = None) -> dict[Stream, LogRun]:
    streams = Streams()
    data = ("\n".join(lines) + "\n").encode()
    streams.read("files/x", [data], default or Stream(Speaker("n", "file", "c")))
    return streams.results()


WRAPPED = {
    "kubectl --prefix": [f"[pod/{p}/app] {t}" for p, t in MIXED],
    "kubectl --prefix --timestamps": [f"[pod/{p}/app] {T} {t}" for p, t in MIXED],
    "stern": [f"{p} app {t}" for p, t in MIXED],
    "stern --timestamps": [f"{p} app {T} {t}" for p, t in MIXED],
    "stern --timestamps=short": [f"{p} app 11-23 12:23:37 {t}" for p, t in MIXED],
    "stern -A": [f"abaci {p} app {t}" for p, t in MIXED],
    "stern in colour": [f"\x1b[36m{p}\x1b[0m \x1b[32mapp\x1b[0m {t}" for p, t in MIXED],
    "stern -o json": [json.dumps({"message": t + "\n", "nodeName": "w1", "namespace": "abaci", "podName": p, "containerName": "app"}) for p, t in MIXED],
    "a collector": [json.dumps({"log": t, "time": T, "kubernetes": {"pod_name": p, "namespace_name": "abaci", "container_name": "app"}}) for p, t in MIXED],
}  # fmt: skip


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_pods_are_told_apart_and_lines_keep_their_numbers(wrapped: list[str]) -> None:
    runs = {stream.speaker.pod: run for stream, run in read(wrapped).items()}
    assert set(runs) == set(SAID)
    for pod, others in (("abaci-app-0", 0), ("abaci-app-1", 1)):
        run = runs[pod]
        assert [line.text for line in run.tail if line.kind == "other"] == SAID[pod][2 - others :]
        assert [line.number for line in run.tail] == [i for i, (p, _) in enumerate(MIXED, 1) if p == pod]
        assert run.lease is not None
        assert run.lease.primary is (pod == "abaci-app-0")
        assert run.lease.advertise_url == URL
    assert runs["abaci-app-0"].version == "0.5.14"


def test_times_come_through() -> None:
    for name in ("kubectl --prefix --timestamps", "stern --timestamps", "a collector"):
        assert all(line.time is not None for run in read(WRAPPED[name]).values() for line in run.tail), name


def test_names_that_the_lines_do_not_tell_come_from_the_file() -> None:
    streams = read(WRAPPED["stern"], Stream(Speaker("elsewhere", "file", "c"), previous=True))
    assert set(streams) == {Stream(Speaker("elsewhere", pod, "app"), previous=True) for pod in SAID}
    assert {s.speaker.namespace for s in read(WRAPPED["stern -A"])} == {"abaci"}


READY = 'level=INFO msg="connected to cluster, ready"'


@pytest.mark.parametrize(
    "lines",
    [
        [f"{T} stdout F {SAID['abaci-app-1'][0]}", f"{T} stderr P level=INFO ms", f"{T} stdout F other", f'{T} stderr F g="connected to cluster, ready"'],
        [
            json.dumps({"log": text, "stream": stream, "time": T})
            for text, stream in (
                (SAID["abaci-app-1"][0] + "\n", "stdout"), ("level=INFO ms", "stderr"), ("other\n", "stdout"), (READY[13:] + "\n", "stderr"),
            )
        ],
    ],
    ids=["CRI", "Docker"],
)  # fmt: skip
def test_pieces_of_a_long_line_are_put_together(lines: list[str]) -> None:
    (run,) = read(lines).values()
    hits = run.hits["connected"]
    assert (hits.count, hits.first.number, hits.first.text) == (1, 2, "connected to cluster, ready")
    assert hits.first.time is not None
    assert [line.text for line in run.tail if line.kind == "other"] == ["other"]


@pytest.mark.parametrize(
    "lines",
    [
        [READY],
        [f"{T} {READY}"],
        ["hello world", READY],
        ["pod-0 says level=INFO things", READY],
        ['{"level":"INFO","msg":"connected to cluster, ready"}'],
        ['{"level":30,"time":1,"msg":"GET /"}', '{"message":"not stern","x":1}'],
        ["a b c", "a b d"],
        ["10.0.0.1 - - GET", "10.0.0.2 - - GET"],
        ["[pod/x] y", "z"],
        ["\0\1\2", "{" * 1000],
        [],
    ],
    ids=range(11),
)
def test_a_log_without_wrapping_is_left_as_it_is(lines: list[str]) -> None:
    assert recognize(("\n" + "\n".join(lines)).encode()) is None


def test_a_line_without_names_goes_on_where_the_one_before_was() -> None:
    runs = {s.speaker.pod: run for s, run in read(["+ a stray line", *WRAPPED["kubectl --prefix"], "Traceback", "  File x", "[pod/abaci-app-0/app] done"]).items()}
    assert [line.text for line in runs["file"].tail] == ["+ a stray line"]
    assert [line.text for line in runs["abaci-app-1"].tail][-2:] == ["Traceback", "File x"]
    assert [line.number for line in runs["abaci-app-0"].tail] == [2, 4, 8]


def test_stern_is_known_by_names_alone_where_litefs_is_silent() -> None:
    assert recognize(b"\nabaci-app-0 app GET /\nabaci-web-7d9f6b8c4-x2x9z app GET /") is not None
    assert recognize(b"\nabaci-app-0 app GET /\nsome other line") is None


def test_distances_are_counted_in_a_containers_own_lines() -> None:
    """`ERROR: ` before the banner is the application's if it goes on for long, however much others say in between."""
    lines = ["[pod/a-0/app] ERROR: cannot open store: x", *(f"[pod/b-0/app] line {n}" for n in range(300)), "[pod/a-0/app] end"]
    runs = {s.speaker.pod: run for s, run in read(lines).items()}
    assert "fatal" in runs["a-0"].hits
    assert runs["a-0"].lines == 2


def test_very_many_containers_do_not_fill_the_memory() -> None:
    streams = Streams()
    lines = "".join(f"[pod/p-{n}/app] x\n" for n in range(MOST + 10))
    streams.read("files/x", [lines.encode()], Stream(Speaker("n", "file", "c")))
    assert len(streams.results()) == MOST
    assert streams.dropped == 10
