"""Logs alone: whose they are, when it is now, what may be said of them and what may not."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from kubectl_litefs import app
from kubectl_litefs.errors import CouldNotLook, UsageError
from kubectl_litefs.gather import bundle, log_files
from kubectl_litefs.gather.log_names import Named, named
from kubectl_litefs.gather.text_files import chunks
from kubectl_litefs.model.cluster import Cluster
from kubectl_litefs.model.origin import GapReason
from kubectl_litefs.model.report import Report, Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.parse.assemble import assemble
from kubectl_litefs.parse.log_envelope import Speaker
from kubectl_litefs.parse.log_streams import Stream, Streams
from kubectl_litefs.render import text
from kubectl_litefs.rules import ALL

from ..logs_only import write_logs
from ..test_recordings import EXPECTED, recording

T = "2026-11-23T12:23:%02d.831756437Z "
URL = "http://abaci-app-0.abaci-app-headless:20202"
START = f'level=INFO msg="Using static primary: primary=false hostname=abaci-app-0 advertise-url={URL}"'
STRANGER = (
    'level=INFO msg="00000000000000A1: disconnected from primary with error, retrying: cannot stream from primary with a '
    'different cluster id: LFSC00000000000000B2 <> LFSC00000000000000A1"'
)
READY = 'level=INFO msg="connected to cluster, ready"'
QUIET = SimpleNamespace(progress=lambda text: None)


def judge(*paths: str | Path, namespace: str = "") -> Report:
    return app.diagnose_logs([str(p) for p in paths], namespace, QUIET)


def loud(report: Report) -> set[str]:
    return {f.rule for f in report.findings if f.severity is not Severity.INFO}


UID = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("abaci-app-1.log", Named(Speaker("NAMESPACE", "abaci-app-1", "CONTAINER"), False)),
        ("x/abaci-app-1.txt.gz", Named(Speaker("NAMESPACE", "abaci-app-1", "CONTAINER"), False)),
        ("abaci-app-1.log.2.gz", Named(Speaker("NAMESPACE", "abaci-app-1", "CONTAINER"), False)),
        ("abaci-app-1.previous.log", Named(Speaker("NAMESPACE", "abaci-app-1", "CONTAINER"), True)),
        ("abaci-app-1-previous.log", Named(Speaker("NAMESPACE", "abaci-app-1", "CONTAINER"), True)),
        ("logs/abaci/abaci-app-1/app.previous.log", Named(Speaker("abaci", "abaci-app-1", "app"), True)),
        ("dump/abaci/abaci-app-1/logs.txt", Named(Speaker("abaci", "abaci-app-1", "CONTAINER"), False)),
        (f"/var/log/pods/abaci_abaci-app-1_{UID}/app/3.log", Named(Speaker("abaci", "abaci-app-1", "app"), False, 3)),
        (f"abaci_abaci-app-1_{UID}/app/3.log.20261123-101112.gz", Named(Speaker("abaci", "abaci-app-1", "app"), False, 3)),
        (f"/var/log/containers/abaci-app-1_abaci_app-{'0' * 64}.log", Named(Speaker("abaci", "abaci-app-1", "app"), False)),
        ("", Named(Speaker("NAMESPACE", "POD", "CONTAINER"), False)),
        ("My Log.LOG", Named(Speaker("NAMESPACE", "POD", "CONTAINER"), False)),
    ],
)
def test_whose_log_a_path_names(path: str, expected: Named) -> None:
    assert named(path, "") == expected


def test_n_says_the_namespace_where_the_path_does_not() -> None:
    assert named("abaci-app-1.log", "abaci").speaker.namespace == "abaci"
    assert named("logs/other/abaci-app-1/app.log", "abaci").speaker.namespace == "other"


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recordings_logs_alone_raise_no_false_alarm(name: str, tmp_path: Path) -> None:
    """All pods or one: nothing is found but what the whole cluster shows to be so, under one of the rules that speak of it."""
    whole = bundle.load(recording(name))
    true = {f.rule for f in app.judge(whole).findings}
    akin = {"LFS301": {"LFS303"}, "LFS206": {"LFS204"}}
    # Without times it cannot be told that a start is only seconds old, or that an old refusal came to nothing.
    untimed = {"LFS101": {"LFS309", "LFS109"}, "LFS601": {"LFS309"}, "LFS102": {"LFS109"}}
    true |= {other for rule in true for other in akin.get(rule, ())}
    pods = sorted({path.split("/")[2] for path in whole.items if path.startswith("logs/")})
    ways = [(pods, True), (pods, False), *(([pod], True) for pod in pods), (pods[-1:], False)]
    for number, (chosen, stamped) in enumerate(ways):
        try:
            report = judge(*write_logs(whole, tmp_path / str(number), chosen, stamped=stamped))
        except (CouldNotLook, UsageError):
            continue  # the kubelet had no log
        tolerated = set() if stamped else {other for rule in true for other in untimed.get(rule, ())}
        assert loud(report) <= true | tolerated, (chosen, stamped, [f.message for f in report.findings])
        assert not [c for c in report.checks if c.status is Status.CRASHED]
        sure = {c.rule for c in report.checks if c.status is Status.PASSED and not c.gaps}
        assert sure <= {r.id for r in ALL if {*r.reads} <= {"log", "previous"}}, "what needs more than logs has gaps"


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("cluster-id-mismatch", {"LFS101", "LFS309"}), ("primary-volume-recreated", {"LFS102"}), ("wrong-port", {"LFS309"}),
        ("all-candidates", {"LFS205"}), ("primary-redirect-url", {"LFS501"}), ("unprivileged", {"LFS601"}),
        ("bad-migrate-path", {"LFS701"}), ("no-headless-service", {"LFS303"}), ("no-primary", {"LFS206"}), ("consul-missing", {"LFS209"}),
    ],
)  # fmt: skip
def test_what_logs_alone_show_is_found(name: str, rules: set[str], tmp_path: Path) -> None:
    whole = bundle.load(recording(name))
    report = judge(*write_logs(whole, tmp_path))
    assert rules <= loud(report)
    assert report.source == "logs"
    assert {g.why for g in report.gaps if not g.what.startswith("files/")} == {GapReason.OFFLINE}


def test_now_is_the_newest_time(tmp_path: Path) -> None:
    (tmp_path / "abaci-app-1.log").write_text(f"{T % 10}{START}\n{T % 59}GET /\n")
    (tmp_path / "abaci-app-2.log").write_text(f"{T % 20}{START}\n")
    snapshot = log_files.gather([str(p) for p in sorted(tmp_path.iterdir())], "", QUIET)
    assert snapshot.taken_at == datetime(2026, 11, 23, 12, 23, 59, 831756, timezone.utc)


def test_an_error_that_is_over_is_no_error_now(tmp_path: Path) -> None:
    file = tmp_path / "abaci-app-1.log"
    refused = f'level=INFO msg="disconnected from primary with error, retrying: connect to primary: refused (\'{URL}\')"'
    old = [f"{T % n}{refused}" for n in range(20)]
    file.write_text("\n".join([f"{T % 0}{START}", *old, f"{T % 20}GET /"]))
    begun = judge(file)
    assert "LFS309" not in {c.rule for c in begun.checks if c.status is Status.PASSED and not c.gaps}
    file.write_text("\n".join([f"{T % 0}{START}", *old, "2026-11-23T14:00:00Z GET /"]))
    assert "LFS309" not in loud(judge(file))


def test_without_times_a_rule_that_needs_them_says_so(tmp_path: Path) -> None:
    whole = bundle.load(recording("wrong-port"))
    report = judge(*write_logs(whole, tmp_path, stamped=False))
    assert report.taken_at is None
    found = next(f for f in report.findings if f.rule == "LFS309")
    assert found.message.endswith("No line of the log has a time, so whether this still goes on cannot be told.")
    gaps = {c.rule: [g.what for g in c.gaps] for c in report.checks}
    assert "now" in gaps["LFS309"]
    assert all("now" not in gaps[rule] for rule in ("LFS106", "LFS501"))
    asked = [c for c in report.checks if "now" in gaps[c.rule]]
    assert all(c.status is not Status.PASSED for c in asked), "not known is not passed"
    assert report.gaps[0].what == "now"


def test_files_of_one_container_are_one_log_in_the_order_of_their_times(tmp_path: Path) -> None:
    new, old = tmp_path / "abaci-app-1.log", tmp_path / "abaci-app-1.log.1.gz"
    new.write_text(f"{T % 30}{STRANGER}\n")
    old.write_bytes(gzip.compress(f"{T % 1}{START}\n{T % 2}GET /\n{T % 3}{STRANGER}\n".encode()))
    snapshot = log_files.gather([str(new), str(old)], "", QUIET)
    run = snapshot.items["logs/NAMESPACE/abaci-app-1/CONTAINER.log"].derived[True, ()]
    hits = run.hits["different-cluster-id"]
    assert (hits.first.source, hits.first.number) == (f"files/{old}", 3)
    assert (hits.last.source, hits.last.number) == (f"files/{new}", 1)
    assert run.lease is not None


def test_of_the_kubelets_files_the_newest_run_counts(tmp_path: Path) -> None:
    folder = tmp_path / f"abaci_abaci-app-1_{UID}" / "app"
    folder.mkdir(parents=True)
    for n in range(3):
        (folder / f"{n}.log").write_text(f"{T % n}stdout F LiteFS v0.5.{n}, commit=1\n{T % n}stderr F {START}\n")
    snapshot = log_files.gather([str(p) for p in sorted(folder.iterdir())], "", QUIET)
    versions = {path: item.derived[True, ()].version for path, item in snapshot.items.items() if path.startswith("logs/")}
    assert versions == {"logs/abaci/abaci-app-1/app.log": "0.5.2", "logs/abaci/abaci-app-1/app.previous.log": "0.5.1"}


def test_secrets_in_lines_that_are_kept_are_taken_out(tmp_path: Path) -> None:
    file = tmp_path / "abaci-app-1.log"
    file.write_text(f"{START}\nlevel=INFO msg=\"executing command: app [--token=abcdef123456]\"\npassword=hunter22\n")
    snapshot = log_files.gather([str(file)], "", QUIET)
    run = snapshot.items["logs/NAMESPACE/abaci-app-1/CONTAINER.log"].derived[True, ()]
    assert "abcdef123456" not in repr(run)
    assert "hunter22" not in repr(run)
    assert "executing command: app" in repr(run)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    written = START + "\r\n"
    data = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + written.encode(encoding)
    assert b"".join(chunks(io.BytesIO(data))).decode() == written


class Trickle(io.RawIOBase):
    """A pipe that gives one byte at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def read1(self, size: int) -> bytes:
        return bytes([b]) if (b := next(self._data, None)) is not None else b""


