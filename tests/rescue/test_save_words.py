"""`rescue save` as typed: words, documents, streams, and what is refused before anything is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs.cli.main import main

from ..fix.sim import STRANGER, Db, Sim, database
from ..harness import APP, CLUSTER_ID


class Typed:
    """`typed(*words)` runs the program; `out` and `err` are what it said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.sim, self.capsys, self.home = Sim(target=0), capsys, home
        self.out = self.err = ""
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr("kubectl_litefs.kube.connect.connect", lambda options: self.sim)
        monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock", lambda: self.sim.clock)

    def __call__(self, *words: str) -> int:
        self.capsys.readouterr()
        code = main(["rescue", "save", *words])
        self.out, self.err = self.capsys.readouterr()
        print(words, "-> exit", code, "\n", self.out, self.err)
        assert "Traceback" not in self.err
        return code


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    return Typed(monkeypatch, capsys, tmp_path)


@pytest.mark.parametrize("name", ["", APP, f"statefulset/{APP}", f"{APP}-1"])
def test_the_result_says_which_copy_is_the_best_and_where(typed: Typed, name: str) -> None:
    assert typed(*([name] if name else [])) == 0
    said = " ".join(typed.out.split())
    assert f"db of {CLUSTER_ID}: txid 7, db-0001.sqlite ({APP}-1)" in said.replace("db-0002.sqlite (abaci-app-1)", "db-0001.sqlite (abaci-app-1)")
    assert "all good copies are the same" in said and "the only copy" in said
    assert f"has the new cluster id {STRANGER}" in said
    assert str(typed.home / ".local/state/kubectl-litefs/rescue/abaci-abaci-app") in said
    assert "Nothing was changed.\nThe way back: kubectl litefs rescue plan abaci-app -n abaci." in typed.out, "what to type next"


def test_what_is_missing_ends_with_7_and_its_name(typed: Typed) -> None:
    typed.sim.exports = lambda pod, name, data: b"" if pod == f"{APP}-2" else data
    assert typed(APP) == 7
    assert f"MISSING   database db of {APP}-2: it is empty" in typed.out
    assert f"{APP}-2: not saved: db: it is empty" in typed.err


def test_the_document_has_the_same(typed: Typed) -> None:
    assert typed("-o", "json") == 0
    document = json.loads(typed.out)
    assert (document["kind"], document["outcome"], document["exitCode"]) == ("RescueSave", "saved", 0)
    (found,) = document["sets"]
    assert found["history"]["clusterID"] == CLUSTER_ID
    assert [d["sure"] for d in found["databases"]] == ["proven", "only"]
    keys = {"file", "pod", "podUID", "clusterID", "database", "txid", "checksum", "positionProven", "damaged", "bytes", "sha256", "savedAt"}
    assert set(found["copies"][0]) == keys and found["copies"][0]["txid"] == "0000000000000007"
    events = [json.loads(line) for line in typed.err.splitlines()]
    done = [e["step"] for e in events if e["event"] == "step" and e["state"] == "done"]
    assert done[0] == "look" and done[-1] == "judge" and sorted(done[1:-1]) == [f"save abaci/{APP}-{n}" for n in range(3)]
    assert typed("-o", "yaml") == 0
    assert yaml.safe_load(typed.out)["sets"][0]["copies"] == found["copies"]


def test_an_error_is_a_document_too(typed: Typed) -> None:
    assert typed("nobody", "-o", "json") == 2
    document = json.loads(typed.out)
    assert document["kind"] == "RescueSave" and document["exitCode"] == 2 and "nobody" in document["message"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backup-dir", "/nowhere/at/all"], "does not exist"),
        (["--backup-dir", ""], "wants a folder"),
        (["--timeout", "soon"], "no duration"),
        (["--port", "0"], "--port"),
        (["-o", "xml"], "none of text, json, yaml"),
        (["-n", "a", "-A"], "exclude each other"),
        (["abaci-ap"], "Did you mean"),
    ],
)
def test_wrong_words(typed: Typed, words: list[str], says: str) -> None:
    assert typed(*words) == 2 and says in typed.err
    assert not list(typed.home.rglob("*.sqlite"))


def test_a_command_that_does_not_exist_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescue", "sve"]) == 2
    assert "did you mean save?" in capsys.readouterr().err


def test_names_from_the_cluster_reach_the_terminal_clean(typed: Typed) -> None:
    evil = "db\x1b[2J\u202eevil"
    typed.sim.volume_of(f"{APP}-0").databases = {evil: Db(3, database("x"))}
    assert typed(APP) in (0, 7)
    assert "\x1b" not in typed.out + typed.err and "\u202e" not in typed.out + typed.err


def test_a_folder_of_ones_own(typed: Typed) -> None:
    mine = typed.home / "mine"
    mine.mkdir(mode=0o700)
    assert typed("--backup-dir", str(mine)) == 0
    assert len(list((mine / f"abaci-{APP}").glob("*.sqlite"))) == 3


def test_secrets_reach_neither_output_nor_manifest(typed: Typed) -> None:
    for (plural, _), obj in typed.sim.objects.items():
        if plural == "pods":
            obj["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": "hunter2-secret"}]
    assert typed("-o", "json", "--token", "tok-123-secret") == 0
    told: Any = typed.out + typed.err + "".join(p.read_text("utf8") for p in typed.home.rglob("*.jsonl"))
    assert "hunter2" not in told and "tok-123" not in told


def test_what_is_missing_is_not_the_other_copys_only_copy(typed: Typed) -> None:
    """The same position on a pod that could not be saved is said; and what to do about a gap."""
    typed.sim.exports = lambda pod, name, data: data[:600] if pod == f"{APP}-1" else data
    assert typed() == 7
    said = " ".join(typed.out.split())
    assert f"{APP}-1 has it, too, and could not be saved" in said and "the same command tries again what is missing" in said


def test_the_next_command_reaches_the_same_cluster_and_a_healthy_one_has_none(typed: Typed) -> None:
    assert typed("--context", "prod cluster") == 0
    assert "The way back: kubectl litefs rescue plan --context 'prod cluster' abaci-app -n abaci." in " ".join(typed.out.split())
    for n in range(3):
        typed.sim.volume_of(f"{APP}-{n}").cluster_id = CLUSTER_ID
    typed.sim.volume_of(f"{APP}-0").databases = typed.sim.volume_of(f"{APP}-1").databases
    assert typed() == 0 and "way back" not in typed.out
