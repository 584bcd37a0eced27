"""Every message of LiteFS 0.5, what it means, and which rule tells it: one table, complete by test.

`signatures` says how the log parser reads the messages that decide something. Here stands every message that can reach
a log, those too that decide nothing, so that no line of LiteFS is unknown. Source: the messages of LiteFS 0.5.0 to
0.5.14 and of the FUSE, YAML and flag packages it is built with, many of them seen on real clusters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property

from .signatures import NODE


class Kind(str, Enum):
    """What a message is worth."""

    FAULT = "fault"
    """One or more rules tell it."""
    FACT = "fact"
    """It says how a run goes; rules rely on it."""
    BENIGN = "benign"
    """No fault, though it may look like one."""


@dataclass(frozen=True)
class Message:
    """`says` is the message, `*` for what differs. `signature` is what the log parser knows it by, empty if by nothing.

    `fill` gives words for each `*`: the example that tests and documents use. `plain` lines have no level. `after` is a
    line that must stand before the example, or the parser would take it for the application's.
    """

    says: str
    where: str
    meaning: str
    kind: Kind
    rules: tuple[str, ...]
    signature: str
    fill: tuple[str, ...]
    plain: bool
    after: str

    @cached_property
    def form(self) -> re.Pattern[str]:
        pieces = ".*".join(re.escape(p) for p in self.says.split("*"))
        return re.compile(pieces if self.plain else NODE + pieces, re.DOTALL)

    @property
    def words(self) -> int:
        """How much of it is fixed: of two forms that fit a line the one with more says more."""
        return len(self.says.replace("*", ""))

    @property
    def example(self) -> str:
        pieces = self.says.split("*")
        return pieces[0] + "".join(word + piece for word, piece in zip(self.fill, pieces[1:], strict=True))


def classify(text: str) -> Message | None:
    """What a message is, as the log parser gives it (without level and escapes); None for what is no message of LiteFS."""
    fitting = [m for m in MESSAGES if m.form.fullmatch(text)]
    return max(fitting, key=lambda m: m.words, default=None)


@cache
def by_rule(rule_id: str) -> tuple[Message, ...]:
    """The messages that a rule tells."""
    return tuple(m for m in MESSAGES if rule_id in m.rules)


def _row(says: str, where: str, told: str, meaning: str, signature: str = "", *fill: str, plain: bool | None = None, after: str = "") -> Message:
    """`told` is `fact`, `benign`, or the ids of the rules."""
    kind = Kind(told) if told in ("fact", "benign") else Kind.FAULT
    if plain is None:
        plain = says.startswith("ERROR: ")
    return Message(says, where, meaning, kind, tuple(told.split()) if kind is Kind.FAULT else (), signature, fill, plain, after)


_URL = "http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202"
_RETRY = "disconnected from primary with error, retrying: "
_DIAL = _RETRY + "connect to primary: "
_POST = f'Post "{_URL}/stream": dial tcp'
_STORE = "ERROR: cannot open store: "
_OPEN = 'open databases: open database("db"): '
_MOUNT = "ERROR: cannot init file system: cannot open file system: "
_STREAM = "http: POST /stream: error: "
_CONSUL = 'Get "http://consul:8500/v1/kv/abaci": dial tcp: lookup consul: no such host'
_LIST = "ERROR: yaml: unmarshal errors:"
_TX, _SUM = "0000000000000005", "b078ce8f0f0f0f0f"

STARTING = "the start"
CONFIG = "the configuration"
LEASE = "the lease and the cluster id"
DIALLING = "a replica and its connection"
SENDING = "the primary and its streams"
STORE = "databases and files"
FUSE = "the mount"
PROXY = "the proxy and the HTTP API"
COMMANDS = "commands and the end"
BACKUP = "backups"
APPLICATION = "the application's own words"
CONTEXTS = (STARTING, CONFIG, LEASE, DIALLING, SENDING, STORE, FUSE, PROXY, COMMANDS, BACKUP, APPLICATION)

MESSAGES: tuple[Message, ...] = (
    # --- the start
    _row("LiteFS *, commit=*", STARTING, "fact", "a run begins; its version. Written to the other stream, so it may stand some lines late", "", "v0.5.14", "a51e72d", plain=True),
    _row("LiteFS commit=*", STARTING, "fact", "a run begins, of a build without a version", "", "a51e72d", plain=True),
    _row("LiteFS development build", STARTING, "fact", "a run begins, of a build without a version", plain=True),
    _row("host environment detected *", STARTING, "benign", "`fly.io` on Fly, else `none`", "", "type=none"),
    _row("cannot set environment metadata *", STARTING, "benign", "only Fly has that metadata", "", "reason=app name unavailable"),
    _row("cannot init primary status on host environment *", STARTING, "benign", "only Fly has that status", "", "err=EOF"),
    _row("cannot set primary status on host environment *", STARTING, "benign", "only Fly has that status", "", "reason=app name unavailable"),
    _row("cannot unset primary status on host environment *", STARTING, "benign", "only Fly has that status", "", "err=EOF"),
    _row("trace log enabled: *", STARTING, "benign", "tracing.path is set", "", "/var/log/litefs.log"),
    _row("LiteFS mounted to: *", STARTING, "fact", "the file system is there; the files of the volume were readable", "mounted", "/litefs"),
    _row("http server listening on: *", STARTING, "benign", "always says localhost, whatever http.addr is", "", "http://localhost:20202"),
    _row("waiting to connect to cluster", STARTING, "fact", "the node has not joined yet; SIGTERM is not heeded until it has", "waiting-to-connect"),
    _row("connected to cluster, ready", STARTING, "fact", "the node has joined or leads; comes once a run", "connected"),
    _row("skipping cluster sync, starting immediately", STARTING, "LFS513", "`skip-sync: true`: the application starts before the node has joined", "sync-skipped"),
    _row("node is a candidate, automatically promoting to primary", STARTING, "benign", "`lease.promote: true`"),
    _row("node is not a candidate, skipping automatic promotion", STARTING, "benign", "`lease.promote: true` on a replica"),
    _row("node is already primary, skipping promotion", STARTING, "benign", "`lease.promote: true` on the primary"),
    _row("requesting primary handoff from: *", STARTING, "benign", "a promotion under a Consul lease", "", _URL),
    _row("primary handoff request successful", STARTING, "benign", "a promotion under a Consul lease"),
    _row("ERROR: promote: *", STARTING, "LFS801", "a promotion failed, and LiteFS with it", "fatal", "timed out waiting for promotion"),
    _row("ERROR: *", STARTING, "LFS801", "LiteFS ends; the words say why, where no more exact line of this table does", "fatal", "cannot open store: readdir: input/output error"),
    _row("ERROR: cannot open store: *mkdir *: permission denied", STARTING, "LFS602", "LiteFS does not run as root", "store-permission", "", "/var/lib/litefs"),
    _row("ERROR: cannot open store: *: read-only file system", STARTING, "LFS602", "the data directory cannot be written", "store-permission", "open databases: mkdir /var/lib/litefs/dbs"),
    _row("ERROR: *: address already in use", STARTING, "LFS704", "another listener has the port", "port-in-use", "cannot init http server: cannot open http server: listen tcp :20202: bind"),
    _row("panic: *", STARTING, "LFS510 LFS801", "a Go panic; with execCmds in the trace an empty command", "panic", "runtime error: slice bounds out of range [1:0]", plain=True),
    _row("main.(*MountCommand).execCmds(*", STARTING, "LFS510", "the trace of a panic over an empty command", "exec-panic", "*", "0xc0001c8000)", plain=True),
    # --- the configuration
    _row("config file read from *", CONFIG, "LFS514", "which file is read; a fault where it is not the one that was mounted", "config-read", "/etc/litefs.yml", plain=True),
    _row("ERROR: config file not found", CONFIG, "LFS503", "none of the usual places has the file", "config-not-found"),
    _row("ERROR: open *: no such file or directory", CONFIG, "LFS503", "the file that -config names is not there", "config-not-found", "/etc/litefs.yml"),
    _row("ERROR: cannot read config file at *: *", CONFIG, "LFS801", "the file is there and cannot be read", "fatal", "/etc/litefs.yml", "open /etc/litefs.yml: permission denied"),
    _row("ERROR: yaml: unmarshal errors:", CONFIG, "fact", "the faults stand on the lines below", "fatal"),
    _row("ERROR: cannot unmarshal config file at *: yaml: unmarshal errors:", CONFIG, "fact", "the faults stand on the lines below", "fatal", "/etc/litefs.yml"),
    _row("line *: field * not found in type main.*", CONFIG, "LFS501 LFS506", "a key that LiteFS does not know", "unknown-field", "13", "primary-redirect-url", "ProxyConfig", plain=True, after=_LIST),
    _row("line *: field * not found in type struct*", CONFIG, "LFS501", "a key that LiteFS does not know, below lease.consul", "unknown-field-consul", "9", "token", " { URL string }", plain=True, after=_LIST),
    _row("line *: cannot unmarshal !!* into *", CONFIG, "LFS504 LFS505", "a value of the wrong type; with `${` in it the expansion is off", "cannot-unmarshal", "9", "str `true`", "bool", plain=True, after=_LIST),
    _row("line *: mapping key * already defined at line *", CONFIG, "LFS502", "a key that stands twice", "yaml-error", "7", '"lease"', "1", plain=True, after=_LIST),
    _row("ERROR: yaml: *", CONFIG, "LFS502", "no YAML", "yaml-error", "line 12: did not find expected key"),
    _row("ERROR: cannot unmarshal config file at *: yaml: *", CONFIG, "LFS502", "no YAML", "yaml-error", "/etc/litefs.yml", "line 3: found character that cannot start any token"),
    _row("ERROR: EOF", CONFIG, "LFS502", "an empty file", "config-empty"),
    _row("ERROR: cannot unmarshal config file at *: EOF", CONFIG, "LFS502", "an empty file", "config-empty", "/etc/litefs.yml"),
    _row("ERROR: *invalid exec config format", CONFIG, "LFS504", "exec is neither a string nor a list", "invalid-value", ""),
    _row("ERROR: fuse directory required", CONFIG, "LFS504", "fuse.dir is empty", "invalid-value"),
    _row("ERROR: data directory required", CONFIG, "LFS504", "data.dir is empty", "invalid-value"),
    _row("ERROR: fuse directory and data directory cannot be the same path", CONFIG, "LFS410 LFS504", "data.dir equals fuse.dir", "invalid-value"),
    _row("ERROR: invalid lease type*", CONFIG, "LFS504", "lease.type is neither consul nor static", "invalid-value", ", must be either 'consul' or 'static', got: 'Static'"),
    _row("ERROR: cannot specify a database replication filter on candidate nodes", CONFIG, "LFS210", "lease.databases on a candidate", "filter-on-candidate"),
    _row("ERROR: init logger: invalid log format: *", CONFIG, "LFS504", "log.format is neither text nor json", "invalid-value", '"JSON"'),
    _row("ERROR: cannot init store: invalid backup client type: *", CONFIG, "LFS504", "backup.type", "invalid-value", '"s3"'),
    _row("ERROR: cannot init store: open file backup client: *", CONFIG, "LFS504", "backup.path", "invalid-value", "backup path required"),
    _row("ERROR: cannot init store: open litefs cloud backup client: *", CONFIG, "LFS504", "backup.url", "invalid-value", 'invalid litefs cloud URL scheme: ""'),
    _row("ERROR: cannot init store: cannot parse liteserver backup URL: *", CONFIG, "LFS504", "backup.url", "invalid-value", 'parse "::"'),
    _row("ERROR: cannot init http server: cannot open http server: listen tcp: *", CONFIG, "LFS504", "http.addr", "invalid-value", "address 20202: missing port in address"),
    _row("ERROR: cannot init consul: *must specify *", CONFIG, "LFS504", "a key, a host name or a URL is missing below lease.consul", "invalid-value", "", "a consul key"),
    _row("ERROR: cannot init consul: cannot connect to consul: *", CONFIG, "LFS209", "Consul does not answer at the start", "consul-unreachable", 'register node "abaci-app-0": Put "http://consul:8500/v1/catalog/register": dial tcp: lookup consul: no such host'),
    _row("ERROR: too many arguments, specify a '--' to specify an exec command", CONFIG, "LFS603", "words before `--`", "too-many-arguments"),
    _row("flag provided but not defined: *", CONFIG, "LFS603", "a flag that LiteFS does not have", "unknown-flag", "-foo", plain=True),
    _row("ERROR: flag provided but not defined: *", CONFIG, "LFS603", "a flag that LiteFS does not have", "unknown-flag", "-foo"),
    _row("ERROR: flag needs an argument: *", CONFIG, "LFS603", "a flag without its value", "bad-flag", "-config"),
    _row("ERROR: bad flag syntax: *", CONFIG, "LFS603", "a word that is no flag", "bad-flag", "---x"),
    _row("ERROR: invalid boolean value *", CONFIG, "LFS603", "a flag with a wrong value", "bad-flag", '"x" for -debug: parse error'),
    _row("ERROR: litefs *: unknown command", CONFIG, "LFS603", "no command of LiteFS", "unknown-command", "server"),
    _row("litefs is a distributed file system for replicating SQLite databases.", CONFIG, "LFS603 LFS506", "the usage text: no command was given, as in 0.2 and 0.3", "usage", plain=True),
    _row("The mount command will mount a LiteFS directory*", CONFIG, "LFS603", "the usage text of mount", "usage", " on a FUSE mount point.", plain=True),
    # --- the lease and the cluster id
    _row("Using static primary: primary=* hostname=* advertise-url=*", LEASE, "fact", "the lease it really runs with; values may be empty", "", "true", "abaci-app-0", _URL),
    _row("Using Consul to determine primary", LEASE, "fact", "the lease it really runs with"),
    _row("initializing consul: key=* url=* hostname=* advertise-url=*", LEASE, "LFS212", "a Consul lease; a fault where the URL names a pod that others cannot resolve", "consul-init", "abaci", "http://consul:8500", "abaci-app-0", _URL),
    _row('using existing cluster id: "*"', LEASE, "fact", "the volume has an id", "existing-id", "LFSC00000000000000A1"),
    _row('set cluster id on "*" lease "*"', LEASE, "fact", "at every start of a static primary; without the line before it the id is new", "set-id", "static", "LFSC00000000000000A1"),
    _row("primary lease acquired, advertising as *", LEASE, "fact", "the node leads", "lease-acquired", _URL),
    _row("primary lease lost, retrying: *", LEASE, "LFS209", "Consul was slow or away; a failover", "consul-lease-lost", "lease expired"),
    _row("lease renewal error, retrying: *", LEASE, "LFS209", "Consul is slow or away", "consul-renewal", _CONSUL),
    _row("state change recovery error (*): *", LEASE, "benign", "databases could not be brought to order after a change of role; it is tried again, and what follows tells", "", "primary", "recover: context canceled"),
    _row("state change recovery error (*): *does not match LTX post-apply checksum *", LEASE, "LFS803", "a damaged database, met at a change of role", "corruption", "primary", f'recover: recover ltx: database checksum e04fc44716e5272f on TXID {_TX} ', _SUM),
    _row("exiting primary, destroying lease", LEASE, "benign", "the primary ends, also under a static lease"),
    _row("exiting primary, preserving lease for handoff", LEASE, "benign", "a handover under a Consul lease"),
    _row("cannot remove lease: *", LEASE, "benign", "the lease then runs out by itself", "", _CONSUL),
    _row("waiting for * after demotion", LEASE, "benign", "a primary that was told to stand back", "", "10s"),
    _row("node manually demoted", LEASE, "benign", "somebody asked for it"),
    _row("handoff unsuccessful, continuing as primary", LEASE, "benign", "the other node did not take over"),
    _row("acquiring existing lease from handoff", LEASE, "benign", "a handover under a Consul lease"),
    _row("cannot acquire existing lease from handoff, retrying: *", LEASE, "benign", "the handover is tried again", "", "primary exists"),
    _row("cannot find primary, retrying: *", LEASE, "LFS104", "under a Consul lease nobody leads", "", "no primary"),
    _row("cannot find primary & ineligible to become primary, retrying: *", LEASE, "LFS104", "no candidate holds the lease", "no-primary", "no primary"),
    _row("cannot acquire lease or find primary, retrying: *", LEASE, "LFS209", "Consul does not answer", "consul-unreachable", "fetch primary url: " + _CONSUL),
    _row("cannot acquire lease or find primary, retrying: acquire lease: create consul session: *", LEASE, "LFS209", "Consul refuses a session", "consul-unreachable", "Unexpected response code: 500 (Invalid Session TTL)"),
    _row('cannot fetch cluster ID from "*" lease, retrying: *', LEASE, "LFS209", "Consul does not answer", "consul-unreachable", "consul", _CONSUL),
    _row('cannot connect, "*" lease already initialized with different ID: *', LEASE, "LFS106", "the id in Consul is another one than the volume's", "lease-id-conflict", "consul", "LFSC0123456789ABCDEF"),
    _row('cannot become primary, local node has no cluster ID and "*" lease already initialized*', LEASE, "LFS106", "an empty volume, while Consul has an id; heals once the node has joined", "no-id-for-primary", "consul", " with cluster ID LFSC0123456789ABCDEF"),
    _row("consul key release error: key=* session=*", LEASE, "benign", "the key then runs out by itself", "", "abaci", "6b1f"),
    _row("cannot release consul key: key=* session=*", LEASE, "benign", "the key then runs out by itself", "", "abaci", "6b1f"),
    _row(_STORE + "load cluster id: invalid cluster id", LEASE, "LFS107", "the file clusterid is empty or was edited", "invalid-cluster-id"),
    # --- a replica and its connection
    _row('existing primary found (*), connecting as replica to "*"', DIALLING, "fact", "the primary's name and URL, before any connection is made", "existing-primary", "abaci-app-0", _URL),
    _row("disconnected from primary, retrying", DIALLING, "benign", "the primary ended the stream in order", "disconnected-clean"),
    _row(_RETRY + "*", DIALLING, "LFS309", "the stream broke; the words say why", "", "next frame: http2: server sent GOAWAY"),
    _row(_DIAL + "*", DIALLING, "LFS309", "the primary could not be reached", "connect-error", f"{_POST} 10.244.0.9:20202: i/o timeout ('{_URL}')"),
    _row(_DIAL + "*no such host*", DIALLING, "LFS303", "the host of advertise-url has no address", "connect-error", f"{_POST}: lookup abaci-app-0.abaci-app-headless on 10.96.0.10:53: ", f" ('{_URL}')"),
    _row(_DIAL + "*connection refused*", DIALLING, "LFS309 LFS304", "the peer is down, or the port is wrong", "connect-error", f"{_POST} 10.244.0.9:20202: connect: ", f" ('{_URL}')"),
    _row(_DIAL + "*connection timed out*", DIALLING, "LFS307 LFS309", "packets are dropped; after about two minutes of silence", "connect-error", f"{_POST} 10.244.0.9:20202: connect: ", f" ('{_URL}')"),
    _row(_DIAL + "*no route to host*", DIALLING, "LFS307 LFS309", "the address is gone, or packets are refused", "connect-error", f"{_POST} 10.244.0.9:20202: connect: ", f" ('{_URL}')"),
    _row(_DIAL + "*lookup *: i/o timeout*", DIALLING, "LFS307 LFS309", "DNS does not answer", "connect-error", f"{_POST}: ", "abaci-app-0.abaci-app-headless on 10.96.0.10:53: read udp", f" ('{_URL}')"),
    _row(_DIAL + "*server misbehaving*", DIALLING, "LFS307 LFS309", "DNS answers with an error", "connect-error", f"{_POST}: lookup abaci-app-0.abaci-app-headless on 10.96.0.10:53: ", f" ('{_URL}')"),
    _row(_DIAL + "*invalid URL scheme*", DIALLING, "LFS305", "advertise-url has no scheme, or another than http and https", "connect-error", "", " ('abaci-app-0:20202')"),
    _row(_DIAL + "*invalid client URL*", DIALLING, "LFS305", "advertise-url is no URL", "connect-error", "", ": parse \"http://abaci app\": invalid character \" \" in host name ('http://abaci app')"),
    _row(_DIAL + "*URL host required*", DIALLING, "LFS305", "advertise-url has no host", "connect-error", "", " ('http://')"),
    _row(_DIAL + "*unexpected EOF*", DIALLING, "LFS304", "the port speaks HTTP/1: the application or the proxy", "connect-error", f'Post "{_URL}/stream": ', f" ('{_URL}')"),
    _row(_DIAL + "*connection reset by peer*", DIALLING, "LFS304", "the port speaks HTTP/1: the application or the proxy", "connect-error", f'Post "{_URL}/stream": read tcp: read: ', f" ('{_URL}')"),
    _row(_DIAL + "invalid response: code=400*", DIALLING, "LFS204 LFS309", "the node dials itself", "connect-error", f" ('{_URL}')"),
    _row(_DIAL + "invalid response: code=503*", DIALLING, "LFS211 LFS309", "the peer is no primary; normal for a moment in a rollout", "connect-error", f" ('{_URL}')"),
    _row(_DIAL + "invalid response: code=426*", DIALLING, "LFS310 LFS309", "something in between speaks HTTP/1", "connect-error", f" ('{_URL}')"),
    _row(_DIAL + "invalid response: code=404*", DIALLING, "LFS304", "no LiteFS on that port", "connect-error", f" ('{_URL}')"),
    _row(_RETRY + "cannot stream from primary with a different cluster id: * <> *", DIALLING, "LFS101 LFS102", "the replica's id and the primary's", "different-cluster-id", "LFSC0123456789ABCDEF", "LFSC00000000000000A1"),
    _row(_RETRY + 'process ltx stream frame: position mismatch on db "*": * <> *', DIALLING, "LFS105", "the replica's history is another one", "position-mismatch", "db", f"0000000000000007/{_SUM}", f"{_TX}/{_SUM}"),
    _row(_RETRY + "process ltx stream frame: write ltx file: unexpected EOF", DIALLING, "LFS804", "the primary broke off in the middle of a file: look there", "stream-broken"),
    _row(_RETRY + "*invalid stream frame type: *", DIALLING, "LFS606 LFS309", "the primary is newer, or no LiteFS", "bad-frame", "next frame: ", "0x3c"),
    _row(_RETRY + "*set local cluster id: mkdir *: operation not permitted", DIALLING, "LFS410", "the data directory lies inside the mount", "data-inside-fuse", "", "/litefs/data"),
    _row("deprecated drop db frame received, skipping", DIALLING, "LFS108", "the replica holds a database that the primary lacks", "drop-db-frame"),
    _row("dropped database does not exist, skipping", DIALLING, "benign", "nothing to remove"),
    _row('snapshot received for "*", removing other ltx files*', DIALLING, "fact", "the whole database was taken over", "snapshot-received", "db", f": 0000000000000001-{_TX}.ltx"),
    # --- the primary and its streams
    _row("stream connected (*)", SENDING, "fact", "a replica's address", "stream-connected", "10.244.0.9:40002"),
    _row("stream disconnected (*)", SENDING, "fact", "a replica's address", "stream-disconnected", "10.244.0.9:40002"),
    _row(_STREAM + "*", SENDING, "benign", "the replica's side ended the stream; it comes again", "", "stream error: write heartbeat frame: http2: stream closed"),
    _row(_STREAM + "cannot connect to self", SENDING, "LFS204", "the node has dialled itself", "cannot-connect-to-self"),
    _row(_STREAM + "lease expired", SENDING, "LFS211", "a replica dialled a node that does not lead", "lease-expired-stream"),
    _row(_STREAM + 'stream error: db="*" *snapshot timeout exceeded (*)', SENDING, "LFS804 LFS509", "the snapshot took too long; `(0s)`: no time is given at all", "snapshot-timeout", "db", "err=stream ltx (0000000000000001): write ltx snapshot to chunked stream: ", "10m0s"),
    _row(_STREAM + "*snapshot checksum mismatch at tx *", SENDING, "LFS803", "memory and disk disagree on the primary", "corruption", 'stream error: db="db" err=stream ltx (0000000000000001): ', f"{_TX}: 1 <> 2"),
    _row("snapshot checksum mismatch at tx *", SENDING, "LFS803", "memory and disk disagree on the primary", "corruption", f"{_TX}: 1 <> 2"),
    _row("starting from txid *, writing snapshot", SENDING, "benign", "a replica starts from nothing", "", "0000000000000001"),
    _row("transaction file for txid * no longer available, writing snapshot", SENDING, "benign", "the replica was away for longer than data.retention", "", _TX),
    _row('writing snapshot "*" @ *', SENDING, "benign", "the whole database is sent", "", "db", _TX),
    _row("client transaction id (*) exceeds primary transaction id (*), clearing client position", SENDING, "LFS109 LFS110", "a replica's own transactions are replaced; right id all zero: the primary has lost the database", "client-ahead", "0000000000000007", _TX),
    _row("client transaction id (*) caught up but checksum is mismatched (* <> *), clearing client position", SENDING, "LFS109", "a replica's own transactions are replaced", "client-checksum", _TX, "aa50e9c731d14fcb", _SUM),
    _row("client preapply checksum mismatch for txid *, writing snapshot", SENDING, "LFS109", "a replica's own transactions are replaced", "client-preapply", _TX),
    _row('releasing halt lock on "*"', SENDING, "benign", "a write lock that a replica had held has run out", "", "db"),
    _row('cannot release halt lock on "*" on shutdown', SENDING, "benign", "the lock ends with the process", "", "db"),
    _row("cannot release remote halt lock after acquisition error: *", SENDING, "benign", "the lock runs out by itself", "", "EOF"),
    # --- databases and files
    _row("database file is zero length on initialization: *", STORE, "benign", "a database that nothing was written to", "", "/var/lib/litefs/dbs/db/database"),
    _row("database file does not exist on initialization: *", STORE, "benign", "a database that nothing was written to", "", "/var/lib/litefs/dbs/db/database"),
    _row("database checksum ending early at page * of *", STORE, "benign", "the file is shorter than its header says; the transaction files are applied after that", "", "3", "4"),
    _row('wal-sync: no wal file exists on "*", skipping sync with ltx', STORE, "benign", "nothing to mend", "", "db"),
    _row('wal-sync: short wal file exists on "*", skipping sync with ltx', STORE, "benign", "nothing to mend", "", "db"),
    _row('wal-sync: wal salt mismatch on "*", removing wal', STORE, "benign", "an older WAL is removed; its content is in the database", "", "db"),
    _row('wal-sync: truncating wal of "*" from * bytes to * bytes to match ltx', STORE, "benign", "what was never committed is removed", "", "db", "8272", "4152"),
    _row('wal-sync: database "*" has wal size of * bytes within range of ltx file (@*, * bytes)', STORE, "benign", "nothing to mend", "", "db", "4152", "32", "4120"),
    _row('invalid database header on "*", clearing data files', STORE, "LFS110", "LiteFS has just deleted this node's copy, transaction files included", "clearing-data", "db"),
    _row(_STORE + "*init from database header: open *: not a directory", STORE, "LFS411", "a foreign file in data.dir/dbs", "foreign-file", 'open databases: open database("notes.txt"): ', "/var/lib/litefs/dbs/notes.txt/database"),
    _row("ERROR: *recover ltx: database checksum * on TXID * does not match LTX post-apply checksum *", STORE, "LFS803", "the file was changed outside the mount, or the volume was copied in the middle of a write", "corruption", "cannot open store: " + _OPEN, "e04fc44716e5272f", _TX, _SUM),
    _row("ERROR: *sync wal to ltx: validate ltx: *", STORE, "LFS803", "a transaction file is damaged", "corruption", "cannot open store: " + _OPEN, "unexpected EOF"),
    _row("ERROR: *wal-sync: short wal size (* bytes) for *", STORE, "LFS803", "a torn write after a node crashed, or a volume that was copied", "corruption", "cannot open store: " + _OPEN + "sync wal to ltx: ", "32", '"db", last ltx offset at 4152 bytes'),
    _row('fatal error occurred while committing WAL to "*": *', STORE, "LFS810", "LiteFS ends itself, exit code 99, to save the data", "killed-itself", "db", "write ltx file: input/output error"),
    _row('fatal error occurred while applying ltx to "*", exiting: *', STORE, "LFS810", "LiteFS ends itself, exit code 99, to save the data", "killed-itself", "db", "write to database file: input/output error"),
    _row('fatal error occurred while committing WAL to "*": *no space left on device', STORE, "LFS404 LFS810", "the volume is full", "no-space", "db", "write ltx file: "),
    _row('fatal error occurred while applying ltx to "*", exiting: *no space left on device', STORE, "LFS404 LFS810", "the volume is full", "no-space", "db", "write to database file: "),
    _row("fuse: *no space left on device", STORE, "LFS404", "the volume is full", "no-space", "commit error: write ltx file: "),
    _row("fuse: write(): *no space left on device", STORE, "LFS404", "the volume is full", "no-space", "wal error: write /var/lib/litefs/dbs/db/wal: "),
    _row("commit wal error(*): *no space left on device", STORE, "LFS404", "the volume is full", "no-space", "1", "write ltx file: "),
    _row("disconnected from primary with error, retrying: *no space left on device", STORE, "LFS404", "the replica's volume is full", "no-space", "process ltx stream frame: write ltx file: "),
    _row("ERROR: *no space left on device", STORE, "LFS404", "the volume is full", "no-space", "cannot open store: open databases: mkdir /var/lib/litefs/dbs: "),
    _row("commit wal error(*): *", STORE, "benign", "the transaction was not made; the application got an error", "", "1", "context canceled"),
    _row("commit wal error(*): *checksum*", STORE, "LFS803", "memory and disk disagree", "corruption", "1", "updated page (3) does not match in-memory ", ": e04fc44716e5272f <> aa50e9c731d14fcb"),
    _row("commit wal error(*): verification failed*", STORE, "LFS803", "memory and disk disagree; only with strict-verify", "corruption", "1", f" (wal): e04fc44716e5272f <> {_SUM}"),
    _row("error invalidating .lag cache: *", STORE, "benign", "the file .lag is read anew a moment later", "", "no such file or directory"),
    # --- the mount
    _row("mount helper error: *", FUSE, "LFS601 LFS801", "fusermount's own words", "mount-helper-error", "fusermount3: bad mount point /litefs: Permission denied"),
    _row("mount helper error: *: fuse device not found*", FUSE, "LFS601", "/dev/fuse is not there: not privileged", "fuse-unavailable", "fusermount3", ", try 'modprobe fuse' first"),
    _row("mount helper error: *: failed to open /dev/fuse: *", FUSE, "LFS601", "the device may not be opened: not privileged", "fuse-unavailable", "fusermount3", "Operation not permitted"),
    _row("mount helper error: *: mount failed: *", FUSE, "LFS601", "no SYS_ADMIN, or AppArmor", "fuse-unavailable", "fusermount3", "Operation not permitted"),
    _row("mount helper error: *option allow_other only allowed if 'user_allow_other' is set*", FUSE, "LFS602", "fuse.allow-other without being root", "allow-other-refused", "fusermount3: ", " in /etc/fuse.conf"),
    _row("mount helper error, error reading: *", FUSE, "benign", "the end of fusermount's words", "", "file already closed"),
    _row("mount helper failed: *", FUSE, "benign", "said again by the error that ends the start", "", "exit status 1"),
    _row(_MOUNT + "*", FUSE, "LFS601 LFS801", "the file system could not be mounted; the line before says why", "fuse-init-failed", "fusermount: exit status 1"),
    _row(_MOUNT + '*exec: "fusermount3": executable file not found in $PATH', FUSE, "LFS604", "the image lacks the package fuse3", "fusermount-missing", "fusermount: "),
    _row(_MOUNT + "mkdir *: file exists", FUSE, "LFS609", "a dead mount was left at fuse.dir", "mount-exists", "/litefs"),
    _row("*ransport endpoint is not connected*", FUSE, "LFS609", "a dead mount, as any program sees it", "transport-endpoint", "ls: cannot access '/litefs': T", "", plain=True),
    _row("fuse: create(): cannot create *, database not found: *", FUSE, "benign", "a file with such a name, or a journal of a database that was removed; the program got an error", "", "journal", "db"),
    _row("fuse: create(): cannot create *", FUSE, "benign", "the program got an error; what is behind it has a line of its own", "", "database: database already exists"),
    _row("fuse: *: read only replica", FUSE, "LFS703", "the application writes on a replica", "read-only-replica", "commit error"),
    _row("fuse: create(): cannot create *: read only replica", FUSE, "LFS703", "the application writes on a replica", "read-only-replica", "journal"),
    _row("fuse: write(): *: read only replica", FUSE, "LFS703", "the application writes on a replica", "read-only-replica", "wal error: wal header"),
    _row("fuse: write(): database error: *", FUSE, "benign", "the program got an error", "", "context canceled"),
    _row("fuse: write(): database error: database write*", FUSE, "LFS713", "a write that SQLite does not make: a file is copied into the mount", "foreign-write", " (131072 bytes) must be a single page (4096 bytes)"),
    _row("fuse: write(): database error: cannot determine page size, *", FUSE, "LFS713", "a write that SQLite does not make", "foreign-write", "initial offset (4096) is non-zero"),
    _row("fuse: write(): database error: cannot read sqlite database header: *", FUSE, "LFS713", "something that is no database is written into the mount", "foreign-write", "invalid database header"),
    _row("fuse: *exclusive locking not allowed", FUSE, "LFS714", "locking_mode=EXCLUSIVE", "exclusive-locking", "write(): wal error: wal header: cannot write to WAL header without WRITE lock, "),
    _row("fuse: write(): journal error: *", FUSE, "benign", "the transaction was not made; the application got an error", "", "invalid argument"),
    _row("fuse: write(): wal error: *", FUSE, "benign", "the transaction was not made; the application got an error", "", "invalid argument"),
    _row("fuse: write(): shm error: *", FUSE, "benign", "the application got an error", "", "invalid argument"),
    _row("fuse: commit error: *", FUSE, "benign", "the transaction was not made; the application got an error", "", "node lost write access during transaction, rolling back"),
    _row("fuse: commit error: *checksum*", FUSE, "LFS803", "memory and disk disagree", "corruption", "updated page (3) does not match in-memory ", ": e04fc44716e5272f <> aa50e9c731d14fcb"),
    _row("fuse: commit error: verification failed*", FUSE, "LFS803", "memory and disk disagree; only with strict-verify", "corruption", f" (journal): e04fc44716e5272f <> {_SUM}"),
    _row("fuse: panic in handler for *", FUSE, "LFS812", "the lock of that request is never given back", "fuse-handler-panic", "Write [ID=0x1a]: boom"),
    _row("fuse lock error: *", FUSE, "benign", "the program asked for a lock that SQLite does not use", "", "only one lock can be acquired on the lock file at a time (1..2)"),
    _row("fuse unlock error: *", FUSE, "benign", "the program asked for a lock that SQLite does not use", "", "invalid lock file byte: 7"),
    _row("fuse query lock error: *", FUSE, "benign", "the program asked for a lock that SQLite does not use", "", "invalid lock file byte: 7"),
    _row("fuse write error: cannot write to lock file", FUSE, "benign", "the file .lock is no file to write to"),
    _row("lock wait error: handle *halt lock", FUSE, "benign", "a halt lock was asked for twice", "", "is already waiting for "),
    _row("fuse serve error: *", FUSE, "LFS609", "the mount has ended under LiteFS", "fuse-serve-failed", "read /dev/fuse: input/output error"),
    # --- the proxy and the HTTP API
    _row("no proxy target set, skipping proxy", PROXY, "benign", "there is no proxy"),
    _row("proxy server listening on: *", PROXY, "fact", "the proxy runs", "proxy-listening", "http://localhost:8080"),
    _row("ERROR: cannot run proxy server: proxy database name required", PROXY, "LFS712", "proxy.db is missing", "proxy-misconfigured"),
    _row("ERROR: cannot run proxy server: proxy bind address required", PROXY, "LFS712", "proxy.addr is missing", "proxy-misconfigured"),
    _row("ERROR: cannot run proxy server: listen tcp*", PROXY, "LFS712", "proxy.addr is no address", "proxy-misconfigured", ": address 8080: missing port in address"),
    _row("ERROR: cannot run proxy server: listen tcp *: bind: address already in use", PROXY, "LFS704", "another listener has the proxy's port", "port-in-use", ":8080"),
    _row("ERROR: cannot run proxy server: cannot parse proxy *", PROXY, "LFS504 LFS801", "proxy.passthrough or proxy.always-forward; no text is known that it refuses", "invalid-value", 'passthrough expression: "["'),
    _row("proxy: *", PROXY, "benign", "what the proxy does with a request; only with proxy.debug", "", "GET /items: no client txid, proxying to target"),
    _row('proxy: *: no database "*", proxying to target', PROXY, "LFS705", "proxy.db names a database that is not there; only with proxy.debug", "proxy-database-missing", "GET /items", "app.db"),
    _row("http: proxy response error: *", PROXY, "benign", "the client went away", "", "context canceled"),
    _row("closing proxy server on startup error", PROXY, "benign", "a start failed and `exit-on-error: false` keeps the container up: LFS512 reads that from the lines around it"),
    _row("http: * *: error: *", PROXY, "benign", "a request to the API was refused; whoever asked got the words", "", "GET", "/export", 'database not found: "x"'),
    _row("http: POST /promote: error: not eligible to become primary", PROXY, "benign", "a static lease cannot be handed over"),
    _row("http: event stream *", PROXY, "benign", "a listener of /events went away or was too slow", "", "buffer exceeded, disconnecting"),
    _row("http: *", PROXY, "benign", "Go's HTTP server about one connection of a client", "", "superfluous response.WriteHeader call from main"),
    _row("http2: *", PROXY, "benign", "Go's HTTP server about one connection of a client", "", "server connection error from 10.244.0.9:40002: connection error: PROTOCOL_ERROR"),
    _row("snapshot successfully exported @ *", PROXY, "benign", "/export was asked for", "", f"{_TX}/{_SUM}"),
    _row("/debug/rand: *", PROXY, "benign", "a test of the line's speed", "", "connected"),
    # --- commands and the end
    _row("executing command: *", COMMANDS, "fact", "a command that is not the last; arguments without their quotes", "executing", "node [dist/db/migrate.js]"),
    _row("starting background subprocess: *", COMMANDS, "fact", "the last command, the application", "background", "node [server.js]"),
    _row("node is not a candidate, skipping command execution: *", COMMANDS, "benign", "`if-candidate: true` on a replica", "skipped-command", "node [dist/db/migrate.js]"),
    _row("ERROR: cannot exec: *", COMMANDS, "LFS701", "a command does not start, or ends with an error", "exec-failed", "sync cmd: cannot run command: exit status 1"),
    _row("ERROR: cannot exec: background cmd: cannot start exec command: *", COMMANDS, "LFS701", "the application does not start", "exec-start-failed", 'exec: "node": executable file not found in $PATH'),
    _row("ERROR: cannot exec: cannot parse exec command*", COMMANDS, "LFS701", "a quote or a parenthesis is not closed", "exec-failed", "[0]: invalid command line string"),
    _row("waiting for signal or subprocess to exit", COMMANDS, "fact", "everything was started; after an `ERROR:` line it is LFS512", "waiting", plain=True),
    _row("subprocess exited with error code *, litefs shutting down", COMMANDS, "LFS707", "the application ended; -1: a signal killed it", "subprocess-exited", "7", plain=True),
    _row("subprocess exited with error, litefs shutting down: *", COMMANDS, "LFS707", "the application could not be waited for", "subprocess-exited", "wait: no child processes", plain=True),
    _row("subprocess exited successfully, litefs shutting down", COMMANDS, "LFS707", "the application ended well, and LiteFS with it", "subprocess-exited", plain=True),
    _row("signal received, litefs shutting down", COMMANDS, "fact", "it was asked to end", "signal-received", plain=True),
    _row("sending signal to exec process", COMMANDS, "fact", "it was asked to end", "signal-sent", plain=True),
    _row("waiting for exec process to close", COMMANDS, "benign", "the application has a signal and takes its time", plain=True),
    _row("litefs shut down complete", COMMANDS, "fact", "the end of a run", "shutdown-complete", plain=True),
    _row("ERROR: cannot wait for exec process: *", COMMANDS, "benign", "the application's exit code at SIGTERM is not 0", "exec-wait-failed", "exit status 143"),
    _row("ERROR: cannot signal exec process: *", COMMANDS, "benign", "the application had ended already", "fatal", "os: process already finished"),
    _row("ERROR: exit status *: *failed to unmount *", COMMANDS, "benign", "a program still had the mount open at the end", "unmount-failed", "1", "fusermount3: ", "/litefs: Device or resource busy"),
    _row("ERROR: canceled, *", COMMANDS, "benign", "it was asked to end while it started", "fatal", "signal received"),
    # --- backups
    _row("no backup client configured, skipping", BACKUP, "benign", "there is no backup", "no-backup"),
    _row("file-based backup client configured: *", BACKUP, "benign", "backups into a directory", "file-backup", "file:///backup"),
    _row("litefs cloud backup client configured: *", BACKUP, "LFS809", "backups to a service that is gone", "cloud-backup", "https://litefs.fly.io"),
    _row("begin primary backup stream: url=*", BACKUP, "benign", "the primary begins its backups", "", "file:///backup"),
    _row("begin streaming backup *", BACKUP, "benign", "the primary begins its backups", "", "full-sync-interval=10s"),
    _row("exiting streaming backup", BACKUP, "benign", "the node leads no more"),
    _row("primary backup stream exiting", BACKUP, "benign", "the node leads no more"),
    _row("backup stream failed, retrying: *", BACKUP, "LFS809", "no backup is made", "backup-failed", 'fetch position map: Get "https://litefs.fly.io/pos": EOF'),
    _row("backup stream failed, retrying: *cluster id mismatch, expecting *", BACKUP, "LFS809", "the backup is another cluster's", "backup-failed", "fetch position map: ", '"LFSC0123456789ABCDEF"'),
    _row("restoring from backup *", BACKUP, "LFS809", "local data is being replaced by the backup's", "backup-restore", f"name=db pos.local={_TX}/{_SUM} pos.remote={_TX}/aa50e9c731d14fcb reason=chksum-mismatch"),
    _row('backup of database "*" is ahead of local copy, restoring from backup', BACKUP, "LFS809", "local data is being replaced by the backup's", "backup-restore", "db"),
    _row("database restore complete *", BACKUP, "benign", "said after `restoring from backup`, which counts", "", f"name=db pos={_TX}/{_SUM} elapsed=1s"),
    _row("beginning database restore from backup *", BACKUP, "benign", "said after `restoring from backup`, which counts; only with log.debug", "", "name=db prev_pos=x"),
    _row("fetching position map from backup server", BACKUP, "benign", "only with log.debug"),
    _row("syncing databases to backup *", BACKUP, "benign", "only with log.debug", "", "dirty=1"),
    _row("sync database to backup *", BACKUP, "benign", "only with log.debug", "", "name=db"),
    _row("database synced to backup *", BACKUP, "benign", "only with log.debug", "", f"name=db pos={_TX}/{_SUM}"),
    _row("database in sync with backup, skipping *", BACKUP, "benign", "only with log.debug", "", "name=db"),
    _row("no position, removing from backup sync *", BACKUP, "benign", "only with log.debug", "", "name=db"),
    # --- the application's own words
    _row("*attempt to write a readonly database*", APPLICATION, "LFS703", "on a replica: SQLite's error 8", "readonly-database", "Error: stepping, ", " (8)", plain=True),
    _row("*SQLITE_READONLY*", APPLICATION, "LFS703", "on a replica: SQLite's error 8", "readonly-database", "{ code: '", "' }", plain=True),
    _row("*disk I/O error*", APPLICATION, "LFS703 LFS714", "SQLite's error 10; counts with LiteFS's own line only", "disk-io-error", "sqlite3.OperationalError: ", "", plain=True),
    _row("*SQLITE_IOERR*", APPLICATION, "LFS703 LFS714", "SQLite's error 10; counts with LiteFS's own line only", "disk-io-error", "{ code: '", "' }", plain=True),
    _row("*database disk image is malformed*", APPLICATION, "LFS803", "a damaged database", "malformed", "sqlite3.DatabaseError: ", "", plain=True),
    _row("*Cannot find module '*'*", APPLICATION, "LFS701", "the program of a command is not where the command says", "module-not-found", "Error: ", "/app/dist/migrate.js", "", plain=True),
    _row("*can't open file *", APPLICATION, "LFS701", "the program of a command is not where the command says", "module-not-found", "python: ", "'/app/x.py': [Errno 2] No such file or directory", plain=True),
    _row("*No module named '*'*", APPLICATION, "LFS701", "the program of a command lacks a package", "module-not-found", "ModuleNotFoundError: ", "django", "", plain=True),
    _row("fetching node metadata", APPLICATION, "benign", "`litefs run` at work", plain=True),
    _row("node is not a candidate, skipping execution", APPLICATION, "benign", "`litefs run -if-candidate` on a replica", plain=True),
    _row("promoting node to primary", APPLICATION, "benign", "`litefs run -promote`", plain=True),
    _row("promotion successful", APPLICATION, "benign", "`litefs run -promote`", plain=True),
    _row("acquiring halt lock", APPLICATION, "benign", "`litefs run -with-halt-lock-on`", plain=True),
    _row("halt lock acquired in *", APPLICATION, "benign", "`litefs run -with-halt-lock-on`", "", "12ms", plain=True),
    _row("releasing halt lock", APPLICATION, "benign", "`litefs run -with-halt-lock-on`", plain=True),
    _row("halt lock released in *", APPLICATION, "benign", "`litefs run -with-halt-lock-on`", "", "12ms", plain=True),
    _row("Export of database * in *", APPLICATION, "benign", "`litefs export`", "", '"db"', "12ms", plain=True),
    _row("Import of database * in *", APPLICATION, "benign", "`litefs import`", "", '"db"', "12ms", plain=True),
)  # fmt: skip

LEFT_OUT: tuple[tuple[str, str], ...] = (
    ("the lines of `-fuse.debug`", "each request of a program, thousands a second; they quote file names, so they are taken for the application's"),
    ("the trace log of tracing.path", "goes to a file of its own, or to standard output with `-tracing`; no line of it is told apart from the application's"),
    ("usage texts below their first line", "the first line is enough"),
    ("goroutine traces below a panic", "only the lines that tell whose panic it is are read"),
)
"""What is written on purpose as if it were the application's."""
