"""The table of messages against lines in the form LiteFS really prints them."""

from __future__ import annotations

import pytest

from kubectl_litefs.model.signatures import BY_NAME, COMMANDS, SIGNATURES, Signature
from kubectl_litefs.parse.log_lines import HEADS
from kubectl_litefs.parse.log_match import search

from ..work import steps

URL = "http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202"
N = "C6A93DA931998640: "
RETRY = N + "disconnected from primary with error, retrying: "

SAMPLES: list[tuple[str, str, dict[str, str]]] = [
    ("existing-primary", f'{N}existing primary found (abaci-app-0), connecting as replica to "{URL}"', {"hostname": "abaci-app-0", "url": URL}),
    ("existing-primary", f'existing primary found (a) (b), connecting as replica to "{URL}"', {"hostname": "a) (b"}),
    ("lease-acquired", f"{N}primary lease acquired, advertising as {URL}", {"url": URL}),
    ("existing-id", 'using existing cluster id: "LFSCCD75CE580FB66728"', {"id": "LFSCCD75CE580FB66728"}),
    ("set-id", 'set cluster id on "static" lease "LFSC3960F20A48329E9E"', {"lease": "static", "id": "LFSC3960F20A48329E9E"}),
    ("consul-init", f"initializing consul: key=abaci/primary url=http://consul:8500 hostname=abaci-app-0 advertise-url={URL}", {"key": "abaci/primary", "hostname": "abaci-app-0", "url": URL}),
    ("mounted", "LiteFS mounted to: /litefs", {"path": "/litefs"}),
    ("connected", "connected to cluster, ready", {}),
    ("waiting-to-connect", "waiting to connect to cluster", {}),
    ("config-read", "config file read from /etc/litefs.yml", {"path": "/etc/litefs.yml"}),
    ("executing", "executing command: node [dist/migrate.js]", {"command": "node [dist/migrate.js]"}),
    ("background", "starting background subprocess: sleep [infinity]", {"command": "sleep [infinity]"}),
    ("skipped-command", "node is not a candidate, skipping command execution: node [x.js]", {"command": "node [x.js]"}),
    ("sync-skipped", "skipping cluster sync, starting immediately", {}),
    ("proxy-listening", "proxy server listening on: http://localhost:8080", {"url": "http://localhost:8080"}),
    ("waiting", "waiting for signal or subprocess to exit", {}),
    ("signal-sent", "sending signal to exec process", {}),
    ("signal-received", "signal received, litefs shutting down", {}),
    ("shutdown-complete", "litefs shut down complete", {}),
    ("snapshot-received", 'snapshot received for "db", removing other ltx files: 0000000000000001-0000000000000002.ltx', {"db": "db"}),
    ("stream-connected", f"{N}stream connected (10.244.0.9:40002)", {"peer": "10.244.0.9:40002"}),
    ("stream-disconnected", f"{N}stream disconnected (10.244.0.9:40002)", {"peer": "10.244.0.9:40002"}),
    ("disconnected-clean", f"{N}disconnected from primary, retrying", {}),
    ("different-cluster-id", RETRY + "cannot stream from primary with a different cluster id: LFSC0123456789ABCDEF <> LFSCCD75CE580FB66728", {"replica": "LFSC0123456789ABCDEF", "primary": "LFSCCD75CE580FB66728"}),
    ("different-cluster-id", RETRY + "cannot stream from primary with a different cluster id: LFSC0123456789ABCDEF <> ", {"replica": "LFSC0123456789ABCDEF", "primary": ""}),
    ("position-mismatch", RETRY + 'process ltx stream frame: position mismatch on db "my db": 0000000000000007/aa50e9c731d14fcb <> 0000000000000005/b078ce8f0f0f0f0f', {"db": "my db", "ours": "0000000000000007/aa50e9c731d14fcb", "theirs": "0000000000000005/b078ce8f0f0f0f0f"}),
    ("lease-id-conflict", 'cannot connect, "consul" lease already initialized with different ID: LFSC0123456789ABCDEF', {"lease": "consul", "id": "LFSC0123456789ABCDEF"}),
    ("no-id-for-primary", 'cannot become primary, local node has no cluster ID and "consul" lease already initialized with cluster ID LFSC0123456789ABCDEF', {"lease": "consul", "id": "LFSC0123456789ABCDEF"}),
    ("no-id-for-primary", 'cannot become primary, local node has no cluster ID and "consul" lease already initialized', {"id": ""}),
    ("invalid-cluster-id", "ERROR: cannot open store: load cluster id: invalid cluster id", {}),
    ("drop-db-frame", "deprecated drop db frame received, skipping", {}),
    ("client-ahead", "client transaction id (000000000000000a) exceeds primary transaction id (0000000000000007), clearing client position", {"client": "000000000000000a", "primary": "0000000000000007"}),
    ("client-checksum", "client transaction id (0000000000000007) caught up but checksum is mismatched (aa50e9c731d14fcb <> b078ce8f0f0f0f0f), clearing client position", {"client": "aa50e9c731d14fcb", "primary": "b078ce8f0f0f0f0f"}),
    ("client-preapply", "client preapply checksum mismatch for txid 0000000000000007, writing snapshot", {"txid": "0000000000000007"}),
    ("clearing-data", 'invalid database header on "db", clearing data files', {"db": "db"}),
    ("connect-error", RETRY + f"connect to primary: invalid response: code=400 ('{URL}')", {"error": "invalid response: code=400", "url": URL}),
    ("connect-error", RETRY + f"connect to primary: Post \"{URL}/stream\": dial tcp: lookup x on 10.96.0.10:53: no such host ('{URL}')", {"error": f'Post "{URL}/stream": dial tcp: lookup x on 10.96.0.10:53: no such host'}),
    ("connect-error", "disconnected from primary with error, retrying: connect to primary: invalid URL scheme ('')", {"error": "invalid URL scheme", "url": ""}),
    ("stream-broken", RETRY + "process ltx stream frame: write ltx file: unexpected EOF", {}),
    ("bad-frame", RETRY + "next frame: invalid stream frame type: 0x3c", {"type": "0x3c"}),
    ("cannot-connect-to-self", "http: POST /stream: error: cannot connect to self", {}),
    ("lease-expired-stream", "http: POST /stream: error: lease expired", {}),
    ("consul-unreachable", 'cannot fetch cluster ID from "consul" lease, retrying: Get "http://consul:8500/v1/kv/x": dial tcp: no such host', {}),
    ("consul-unreachable", f'{N}cannot acquire lease or find primary, retrying: fetch primary url: Get "http://c:8500": EOF', {}),
    ("consul-unreachable", f"{N}cannot acquire lease or find primary, retrying: acquire lease: create consul session: Unexpected response code: 500", {"error": "create consul session: Unexpected response code: 500"}),
    ("consul-unreachable", 'ERROR: cannot init consul: cannot connect to consul: register node "x": Put "http://c:8500": dial tcp', {}),
    ("consul-renewal", f"{N}lease renewal error, retrying: context deadline exceeded", {"error": "context deadline exceeded"}),
    ("consul-lease-lost", f"{N}primary lease lost, retrying: lease expired", {"error": "lease expired"}),
    ("no-primary", f"{N}cannot find primary & ineligible to become primary, retrying: no primary", {}),
    ("unknown-field", "line 13: field primary-redirect-url not found in type main.ProxyConfig", {"line": "13", "field": "primary-redirect-url", "type": "ProxyConfig"}),
    ("unknown-field", "line 2: field my key not found in type main.Config", {"field": "my key"}),
    ("unknown-field-consul", 'line 9: field foo not found in type struct { URL string "yaml:\\"url\\"" }', {"field": "foo"}),
    ("yaml-error", "ERROR: yaml: line 12: did not find expected key", {"error": "line 12: did not find expected key"}),
    ("yaml-error", "ERROR: cannot unmarshal config file at /etc/litefs.yml: yaml: line 3: found character that cannot start any token", {"error": "line 3: found character that cannot start any token"}),
    ("yaml-error", 'line 7: mapping key "lease" already defined at line 1', {"error": 'line 7: mapping key "lease" already defined at line 1'}),
    ("config-empty", "ERROR: EOF", {}),
    ("config-empty", "ERROR: cannot unmarshal config file at /etc/litefs.yml: EOF", {}),
    ("cannot-unmarshal", "line 9: cannot unmarshal !!str `${LITEF...` into bool", {"line": "9", "tag": "str", "value": "`${LITEF...`", "type": "bool"}),
    ("cannot-unmarshal", "line 9: cannot unmarshal !!map into string", {"tag": "map", "value": "", "type": "string"}),
    ("cannot-unmarshal", "line 4: cannot unmarshal !!int `5` into time.Duration", {"type": "time.Duration"}),
    ("invalid-value", "ERROR: invalid lease type, must be either 'consul' or 'static', got: 'Static'", {"error": "invalid lease type, must be either 'consul' or 'static', got: 'Static'"}),
    ("invalid-value", "ERROR: data directory required", {"error": "data directory required"}),
    ("invalid-value", 'ERROR: init logger: invalid log format: "JSON"', {}),
    ("invalid-value", "ERROR: cannot init http server: cannot open http server: listen tcp: address 20202: missing port in address", {}),
    ("invalid-value", 'ERROR: cannot init store: invalid backup client type: "s3"', {}),
    ("invalid-value", "ERROR: cannot unmarshal config file at /etc/litefs.yml: invalid exec config format", {"error": "invalid exec config format"}),
    ("invalid-value", "ERROR: cannot init consul: cannot connect to consul: must specify a consul key", {}),
    ("filter-on-candidate", "ERROR: cannot specify a database replication filter on candidate nodes", {}),
    ("config-not-found", "ERROR: config file not found", {"path": ""}),
    ("config-not-found", "ERROR: open /etc/litefs.yml: no such file or directory", {"path": "/etc/litefs.yml"}),
    ("exec-panic", "main.(*MountCommand).execCmds(0xc0001c8000, {0x1, 0x2})", {}),
    ("panic", "panic: runtime error: slice bounds out of range [1:0]", {"error": "runtime error: slice bounds out of range [1:0]"}),
    ("too-many-arguments", "ERROR: too many arguments, specify a '--' to specify an exec command", {}),
    ("unknown-flag", "ERROR: flag provided but not defined: -foo", {"flag": "-foo"}),
    ("bad-flag", "ERROR: flag needs an argument: -config", {}),
    ("unknown-command", "ERROR: litefs server: unknown command", {"command": "server"}),
    ("usage", "litefs is a distributed file system for replicating SQLite databases.", {}),
    ("backup-restore", "restoring from backup name=db pos.local=0/0 pos.remote=1/1 reason=remote-ahead", {"db": "db", "reason": "remote-ahead"}),
    ("backup-restore", 'backup of database "db" is ahead of local copy, restoring from backup', {}),
    ("no-backup", "no backup client configured, skipping", {}),
    ("cloud-backup", "litefs cloud backup client configured: https://litefs.fly.io", {"url": "https://litefs.fly.io"}),
    ("file-backup", "file-based backup client configured: file:///backup", {"url": "file:///backup"}),
    ("backup-failed", "backup stream failed, retrying: fetch position map: Get: EOF", {"error": "fetch position map: Get: EOF"}),
    ("mount-helper-error", "mount helper error: fusermount3: bad mount point /litefs: Permission denied", {"error": "fusermount3: bad mount point /litefs: Permission denied"}),
    ("fuse-unavailable", "mount helper error: fusermount3: fuse device not found, try 'modprobe fuse' first", {}),
    ("fuse-unavailable", "mount helper error: fusermount3: mount failed: Operation not permitted", {"error": "mount failed: Operation not permitted"}),
    ("fuse-unavailable", "mount helper error: fusermount3: failed to open /dev/fuse: Operation not permitted", {}),
    ("fusermount-missing", 'ERROR: cannot init file system: cannot open file system: fusermount: exec: "fusermount3": executable file not found in $PATH', {}),
    ("fuse-init-failed", "ERROR: cannot init file system: cannot open file system: fusermount: exit status 1", {"error": "cannot open file system: fusermount: exit status 1"}),
    ("allow-other-refused", "mount helper error: fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf", {}),
    ("mount-exists", "ERROR: cannot init file system: cannot open file system: mkdir /litefs: file exists", {"path": "/litefs"}),
    ("transport-endpoint", "ls: cannot access '/litefs': Transport endpoint is not connected", {"path": "/litefs"}),
    ("transport-endpoint", "stat /litefs/db: transport endpoint is not connected", {"path": "/litefs/db"}),
    ("transport-endpoint", "OSError: [Errno 107] Transport endpoint is not connected: '/litefs/db'", {"path": "", "after": "/litefs/db"}),
    ("store-permission", "ERROR: cannot open store: open databases: mkdir /var/lib/litefs/dbs: permission denied", {"path": "/var/lib/litefs/dbs", "error": "permission denied"}),
    ("store-permission", "ERROR: cannot init file system: cannot open file system: mkdir /litefs: read-only file system", {"path": "/litefs"}),
    ("port-in-use", "ERROR: cannot init http server: cannot open http server: listen tcp :20202: bind: address already in use", {"what": "cannot open http server", "addr": ":20202"}),
    ("port-in-use", "ERROR: cannot run proxy server: listen tcp :8080: bind: address already in use", {"what": "cannot run proxy server", "addr": ":8080"}),
    ("foreign-file", 'ERROR: cannot open store: open databases: open database("notes.txt"): init from database header: open /var/lib/litefs/dbs/notes.txt/database: not a directory', {"db": "notes.txt", "path": "/var/lib/litefs/dbs/notes.txt/database"}),
    ("data-inside-fuse", RETRY + "set local cluster id: mkdir /litefs/data: operation not permitted", {"path": "/litefs/data"}),
    ("no-space", 'fatal error occurred while committing WAL to "db": write /x: no space left on device', {}),
    ("corruption", 'ERROR: cannot open store: open databases: open database("db"): recover ltx: database checksum e04fc44716e5272f on TXID 0000000000000002 does not match LTX post-apply checksum aa50e9c731d14fcb', {}),
    ("corruption", 'ERROR: cannot open store: open databases: open database("db"): sync wal to ltx: wal-sync: short wal size (32 bytes) for "db", last ltx offset at 4152 bytes', {}),
    ("corruption", 'http: POST /stream: error: stream error: db="db" err=stream ltx (0000000000000001): snapshot checksum mismatch at tx 0000000000000002: 1 <> 2', {}),
    ("malformed", "sqlite3.DatabaseError: database disk image is malformed", {}),
    ("killed-itself", 'fatal error occurred while committing WAL to "db": no space left on device', {"doing": "committing WAL to", "db": "db", "error": "no space left on device"}),
    ("killed-itself", 'fatal error occurred while applying ltx to "db", exiting: write to database file: EIO', {"doing": "applying ltx to", "error": "write to database file: EIO"}),
    ("snapshot-timeout", 'http: POST /stream: error: stream error: db="db" err=stream ltx (0000000000000001): write ltx snapshot to chunked stream: snapshot timeout exceeded (0s)', {"db": "db", "after": "0s"}),
    ("exec-failed", "ERROR: cannot exec: sync cmd: cannot run command: exit status 1", {"error": "sync cmd: cannot run command: exit status 1"}),
    ("exec-start-failed", 'ERROR: cannot exec: background cmd: cannot start exec command: exec: "node": executable file not found in $PATH', {}),
    ("exec-wait-failed", "ERROR: cannot wait for exec process: exit status 143", {"error": "exit status 143"}),
    ("subprocess-exited", "subprocess exited with error code -1, litefs shutting down", {"code": "-1"}),
    ("subprocess-exited", "subprocess exited successfully, litefs shutting down", {"code": ""}),
    ("unmount-failed", "ERROR: exit status 1: fusermount3: failed to unmount /litefs: Device or resource busy", {"path": "/litefs"}),
    ("proxy-misconfigured", "ERROR: cannot run proxy server: proxy database name required", {"error": "proxy database name required"}),
    ("proxy-misconfigured", "ERROR: cannot run proxy server: listen tcp: address 8080: missing port in address", {}),
    ("fatal", "ERROR: yaml: unmarshal errors:", {"error": "yaml: unmarshal errors:"}),
    ("read-only-replica", "fuse: create(): cannot create journal: read only replica", {"what": "create(): cannot create journal"}),
    ("read-only-replica", "fuse: write(): wal error: wal header: read only replica", {}),
    ("foreign-write", "fuse: write(): database error: cannot read sqlite database header: invalid database header", {"error": "invalid database header"}),
    ("readonly-database", "[Error: write failed] { errno: 8, code: 'SQLITE_READONLY' }", {}),
    ("disk-io-error", "sqlite3.OperationalError: disk I/O error", {}),
    ("disk-io-error", "code: 'SQLITE_IOERR_WRITE'", {}),
    ("readonly-database", "Error: stepping, attempt to write a readonly database (8)", {}),
    ("module-not-found", "Error: Cannot find module '/app/dist/migrate.js'", {"path": "/app/dist/migrate.js"}),
    ("module-not-found", "python: can't open file '/app/x.py': [Errno 2] No such file or directory", {"file": "/app/x.py"}),
    ("module-not-found", "ModuleNotFoundError: No module named 'django'", {"module": "django"}),
    ("proxy-database-missing", 'proxy: GET /items: no database "app.db", proxying to target', {"db": "app.db"}),
    ("exclusive-locking", "fuse: write(): wal error: wal header: cannot write to WAL header without WRITE lock, exclusive locking not allowed", {}),
    ("foreign-write", "fuse: write(): database error: database write (131072 bytes) must be a single page (4096 bytes)", {"error": "", "shape": "database write (131072 bytes) must be a single page (4096 bytes)"}),
    ("corruption", "fuse: commit error: updated page (3) does not match in-memory checksum: e04fc44716e5272f <> aa50e9c731d14fcb", {}),
    ("fuse-serve-failed", "fuse serve error: read /dev/fuse: input/output error", {"error": "read /dev/fuse: input/output error"}),
    ("fuse-handler-panic", "fuse: panic in handler for Write [ID=0x1]: boom", {"request": "Write [ID=0x1]: boom"}),
]  # fmt: skip