def test_a_slow_pipe_with_several_gzip_members_is_read_whole() -> None:
    data = gzip.compress(b"one\n") + gzip.compress(b"two\n") + b"\0\0"
    assert b"".join(chunks(Trickle(data))) == b"one\ntwo\n"  # type: ignore[arg-type]


def test_a_damaged_file_is_read_up_to_there_and_said_to_be_damaged(tmp_path: Path) -> None:
    file = tmp_path / "abaci-app-1.log.gz"
    noise = "\n".join(f"{n * 7919 % 10007:x}{n * 104729 % 99991:x}" for n in range(20_000))
    file.write_bytes(gzip.compress(f"{START}\n{noise}".encode())[:-5000])
    report = judge(file)
    assert [g.what for g in report.gaps if g.why is GapReason.TRUNCATED] == [f"files/{file}"]
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(CouldNotLook, match="is damaged after 0 bytes"):
        judge(file)


def test_a_damaged_file_beside_a_whole_one_is_no_pass(tmp_path: Path) -> None:
    good, bad = tmp_path / "abaci-app-0.log", tmp_path / "web-0.log.gz"
    good.write_text(f"{T % 1}{START}\n{T % 2}{READY}\n")
    noise = "\n".join(f"{n * 7919 % 10007:x}{n * 104729 % 99991:x}" for n in range(20_000))
    bad.write_bytes(gzip.compress(noise.encode())[:-5000])
    assert judge(good).exit_code() == 0
    assert judge(good, bad).exit_code() == 3


