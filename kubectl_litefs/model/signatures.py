"""Every log message that decides something: one table, used by the log parser and named by rules.

Source: the `%`-formats of LiteFS 0.5.0 to 0.5.14 and of the FUSE, YAML and flag packages it is built with, checked
against its output on real clusters. What a message means, which rule tells it, and the harmless ones stand in
`messages`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """`pattern` is searched in the message; every match contains one of `needles` (a cheap first test).

    Messages are cleaned before: no control characters, no blanks at the ends, escapes undone, attributes of a
    structured line appended as ` name=value`. `anyone` is True when the application's lines count too; else only
    LiteFS's own lines (structured or plain). Every pattern takes time linear in the message.
    """

    name: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    anyone: bool = False


NODE = r"(?:[0-9A-F]{1,16}: )?"
"""The node's id in front of a message: LiteFS 0.5.5 and later; new at each start."""


def _any(name: str, needles: str | tuple[str, ...], pattern: str | None = None, anyone: bool = False) -> Signature:
    """The pattern may match anywhere in the message."""
    literals = (needles,) if isinstance(needles, str) else needles
    return Signature(name, literals, re.compile(re.escape(literals[0]) if pattern is None else pattern), anyone)


def _head(name: str, needle: str, pattern: str | None = None) -> Signature:
    """The pattern matches at the message's start, after the node's id."""
    return Signature(name, (needle,), re.compile("^" + NODE + (re.escape(needle) if pattern is None else pattern)))


_ID = r"[^\s\"<>]*"
_TXID = r"[0-9a-f]{16}"
_CONSUL = (
    r"cannot connect to consul: (?!must specify).*",
    r"cannot fetch cluster ID from \"consul\" lease.*",
    r"create consul session.*",
    r"cannot acquire lease or find primary, retrying: fetch primary url.*",
)
_CORRUPT = (
    r"recover ltx: database checksum \S+ on TXID \S+ does not match LTX post-apply checksum \S+",
    r"sync wal to ltx: validate ltx: .*",
    r"wal-sync: short wal size.*",
    r"snapshot checksum mismatch at tx .*",
    r"updated page \(\d+\) does not match in-memory checksum.*",
    r"verification failed \((?:wal|journal)\).*",
)
_INVALID = (
    r"invalid exec config format.*",
    r"data directory required",
    r"fuse directory required",
    r"fuse directory and data directory cannot be the same path",
    r"invalid lease type.*",
    r"init logger: invalid log format.*",
    r"cannot init store: (?:invalid backup client type|open file backup client|open litefs cloud backup client|cannot parse).*",
    r"cannot init http server: cannot open http server: listen tcp(?:: address .*|: lookup .*unknown port.*|.*invalid port.*)",
    r"cannot init consul: .*must specify .*",
    r"cannot run proxy server: cannot parse proxy .*",
)

