"""Input that nobody meant: it is said with file and line, ends nothing, and is never taken for well."""

from __future__ import annotations

import io
import json
import os
import sys
import tracemalloc
from pathlib import Path

import pytest
import yaml

from kubectl_litefs.exitcodes import ExitCode
from kubectl_litefs.gather import files

from ..cli.run import run, spawn
from .test_cases import HEALTHY

Capsys = pytest.CaptureFixture[str]
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: litefs}\n"


def bomb() -> str:
    rows = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return HEAD + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(rows) + "\n"


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "a binary file": (b"apiVersion: v1\x00\x01kind litefs", "app.yaml:1: a binary file"),
    "no UTF-8": (b"apiVersion: v1\n# litefs caf\xe9\nkind: ConfigMap\n", "app.yaml:2: no UTF-8 text: byte 0xe9"),
    "half of a UTF-16 character": (HEAD.encode("utf-16") + b"\x00", "no UTF-16 text"),
    "a bomb of aliases": (bomb().encode(), "with its aliases written out it has more than 2000000 values"),
    "an anchor that contains itself": ((HEAD + "x: &x [*x]\n").encode(), "app.yaml:4: an anchor's value contains itself"),
    "nested ten thousand deep": ((HEAD + "x: " + "[\n" * 10_000 + "]" * 10_000).encode(), "app.yaml:204: nested more than 200 deep"),
    "JSON nested deep": (('{"apiVersion": "v1", "kind": "ConfigMap", "x": ' + "[" * 100_000 + "]" * 100_000 + "}").encode(), "app.yaml:1: nested too deeply"),
    "JSON that ends early": (b'{"apiVersion": "v1",\n "kind": "List", "items": [litefs]}', "app.yaml:2: no JSON"),
    "JSON after JSON": (b'{"apiVersion": "v1", "kind": "ConfigMap"}\n{"apiVersion": "v1", "kind": "Service"}\n', "app.yaml:2: no JSON: more follows its end; put a line --- between documents"),
    "a number without end": (('{"apiVersion": "v1", "kind": "List", "x": ' + "9" * 10_000 + "}").encode(), "app.yaml:1: no JSON"),
    "a tab": ((HEAD + "data:\n\ta: b\n").encode(), "app.yaml:5: found character that cannot start any token"),
    "a chart's template": ((HEAD + "{{- if .Values.on }}\ndata: {}\n{{- end }}\n").encode(), "app.yaml:4: a template"),
    "a template's value": ((HEAD + "data: {{ .Values.data }}\n").encode(), "app.yaml:4: a template"),
    "Jinja": ((HEAD + "{% if on %}\ndata: {}\n{% endif %}\n").encode(), "app.yaml:4: a template"),
    "an unknown anchor": ((HEAD + "x: *none\n").encode(), "app.yaml:4: unknown anchor 'none' referenced"),
    "a mapping as key": ((HEAD + "? {a: b}\n: c\n").encode(), "app.yaml:4: a mapping cannot be a key"),
    "merges of merges": ((HEAD + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" if i else "a0: &a0 [x]\n" for i in range(2500))).encode(), "aliases written out"),
}


@pytest.mark.parametrize("name", list(UNREADABLE))
def test_what_cannot_be_read_is_said_and_the_rest_is_judged(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    data, told = UNREADABLE[name]
    Path("app.yaml").write_bytes(data)
    alone = run(capsys, "lint", "app.yaml")
    assert (alone.code, alone.out) == (ExitCode.COULD_NOT_LOOK, "")
    assert told in alone.err, alone.err
    Path("good.yaml").write_text(HEALTHY, "utf8")
    both = run(capsys, "lint", ".", "app.yaml")
    assert both.code == ExitCode.COULD_NOT_LOOK
    assert "abaci-app" in both.out
    assert told.split(": ", 1)[-1].split(",")[0][:30] in " ".join(both.out.split()), both.out
    bad = run(capsys, "lint", "app.yaml", "good.yaml", "--fail-on", "info")
    assert bad.code == ExitCode.FINDINGS, "what was seen is certain, whatever else could not be"


def test_the_other_documents_of_a_stream_are_judged(tmp_path: Path, capsys: Capsys) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(HEAD + "data:\n\ta: b\n---\n" + HEALTHY.replace("type: static", "type: statik"), "utf8")
    done = run(capsys, "lint", str(path), "-o", "json")
    report = json.loads(done.out)
    assert [(f["rule"], f["evidence"][0]["line"]) for f in report["findings"] if f["severity"] == "error"] == [("LFS504", 34)]
    assert [g["detail"] for g in report["gaps"] if g["why"] == "UNPARSED"] == [f"{path}:5: found character that cannot start any token"]


def test_a_huge_file_is_not_read(tmp_path: Path, capsys: Capsys) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1024**3)
    tracemalloc.start()
    try:
        done = run(capsys, "lint", str(path))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.code == ExitCode.COULD_NOT_LOOK
    assert "huge.yaml: it has 1073741824 bytes" in done.err
    assert most < 64 * 1024 * 1024, "bytes held at once"


def test_an_endless_stream_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size > 0, "asked for everything"
            return b"a" * size

    taken = files.gather(["-"], lambda: Endless(), files.datetime.now())  # type: ignore[arg-type, return-value]
    assert [g.what for g in taken.gaps] == ["-"]
    assert not taken.items


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_with_a_mark_are_read(encoding: str, tmp_path: Path, capsys: Capsys) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    path = tmp_path / "app.yaml"
    path.write_bytes((mark + HEALTHY.replace("type: static", "type: statik").replace("\n", "\r\n")).encode(encoding))
    done = run(capsys, "lint", str(path), "-o", "json")
    [error] = [f for f in json.loads(done.out)["findings"] if f["severity"] == "error"]
    assert (error["rule"], error["evidence"][0]["line"], error["evidence"][0]["column"]) == ("LFS504", 28, 7)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.yaml", HEALTHY + "x: !!float\ny: !!int ten\nz: !!bool maybe\n"),
        ("Dockerfile", "FROM alpine\nCOPY --from=flyio/litefs /l /bin/litefs\nCMD litefs mount\nCOPY <<EOF /etc/litefs.yml\nfuse:\n  dir: [\n"),
        ("Dockerfile", "FROM alpine\nCOPY --from=flyio/litefs /l /bin/litefs\nCMD litefs mount\nCOPY <<EOF /etc/litefs.yml\nfuse:\n  dir: ["),
    ],
)
def test_what_fuzzing_found(name: str, text: str, tmp_path: Path, capsys: Capsys) -> None:
    path = tmp_path / name
    path.write_text(text, "utf8")
    done = run(capsys, "lint", str(path), "-o", "json")
    assert done.code in (ExitCode.OK, ExitCode.FINDINGS), done.err
    lines = [e["line"] for f in json.loads(done.out)["findings"] for e in f["evidence"]]
    assert max(lines) <= len(text.splitlines())


