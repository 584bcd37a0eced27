"""What `diagnose` says."""

from __future__ import annotations

import json
from typing import Any

from .accounts import Account
from .conftest import Cli


def diagnosed(cli: Cli, namespace: str, account: Account | None = None) -> tuple[int, Any]:
    """Its exit code and its report."""
    done = cli("diagnose", "-n", namespace, "-o", "json", account=account)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def errors(report: Any) -> list[tuple[str, str]]:
    """(rule, what it is about) of every finding at error."""
    return sorted((f["rule"], f["subject"]["name"]) for f in report["findings"] if f["severity"] == "error")