SIGNATURES: tuple[Signature, ...] = (
    # --- how a run goes
    _head("existing-primary", "existing primary found (", r"existing primary found \((?P<hostname>.*)\), connecting as replica to \"(?P<url>.*)\""),
    _head("lease-acquired", "primary lease acquired, advertising as", r"primary lease acquired, advertising as (?P<url>.*)"),
    _head("existing-id", "using existing cluster id: ", rf"using existing cluster id: \"(?P<id>{_ID})\""),
    _head("set-id", "set cluster id on ", rf"set cluster id on \"(?P<lease>[^\"]*)\" lease \"(?P<id>{_ID})\""),
    _head("consul-init", "initializing consul: key=", r"initializing consul: key=(?P<key>\S*) url=\S* hostname=(?P<hostname>.*) advertise-url=(?P<url>.*)"),
    _head("mounted", "LiteFS mounted to: ", r"LiteFS mounted to: (?P<path>.*)"),
    _head("connected", "connected to cluster, ready"),
    _head("waiting-to-connect", "waiting to connect to cluster"),
    _head("config-read", "config file read from ", r"config file read from (?P<path>.*)"),
    _head("executing", "executing command: ", r"executing command: (?P<command>.*)"),
    _head("background", "starting background subprocess: ", r"starting background subprocess: (?P<command>.*)"),
    _head("skipped-command", "node is not a candidate, skipping command execution: ", r"node is not a candidate, skipping command execution: (?P<command>.*)"),
    _head("sync-skipped", "skipping cluster sync, starting immediately"),
    _head("proxy-listening", "proxy server listening on: ", r"proxy server listening on: (?P<url>.*)"),
    _head("waiting", "waiting for signal or subprocess to exit"),
    _head("signal-sent", "sending signal to exec process"),
    _head("signal-received", "signal received, litefs shutting down"),
    _head("shutdown-complete", "litefs shut down complete"),
    _head("snapshot-received", "snapshot received for ", r"snapshot received for \"(?P<db>[^\"]*)\""),
    _head("stream-connected", "stream connected (", r"stream connected \((?P<peer>[^)]*)\)"),
    _head("stream-disconnected", "stream disconnected (", r"stream disconnected \((?P<peer>[^)]*)\)"),
    _head("disconnected-clean", "disconnected from primary, retrying"),
    # --- identity and lineage
    _any("different-cluster-id", "cannot stream from primary with a different cluster id", rf"cannot stream from primary with a different cluster id: (?P<replica>{_ID}) <> (?P<primary>{_ID})"),
    _any("position-mismatch", "position mismatch on db ", r"position mismatch on db \"(?P<db>[^\"]*)\": (?P<ours>\S+) <> (?P<theirs>\S+)"),
    _head("lease-id-conflict", "lease already initialized with different ID", r"cannot connect, \"(?P<lease>[^\"]*)\" lease already initialized with different ID: (?P<id>\S+)"),
    _head("no-id-for-primary", "cannot become primary, local node has no cluster ID and", r"cannot become primary, local node has no cluster ID and \"(?P<lease>[^\"]*)\" lease already initialized(?: with cluster ID (?P<id>\S+))?"),
    _any("invalid-cluster-id", "load cluster id: invalid cluster id"),
    _head("drop-db-frame", "deprecated drop db frame received, skipping"),
    _head("client-ahead", "exceeds primary transaction id", rf"client transaction id \((?P<client>{_TXID})\) exceeds primary transaction id \((?P<primary>{_TXID})\)"),
    _head("client-checksum", "caught up but checksum is mismatched", rf"client transaction id \((?P<txid>{_TXID})\) caught up but checksum is mismatched \((?P<client>[0-9a-f]+) <> (?P<primary>[0-9a-f]+)\)"),
    _head("client-preapply", "client preapply checksum mismatch for txid", rf"client preapply checksum mismatch for txid (?P<txid>{_TXID})"),
    _head("clearing-data", "clearing data files", r"invalid database header on \"(?P<db>[^\"]*)\", clearing data files"),
    # --- connections; the tail of connect-error decides
    _head("connect-error", "disconnected from primary with error, retrying: connect to primary: ", r"disconnected from primary with error, retrying: connect to primary: (?P<error>.*?)(?: \('(?P<url>[^']*)'\))?$"),
    _any("stream-broken", "process ltx stream frame: write ltx file: unexpected EOF"),
    _any("bad-frame", "invalid stream frame type", r"invalid stream frame type: (?P<type>\S+)"),
    _head("cannot-connect-to-self", "cannot connect to self", r"http: POST /stream: error: cannot connect to self"),
    _head("lease-expired-stream", "http: POST /stream: error: lease expired"),
    # --- consul
    _any("consul-unreachable", ("cannot connect to consul", "cannot fetch cluster ID from", "create consul session", "fetch primary url"), "(?P<error>" + "|".join(_CONSUL) + ")"),
    _head("consul-renewal", "lease renewal error, retrying", r"lease renewal error, retrying: (?P<error>.*)"),
    _head("consul-lease-lost", "primary lease lost, retrying", r"primary lease lost, retrying: (?P<error>.*)"),
    _head("no-primary", "cannot find primary & ineligible to become primary, retrying: no primary"),
    # --- config; the lines below `yaml: unmarshal errors:` are one message each
    _any("unknown-field", "not found in type main.", r"^line (?P<line>\d+): field (?P<field>.+) not found in type main\.(?P<type>\w+)"),
    _any("unknown-field-consul", " not found in type struct", r"^line (?P<line>\d+): field (?P<field>.+) not found in type struct"),
    _any("yaml-error", ("yaml: ", "mapping key "), r"^(?:ERROR: (?:cannot unmarshal config file at .+: )?yaml: |(?=line \d+: mapping key ))(?P<error>(?!unmarshal errors).+)"),
    _any("config-empty", "EOF", r"^ERROR: (?:cannot unmarshal config file at .+: )?EOF$"),
    _any("cannot-unmarshal", "cannot unmarshal !!", r"line (?P<line>\d{1,9}): cannot unmarshal !!(?P<tag>\w+)(?: (?P<value>`.*`))? into (?P<type>.+)"),
    _any("invalid-value", "ERROR: ", r"^ERROR: (?:cannot unmarshal config file at .+: )?(?P<error>" + "|".join(_INVALID) + ")"),
    _any("filter-on-candidate", "cannot specify a database replication filter on candidate nodes"),
    _any("config-not-found", "ERROR: ", r"^ERROR: (?:config file not found|open (?P<path>.+): no such file or directory)"),
    _any("exec-panic", "execCmds", r"^main\.\(\*MountCommand\)\.execCmds"),
    _any("panic", "panic: ", r"^panic: (?P<error>.*)"),
    _any("too-many-arguments", "too many arguments, specify a '--'"),
    _any("unknown-flag", "flag provided but not defined", r"flag provided but not defined: (?P<flag>\S+)"),
    _any("bad-flag", "ERROR: ", r"^ERROR: (?P<error>flag needs an argument: .*|bad flag syntax: .*|invalid boolean value .*)"),
    _any("unknown-command", ": unknown command", r"^ERROR: litefs (?P<command>.+): unknown command"),
    _any("usage", ("litefs is a distributed file system for replicating", "The mount command will mount a LiteFS directory"), r"^(?:litefs is a distributed file system for replicating SQLite databases|The mount command will mount a LiteFS directory)", anyone=True),
    _head("backup-restore", "restoring from backup", r"(?:restoring from backup(?: name=(?P<db>\S*))?(?:.* reason=(?P<reason>\S+))?|backup of database \"[^\"]*\" is ahead of local copy, restoring from backup)"),
    _head("no-backup", "no backup client configured, skipping"),
    _head("cloud-backup", "litefs cloud backup client configured", r"litefs cloud backup client configured: (?P<url>.*)"),
    _head("file-backup", "file-based backup client configured", r"file-based backup client configured: (?P<url>.*)"),
    _head("backup-failed", "backup stream failed, retrying", r"backup stream failed, retrying: (?P<error>.*)"),
    # --- container and image
    _any("mount-helper-error", "mount helper error: ", r"^mount helper error: (?P<error>.*)"),
    _any("fuse-unavailable", ("fuse device not found", "failed to open /dev/fuse", "mount failed: "), r"fusermount3?: (?P<error>fuse device not found.*|failed to open /dev/fuse.*|mount failed: .*)"),
    _any("fusermount-missing", "executable file not found", r"exec: \"fusermount3?\": executable file not found"),
    _any("fuse-init-failed", "cannot init file system", r"^ERROR: cannot init file system: (?P<error>.*)"),
    _any("allow-other-refused", "option allow_other only allowed if 'user_allow_other' is set"),
    _any("mount-exists", "cannot open file system: mkdir ", r"cannot open file system: mkdir (?P<path>.+): file exists"),
    _any("transport-endpoint", "ransport endpoint is not connected", r"(?:(?<![^\s'\"(])(?P<path>/[^\s'\":]{1,300})['\"]?: )?[Tt]ransport endpoint is not connected(?:: ['\"]?(?P<after>/[^\s'\"]*))?", anyone=True),
    _any("store-permission", ("permission denied", "read-only file system"), r"^ERROR: cannot (?:open store|init file system): [^/]*(?P<path>/.*): (?P<error>permission denied|read-only file system)"),
    _any("port-in-use", "bind: address already in use", r"(?P<what>cannot open http server|cannot run proxy server): listen tcp (?P<addr>\S*): bind: address already in use"),
    _any("foreign-file", "not a directory", r"open database\(\"(?P<db>[^\"]*)\"\): init from database header: open (?P<path>.+): not a directory"),
    _any("data-inside-fuse", "set local cluster id: mkdir", r"set local cluster id: mkdir (?P<path>.+): operation not permitted"),
    _any("no-space", "no space left on device"),
    _any("corruption", ("recover ltx: ", "sync wal to ltx: ", "wal-sync: short wal size", "snapshot checksum mismatch", "does not match in-memory checksum", "verification failed ("), "(?P<error>" + "|".join(_CORRUPT) + ")"),
    _any("malformed", "database disk image is malformed", anyone=True),
    _head("killed-itself", "fatal error occurred while", r"fatal error occurred while (?P<doing>committing WAL to|applying ltx to) \"(?P<db>[^\"]*)\"(?:, exiting)?: (?P<error>.*)"),
    _head("snapshot-timeout", "snapshot timeout exceeded", r"http: POST /stream: error: stream error: db=\"(?P<db>[^\"]*)\" .*snapshot timeout exceeded \((?P<after>[^)]{0,40})\)"),
    # --- exec, proxy, application
    _any("exec-failed", "cannot exec: ", r"^ERROR: cannot exec: (?P<error>.*)"),
    _any("exec-start-failed", "cannot start exec command", r"(?P<error>cannot start exec command: .*)"),
    _any("exec-wait-failed", "cannot wait for exec process", r"^ERROR: cannot wait for exec process: (?P<error>.*)"),
    _any("subprocess-exited", "subprocess exited ", r"^subprocess exited (?:with error code (?P<code>-?\d+)|with error, litefs shutting down: (?P<error>.*)|successfully)"),
    _any("unmount-failed", "failed to unmount", r"^ERROR: exit status \d+: fusermount3?: failed to unmount (?P<path>\S+): (?P<error>.*)"),
    _any("proxy-misconfigured", "cannot run proxy server: ", r"^ERROR: cannot run proxy server: (?P<error>proxy (?:database name|bind address) required|listen tcp(?:: address .*|: lookup .*unknown port.*|.*invalid port.*))"),
    _any("fatal", "ERROR: ", r"^ERROR: (?P<error>.*)"),
    _any("read-only-replica", "read only replica", r"^fuse: (?P<what>.*): read only replica"),
    _any("foreign-write", "fuse: write(): database error: ", r"fuse: write\(\): database error: (?:cannot read sqlite database header: (?P<error>.*)|(?P<shape>cannot determine page size.*|database writes? .*))"),
    _any("readonly-database", ("attempt to write a readonly database", "SQLITE_READONLY"), r"attempt to write a readonly database|\bSQLITE_READONLY\b", anyone=True),
    _any("disk-io-error", ("disk I/O error", "SQLITE_IOERR"), r"disk I/O error|\bSQLITE_IOERR", anyone=True),
    _any("module-not-found", ("Cannot find module '", "can't open file", "No module named '"), r"Cannot find module '(?P<path>[^']+)'|can't open file '?(?P<file>[^':]+)'?: \[Errno 2\]|ModuleNotFoundError: No module named '(?P<module>[^']+)'", anyone=True),
    _head("proxy-database-missing", "proxying to target", r"proxy: \S+ .*: no database \"(?P<db>[^\"]*)\", proxying to target"),
    _any("exclusive-locking", "exclusive locking not allowed"),
    _head("fuse-serve-failed", "fuse serve error: ", r"fuse serve error: (?P<error>.*)"),
    _head("fuse-handler-panic", "fuse: panic in handler for", r"fuse: panic in handler for (?P<request>.*)"),
)  # fmt: skip

OWN = "own:"
"""Before a pattern of the user's own rules: the name of its hits."""

BY_NAME: dict[str, Signature] = {s.name: s for s in SIGNATURES}

COMMANDS = frozenset({"executing", "background", "skipped-command"})
"""Signatures whose message quotes the user's command: what stands in a command says nothing about LiteFS."""