def test_odd_shapes_of_objects(tmp_path: Path, capsys: Capsys) -> None:
    text = """
apiVersion: apps/v1
kind: StatefulSet
metadata: [no, mapping]
spec: {replicas: many, template: 7}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: 12, labels: x}
spec: {replicas: 999999999999, ordinals: {start: -5}, serviceName: [x], volumeClaimTemplates: [null, 3, {}], template: {metadata: null, spec: {
  containers: [null, {name: app, command: [litefs, mount], env: {a: b}, volumeMounts: [7], securityContext: privileged}], volumes: {a: b}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ~}
data: [litefs.yml]
---
apiVersion: v1
kind: List
items: {a: b}
"""
    path = tmp_path / "odd.yaml"
    path.write_text(text, "utf8")
    done = run(capsys, "lint", str(path), "-o", "json")
    assert done.code == ExitCode.FINDINGS, done.err
    assert not json.loads(done.out)["summary"]["crashed"]


def test_names_that_no_terminal_should_get(tmp_path: Path, capsys: Capsys) -> None:
    folder = tmp_path / "evil\x1b[31m\nname"
    folder.mkdir()
    (folder / "litefs.yml").write_text("fuse: {dir: /x}\nlease: {type: \"\\e[31m\\ud800\"}\n", "utf8")
    done = run(capsys, "lint", str(folder))
    assert done.code == ExitCode.FINDINGS
    assert "\x1b" not in done.out
    assert "LFS504" in done.out


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_file_names_that_are_no_utf8(output: str, tmp_path: Path, capsys: Capsys) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.yml"
    with open(path, "wb") as file:
        file.write(b"fuse: {dir: /x}\nlease: {type: x}\n")
    done = run(capsys, "lint", os.fsdecode(path), "-o", output)
    assert done.code == ExitCode.FINDINGS, done.err
    assert "LFS504" in done.out


def test_standard_input_and_pipes() -> None:
    code = "import sys; from kubectl_litefs.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = spawn(["lint", "-"], code=code)
    assert done.code == ExitCode.COULD_NOT_LOOK, "an empty stream holds no LiteFS"
    assert "no LiteFS found" in done.err


def test_a_path_that_is_not_there_is_a_mistake(tmp_path: Path, capsys: Capsys) -> None:
    done = run(capsys, "lint", str(tmp_path / "none"))
    assert done.code == ExitCode.USAGE
    assert "no such file" in done.err
    assert run(capsys, "lint").code == ExitCode.USAGE


def test_what_was_looked_at_is_told_where_no_litefs_is(tmp_path: Path, capsys: Capsys) -> None:
    (tmp_path / "web.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a}]}}}\n")
    (tmp_path / "readme").write_text("litefs\n")
    done = run(capsys, "lint", str(tmp_path))
    assert done.code == ExitCode.COULD_NOT_LOOK
    assert "no LiteFS found; looked at 1 directory, 2 files: 1 Deployment" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, capsys: Capsys) -> None:
    (tmp_path / "a.yaml").write_text(HEALTHY)
    (tmp_path / "b.yaml").write_text("x")
    (tmp_path / "b.yaml").chmod(0)
    done = run(capsys, "lint", str(tmp_path))
    assert done.code == ExitCode.COULD_NOT_LOOK
    assert "b.yaml: permission denied" in done.out


def test_secrets_of_the_files_are_not_printed(tmp_path: Path, capsys: Capsys) -> None:
    path = tmp_path / "litefs.yml"
    path.write_text("fuse: {dir: /x}\nlease:\n  type: consul\n  consul: {url: 'http://:hunter2@consul:8500', key: k, ttl: 5}\n")
    done = run(capsys, "lint", str(path), "-o", "json")
    assert done.code == ExitCode.FINDINGS
    assert "hunter2" not in done.out


def test_json_documents_in_a_stream_are_read_as_kubectl_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.chdir(tmp_path)
    objects = [o for o in yaml.safe_load_all(HEALTHY) if o]
    Path("as.yaml").write_text(HEALTHY, "utf8")
    Path("as.json").write_text("\n---\n".join(json.dumps(o, indent=2) for o in objects), "utf8")
    by_yaml, by_json = run(capsys, "lint", "as.yaml", "-o", "json"), run(capsys, "lint", "as.json", "-o", "json")
    assert by_json.code == by_yaml.code == 0
    assert [f["fingerprint"] for f in json.loads(by_json.out)["findings"]] == [f["fingerprint"] for f in json.loads(by_yaml.out)["findings"]]
