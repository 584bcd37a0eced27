"""Logs as they come: both formats, both streams, restarts, cuts, dirt and size."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.model.logs import LogRun, words_before
from kubectl_litefs.parse.clean import clean, without_passwords
from kubectl_litefs.parse.log_lines import parse_time, unquote
from kubectl_litefs.parse.logs import ENDS, read_log

URL = "http://abaci-app-0.abaci-app-headless:20202"
STATIC = f'level=INFO msg="Using static primary: primary=false hostname=abaci-app-0 advertise-url={URL}"'
READY = 'level=INFO msg="connected to cluster, ready"'
REFUSED = (
    r'level=INFO msg="00000000000000A1: disconnected from primary with error, retrying: connect to primary: '
    rf"Post \"{URL}/stream\": dial tcp 10.0.0.1:20202: connect: connection refused ('{URL}')\""
)[:-2] + '"'


def read(*lines: str | bytes, complete: bool = True) -> LogRun:
    data = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines)
    run = read_log("logs/n/p/app.log", [data], complete=complete)
    assert run is not None
    return run


def at(second: int, line: str) -> str:
    return f"2026-11-23T12:23:{second:02d}.831756437Z {line}"


# --- what a line says


def test_text_json_and_stamped_lines_say_the_same() -> None:
    message = f'existing primary found (a"b), connecting as replica to "{URL}"'
    escaped = message.replace('"', '\\"')
    for line in (
        f'level=INFO msg="{escaped}"',
        f'time=2026-11-23T12:23:37.831Z level=INFO msg="00000000000000A1: {escaped}"',
        json.dumps({"level": "INFO", "msg": message}, separators=(",", ":")),
        json.dumps({"time": "2026-11-23T12:23:37.831756437Z", "level": "INFO", "msg": message}, separators=(",", ":")),
        at(37, f'level=INFO msg="{escaped}"'),
        "\x1b[0m" + f'level=INFO msg="{escaped}"',
        f'level=INFO msg="{escaped}"\r',
    ):
        hits = read(line).hits["existing-primary"]
        assert hits.count == 1
        assert hits.first.field("hostname") == 'a"b'
        assert hits.first.field("url") == URL
        assert hits.first.kind == "litefs"


def test_times_come_from_the_api_or_from_litefs_itself() -> None:
    noon = datetime(2026, 11, 23, 12, 23, 37, 831756, timezone.utc)
    assert read(at(37, READY)).hits["connected"].first.time == noon
    own = read('time=2026-11-23T13:23:37.831756+01:00 level=INFO msg="connected to cluster, ready"')
    assert own.hits["connected"].first.time == noon
    as_json = read('{"time":"2026-11-23T12:23:37.831756437Z","level":"INFO","msg":"connected to cluster, ready"}')
    assert as_json.hits["connected"].last.time == noon
    assert read(READY).hits["connected"].first.time is None


@pytest.mark.parametrize("text", ["", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "0001-01-01T00:00:00+23:59", "2026-01-01 00:00:00Z"])
def test_a_time_that_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_attributes_follow_the_message() -> None:
    text = 'level=WARN msg="restoring from backup" name=db pos.local=0/0 pos.remote=7/1 reason=remote-ahead'
    structured = {"level": "WARN", "msg": "restoring from backup", "name": "db", "pos": {"local": "0/0", "remote": "7/1"}, "reason": "remote-ahead"}
    first = read(text).hits["backup-restore"].first
    second = read(json.dumps(structured, separators=(",", ":"))).hits["backup-restore"].first
    assert first.text == second.text == "restoring from backup name=db pos.local=0/0 pos.remote=7/1 reason=remote-ahead"
    assert first.field("reason") == "remote-ahead"


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"a\"b", 'a"b'), (r"a\\n", r"a\n"), (r"a\nb", "a\nb"), (r"\u00e9", "é"), (r"\xff", "\ufffd"), (r"\x41", "A"), (r"\U0001f600", "😀"), ("\\", "\\"), (r"\q", r"\q")],
)
def test_go_escapes(written: str, meant: str) -> None:
    assert unquote(written) == meant


def test_a_consul_password_does_not_reach_the_facts() -> None:
    run = read('level=INFO msg="initializing consul: key=k url=https://:secret@consul:8501/x hostname=h advertise-url=http://h:20202"')
    hit = run.hits["consul-init"].first
    assert "secret" not in hit.text
    assert hit.field("url") == "http://h:20202"
    assert without_passwords("http://a:b@c") == "http://a:***@c"


# --- the lease


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"primary=true hostname=abaci-app-0 advertise-url={URL}", (True, "abaci-app-0", URL)),
        ("primary=false hostname= advertise-url=", (False, "", "")),
        ("primary=true hostname=my host advertise-url=x advertise-url=http://y", (True, "my host advertise-url=x", "http://y")),
        ("primary=maybe hostname=a advertise-url=b c", (None, "a", "b c")),
    ],
)
def test_static_lease(words: str, expected: tuple[bool | None, str, str]) -> None:
    lease = read(f'level=INFO msg="Using static primary: {words}"').lease
    assert lease is not None
    assert (lease.primary, lease.hostname, lease.advertise_url) == expected
    assert lease.type == "static" and lease.line.number == 1


def test_consul_lease() -> None:
    lease = read('level=INFO msg="Using Consul to determine primary"').lease
    assert lease is not None
    assert (lease.type, lease.primary, lease.hostname, lease.advertise_url) == ("consul", None, "", "")


@pytest.mark.parametrize(
    ("banner", "version"),
    [("LiteFS v0.5.14, commit=abc", "0.5.14"), ("LiteFS 0.5-main, commit=", "0.5-main"), ("LiteFS development build", None), ("LiteFS commit=abc", None)],
)
def test_the_banner_may_stand_late(banner: str, version: str | None) -> None:
    run = read(STATIC, READY, banner)
    assert run.version == version
    assert run.litefs_lines == 3


# --- runs


def test_the_last_of_several_runs_in_one_container() -> None:
    one = ["LiteFS v0.5.13, commit=a", STATIC, REFUSED, REFUSED, "ERROR: cannot exec: sync cmd: cannot run command: exit status 1"]
    two = ["config file read from /etc/litefs.yml", STATIC.replace("abaci-app-0 ", "other "), "LiteFS v0.5.14, commit=b", READY]
    run = read(*one, *two)
    assert run.starts == 2
    assert run.version == "0.5.14"
    assert set(run.hits) == {"connected", "config-read"}
    assert run.hits["config-read"].first.number == 6
    assert run.lease is not None and run.lease.hostname == "other"
    assert [line.number for line in run.head] == [line.number for line in run.tail] == [7, 8, 9]
    assert run.lines == 3


def test_the_config_of_the_first_run_is_not_the_second_ones() -> None:
    run = read("config file read from /etc/litefs.yml", STATIC, READY, STATIC)
    assert run.starts == 2
    assert run.hits == {}


def test_a_start_that_fails_on_its_config_ends_the_run_before() -> None:
    run = read(STATIC, READY, "subprocess exited successfully, litefs shutting down", "litefs shut down complete", "ERROR: yaml: unmarshal errors:", "  line 3: field consul not found in type main.Config")
    assert {"unknown-field", "fatal", "subprocess-exited"} <= set(run.hits)
    assert run.starts == 1


def test_counts_first_last_and_distinct() -> None:
    lines = [at(n, REFUSED.replace("10.0.0.1", f"10.0.0.{n % 20}")) for n in range(40)]
    hits = read(STATIC, *lines).hits["connect-error"]
    assert hits.count == 40
    assert (hits.first.number, hits.last.number) == (2, 41)
    assert hits.last.time is not None and hits.last.time.second == 39
    assert len(hits.distinct) == 16
    assert hits.last.field("error").endswith("connection refused")


def test_a_log_without_its_beginning_is_not_complete() -> None:
    assert read(STATIC, READY).complete
    assert not read(REFUSED, REFUSED).complete
    assert not read(STATIC, READY, complete=False).complete
    assert read("ERROR: config file not found").complete
    assert read("hello").complete
    assert not read('level=INFO msg="writing snapshot \\"db\\" @ 0000000000000002"').complete


# --- whose line is it


def test_an_applications_errors_are_its_own() -> None:
    run = read(STATIC, READY, "ERROR: EOF", "ERROR: open /data/x: no such file or directory", "ERROR: yaml: line 3: bad", "ERROR: no space left on device", 'level=INFO msg="no space left on device"', 'time=2026-11-23T12:23:37Z level=ERROR msg="cannot open store: x"')
    assert set(run.hits) == {"connected"}
    assert run.litefs_lines == 2


def test_an_error_before_the_application_can_run_is_litefs() -> None:
    run = read("LiteFS v0.5.14, commit=a", STATIC, "ERROR: cannot open store: something new")
    assert run.hits["fatal"].first.kind == "plain"


def test_late_errors_of_litefs() -> None:
    run = read(STATIC, READY, "ERROR: cannot run proxy server: proxy database name required")
    assert run.hits["proxy-misconfigured"].count == 1


def test_an_error_that_is_not_the_end_was_no_config_error() -> None:
    chatter = [f"request {n}" for n in range(60)]
    assert read("ERROR: EOF", *chatter).hits == {}
    assert read(*chatter, "ERROR: EOF").hits["config-empty"].count == 1


def test_the_list_below_unmarshal_errors() -> None:
    run = read("ERROR: yaml: unmarshal errors:", "  line 2: field mount-dir not found in type main.Config", "  line 9: cannot unmarshal !!str `x` into bool")
    assert run.hits["unknown-field"].first.field("field") == "mount-dir"
    assert run.hits["cannot-unmarshal"].first.field("type") == "bool"
    assert "unknown-field" not in read("  line 2: field mount-dir not found in type main.Config").hits


def test_whose_panic() -> None:
    head = "panic: runtime error: index out of range [0] with length 0"
    ours = [head, "", "goroutine 1 [running]:", "main.(*MountCommand).execCmds(0xc000, {0x1})", "\t/src/litefs/cmd/litefs/mount_linux.go:590 +0x1"]
    assert {"panic", "exec-panic"} <= set(read(STATIC, READY, *ours).hits)
    assert read(STATIC, READY, *ours).hits["panic"].first.number == 3
    theirs = [head, "", "goroutine 1 [running]:", "main.main()", "\t/src/app/main.go:5 +0x1"]
    assert "panic" not in read(STATIC, READY, *theirs).hits


def test_the_applications_words_that_count() -> None:
    run = read(STATIC, READY, "Error: stepping, attempt to write a readonly database (8)", "Error: Cannot find module '/app/dist/migrate.js'")
    assert run.hits["readonly-database"].first.kind == "other"
    assert run.hits["module-not-found"].first.field("path") == "/app/dist/migrate.js"


def test_the_applications_last_words() -> None:
    run = read(
        "hello", STATIC, READY, 'level=INFO msg="executing command: node [dist/migrate.js]"',
        "node:internal/modules", "", "Error: Cannot find module '/app/dist/migrate.js'", "Node.js v20",
        "ERROR: cannot exec: sync cmd: cannot run command: exit status 1",
    )  # fmt: skip
    assert [w.text for w in words_before(run, "exec-failed", 2)] == ["Error: Cannot find module '/app/dist/migrate.js'", "Node.js v20"]
    assert [w.number for w in words_before(run, "exec-failed", 9)] == [5, 7, 8]
    assert words_before(run, "panic") == ()


# --- cuts and dirt


def test_nothing_there() -> None:
    empty = read_log("x", [])
    assert empty is not None and empty.lines == 0 and empty.hits == {}
    assert read_log("x", [b"unable to retrieve container logs for containerd://999cd91c96d6"]) is None
    assert read_log("x", [b"unable to retrieve container logs for containerd://999\n"]) is None
    both = read_log("x", [b"unable to retrieve container logs for containerd://999\n" + STATIC.encode()])
    assert both is not None and both.lease is not None


def test_a_half_line_proves_nothing() -> None:
    whole = 'level=INFO msg="00000000000000A1: disconnected from primary with error, retrying: cannot stream from primary with a different cluster id: LFSC0123456789ABCDEF <> LFSC01234"'
    run = read_log("x", [whole[:-6].encode()])
    assert run is not None and run.hits == {}
    assert run.litefs_lines == 1
    assert read(whole).hits["different-cluster-id"].first.field("primary") == "LFSC01234"
    half_json = read_log("x", [b'{"level":"INFO","msg":"connected to cluster, ready'])
    assert half_json is not None and half_json.hits == {}


def test_control_characters_never_reach_facts() -> None:
    dirt = "\x00\x07\x1b[31mred\x1b]0;title\x07\u202e\u2028\x9b1m\r"
    run = read(
        f'level=INFO msg="Using static primary: primary=true hostname={dirt}h advertise-url=\\x1b[2Ju\\u202e"',
        dirt.encode() + b"\xff\xfe\xc3(",
        '{"level":"INFO","msg":"LiteFS mounted to: /li\\u001b[31mtefs\\ud800"}',
    )
    assert run.lease is not None and run.lease.hostname.endswith("h")
    texts = [line.text for line in (*run.head, *run.tail)] + [run.lease.hostname, run.lease.advertise_url, run.hits["mounted"].first.field("path")]
    assert all(t.isprintable() for t in texts)
    assert run.hits["mounted"].first.field("path") == "/litefs\ufffd"
    assert "\ufffd" in run.head[1].text


@given(st.text())
def test_clean_text_is_printable_and_stays(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(clean(text)) == clean(text)


def test_long_lines_are_cut() -> None:
    run = read("a" * 300_000, READY, 'level=INFO msg="executing command: ' + "b" * 300_000 + '"', "c" * 300_000 + " database disk image is malformed", READY)
    assert run.hits["connected"].count == 2
    assert run.lines == 5
    assert "malformed" not in run.hits
    assert max(len(line.text) for line in run.head) == 500


def test_head_and_tail_of_a_long_log() -> None:
    run = read(STATIC, *(f"line {n}" for n in range(2, 1001)))
    assert [line.number for line in run.head] == list(range(1, ENDS + 1))
    assert [line.number for line in run.tail] == list(range(1001 - ENDS, 1001))
    assert run.tail[-1].text == "line 1000"


PIECES = st.sampled_from(
    [b"\n", b"\r\n", STATIC.encode(), READY.encode(), REFUSED.encode(), at(1, REFUSED).encode(), b"ERROR: EOF", b"panic: x",
     b"main.(*MountCommand).execCmds(", b"ERROR: yaml: unmarshal errors:", b"  line 3: field x not found in type main.Y",
     b"LiteFS v0.5.14, commit=x", b"database disk image is malformed", b"level=INFO msg=\"", b'{"level":"INFO","msg":"http: ',
     b"subprocess exited ", b"hello", b"\x1b[0m", b"\xff", b"\x00", b"a" * 70_000,
     b"unable to retrieve container logs for containerd://0"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=30), max_size=30), st.lists(st.integers(1, 200_000), max_size=8))
def test_chunk_boundaries_do_not_matter(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    chunks, rest = [], data
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert read_log("x", [*chunks, rest]) == read_log("x", [data])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000), st.booleans())
def test_no_bytes_raise(data: bytes, complete: bool) -> None:
    run = read_log("x", [data], complete=complete)
    assert run is None or all(line.text.isprintable() for line in (*run.head, *run.tail))


# --- size


def big(mib: int) -> Iterator[bytes]:
    """An access log with LiteFS's start in front, retries between, and a word of LiteFS at its end."""
    yield (STATIC + "\n" + READY + "\n").encode()
    access = b"".join(b"2026-11-23T12:23:37.831756437Z GET /items/%d 200\n" % n for n in range(1300))
    block = (access + at(5, REFUSED).encode() + b"\n") * (1024 * 1024 // len(access))
    for _ in range(mib):
        yield block
    yield REFUSED.encode()


def peak(mib: int) -> tuple[int, LogRun]:
    tracemalloc.start()
    try:
        run = read_log("x", big(mib))
        assert run is not None
        return tracemalloc.get_traced_memory()[1], run
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log() -> None:
    small, _ = peak(8)
    large, run = peak(64)
    assert large < 32 * 1024 * 1024
    assert large < small * 1.5 + 1024 * 1024
    assert run.hits["connect-error"].last.number == run.lines


@pytest.mark.parametrize("line", [b"a" * 4096, b'level=INFO msg="', b"ERROR: x\n", b'{"level":"INFO","msg":"http: \\u1\n', b"\n", b"panic: \n"])
def test_hostile_repetition_costs_little_memory(line: bytes) -> None:
    block = line * (256 * 1024 // len(line))
    times = 1 if line in (b"ERROR: x\n", b"panic: \n") else 5  # each of these 30,000 lines may be LiteFS's, which takes its time
    tracemalloc.start()
    try:
        run = read_log("x", (block for _ in range(times)))
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert run is not None
    assert run.lines == times * block.count(b"\n") + (not block.endswith(b"\n"))