FLOW = COMMANDS | {
    "existing-primary", "lease-acquired", "existing-id", "set-id", "consul-init", "mounted", "connected",
    "waiting-to-connect", "config-read", "sync-skipped", "proxy-listening", "waiting", "signal-sent", "signal-received",
    "shutdown-complete", "snapshot-received", "stream-connected", "stream-disconnected", "disconnected-clean",
    "exec-wait-failed", "unmount-failed", "fatal", "mount-helper-error", "no-backup", "file-backup",
}  # fmt: skip
"""Signatures that are no fault by themselves."""

HARMLESS = [
    "database file is zero length on initialization: /var/lib/litefs/dbs/db/database",
    "database file does not exist on initialization: /var/lib/litefs/dbs/db/database",
    'wal-sync: no wal file exists on "db", skipping sync with ltx',
    'wal-sync: short wal file exists on "db", skipping sync with ltx',
    'wal-sync: truncating wal of "db" from 8272 bytes to 4152 bytes to match ltx',
    'wal-sync: wal salt mismatch on "db", removing wal',
    'wal-sync: database "db" has wal size of 4152 bytes within range of ltx file (@32, 4120 bytes)',
    "no backup client configured, skipping",
    "starting from txid 0000000000000001, writing snapshot",
    "transaction file for txid 0000000000000004 no longer available, writing snapshot",
    'writing snapshot "db" @ 0000000000000002',
    'snapshot received for "db", removing other ltx files: 0000000000000001-0000000000000002.ltx',
    f"{N}exiting primary, destroying lease",
    f"{N}disconnected from primary, retrying",
    "http: POST /promote: error: not eligible to become primary",
    "http: proxy response error: context canceled",
    "closing proxy server on startup error",
    "http server listening on: http://localhost:20202",
    "node is not a candidate, skipping command execution: sh [-c echo 'no space left on device']",
    'node is not a candidate, skipping automatic promotion',
    "ERROR: exit status 1: fusermount3: failed to unmount /litefs: Device or resource busy",
    "ERROR: cannot wait for exec process: exit status 143",
    'http: POST /stream: error: stream error: db="db" err=stream ltx (0000000000000001): write ltx snapshot to chunked stream: context canceled',
    "http: POST /stream: error: stream error: write heartbeat frame: http2: stream closed",
]


