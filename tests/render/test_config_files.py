"""`render -f`: the settings of files, before there is a cluster."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.gather import bundle

from ..cli.run import ROOT, run
from ..dumps import plain_folder
from ..test_recordings import recording

Capsys = pytest.CaptureFixture[str]
HEALTHY = str(ROOT / "tests" / "lint" / "healthy.yaml")
LONE = 'fuse: {dir: /litefs}\ndata: {dir: "${DATA}"}\nlease:\n  type: static\n  hostname: ${HOSTNAME}\n  advertise-url: http://me:hunter22@abaci-app-0:20202\nexec: app --key ${APP_TOKEN}\n'
DOCKERFILE = """FROM flyio/litefs:0.5
ENV DATA=/var/lib/litefs APP_TOKEN=abcdef123456
COPY litefs.yml /etc/litefs.yml
ENTRYPOINT ["litefs", "mount"]
"""


def settings(out: str, pod: str = "") -> dict[str, dict[str, Any]]:
    pods = [p for c in json.loads(out)["clusters"] for p in c["pods"] if p["pod"] == pod or not pod]
    (one,) = pods
    return {s["key"]: s for s in one["settings"]}


def test_pods_that_a_set_would_create(capsys: Capsys) -> None:
    done = run(capsys, "render", "-f", HEALTHY, "-o", "json")
    assert (done.code, done.err) == (0, "")
    candidates = {n: settings(done.out, f"abaci-app-{n}")["lease.candidate"] for n in range(3)}
    assert {n: (c["value"], c["differs"]) for n, c in candidates.items()} == {0: (True, True), 1: (False, True), 2: (False, True)}
    line = Path(HEALTHY).read_text().split("\n")[candidates[1]["origin"]["line"] - 1]
    assert line.strip() == "candidate: ${HOSTNAME == 'abaci-app-0'}"
    assert candidates[1]["origin"]["source"].endswith("healthy.yaml")


def test_of_a_file_that_is_no_yaml_nothing_more_is_promised(capsys: Capsys, tmp_path: Path) -> None:
    (tmp_path / "litefs.yml").write_text("fuse:\n  dir: /litefs\ndata:\n  dir: [\n")
    done = run(capsys, "render", "-f", str(tmp_path / "litefs.yml"))
    assert done.code == 3
    assert "litefs.yml was not seen" in done.out
    assert "/info" not in done.out, "there is no node that could have said anything"
    assert not done.out.endswith("\n\n\n")


def test_a_litefs_yml_alone_is_of_nodes_that_nobody_knows(capsys: Capsys, tmp_path: Path) -> None:
    (tmp_path / "litefs.yml").write_text(LONE)
    shown = run(capsys, "render", "-f", str(tmp_path / "litefs.yml"))
    assert shown.code == 0
    title, blank, *rows = shown.out.splitlines()
    assert (title, blank) == (str(tmp_path / "litefs.yml"), ""), "no set, no count of pods, no place where it would be read"
    told = " ".join(" ".join(rows).split())
    assert "data.dir not known line 2 written ${DATA} DATA is not known: set by nothing in the files that were given" in told
    assert "HOSTNAME is not known: the node's host name, unless something sets it" in told


@pytest.mark.parametrize("form", ["text", "json", "yaml"])
def test_secrets_of_files_are_not_shown(capsys: Capsys, tmp_path: Path, form: str) -> None:
    (tmp_path / "litefs.yml").write_text(LONE)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    shown = run(capsys, "render", "-f", str(tmp_path), "-o", form, "--all")
    assert shown.code == 0
    assert "/var/lib/litefs" in shown.out, "the image's ENV counts"
    assert "hunter22" not in shown.out
    assert "abcdef123456" not in shown.out
    assert "REDACTED" in shown.out


def test_standard_input_and_several_files(capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(HEALTHY).read_bytes())))
    streamed = run(capsys, "render", "-f", "-", "-o", "json")
    assert settings(streamed.out, "abaci-app-2")["data.dir"]["value"] == "/var/lib/litefs"
    (tmp_path / "litefs.yml").write_text("fuse: {dir: /other}\n")
    both = json.loads(run(capsys, "render", "-f", HEALTHY, str(tmp_path / "litefs.yml"), "-o", "json").out)
    assert [c["name"] for c in both["clusters"]] == ["abaci-app", str(tmp_path / "litefs.yml")]


def test_a_file_that_cannot_be_read_is_said_and_the_others_are_shown(capsys: Capsys, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: [\n")
    done = run(capsys, "render", "-f", HEALTHY, "-f", str(tmp_path / "bad.yaml"))
    assert "lease.candidate" in done.out
    assert f"warning: could not read {tmp_path}/bad.yaml:" in done.err
    assert done.code == 3


def test_so_it_is_of_a_folder_that_was_saved(capsys: Capsys, tmp_path: Path) -> None:
    folder = plain_folder(bundle.load(recording("healthy")), tmp_path)
    assert run(capsys, "render", "--from", str(folder)).code == 0
    (folder / "nodes.json").write_text('{"kind": "NodeList", "items": [')
    done = run(capsys, "render", "--from", str(folder))
    assert "lease.candidate" in done.out
    assert "warning: could not read nodes.json: " in done.err
    assert done.code == 3


def pods(out: str) -> list[str]:
    return [p["pod"] for c in json.loads(out)["clusters"] for p in c["pods"]]


@pytest.mark.parametrize("words", [["abaci-app-1"], ["pod/abaci-app-1"], ["po", "abaci-app-1"]])
def test_a_word_that_is_no_file_is_a_pod_that_the_files_make(capsys: Capsys, words: list[str]) -> None:
    done = run(capsys, "render", "-f", HEALTHY, *words, "-o", "json")
    assert (done.code, done.err, pods(done.out)) == (0, "", ["abaci-app-1"])


def test_of_several_applications_only_the_one_that_was_named_is_shown(capsys: Capsys, tmp_path: Path) -> None:
    lone = tmp_path / "litefs.yml"
    lone.write_text("fuse: {dir: /other}\n")
    three = [f"abaci-app-{n}" for n in range(3)]
    assert pods(run(capsys, "render", "-f", HEALTHY, str(lone), "-o", "json").out) == [*three, str(lone)]
    assert pods(run(capsys, "render", "-f", HEALTHY, str(lone), "sts/abaci-app", "-o", "json").out) == three
    assert pods(run(capsys, "render", "-f", HEALTHY, str(lone), "statefulset", "abaci-app", "-o", "json").out) == three


def test_a_word_that_is_there_is_a_file_whatever_pod_bears_its_name(capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abaci-app-1").write_text("fuse: {dir: /other}\nlease: {type: static}\n")
    assert pods(run(capsys, "render", "-f", HEALTHY, "abaci-app-1", "-o", "json").out) == [*(f"abaci-app-{n}" for n in range(3)), "abaci-app-1"]
    assert pods(run(capsys, "render", "-f", HEALTHY, "pod/abaci-app-1", "-o", "json").out) == ["abaci-app-1"]


def test_a_service_of_a_compose_file_is_named_as_it_is_shown(capsys: Capsys, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n" + "".join(f"  {n}:\n    image: flyio/litefs:0.5\n    command: litefs mount\n" for n in ("one", "two")))
    (tmp_path / "litefs.yml").write_text("fuse: {dir: /litefs}\n")
    name = f"{tmp_path}/compose.yaml#two"
    assert pods(run(capsys, "render", "-f", str(tmp_path), name, "-o", "json").out) == [name]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-f", HEALTHY, "abaci-app-7"], 2, '"abaci-app-7" not found in the files, and there is no file of that name'),
        (["-f", HEALTHY, "abaci-ap-1"], 2, "Did you mean abaci-app-1"),
        (["-f", HEALTHY, "sts/other"], 2, 'statefulsets "other" not found in the files'),
        (["-f", HEALTHY, "deploys/other.yaml"], 2, "deploys/other.yaml: no such file"),
        (["-f", HEALTHY, "--from", "x"], 2, "exclude each other"),
        (["-f", HEALTHY, "-n", "abaci"], 2, "--namespace cannot apply"),
        (["-f", "/nonexistent"], 2, "no such file"),
        (["-f", str(ROOT / "LICENSE")], 3, "no LiteFS found"),
    ],
)
def test_wrong_words(capsys: Capsys, words: list[str], code: int, told: str) -> None:
    done = run(capsys, "render", *words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
