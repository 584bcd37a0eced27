"""The table of LiteFS's messages is complete and right: each has a rule, or is a fact, or is harmless on purpose."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_litefs import engine
from kubectl_litefs.model.logs import LogLine, LogRun
from kubectl_litefs.model.messages import (
    APPLICATION,
    CONFIG,
    CONTEXTS,
    DIALLING,
    LEASE,
    LEFT_OUT,
    MESSAGES,
    Kind,
    Message,
    by_rule,
    classify,
)
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.signatures import SIGNATURES
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.parse.log_lines import HEADS
from kubectl_litefs.parse.logs import read_log
from kubectl_litefs.rules import ALL

from ..harness import snapshot

IDS = {r.id for r in ALL}
NODE_ID = "C6A93DA931998640: "
START = 'level=INFO msg="Using static primary: primary=false hostname=abaci-app-0 advertise-url=http://abaci-app-0:20202"'
each = pytest.mark.parametrize("message", MESSAGES, ids=[m.says[:60] for m in MESSAGES])


def line_of(message: Message, node: str = "") -> str:
    """The example as LiteFS writes it: most lines as slog does, some of them with attributes."""
    if message.plain:
        return ("  " if message.says.startswith("line ") else "") + message.example
    bare = re.search(r" (?=(?:name|type|reason|err|dirty|full-sync-interval)=)", message.example)
    text, attributes = (message.example[: bare.start()], message.example[bare.start() :]) if bare else (message.example, "")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'level=INFO msg="{node}{escaped}"{attributes}'


def read(message: Message, node: str = "") -> tuple[LogRun, LogLine]:
    """The example through the real log parser, in a run that has begun as far as it must have."""
    before = [message.after] if message.after else [] if message.where == CONFIG else [START]
    lines = [*before, line_of(message, node)]
    run = read_log("logs/a/b/c.log", ["\n".join([*lines, ""]).encode()])
    assert run is not None
    return run, next(x for x in run.tail if x.number == len(lines)) if run.starts == 1 and run.tail[0].number == 1 else run.tail[-1]


@each
def test_an_example_is_read_as_what_it_is(message: Message) -> None:
    for node in ("", NODE_ID) if message.where in (LEASE, DIALLING) and not message.plain else ("",):
        run, line = read(message, node)
        assert classify(line.text) is message, f"taken for {classify(line.text)}"
        assert line.kind in (("litefs", "plain") if message.where != APPLICATION and message.signature != "transport-endpoint" else ("other", "plain"))
        if message.signature:
            assert run.hit(message.signature) is not None, list(run.hits)


def test_every_entry_says_all_it_should() -> None:
    for message in MESSAGES:
        assert set(message.rules) <= IDS, f"{message.says}: a rule that does not exist"
        assert (message.kind is Kind.FAULT) == bool(message.rules)
        assert message.meaning
        assert message.where in CONTEXTS
        assert message.says.count("*") == len(message.fill)


def test_every_signature_is_in_the_table_and_no_other() -> None:
    assert {m.signature for m in MESSAGES} - {""} == {s.name for s in SIGNATURES}


def test_no_message_stands_twice() -> None:
    assert len({m.says for m in MESSAGES}) == len(MESSAGES)


def test_every_beginning_that_the_parser_takes_for_litefs_is_in_the_table() -> None:
    unknown = [h for h in HEADS if not any(m.says.startswith(h) or h.startswith(m.says.split("*")[0]) for m in MESSAGES if m.says[0] != "*")]
    assert not unknown


@pytest.mark.parametrize("text", ["listening on :3000", "GET / 200 12ms", "Error: connect ECONNREFUSED", "level=INFO msg=hello", ""])
def test_the_applications_lines_are_no_messages_of_litefs(text: str) -> None:
    assert classify(text) is None


def test_more_fixed_words_win() -> None:
    found = classify("disconnected from primary with error, retrying: connect to primary: dial: lookup x: no such host ('http://x')")
    assert found is not None
    assert found.rules == ("LFS303",)
    assert found in by_rule("LFS303")


def test_what_is_left_out_says_why() -> None:
    assert all(what and why for what, why in LEFT_OUT)


def loud(lines: list[str]) -> list[str]:
    """Findings above info in a healthy cluster whose every pod has these lines at the end of its log."""
    text = "-60s " + "\n".join(lines) + "\n"
    report = engine.judge(assemble(snapshot({"more-log": {f"abaci-app-{i}": text for i in range(3)}})), ALL)
    return [f"{f.rule} {f.message}" for f in report.findings if f.severity is not Severity.INFO]


HARMLESS = [m for m in MESSAGES if m.kind is Kind.BENIGN]


def test_harmless_messages_together_are_no_fault() -> None:
    assert loud([line_of(m) for m in HARMLESS]) == []


@pytest.mark.parametrize("message", HARMLESS[::4], ids=[m.says[:60] for m in HARMLESS[::4]])
def test_a_harmless_message_alone_is_no_fault(message: Message) -> None:
    assert loud([line_of(message)]) == []


DOWN = {
    "status": {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{
            "name": "app", "ready": False, "restartCount": 3, "state": {"running": None, "waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }],
    }
}  # fmt: skip
NEEDS_MORE = {
    "config file read from": "another file is mounted",
    "initializing consul: ": "the URL is the default one",
    "deprecated drop db frame": "which database it is",
    "proxy: *: no database": "proxy.db, and what the primary has",
    "*disk I/O error*": "LiteFS's own line beside it",
    "*SQLITE_IOERR*": "LiteFS's own line beside it",
    "*Cannot find module": "a command that failed",
    "*can't open file": "a command that failed",
    "*No module named": "a command that failed",
    "http: POST /stream: error: cannot connect to self": "that it repeats, and whose URL it is",
    "http: POST /stream: error: lease expired": "that it repeats",
    "mount helper error: *": "the error that ends the start",
}
"""Messages that are a fault together with something else only: beginning -> what that is. The rules' own cases have it."""