@pytest.mark.parametrize(("name", "message", "fields"), SAMPLES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(SAMPLES)])
def test_a_real_line_matches_with_its_fields(name: str, message: str, fields: dict[str, str]) -> None:
    found = dict(search(message, ours=True))
    assert name in found
    assert {k: found[name][k] for k in fields} == fields
    assert any(n in message for n in BY_NAME[name].needles)


def test_every_signature_has_a_sample() -> None:
    assert {n for n, _, _ in SAMPLES} == set(BY_NAME)


def test_names_are_unique_and_plain() -> None:
    assert len(BY_NAME) == len(SIGNATURES)
    assert all(s.name == s.name.lower() and " " not in s.name and all(s.needles) for s in SIGNATURES)


@pytest.mark.parametrize("message", HARMLESS)
def test_a_harmless_message_is_no_fault(message: str) -> None:
    assert {n for n, _ in search(message, ours=True)} <= FLOW


@pytest.mark.parametrize("message", [m for n, m, _ in SAMPLES if not m.startswith(("ERROR:", "line ", "panic", "main."))])
def test_structured_samples_begin_as_litefs_does(message: str) -> None:
    ours = message.removeprefix(N).startswith(HEADS)
    plain = ("config file", "waiting for", "sending", "signal rec", "litefs ", "subprocess", "stat ", "ls:", "OSError")
    assert ours or message.startswith((*plain, "Error:", "[Error:", "code:", "python:", "Module", "sqlite3."))


