"""`render`: what each pod runs with, where it is from, and what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs import app
from kubectl_litefs.gather import bundle
from kubectl_litefs.model.config import Sight
from kubectl_litefs.model.effective import Effective, From, Setting, effective
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.render import config

from ..cli.run import run
from ..dumps import cluster_info, plain_folder
from ..harness import LITEFS_YML, URL, snapshot
from ..test_recordings import recording

Capsys = pytest.CaptureFixture[str]


def pods(body: Mapping[str, Any] | None = None) -> dict[str, Effective]:
    (cluster,) = assemble(snapshot(body)).clusters
    return {one.pod.name: one for one in effective(cluster)}


def of(body: Mapping[str, Any], key: str, pod: str = "abaci-app-1") -> Setting:
    return pods(body)[pod].settings[key]


def text(body: Mapping[str, Any], width: int = 80, everything: bool = False) -> str:
    (cluster,) = assemble(snapshot(body)).clusters
    return config.text([(cluster, effective(cluster))], width=width, color=False, everything=everything)


def with_env(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "app", "env": list(entries)}]}}}


def test_every_key_has_a_value_and_a_place() -> None:
    found = pods()["abaci-app-1"]
    assert found.file is not None
    assert found.file.name == "ConfigMap abaci-litefs, key litefs.yml"
    assert found.settings["data.dir"].evidence is not None
    assert (found.settings["data.dir"].value, found.settings["data.dir"].origin, found.settings["data.dir"].evidence.line) == ("/var/lib/litefs", From.FILE, 4)
    assert (found.settings["data.retention"].value, found.settings["data.retention"].origin) == (600.0, From.DEFAULT)
    assert found.settings["exec"].value == [{"cmd": "node dist/db/migrate.js", "if-candidate": True}, {"cmd": "node server.js", "if-candidate": False}]


def test_an_expression_is_worked_out_for_each_pod_and_marked() -> None:
    found = {name: one.settings["lease.candidate"] for name, one in pods().items()}
    assert {name: s.value for name, s in found.items()} == {"abaci-app-0": True, "abaci-app-1": False, "abaci-app-2": False}
    assert all(s.differs for s in found.values())
    assert found["abaci-app-0"].written == "${HOSTNAME == 'abaci-app-0'}"
    assert not pods()["abaci-app-0"].settings["fuse.dir"].differs


def test_a_variable_tells_where_it_was_set() -> None:
    body = {"litefs.yml": LITEFS_YML.replace("dir: /litefs", "dir: ${MOUNT}"), **with_env({"name": "MOUNT", "value": "/mnt/db"})}
    body["logs"] = {f"abaci-app-{n}": None for n in range(3)}
    setting = of(body, "fuse.dir")
    assert (setting.value, setting.known, setting.written) == ("/mnt/db", True, "${MOUNT}")
    (used,) = setting.variables
    assert (used.name, used.value, used.sight) == ("MOUNT", "/mnt/db", Sight.KNOWN)
    assert used.where.startswith("spec.containers.0.env.0: MOUNT=/mnt/db")


def test_what_a_secret_holds_is_not_known() -> None:
    secret = {"name": "MOUNT", "valueFrom": {"secretKeyRef": {"name": "s", "key": "dir"}}}
    body = {"litefs.yml": LITEFS_YML.replace("dir: /litefs", "dir: ${MOUNT}"), **with_env(secret), "logs": {f"abaci-app-{n}": None for n in range(3)}}
    setting = of(body, "fuse.dir")
    assert (setting.known, setting.value) == (False, None)
    assert "Secret s, key dir" in setting.variables[0].where
    shown = text(body)
    assert "fuse.dir              not known" in shown
    assert "MOUNT is not known: " in shown


def test_what_the_image_may_set_is_said() -> None:
    body = {"litefs.yml": LITEFS_YML.replace("hostname: abaci-app-0", "hostname: ${PRIMARY}"), "logs": {f"abaci-app-{n}": None for n in range(3)}}
    assert "the image's ENV cannot" in of(body, "lease.hostname").variables[0].where


def test_what_litefs_said_wins_over_the_file() -> None:
    body = {"litefs.yml": LITEFS_YML.replace("hostname: abaci-app-0", "hostname: other")}
    setting = of(body, "lease.hostname")
    assert (setting.value, setting.origin) == ("abaci-app-0", From.LOG)
    assert setting.note == "the file now says other (line 11): it was changed after this start"


def test_a_value_that_hangs_on_a_variable_is_not_said_to_be_changed() -> None:
    (cluster, *_) = assemble_of("two-faults")
    setting = next(one for one in effective(cluster) if one.pod.name == "abaci-app-1").settings["lease.hostname"]
    assert setting.value == "0.0.0.0"
    assert "the image's ENV says otherwise" in setting.note


def assemble_of(name: str) -> tuple[Any, ...]:
    return app.facts_saved(recording(name), ()).clusters


def test_where_no_file_is_seen_litefs_own_word_is_labelled() -> None:
    body: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "app", "command": ["litefs", "mount"], "volumeMounts": [{"name": "config", "mountPath": "/elsewhere"}]}]}}}
    body["objects"] = [{"kind": "ConfigMap", "name": "abaci-litefs", "patch": {"data": {"litefs.yml": None, "x": "y"}}}]
    found = pods(body)["abaci-app-1"]
    assert found.file is None
    assert found.unseen
    assert {k: s.origin for k, s in found.settings.items()} == {
        "lease.type": From.LOG, "lease.candidate": From.INFO, "lease.hostname": From.LOG, "lease.advertise-url": From.LOG, "data.dir": From.INFO, "fuse.dir": From.LOG,
    }  # fmt: skip
    shown = text(body)
    assert "litefs.yml was not seen" in shown
    assert "other keys are not known" in " ".join(shown.split())
    assert "default" not in shown


def test_a_file_that_litefs_does_not_read_is_not_shown_as_if_it_did() -> None:
    body = {"more-log": {f"abaci-app-{n}": "config file read from /etc/litefs.yml\n" for n in range(3)}}
    found = pods(body)["abaci-app-1"]
    assert found.unseen == "LiteFS read /etc/litefs.yml, not ConfigMap abaci-litefs, key litefs.yml at /config/litefs.yml"
    assert "exec" not in found.settings


def test_a_file_that_litefs_refuses_is_said_to_be() -> None:
    body = {"litefs.yml": LITEFS_YML + "proxy:\n  primary-redirect-url: http://x\n"}
    assert "primary-redirect-url" in pods(body)["abaci-app-1"].refused
    assert "LiteFS refuses this file and does not start" in text(body)
    assert not pods()["abaci-app-1"].refused


def test_words_after_dashes_replace_exec() -> None:
    body = {"template": {"spec": {"containers": [{"name": "app", "command": ["litefs", "mount", "-config", "/config/litefs.yml", "--", "node", "x.js"]}]}}}
    setting = of(body, "exec")
    assert (setting.value, setting.origin) == ([{"cmd": "node x.js", "if-candidate": False}], From.ARGUMENTS)


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_passwords_are_not_shown(capsys: Capsys, tmp_path: Path, output: str) -> None:
    secret = {"name": "API_TOKEN", "value": "s3cr3t-value"}
    body = {"litefs.yml": LITEFS_YML + "backup:\n  type: file\n  path: ${API_TOKEN}\n  auth-token: FlyV1 abcdefghijkl\n", **with_env(secret)}
    shown = run(capsys, "render", "--from", str(plain_folder(snapshot(body), tmp_path)), "-o", output)
    assert "backup.path" in shown.out
    assert "abcdefghijkl" not in shown.out
    assert "s3cr3t-value" not in shown.out
    assert "REDACTED" in shown.out


@pytest.mark.parametrize("width", [80, 60, 140])
def test_the_table_keeps_to_its_width(width: int) -> None:
    shown = text({}, width=width, everything=True)
    assert all(len(row) <= width for row in shown.splitlines() if " " in row.strip())
    assert "data.retention-monitor-interval" in shown
    assert shown.count("default") > 30
    if width == 80:
        rows = [row.split() for row in shown.splitlines()]
        assert ["*", "lease.candidate", "true", "on", "abaci-app-0", "line", "13"] in rows
        assert ["fuse.dir", "/litefs", "line", "2"] in rows
        assert URL in "".join(shown.split())


def test_names_narrow_what_is_shown_but_differences_are_the_whole_sets(capsys: Capsys) -> None:
    path = str(recording("healthy"))
    one = json.loads(run(capsys, "render", "abaci-app-1", "--from", path, "-o", "json").out)
    (cluster,) = one["clusters"]
    assert [p["pod"] for p in cluster["pods"]] == ["abaci-app-1"]
    candidate = next(s for s in cluster["pods"][0]["settings"] if s["key"] == "lease.candidate")
    assert (candidate["value"], candidate["differs"], candidate["origin"]["line"]) == (False, True, 17)
    whole = run(capsys, "render", "statefulset/abaci-app", "--from", path, "-o", "yaml")
    assert len(yaml.safe_load(whole.out)["clusters"][0]["pods"]) == 3
    assert whole.code == 0


def test_one_pods_table(capsys: Capsys) -> None:
    shown = run(capsys, "render", "abaci-app-1", "--from", str(recording("healthy"))).out
    assert "abaci-app-1" in shown.splitlines()[0]
    assert "* lease.candidate       false" in shown
    assert "40 more keys with the default value; --all shows them" in shown


@pytest.mark.parametrize(("words", "code", "told"), [(["nope", "--from", "X"], 2, "not found"), (["--from", "X", "--context", "c"], 2, "cannot apply"), (["--from", "/nonexistent"], 2, "no such file")])
def test_wrong_words(capsys: Capsys, words: list[str], code: int, told: str) -> None:
    done = run(capsys, "render", *[str(recording("healthy")) if w == "X" else w for w in words])
    assert done.code == code
    assert told in done.err


def test_from_a_dump_without_configmaps_nothing_is_guessed(capsys: Capsys, tmp_path: Path) -> None:
    folder = cluster_info(bundle.load(recording("healthy")), tmp_path)
    tree = json.loads(run(capsys, "render", "--from", str(folder), "-o", "json").out)
    for pod in tree["clusters"][0]["pods"]:
        assert pod["file"] is None
        assert {s["origin"]["kind"] for s in pod["settings"]} == {"log"}
