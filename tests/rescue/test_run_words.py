"""`rescue plan`, `rescue run` and `rescue undo` as typed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kubectl_litefs.cli.main import main
from kubectl_litefs.fix.lock import lock_name
from kubectl_litefs.fix.work import Interrupted

from ..fix.sim import STRANGER
from ..harness import APP, CLUSTER_ID
from .conftest import Make

ZERO = f"{APP}-0"


class Typed:
    """`typed(*words)` runs the program on a primary whose volume is new; `out` and `err` are what it said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.sim, self.capsys, self.monkeypatch, self.home = Make(home).recreated(), capsys, monkeypatch, home
        self.out = self.err = ""
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr("kubectl_litefs.kube.connect.connect_writable", lambda options: self.sim)
        monkeypatch.setattr("kubectl_litefs.cli.live.SystemClock", lambda: self.sim.clock)

    def __call__(self, *words: str) -> int:
        self.capsys.readouterr()
        code = main(["rescue", *words])
        self.out, self.err = self.capsys.readouterr()
        print(words, "-> exit", code, "\n", self.out, self.err)
        assert "Traceback" not in self.err
        return code

    def types(self, text: str) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        self.monkeypatch.setattr("sys.stdin", Terminal(text))

    @property
    def restarted(self) -> bool:
        return self.sim.pod(0)["metadata"]["uid"] != f"uid-pod-{ZERO}"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    return Typed(monkeypatch, capsys, tmp_path)


def test_the_plan_says_what_comes_back_from_where_and_why_so(typed: Typed) -> None:
    assert typed("plan", APP) == 0
    said = " ".join(typed.out.split())
    assert f"Bring db back to {ZERO}, the primary (LFS102)" in said
    assert f"data-dir: {APP}-1 has the best copy of every database" in said
    assert "untouched every claim" in said and "kill -STOP" in said and "--yes --plan=" in said
    assert not typed.restarted


def test_the_plans_hint_carries_it_out(typed: Typed) -> None:
    """Also where a strategy was asked for: the words printed are the words that work."""
    assert typed("plan", APP, "--strategy", "import", "-o", "json") == 0
    document = json.loads(typed.out)
    assert (document["kind"], document["plan"]["kind"], document["plan"]["strategy"]) == ("RescueResult", "RescuePlan", "import")
    hint = document["hint"].split("Carry it out: kubectl litefs rescue ")[1].split("; where nobody can type, with ")
    assert typed(*hint[0].split(), *hint[1].split(), "-o", "json") == 0
    result = json.loads(typed.out)
    assert result["outcome"] == "rescued" and result["proof"] == ["db: table t: 3 rows in the copy, 3 now"]


@pytest.mark.parametrize(("answer", "code"), [(f"{ZERO}\n", 0), (f"{APP}-1\n", 8), ("\n", 8), ("", 8), ("y\n", 8), (f" {ZERO}\n", 8)])
def test_only_the_name_of_the_primarys_pod_goes_on(typed: Typed, answer: str, code: int) -> None:
    typed.types(answer)
    assert typed("run") == code
    assert typed.restarted == (code == 0)
    if code == 0:
        assert typed.sim.volume_of(ZERO).cluster_id == CLUSTER_ID and "3 rows in the copy, 3 now" in typed.out


def test_nobody_to_ask(typed: Typed) -> None:
    typed.monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert typed("run") == 8 and "--yes --plan=" in typed.err and not typed.restarted
    assert typed("run", "--yes") == 8 and typed("run", "-o", "json") == 8 and not typed.restarted
    assert typed("run", "--yes", "--plan", "0" * 64) == 6 and not typed.restarted


def test_a_bare_dry_run_is_a_plan(typed: Typed) -> None:
    assert typed("run", "--dry-run") == 0 and "Nothing was changed" in typed.out and not typed.restarted


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "a", "b"], "one set at a time"),
        (["run", "-A"], "one namespace"),
        (["run", "-l", "a=b"], "no selectors"),
        (["run", "--strategy", "magic"], "none of auto, data-dir, import"),
        (["run", "--strategy", "data-dir", "--disable-eviction"], "evicts nothing"),
        (["run", "--timeout", "0"], "--timeout wants"),
        (["run", "--source", "x/y"], "no pod's name"),
        (["run", "--port", "0"], "--port"),
        (["plan", "--yes"], "--yes"),
        (["plan", "nobody"], "not found"),
        (["run", "--resume"], "name of the set"),
        (["run", APP, "--yes", "--yes"], "given twice"),
        (["undo", "a", "b"], "one set at a time"),
        (["undo", "-A"], "one namespace"),
        (["undo", "-l", "a=b"], "no selectors"),
        (["undo", "--strategy", "data-dir"], "--strategy"),
        (["undo", "--source", f"{APP}-1"], "--source"),
        (["undo", "--timeout", "0"], "--timeout wants"),
        (["undo", "--dry-run=server"], "none of none, client"),
        (["undo", "nobody"], "not found"),
        (["undo", "--resume"], "rescue undo abaci-app --resume"),
        (["undo", APP, "--plan", "1", "--plan", "2"], "given twice"),
    ],
)
def test_wrong_words(typed: Typed, words: list[str], says: str) -> None:
    assert typed(*words) == 2 and says in typed.err and not typed.restarted


def test_resume_with_nothing_to_resume(typed: Typed) -> None:
    assert typed("run", APP, "--resume") == 0 and "nothing to resume" in typed.out.lower() and not typed.restarted


