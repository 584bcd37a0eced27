"""Fault 50: what becomes of the output changes nothing in what is done."""

from __future__ import annotations

import io
import json
import sys

import pytest

from .call import Call

ONE = "abaci-app-1"


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def fileno(self) -> int:
        raise OSError("no file")


@pytest.mark.parametrize("streams", [("stderr",), ("stdout",), ("stdout", "stderr")])
@pytest.mark.parametrize("output", ["text", "json"])
def test_nobody_reads(call: Call, monkeypatch: pytest.MonkeyPatch, streams: tuple[str, ...], output: str) -> None:
    plan = call.plan()
    for stream in streams:
        monkeypatch.setattr(sys, stream, Broken())
    from kubectl_litefs.cli.main import main

    assert main(["fix-cluster-id", ONE, "--yes", f"--plan={plan}", "-o", output]) == 0
    assert call.sim.volume_of(ONE).cluster_id == "LFSC00000000000000A1"


@pytest.mark.parametrize("terminal", ["", "dumb", "xterm-256color", "unknown-terminal"])
def test_any_terminal_will_do(call: Call, monkeypatch: pytest.MonkeyPatch, terminal: str) -> None:
    plan = call.plan()

    class Terminal(io.StringIO):
        encoding = "utf8"

        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", terminal)
    from kubectl_litefs.cli.main import main

    assert main(["fix-cluster-id", ONE, "--yes", f"--plan={plan}"]) == 0
    assert "verify that abaci-app-1 follows" in shown.getvalue()


def test_events_are_json_lines_with_a_time(call: Call) -> None:
    plan = call.plan()
    assert call(ONE, "--yes", f"--plan={plan}", "-o", "json") == 0
    events = [json.loads(line) for line in call.err.splitlines()]
    assert all(e["at"].endswith("Z") for e in events)
    order = [e["step"] for e in events if e["event"] == "step" and e["state"] == "done"]
    assert order == ["look", "lock", "recheck", "backup", "gate", "claim", "armed", "pod", "wait", "verify"]
    result = json.loads(call.out)
    assert (result["kind"], result["outcome"], result["exitCode"]) == ("FixResult", "fixed", 0) and result["backup"]


def test_yaml_is_the_same_tree(call: Call) -> None:
    import yaml

    assert call(ONE, "--dry-run", "-o", "json") == 0
    first = json.loads(call.out)
    assert call(ONE, "--dry-run", "-o", "yaml") == 0
    assert yaml.safe_load(call.out)["plan"]["id"] == first["plan"]["id"]


def test_secrets_never_reach_output_journal_or_backup(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in a pod's environment or its process list is not ours to repeat."""
    for plural_name, obj in list(call.sim.objects.items()):
        if plural_name[0] == "pods":
            obj["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": "hunter2-secret"}]
    plan = call.plan()
    assert call(ONE, "--yes", f"--plan={plan}", "-o", "json", "--token", "tok-123-secret") == 0
    told = call.out + call.err + "".join(p.read_text("latin1") for p in call.home.rglob("*.json*") if p.is_file())
    assert "hunter2" not in told and "tok-123" not in told and "hunter2" not in json.dumps([s.body for s in call.sim.sent])
