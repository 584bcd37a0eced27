"""Whose plain line is it: LiteFS's or the application's? Both share one stream, and both may print `ERROR: ...`.

LiteFS speaks of its configuration before its banner, of its start until the node is ready, and after that only of
its proxy, its commands and its end. What an application says in the same words at another time is not LiteFS's.
"""

from __future__ import annotations

import re
from enum import Enum

_CONFIG = re.compile(
    r"ERROR: (?:yaml: |EOF$|config file not found|cannot (?:read|unmarshal) config file at |open .+: [a-z ]+$|"
    r"read .+: is a directory|invalid exec config format|(?:fuse|data) directory |invalid lease type|"
    r"cannot specify a database replication filter|too many arguments|flag |bad flag syntax|invalid boolean value|"
    r"invalid value |litefs .*: unknown command)"
)
_START = re.compile(r"ERROR: (?:init logger: |cannot init |cannot open store: )")
_LATE = re.compile(
    r"ERROR: (?:cannot run proxy server: |cannot exec: |promote: |cannot (?:signal|wait for) exec process|"
    r"exit status \d+: fusermount|canceled, )"
)
_FLAG = ("flag provided but not defined: ", "The mount command will mount")
_BEGINS = (
    "Using ", "no backup client", "file-based backup client", "litefs cloud backup client", "host environment detected",
    "trace log enabled", "initializing consul: ", "invalid database header on ", "database file ", "wal-sync: ",
    "set cluster id on ", "using existing cluster id: ", "mount helper ",
)  # fmt: skip
YAML_LINES = 200
"""How many lines below `yaml: unmarshal errors:` its list may go on, the other stream's lines between."""


class Phase(Enum):
    """Where a run of LiteFS stands."""

    OUTSIDE = "outside"
    """No LiteFS has started yet, or the last one has ended."""
    STARTING = "starting"
    READY = "ready"
    """The application may be running."""


class Voice:
    """Follows a log line by line and knows who speaks."""

    def __init__(self, whole: bool) -> None:
        # A log without its beginning most likely begins in the middle of a run.
        self.phase = Phase.OUTSIDE if whole else Phase.READY
        self._list_until = 0

    def heard(self, text: str) -> None:
        """A structured line of LiteFS."""
        if text.startswith(("connected to cluster, ready", "skipping cluster sync")):
            self.phase = Phase.READY
        elif text.startswith("Using "):
            self.phase = Phase.STARTING
        elif self.phase is Phase.OUTSIDE:
            # The first line is no start-up line: the kubelet has rotated the beginning away.
            self.phase = Phase.STARTING if text.startswith(_BEGINS) else Phase.READY

    def is_litefs(self, number: int, text: str) -> bool:
        """Whether a plain line that looks like LiteFS's is."""
        if text.startswith("ERROR: "):
            return self._error(number, text)
        if text.startswith("line "):
            return number <= self._list_until
        if text.startswith(("LiteFS ", "config file read from ")):
            if self.phase is Phase.OUTSIDE:
                self.phase = Phase.STARTING
            return True
        if text.startswith(("subprocess exited ", "litefs shut down complete")):
            self.phase = Phase.OUTSIDE
            return True
        return self.phase is not Phase.READY or not text.startswith(_FLAG)

    def _error(self, number: int, text: str) -> bool:
        early = self.phase is not Phase.READY
        mine = _LATE.match(text) or (early and (_CONFIG.match(text) or _START.match(text)))
        if not mine and self.phase is not Phase.STARTING:
            return False
        if text.endswith("yaml: unmarshal errors:"):
            self._list_until = number + YAML_LINES
        self.phase = Phase.OUTSIDE
        return True
