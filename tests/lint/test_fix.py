"""`lint --fix`: old files become files of 0.5 that say the same, or stay as they are with a reason."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.gather import overwrite
from kubectl_litefs.model.config import ConfigFile
from kubectl_litefs.parse.files.migrations import fix_file
from kubectl_litefs.parse.litefs_yml import read_litefs_yml
from kubectl_litefs.parse.migrate import migrate
from kubectl_litefs.parse.migrate_lines import ByHand

from ..cli.run import run

STATIC = """\
# where the application looks
mount-dir: "/litefs"   # the mount
data-dir: /var/lib/litefs
debug: false

retention:   # how long
  # an hour
  duration: 1h
  monitor-interval: 5m

exec: "app -db /litefs/db"

# Only one node may be the primary.
static:
  # decided by name
  primary: ${HOSTNAME == 'app-0'}
  hostname: app-0
  advertise-url: "http://app-0.app:20202"
"""
MIGRATED = """\
# where the application looks
fuse:
  dir: "/litefs"   # the mount
  debug: false
data:
  dir: /var/lib/litefs
  # how long
  # an hour
  retention: 1h
  retention-monitor-interval: 5m

exec: "app -db /litefs/db"

# Only one node may be the primary.
lease:
  type: "static"
  # decided by name
  candidate: ${HOSTNAME == 'app-0'}
  hostname: app-0
  advertise-url: "http://app-0.app:20202"
