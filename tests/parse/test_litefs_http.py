"""LiteFS's answers, and what else may answer on its port."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_litefs.model.litefs import Database, Info, Metrics
from kubectl_litefs.model.origin import Gap, GapReason
from kubectl_litefs.parse.litefs_http import read_info, read_metrics, read_vars

from ..work import growth

SOURCE = "litefs/abaci/abaci-app-0/info.json"
NEW = {
    "clusterID": "LFSC9FB44D6713806392", "isPrimary": True, "candidate": True, "path": "/var/lib/litefs",
    "primary": {"hostname": "abaci-app-0"},
}  # fmt: skip
OLD = {"id": 14319, "clusterID": "LFSC9FB44D6713806392", "primary": False, "candidate": False, "path": "/data"}


def info(document: object, indent: int | None = 2) -> Info:
    found = read_info(SOURCE, json.dumps(document, indent=indent).encode())
    assert isinstance(found, Info), found
    return found


def variables(dbs: object, indent: int | None = 1, **more: object) -> tuple[Database, ...]:
    document = {**more, "store": {"isPrimary": True, "candidate": True, "dbs": dbs}}
    found = read_vars(SOURCE, json.dumps(document, indent=indent).encode())
    assert not isinstance(found, Gap), found
    return found


def metrics(text: str) -> Metrics:
    found = read_metrics(SOURCE, text.encode())
    assert isinstance(found, Metrics), found
    return found


# --- /info


def test_info_of_0_5_7_and_later() -> None:
    found = info(NEW)
    assert (found.cluster_id, found.is_primary, found.candidate) == ("LFSC9FB44D6713806392", True, True)
    assert (found.path, found.primary_hostname) == ("/var/lib/litefs", "abaci-app-0")
    assert {k: e.line for k, e in found.lines.items()} == {"clusterID": 2, "isPrimary": 3, "candidate": 4, "path": 5, "primary.hostname": 7}
    assert found.seen("clusterID").excerpt == '"clusterID": "LFSC9FB44D6713806392"'


def test_info_up_to_0_5_6() -> None:
    found = info(OLD)
    assert (found.is_primary, found.primary_hostname, found.candidate) == (False, None, False)
    assert found.seen("isPrimary").line == 4
    assert found.seen("isPrimary").excerpt == '"primary": false'
    assert found.seen("primary.hostname").excerpt == "primary.hostname is absent"


def test_a_node_that_never_joined() -> None:
    found = info({"isPrimary": False, "candidate": False, "path": "/d", "primary": {"hostname": ""}})
    assert found.cluster_id is None
    assert found.primary_hostname == ""
    assert found.seen("clusterID").excerpt == "clusterID is absent"


def test_one_line_of_json_has_short_excerpts() -> None:
    found = info(NEW, indent=None)
    assert {e.line for e in found.lines.values()} == {1}
    assert found.seen("primary.hostname").excerpt == '"hostname": "abaci-app-0"'


def test_strings_are_cleaned_and_bounded() -> None:
    found = info(NEW | {"clusterID": "L\x00\x1b[31mF" + "S" * 99, "primary": {"hostname": "h\u202e\n" + "a" * 999}, "path": "\ud800"})
    assert found.cluster_id is not None and len(found.cluster_id) == 64 and found.cluster_id.startswith("LFS")
    assert found.primary_hostname is not None and len(found.primary_hostname) == 253
    texts = [found.cluster_id, found.primary_hostname, found.path or "", *(e.excerpt for e in found.lines.values())]
    assert all(t.isprintable() for t in texts)


FOREIGN = "answers, but not as LiteFS does"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "the answer is not JSON"),
        (b"404 page not found\n", "the answer is not JSON"),
        (b"  <!DOCTYPE html><html></html>", "the answer is HTML, not JSON"),
        (b"\xff\xfe{}", "the answer is not UTF-8 text"),
        (b"[1, 2]", FOREIGN),
        (b"null", FOREIGN),
        (b"{}", FOREIGN),
        (b'{"status": "ok"}', FOREIGN),
        (b'{"isPrimary": true}', FOREIGN),
        (b'{"isPrimary": "true", "candidate": true}', FOREIGN),
        (b'{"isPrimary": true, "candidate": "yes"}', FOREIGN),
        (b'{"isPrimary": true, "candidate": true, "clusterID": 5}', FOREIGN),
        (b'{"isPrimary": true, "candidate": true, "primary": "abaci-app-0"}', FOREIGN),
        (b'{"isPrimary": true, "candidate": true, "primary": {"hostname": []}}', FOREIGN),
        (b'{"primary": {"hostname": "x"}, "candidate": true}', FOREIGN),
        (b'{"isPrimary": true, "isPrimary": false, "candidate": true}', "a key stands twice in its JSON"),
        (b'{"isPrimary": NaN, "candidate": true}', "NaN is no JSON number"),
        (b'{"isPrimary": true, "candidate": true, "id": ' + b"9" * 100_000 + b"}", "a number in its JSON is too long"),
        (b'{"isPrimary": ' + b"[" * 200_000, "its JSON is nested too deeply"),
        (b'{"isPrimary": true' + b" " * 10_000_000 + b"}", "the answer is larger than 1024 KiB"),
    ],
    ids=lambda value: value[:40].decode("utf8", "replace") if isinstance(value, bytes) else "",
)
def test_info_that_is_none(data: bytes, detail: str) -> None:
    found = read_info(SOURCE, data)
    assert found == Gap(SOURCE, GapReason.UNPARSED, detail)


# --- /debug/vars


def test_databases() -> None:
    dbs = {
        "z.db": {"name": "z.db", "txid": "00000000000000ff", "checksum": "aa50e9c731d14fcb", "locks": {"pending": "unlocked"}},
        "a": {"name": "a", "txid": "0000000000000000", "checksum": "0000000000000000"},
    }
    empty, full = variables(dbs, cmdline=["litefs"], memstats={"GCCPUFraction": 1e-05, "Alloc": 12345678})
    assert (full.name, full.txid, full.checksum) == ("z.db", 255, "aa50e9c731d14fcb")
    assert full.position == "00000000000000ff/aa50e9c731d14fcb"
    assert empty.txid == 0
    text = json.dumps({"cmdline": ["litefs"], "memstats": {"GCCPUFraction": 1e-05, "Alloc": 12345678}, "store": {"isPrimary": True, "candidate": True, "dbs": dbs}}, indent=1)
    assert full.evidence.line is not None
    assert "00000000000000ff" in text.splitlines()[full.evidence.line - 1]
    assert full.evidence.excerpt == 'z.db: "txid": "00000000000000ff", "checksum": "aa50e9c731d14fcb"'


def test_no_database_is_not_unknown() -> None:
    assert variables({}) == ()


def test_databases_on_one_line() -> None:
    (found,) = variables({"db": {"name": "db", "txid": "7", "checksum": "1"}}, indent=None)
    assert (found.txid, found.evidence.line) == (7, 1)
    assert found.evidence.excerpt == 'db: "txid": "7", "checksum": "1"'


def test_odd_names_of_databases() -> None:
    (found,) = variables({'"}{\x1b[1m' + "n" * 999: {"txid": "7", "checksum": "1"}})
    assert found.name.isprintable() and len(found.name) == 255
    assert found.evidence.excerpt.isprintable()


def entry(**change: object) -> bytes:
    return json.dumps({"store": {"dbs": {"db": {"name": "db", "txid": "1", "checksum": "2", **change}}}}).encode()


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"{}", FOREIGN),
        (b'{"store": null}', FOREIGN),
        (b'{"store": {"dbs": []}}', FOREIGN),
        (b'{"store": {"dbs": {"db": 1}}}', FOREIGN),
        (b'{"store": {"dbs": {"db": {}}}}', "a database's txid is no hexadecimal number"),
        (entry(txid=5), "a database's txid is no hexadecimal number"),
        (entry(txid="-1"), "a database's txid is no hexadecimal number"),
        (entry(txid="0x1"), "a database's txid is no hexadecimal number"),
        (entry(txid="1" * 17), "a database's txid is no hexadecimal number"),
        (entry(checksum=None), "a database's checksum is no hexadecimal number"),
        (b"[]", FOREIGN),
        (b"<html>", "the answer is HTML, not JSON"),
        (b'{"store": ' + b"[" * 200_000, "its JSON is nested too deeply"),
        (b'{"x": "' + b"a" * 10_000_000 + b'"}', "the answer is larger than 8192 KiB"),
    ],
    ids=lambda value: value[:40].decode("utf8", "replace") if isinstance(value, bytes) else "",
)
def test_databases_that_are_none(data: bytes, detail: str) -> None:
    assert read_vars(SOURCE, data) == Gap(SOURCE, GapReason.UNPARSED, detail)


def test_many_databases_take_work_in_proportion() -> None:
    def read(many: int) -> None:
        dbs = {f"tenant-{n}.db": {"name": "x", "txid": f"{n:016x}", "checksum": "0" * 16, "locks": {"pending": "unlocked"}} for n in range(many)}
        found = variables(dbs)
        assert len(found) == many
        assert found[0].evidence.line == 8

    assert growth(read, 1000) < 2.5


# --- /metrics

TEXT = """\
# HELP go_goroutines Number of goroutines
# TYPE go_goroutines gauge
go_goroutines 17
# TYPE litefs_subscriber_count gauge
litefs_subscriber_count 2
litefs_db_txid{db="my \\"odd\\" } db"} 7
litefs_lag_seconds 1.5e-02 1700000000000
litefs_http_frame_send_count{db="db",type="ltx:snapshot"} 0
"""


def test_metrics() -> None:
    found = metrics(TEXT)
    assert found.values == {
        "litefs_subscriber_count": 2.0,
        'litefs_db_txid{db="my \\"odd\\" } db"}': 7.0,
        "litefs_lag_seconds": 0.015,
        'litefs_http_frame_send_count{db="db",type="ltx:snapshot"}': 0.0,
    }
    assert found.subscribers == 2
    assert found.lines["litefs_subscriber_count"].line == 5
    assert found.lines["litefs_subscriber_count"].excerpt == "litefs_subscriber_count 2"


def test_metrics_with_windows_line_ends() -> None:
    assert metrics("litefs_is_primary 1\r\n").values == {"litefs_is_primary": 1.0}


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", FOREIGN),
        (b"<html>litefs_x 1</html>", FOREIGN),
        (b"go_goroutines 1\n", FOREIGN),
        (b"litefs_is_primary\n", "line 1 is no metric of LiteFS"),
        (b"# x\nlitefs_is_primary NaN\n", "line 2 is no metric of LiteFS"),
        (b"litefs_is_primary +Inf\n", "line 1 is no metric of LiteFS"),
        (b"litefs_is_primary one\n", "line 1 is no metric of LiteFS"),
        (b'litefs_db_txid{db="x} 1\n', "line 1 is no metric of LiteFS"),
        (b"litefs_" + b"{" * 100_000, "line 1 is no metric of LiteFS"),
        (b'litefs_x{a="' + b"\\" * 100_001 + b'"} 1', "line 1 is no metric of LiteFS"),
        (b"litefs_x 1\n" * 1_000_000, "the answer is larger than 8192 KiB"),
    ],
    ids=range(11),
)
def test_metrics_that_are_none(data: bytes, detail: str) -> None:
    assert read_metrics(SOURCE, data) == Gap(SOURCE, GapReason.UNPARSED, detail)


# --- anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["store", "dbs", "db", "txid", "checksum", "primary", "hostname", "isPrimary", "candidate", "path", "clusterID"]) | st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_raises(data: bytes) -> None:
    found = read_info(SOURCE, data)
    assert isinstance(found, Info | Gap)
    assert isinstance(read_vars(SOURCE, data), tuple | Gap)
    assert isinstance(read_metrics(SOURCE, data), Metrics | Gap)
    if isinstance(found, Info):
        assert all(e.excerpt.isprintable() for e in found.lines.values())


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.integers(0, 2**64 - 1), max_size=5), st.sampled_from([None, 1]))
def test_every_database_comes_back(positions: dict[str, int], indent: int | None) -> None:
    found = variables({n: {"name": n, "txid": f"{t:016x}", "checksum": f"{t:016x}"} for n, t in positions.items()}, indent)
    assert sorted(d.txid for d in found) == sorted(positions.values())


def test_a_large_hostile_answer_costs_bounded_memory() -> None:
    data = b'{"store": {"dbs": {' + b",".join(b'"%d": [0,0,0,0,0,0,0]' % n for n in range(50_000)) + b"}}}"
    tracemalloc.start()
    try:
        found = read_vars(SOURCE, data)
        assert tracemalloc.get_traced_memory()[1] < 50 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert isinstance(found, Gap)