def test_a_file_in_which_litefs_says_nothing_is_named_and_changes_nothing(tmp_path: Path) -> None:
    words = {"abaci-app-0.log": f"{T % 1}{START}\n{T % 2}{READY}\n".encode(), "web-0.log": b"GET /\nGET /\n", "core.1": b"\x7fELF\0\0\xff" * 5000, "empty-0.log": b""}
    for name, data in words.items():
        (tmp_path / name).write_bytes(data)
    good = judge(tmp_path / "abaci-app-0.log")
    report = judge(*(tmp_path / name for name in words))
    assert (report.exit_code(), report.findings) == (good.exit_code(), good.findings)
    told = text.render(report, width=400, color=False, verbose=False, show_all=False)
    assert f"{tmp_path}/web-0.log: none of its lines is LiteFS's (2)" in told
    assert f"{tmp_path}/core.1: it is no text" in told
    assert f"{tmp_path}/empty-0.log: it is empty" in told
    assert "Not seen" not in text.render(good, width=80, color=False, verbose=False, show_all=False)


def test_rotated_files_of_a_container_that_speaks_are_not_named(tmp_path: Path) -> None:
    (tmp_path / "abaci-app-0.log.1").write_text(f"{T % 1}{START}\n{T % 2}{READY}\n")
    (tmp_path / "abaci-app-0.log").write_text(f"{T % 3}GET /\n")
    assert not [g for g in judge(*sorted(tmp_path.iterdir())).gaps if g.what.startswith("files/")]


def test_many_silent_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "abaci-app-0.log").write_text(f"{T % 1}{START}\n")
    for n in range(20):
        (tmp_path / f"web-{n:02}.log").write_text("GET /\n")
    report = judge(*sorted(tmp_path.iterdir()))
    rows = text.render(report, width=400, color=False, verbose=False, show_all=False).splitlines()
    assert sum("web-" in row for row in rows) == 8
    assert "  and 12 more files (-v says which)" in rows
    assert text.render(report, width=400, color=False, verbose=True, show_all=False).count("web-") >= 20