@pytest.mark.parametrize("name", ["cannot-connect-to-self", "no-space", "read-only-replica", "fatal", "corruption"])
def test_the_applications_lines_do_not_count(name: str) -> None:
    message = next(m for n, m, _ in SAMPLES if n == name)
    assert name not in dict(search(message, ours=False))


def test_a_quoted_command_says_nothing() -> None:
    found = search("executing command: sh [-c echo 'cannot connect to self: no space left on device']", ours=True)
    assert [n for n, _ in found] == ["executing"]


def hostile(sample: str, longest: int) -> list[str]:
    """Lines made of a sample's pieces, without its end."""
    words = sample.split(" ")
    half = " ".join(words[: max(1, len(words) // 2)])
    tails = ["/" * longest, "a" * longest, "(" * longest, '"' * longest, ": " * (longest // 2), "' " * (longest // 2)]
    return [f"{half} {tail}"[:longest] for tail in tails] + [(half * (longest // len(half) + 1))[:longest]]


@pytest.mark.parametrize("signature", SIGNATURES, ids=[s.name for s in SIGNATURES])
def test_no_pattern_runs_away(signature: Signature) -> None:
    """A line of twice the length takes at most little more than twice the steps."""
    for sample in [m for n, m, _ in SAMPLES if n == signature.name]:
        for line, twice in zip(hostile(sample, 200), hostile(sample, 400), strict=True):
            assert steps(signature.pattern, twice) < 2.5 * steps(signature.pattern, line), line
