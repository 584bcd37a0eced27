"""What lint says of files: every case is a folder of small files, or a healthy application with one thing changed.

A case's `files` maps names to texts, or to `{from: healthy, only: [kinds], edit: {old: new}}`; `edit` alone is one file, `app.yaml`.
`expect` holds every error and warning as `RULE severity Kind/name FILE:LINE:COLUMN`; the place is one of its evidence.
`unseen` are rules that could not look; `unread` are the places of what could not be read, `exit` the exit code where it is not plain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .. import quick_yaml
from ..cli.run import run

HERE = Path(__file__).parent
HEALTHY = (HERE / "healthy.yaml").read_text("utf8")
KEYS = {"files", "edit", "expect", "unseen", "unread", "exit", "args"}


def cases() -> Iterator[Any]:
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for name, body in quick_yaml.load(path.read_text("utf8")).items():
            assert set(body) <= KEYS, f"{path.name}: {name}: {set(body) - KEYS}"
            yield pytest.param(body, id=f"{path.stem}-{name}")


def text_of(given: Any) -> str:
    if isinstance(given, str):
        return given
    documents = HEALTHY.split("---\n")
    kept = [d for d in documents if "only" not in given or any(f"\nkind: {k}\n" in d for k in given["only"])]
    text = "---\n".join(kept)
    for old, new in given.get("edit", {}).items():
        assert old in text, f"{old!r} is not in the healthy application"
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("case", list(cases()))
def test_lint_says(case: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    files = case.get("files") or {"app.yaml": {"edit": case["edit"]}}
    for name, given in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text_of(given).encode())
    done = run(capsys, "lint", "-o", "json", *case.get("args", files))
    assert done.out, done.err
    report = json.loads(done.out)
    wanted = {tuple(line.split()[:3]) for line in case["expect"]}
    found = [f for f in report["findings"] if f["severity"] != "info"]
    assert {(f["rule"], f["severity"], f"{f['subject']['kind']}/{f['subject']['name']}") for f in found} == wanted
    for line in case["expect"]:
        rule, _, _, place = line.split()
        mine = [e for f in found if f["rule"] == rule for e in f["evidence"]]
        assert place in [f"{e['source']}:{e['line']}:{e['column']}" for e in mine]
    assert not [c for f in report["findings"] for c in f["commands"]], "there is no cluster to ask"
    skipped = {c["rule"] for c in report["checks"] if c["status"] == "skipped"}
    assert set(case.get("unseen", ())) <= skipped
    unread = [g["detail"].split(": ")[0] for g in report["gaps"] if g["why"] in ("UNPARSED", "FORBIDDEN")]
    assert unread == case.get("unread", [])
    errors = any(s == "error" for _, s, _ in wanted)
    assert done.code == case.get("exit", 1 if errors else 3 if unread else 0)