def test_undo_as_typed(typed: Typed) -> None:
    assert typed("undo", APP) == 0 and "nothing to undo" in typed.out.lower()
    typed.types(f"{ZERO}\n")
    assert typed("run") == 0
    said = " ".join(typed.out.split())
    assert f"kubectl litefs rescue undo {APP} -n abaci" in said
    assert typed("undo", APP, "--dry-run") == 0
    said = " ".join(typed.out.split())
    assert f"Undo the rescue of {ZERO}, the primary" in said and "goes aside" in said and "untouched every claim" in said
    plan = said.split("--yes --plan=")[1].split()[0]
    typed.monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert typed("undo", APP) == 8 and "--yes --plan=" in typed.err
    typed.types(f"{APP}-1\n")
    assert typed("undo", APP) == 8 and typed.sim.volume_of(ZERO).cluster_id == CLUSTER_ID
    assert typed("undo", APP, "--yes", "--plan", plan, "-o", "json") == 0
    result = json.loads(typed.out)
    assert (result["kind"], result["outcome"], result["plan"]["kind"]) == ("RescueResult", "undone", "RescueUndoPlan")
    assert typed.sim.volume_of(ZERO).cluster_id == STRANGER
    assert typed("undo", APP, "--resume") == 0 and "nothing to resume" in typed.out.lower()
    assert typed("undo", APP, "-o", "json") == 0 and json.loads(typed.out)["outcome"] == "nothing-to-do"


def test_undo_refuses_with_4_and_says_why(typed: Typed) -> None:
    typed.types(f"{ZERO}\n")
    assert typed("run") == 0
    typed.sim.volume_of(f"{APP}-2").cluster_id = STRANGER
    assert typed("undo", APP) == 4
    assert "U3" in typed.out and "it would take that data" in " ".join(typed.out.split())


@pytest.mark.parametrize("undo", [False, True])
def test_a_plan_id_with_resume_means_that_very_plan(typed: Typed, undo: bool) -> None:
    words = ("undo", APP) if undo else ("run", APP)
    if undo:
        typed.types(f"{ZERO}\n")
        assert typed("run") == 0
    typed.sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") else None)
    typed.types(f"{ZERO}\n")
    assert typed(*words) == 10
    typed.sim.before.clear()
    uid = typed.sim.pod(0)["metadata"]["uid"]
    assert typed(*words, "--resume", "--plan", "0" * 64) == 6 and typed.sim.pod(0)["metadata"]["uid"] == uid
    plan = typed.sim.objects["leases", lock_name(APP)]["metadata"]["annotations"]["kubectl-litefs/plan"]
    assert typed(*words, "--resume", "--plan", plan) == 0 and typed.sim.pod(0)["metadata"]["uid"] != uid


def test_every_command_that_is_printed_reaches_the_same_cluster(typed: Typed) -> None:
    assert typed("plan", "--context", "prod") == 0
    assert "kubectl litefs rescue run --context prod abaci-app -n abaci; where" in " ".join(typed.out.split())
    typed.sim.allowed = lambda verb, group, resource, name: resource != "leases"
    assert typed("run", "--context", "prod") == 3 and "kubectl litefs rbac rescue -n abaci prints" in typed.err
    typed.sim.allowed = lambda verb, group, resource, name: True
    typed.sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") else None)
    typed.types(f"{ZERO}\n")
    assert typed("run", "--context", "prod") == 10 and "Finish it: kubectl litefs rescue run --context prod abaci-app -n abaci --resume" in typed.err
    typed.sim.before.clear()
    assert typed("run", APP, "--context", "prod", "--resume") == 0
    said = " ".join(typed.out.split())
    assert "`kubectl litefs rescue undo --context prod abaci-app -n abaci`" in said and f"kubectl --context prod -n abaci exec {ZERO}" in said


def test_an_answer_that_is_not_the_pods_name_says_so(typed: Typed) -> None:
    typed.types("yes\n")
    assert typed("run") == 8 and f"what was typed is not {ZERO}. Nothing was changed" in typed.err


def test_a_source_that_is_no_pod_is_a_wrong_name(typed: Typed) -> None:
    assert typed("run", "--source", f"{APP}-11") == 2 and f"Did you mean {APP}-1" in typed.err and not typed.restarted


def test_a_refusal_for_want_of_a_copy_says_why_there_is_none(typed: Typed) -> None:
    typed.sim.exports = lambda pod, name, data: data[:600]
    assert typed("run") == 4
    said = " ".join(typed.out.split())
    assert f"no proven copy of db ({APP}-1: it has 600 bytes" in said and "kubectl litefs rescue save -n abaci" in said


def test_a_lock_of_another_rescue_says_whose_and_what_takes_it_up(typed: Typed) -> None:
    typed.sim.before.append(lambda s, sent: Interrupted("SIGINT") if sent.method == "DELETE" and sent.path.endswith(f"pods/{ZERO}") else None)
    typed.types(f"{ZERO}\n")
    assert typed("run") == 10
    typed.sim.before.clear()
    typed.sim.objects["leases", lock_name(APP)]["spec"]["holderIdentity"] = "eve@else#1"
    for words in (("run",), ("plan",), ("run", "--break-lock")):
        assert typed(*words) == 5 and "by eve@else. Nothing was changed" in typed.err and "--break-lock" in typed.err
    assert typed("run", APP, "--resume") == 5 and "of a rescue" in typed.err and "--resume --break-lock" in typed.err and not typed.restarted