def places(message: Message) -> Iterator[dict[str, object]]:
    """A healthy cluster with the message in it: said by a replica or the primary, once or lastingly, at the end of a crash."""
    line = line_of(message)
    for pod in ("abaci-app-1", "abaci-app-0"):
        start = START.replace("primary=false", f"primary={str(pod.endswith('0')).lower()}")
        dying = [*([] if message.where == CONFIG else [start]), *([message.after] if message.after else []), line]
        crashed = {"pods": {pod: DOWN}, "info": {pod: None}, "logs": {pod: "-40s " + "\n".join(dying)}, "litefs.yml": None}
        running = {"more-log": {pod: f"-40s {line}\n-3s {line}\n"}}
        again = "".join(f"-{seconds}s {line}\n" for seconds in range(90, 1, -5))
        outside = {"info": {pod: {"clusterID": None}}, "vars": {pod: {"db": "0/0000000000000000"}}, "metrics": {"abaci-app-0": {"litefs_subscriber_count": 1}}}
        waiting = {**outside, "logs": {pod: f'-590s {start}\nlevel=INFO msg="waiting to connect to cluster"\n{again}'}}
        yield from (crashed, running) if message.plain else (running, crashed)
        yield waiting
        yield {**waiting, "logs": {**waiting["logs"], "abaci-app-0": None}} if pod.endswith("1") else crashed


FAULTS = [m for m in MESSAGES if m.kind is Kind.FAULT and not m.says.startswith(tuple(NEEDS_MORE))]


@pytest.mark.parametrize("message", FAULTS, ids=[m.says[:60] for m in FAULTS])
def test_a_fault_is_told_by_a_rule_that_stands_beside_it(message: Message) -> None:
    rules = [r for r in ALL if r.id in message.rules]
    assert any(engine.judge(assemble(snapshot(body)), rules).findings for body in places(message))


FACTS = os.environ.get("LITEFS_FACTS", "")
"""A folder with litefs-config.md, whose table of messages was made independently."""
PAIRS = {"ERROR: ...", "waiting for signal or subprocess to exit", "yaml: ... field %s not found in type main.%s"}
"""Two lines each: only the first two together are LFS512, as that table says in words; of the third each line has its entry here."""
NO_MESSAGES = {"short wal size", "http server listening on: http://localhost:PORT", ":PORT"}
"""What the list of harmless messages there mentions beside them."""


def facts_rows() -> list[tuple[str, str]]:
    """(a message, what the last column says) of that table, which leaves out what stands before and after."""
    path = Path(FACTS) / "litefs-config.md"
    if not FACTS or not path.exists():
        return []
    rows = []
    for row in re.findall(r"^\| (`.*)\|\s*$", path.read_text("utf8").partition("## Message signatures")[2], re.MULTILINE):
        cells = row.split("|")
        if len(cells) == 4:
            rows += [(pattern, cells[3].strip()) for pattern in re.findall(r"`([^`]+)`", cells[0])]
    return rows


@pytest.mark.skipif(not facts_rows(), reason="LITEFS_FACTS names no folder with litefs-config.md")
def test_what_only_looks_like_trouble_there_is_no_fault_here() -> None:
    text = (Path(FACTS) / "litefs-config.md").read_text("utf8").partition("Benign although they look like trouble: ")[2]
    patterns = re.findall(r"`([^`]+)`", text.split("\n\n")[0].partition(", and `code=503`")[0])
    assert len(patterns) > 15
    wrong = [p for p in patterns if p not in NO_MESSAGES and not any(m.kind is not Kind.FAULT and _pieces(p).search(m.example) for m in MESSAGES)]
    assert not wrong


def _pieces(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(p.strip()) for p in re.split(r"0x%02x|%[a-z]|\.\.\.", pattern) if p.strip()))


@pytest.mark.skipif(not facts_rows(), reason="LITEFS_FACTS names no folder with litefs-config.md")
def test_the_table_agrees_with_one_made_independently() -> None:
    wrong = []
    for pattern, told in facts_rows():
        found = [m for m in MESSAGES if _pieces(pattern).search(m.example)]
        ids = set(re.findall(r"LFS\d{3}", told))
        quiet = told == "as said" or (("fact" in told or told == "benign") and any(m.kind is not Kind.FAULT for m in found))
        if pattern not in PAIRS and not (found and (quiet or any(ids & set(m.rules) for m in found))):
            wrong.append(f"{pattern!r} is {told!r} there, {[(m.says, m.rules or m.kind.value) for m in found]} here")
    assert len(facts_rows()) > 80
    assert not wrong, "\n".join(wrong)