@pytest.mark.parametrize(
    "around",
    [
        (b"\0" * 5000 + b"\n", b""),
        (bytes(range(256)) * 40 + b"\n", bytes(range(255, -1, -1)) * 40),
        (b"bad \xff\xfe\xfa \xc3\n", b"\xed\xa0\x80\n"),
        (b"x" * (3 << 20) + b"\n", b"y" * (2 << 20)),
        (STRANGER[60:].encode() + b"\n", STRANGER[:90].encode()),
        (b"\r\r\n\r\n", b"\r"),
    ],
    ids=["NULs", "every byte", "no UTF-8", "long lines", "half lines", "carriage returns"],
)  # fmt: skip
def test_what_stands_around_them_hides_no_line_and_adds_none(tmp_path: Path, around: tuple[bytes, bytes]) -> None:
    file = tmp_path / "abaci-app-1.log"
    lines = f"{START}\n{STRANGER}\n".encode()
    file.write_bytes(around[0] + lines + around[1])
    run = next(p for c in app_facts(file) for p in c.pods).log
    assert run is not None
    count = {name: hits.count for name, hits in run.hits.items()}
    file.write_bytes(lines)
    plain = next(p for c in app_facts(file) for p in c.pods).log
    assert plain is not None
    assert count == {name: hits.count for name, hits in plain.hits.items()}
    assert run.lease is not None
    assert run.lease.line.number == around[0].count(b"\n") + 1


def app_facts(file: Path) -> tuple[Cluster, ...]:
    return assemble(log_files.gather([str(file)], "", QUIET)).clusters


def test_no_line_of_litefs_is_no_pass(tmp_path: Path) -> None:
    file = tmp_path / "web-0.log"
    file.write_bytes(b"GET /\n\0\xff\n")
    with pytest.raises(CouldNotLook, match="1 log file with 2 lines, none of them LiteFS's"):
        judge(file)


def test_files_that_cannot_be_opened_or_are_named_twice_are_wrong_words(tmp_path: Path) -> None:
    file = tmp_path / "a-0.log"
    with pytest.raises(UsageError, match="No such file"):
        judge(file)
    with pytest.raises(UsageError, match="Is a directory"):
        judge(tmp_path)
    with pytest.raises(UsageError, match="twice"):
        judge(file, file)


def mixed(mib: int) -> Iterator[bytes]:
    """Two pods' lines in turn, kubectl's names in front."""
    yield f"[pod/a-0/app] {START}\n[pod/a-1/app] {START}\n".encode()
    block = b"".join(b"[pod/a-%d/app] 2026-11-23T12:23:37Z GET /items/%d 200\n" % (n % 2, n) for n in range(19_000))
    for _ in range(mib):
        yield block
    yield f"[pod/a-1/app] {STRANGER}\n".encode()


def peak(mib: int) -> int:
    tracemalloc.start()
    try:
        streams = Streams()
        streams.read("files/x", mixed(mib), Stream(Speaker("n", "file", "c")))
        runs = streams.results()
        assert len(runs) == 2
        assert sum(run.lines for run in runs.values()) == 2 + mib * 19_000 + 1
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_a_mixed_stream() -> None:
    few, many = peak(1), peak(3)
    assert many < 32 * 1024 * 1024
    assert many < few * 1.5


def test_the_report_names_the_file_and_the_line_as_given(tmp_path: Path) -> None:
    file = tmp_path / "all.log"
    file.write_text("\n".join([f"[pod/a-0/app] {T % 1}hello", f"[pod/a-1/app] {T % 1}{START}", *(f"[pod/a-1/app] {T % n}{STRANGER}" for n in range(2, 30))]))
    found = next(f for f in judge(file, namespace="abaci").findings if f.rule == "LFS101")
    assert found.subject.name == "a-1"
    assert found.subject.namespace == "abaci"
    assert (found.evidence[0].source, found.evidence[0].line) == (f"files/{file}", 30)
    assert any("namespaces/abaci/pods/a-1" in command for command in found.commands)


def test_a_log_that_the_kubelet_did_not_have_is_named(tmp_path: Path) -> None:
    (tmp_path / "abaci-app-0.log").write_text(f"{T % 1}{START}\n")
    (tmp_path / "abaci-app-1.log").write_text("unable to retrieve container logs for containerd://999cd91c96d6")
    report = judge(*sorted(tmp_path.iterdir()))
    (gap,) = [g for g in report.gaps if g.what.startswith("files/")]
    assert gap.what.endswith("abaci-app-1.log") and gap.detail == "the kubelet's word that it has no log"