"""
PROXY = "lease:\n  type: static\nproxy:\n  addr: ':80'\n  target: localhost:81\n  # of the guide\n  primary-redirect-url: http://x\n  db: db\n"
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: abaci-litefs}\ndata:\n  other: |\n    mount: 1\n  litefs.yml: |\n"


def read(text: str) -> ConfigFile:
    return read_litefs_yml(
        text, name="", source="", path="", env={}, env_complete=False, host_name=None, expand_env=True, after_dashes=None
    )


def fixed(text: str) -> str:
    done = migrate(text)
    assert done is not None
    return done.text


def inside(text: str, by: str = "    ") -> str:
    return "".join(by + row if row.strip() else row for row in text.splitlines(keepends=True))


def test_every_old_name_moves_with_its_comments() -> None:
    assert fixed(STATIC) == MIGRATED
    assert not read(MIGRATED).problems


def test_a_consul_lease_keeps_the_key_that_litefs_used_where_none_is_named() -> None:
    old = "mount-dir: /a\ndata-dir: /b\n# the lease\nconsul:\n  url: http://c:8500\n  hostname: me\n  # this node\n  advertise-url: http://me:20202\n  ttl: 20s\ncandidate: false\n"
    done = migrate(old)
    assert done is not None
    assert done.text == (
        "fuse:\n  dir: /a\ndata:\n  dir: /b\n# the lease\nlease:\n  type: \"consul\"\n  hostname: me\n  # this node\n"
        "  advertise-url: http://me:20202\n  consul:\n    url: http://c:8500\n    ttl: 20s\n    key: \"litefs/primary\"\n  candidate: false\n"
    )
    assert "litefs/primary" in done.notes[0]


def test_a_static_lease_without_primary_was_a_replica() -> None:
    done = migrate("mount-dir: /a\ndata-dir: /b\nstatic:\n    hostname: p\n    advertise-url: http://p:1\n")
    assert done is not None
    assert done.text.endswith("lease:\n    type: \"static\"\n    hostname: p\n    advertise-url: http://p:1\n    candidate: false\n")


def test_primary_redirect_url_goes_and_everything_else_stays() -> None:
    assert fixed(PROXY) == PROXY.replace("  primary-redirect-url: http://x\n", "")
    alone = "lease:\n  type: static\nproxy:\n  primary-redirect-url: http://x\n"
    assert fixed(alone) == "lease:\n  type: static\n"


@pytest.mark.parametrize("section", ["data", "fuse", "http", "proxy", "lease", "backup", "log", "tracing"])
def test_it_goes_from_every_section_that_litefs_has(section: str) -> None:
    there = {"lease": "type: static", "proxy": "debug: true", "data": "dir: /b", "fuse": "dir: /a", "http": 'addr: ":1"', "backup": "path: x", "log": "format: text", "tracing": "path: x"}
    rest = "" if section == "lease" else "lease:\n  type: static\n"
    new = f"{rest}{section}:\n  # of the guide\n  {there[section]}  # stays\n"
    assert fixed(new + "  primary-redirect-url: http://x  # goes\n") == new
    assert migrate(new) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("primary-redirect-url: http://x\nlease:\n  type: static\n", "lease:\n  type: static\n"),
        ("# why\nprimary-redirect-url: x\nlease:\n  type: static\n", "# why\nlease:\n  type: static\n"),
        ("lease:\n  type: static\n\nprimary-redirect-url: x\n\nhttp:\n  addr: ':1'\n", "lease:\n  type: static\n\nhttp:\n  addr: ':1'\n"),
        ("mount-dir: /a\ndata-dir: /b\nprimary-redirect-url: x\nstatic:\n  primary: true\n", 'fuse:\n  dir: /a\ndata:\n  dir: /b\nlease:\n  type: "static"\n  candidate: true\n'),
    ],
)
def test_it_goes_from_the_left_edge(old: str, new: str) -> None:
    assert fixed(old) == new
    assert migrate(new) is None


@pytest.mark.parametrize(
    "text",
    [
        "lease:\n  type: static\nprimary-redirect-url:\n  - a\n",
        "lease: {type: static, primary-redirect-url: x}\n",
        "data:\n  primary-redirect-url: x\nmount-dir: /a\ndata-dir: /b\n",
        "primary-redirect-url: &u x\nlease:\n  type: static\n  hostname: *u\n",
    ],
    ids=["several lines", "in braces", "where others move to", "others refer to it"],
)
def test_where_it_is_not_a_line_of_its_own_a_person_takes_it_out(text: str) -> None:
    with pytest.raises(ByHand):
        migrate(text)


def test_another_fault_of_the_file_does_not_keep_a_line_that_litefs_refuses() -> None:
    done = migrate("proxy:\n  addr: ':80'\n  primary-redirect-url: http://x\n")
    assert done is not None
    assert done.text == "proxy:\n  addr: ':80'\n"
    assert "does not start with it yet: invalid lease type" in done.notes[0]


def test_names_move_into_the_sections_there_are() -> None:
    old = "data:\n  dir: /b\n\nmount-dir: /a\nretention:\n  duration: 5m\nlease:\n  type: static\n"
    assert fixed(old) == "data:\n  dir: /b\n  retention: 5m\n\nfuse:\n  dir: /a\nlease:\n  type: static\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mount-dir: /a\nstatic:\n  primary: true\n", "no data-dir"),
        ("data-dir: /a\nstatic:\n  primary: true\n", "no mount-dir"),
        ("mount-dir: /a\ndata-dir: /b\n", "invalid lease type"),
        ("mount-dir: /a\ndata-dir: /b\nstatic: {primary: true}\n", "no block of lines"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary-url: x\n", "static.primary-url"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary:\n", "no value"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n", "says nothing"),
        ("mount-dir: /a\nmount-dir: /c\ndata-dir: /b\nstatic:\n  primary: true\n", "twice"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary: true\ncandidate: true\n", "two settings"),
        ("mount-dir: /a\ndata-dir: /b\nfuse:\n  dir: /c\nlease:\n  type: static\n", "fuse.dir"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary: true\nconsul:\n  url: x\n", "two settings"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary: true\nlog:\n  level: x\n", "level"),
        ("mount-dir: /a\ndata-dir: /a\nstatic:\n  primary: true\n", "same path"),
        ("mount-dir: >\n  /a\ndata-dir: /b\nstatic:\n  primary: true\n", "several lines"),
        ("a: &x {b: 1}\nmount-dir: /a\ndata-dir: /b\nstatic:\n  <<: *x\n", "static"),
        ("{mount-dir: /a, data-dir: /b, static: {primary: true}}\n", "no plain file"),
        ("mount-dir: /a\ndata-dir: /b\nstatic:\n  primary: true\n---\nx: 1\n", "one document"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_left_to_a_person(text: str, why: str) -> None:
    with pytest.raises(ByHand, match=why):
        migrate(text)


COMMENTS = st.sampled_from(["", "# about it\n", "\n# about it\n# two lines\n", "\n\n"])
REMARK = st.sampled_from(["", "  # why", " # a: b"])


@st.composite
def old_files(draw: st.DrawFn) -> str:
    """A valid file of LiteFS 0.2: its settings in any order, with comments and indentation of any kind."""
    step = " " * draw(st.integers(1, 5))

    def block(name: str, lines: list[str]) -> str:
        chosen = draw(st.permutations(lines))
        rows = "".join(draw(COMMENTS).replace("#", f"{step}#") + f"{step}{row}{draw(REMARK)}\n" for row in chosen)
        return f"{name}:{draw(REMARK)}\n{rows}"

    values = st.sampled_from(["/a/b", '"/x"', "'/it''s'", "${DIR}", "/p # q", "/with space"])
    first, second = draw(values), draw(values.map(lambda v: v.replace("/", "/data/", 1).replace("${DIR}", "${DATA}")))
    lease = draw(
        st.sampled_from([
            ("static", ["primary: true", "hostname: h", "advertise-url: http://h:1"]),
            ("static", ["primary: ${HOSTNAME == 'h'}", "advertise-url: http://h:1"]),
            ("static", ["hostname: h"]),
            ("consul", ['url: "http://c:8500"', "key: a/b", "ttl: 20s"]),
            ("consul", ["advertise-url: http://me:1", "url: ${URL}", "lock-delay: 1s", "hostname: me"]),
        ])
    )  # fmt: skip
    parts = [f"mount-dir: {first}{draw(REMARK)}\n", f"data-dir:   {second}\n", block(*lease)]
    if draw(st.booleans()):
        parts.append(block("retention", ["duration: 1h", "monitor-interval: 30s"]))
    if draw(st.booleans()):
        parts.append(f"debug: true{draw(REMARK)}\n")
    if draw(st.booleans()) and lease[0] == "consul":
        parts.append("candidate: false\n")
    if draw(st.booleans()):
        parts.append(block("http", ['addr: ":20202"']))
    if draw(st.booleans()):
        parts.append("exec: |\n   app -x\n   # no comment\n")
    if draw(st.booleans()):
        parts.append(block("proxy", ["target: localhost:81", 'addr: ":80"', "db: db", "primary-redirect-url: http://x"]))
    text = "".join(draw(COMMENTS) + part for part in draw(st.permutations(parts)))
    return text if draw(st.booleans()) else text.rstrip("\n")


@given(old_files(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_file_of_0_2_becomes_one_that_0_5_accepts_and_stays_so(text: str, windows: bool) -> None:
    before = text.replace("\n", "\r\n").encode() if windows else text.encode()
    fix = fix_file("litefs.yml", before)
    assert fix is not None
    assert not fix.by_hand
    after = fix.after.decode()
    assert ("\r\n" in after) is windows
    assert after.count("\r") == (after.count("\n") if windows else 0)
    again = fix_file("litefs.yml", fix.after)
    assert again is not None
    assert not again.changed
    assert not again.by_hand
    config = read(after.replace("\r\n", "\n"))
    assert not [p for p in config.problems if p.certain]
    assert config.has("fuse.dir")
    assert config.has("data.dir")
    assert config.has("lease.type")
    told = [row.strip() for row in text.split("\n") if row.strip().startswith("#")]
    kept = [row.strip() for row in after.split("\n") if row.strip().startswith("#")]
    for comment in set(told):
        assert kept.count(comment) >= told.count(comment), comment
    assert after.endswith("\n")


def test_a_file_of_0_5_is_left_alone() -> None:
    assert migrate(MIGRATED) is None
    assert migrate("lease:\n  consul:\n    url: x\n") is None


def test_a_configmap_keeps_everything_around_its_litefs_yml() -> None:
    before = f"# head\n{CONFIGMAP}{inside(STATIC)}---\napiVersion: v1\nkind: Service\nmetadata: {{name: a}}\n"
    fix = fix_file("cm.yaml", before.encode())
    assert fix is not None
    assert not fix.by_hand
    assert fix.after.decode() == before.replace(inside(STATIC), inside(MIGRATED))


def test_a_quoted_litefs_yml_in_a_configmap_is_left_to_a_person() -> None:
    quoted = CONFIGMAP.replace("litefs.yml: |\n", 'litefs.yml: "mount-dir: /a\\ndata-dir: /b\\nstatic:\\n  primary: true\\n"\n')
    fix = fix_file("cm.yaml", quoted.encode())
    assert fix is not None
    assert not fix.changed
    assert fix.by_hand[0].startswith("cm.yaml:7: litefs.yml stands there as a quoted")


@pytest.mark.parametrize(
    ("before", "behind", "prefix"),
    [
        ("#!/bin/sh\ncat > /etc/litefs.yml <<EOF\n", "EOF\nexec litefs mount\n", ""),
        ("#!/bin/sh\ncat <<-'END' > /etc/litefs.yml\n", "\tEND\nlitefs mount\n", "\t"),
        ("FROM debian\nCOPY --from=flyio/litefs:0.5 /usr/local/bin/litefs /\nRUN cat > /etc/litefs.yml <<EOF\n", "EOF\n", ""),
    ],
)
def test_a_heredoc_is_changed_where_it_stands(before: str, behind: str, prefix: str) -> None:
    fix = fix_file("start", (before + inside(STATIC, prefix) + behind).encode())
    assert fix is not None
    assert fix.by_hand == ()
    assert fix.after.decode() == before + inside(MIGRATED, prefix) + behind


def test_a_byte_order_mark_stays_and_mixed_endings_are_refused() -> None:
    fix = fix_file("litefs.yml", b"\xef\xbb\xbf" + STATIC.encode())
    assert fix is not None
    assert fix.after == b"\xef\xbb\xbf" + MIGRATED.encode()
    mixed = fix_file("litefs.yml", STATIC.replace("\n", "\r\n", 1).encode())
    assert mixed is not None
    assert not mixed.changed
    assert "line endings" in mixed.by_hand[0]


def test_a_template_is_left_to_a_person() -> None:
    fix = fix_file("litefs.yml", b"mount-dir: {{ .Values.dir }}\ndata-dir: /b\nstatic:\n  primary: true\n")
    assert fix is not None
    assert not fix.changed
    assert "template" in fix.by_hand[0]


def test_the_diff_comes_first_and_only_write_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "litefs.yml"
    file.write_text(STATIC)
    file.chmod(0o640)
    done = run(capsys, "lint", "--fix", ".")
    assert done.code == 1
    assert "-mount-dir: \"/litefs\"   # the mount\n" in done.out
    assert "--write changes it" in done.err
    assert file.read_text() == STATIC
    assert run(capsys, "lint", "--fix", "--write", "litefs.yml").code == 0
    assert file.read_text() == MIGRATED
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    again = run(capsys, "lint", "--fix", "--write", "litefs.yml")
    assert (again.code, again.out) == (0, "")
    assert "nothing to do" in again.err
    assert os.listdir(tmp_path) == ["litefs.yml"]


@pytest.mark.parametrize("how", ["symlink", "hardlink"])
def test_never_through_a_link(how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, link = tmp_path / "real.yml", tmp_path / "litefs.yml"
    real.write_text(STATIC)
    (os.symlink if how == "symlink" else os.link)(real, link)
    done = run(capsys, "lint", "--fix", "--write", str(link))
    assert done.code == 1
    assert "link" in done.err
    assert real.read_text() == STATIC
    assert link.is_symlink() is (how == "symlink")


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "litefs.yml"
    file.write_text("newer")
    with pytest.raises(OSError, match="changed since"):
        overwrite.overwrite(str(file), b"older", b"mine")
    assert file.read_text() == "newer"
    assert os.listdir(tmp_path) == ["litefs.yml"]


def test_standard_input_is_shown_and_cannot_be_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(STATIC.encode())))
    done = run(capsys, "lint", "--fix", "-")
    assert done.code == 1
    assert "+lease:\n" in done.out
    assert run(capsys, "lint", "--fix", "--write", "-").code == 2


@pytest.mark.parametrize("words", [["--write", "x"], ["--fix", "-o", "json", "."]])
def test_flags_that_do_not_go_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "lint", *words).code == 2
