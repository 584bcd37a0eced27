"""As whom a command of `exec` runs, however the switch is written."""

from __future__ import annotations

import pytest

from kubectl_litefs.parse.exec_user import user_of


@pytest.mark.parametrize(
    ("argv", "switch"),
    [
        (["node", "server.js"], (None, None)),
        ([], (None, None)),
        (["su-exec", "node", "sh", "-c", "exec node server.js"], ("su-exec", "node")),
        (["/sbin/su-exec", "node:node", "node"], ("su-exec", "node:node")),
        (["env", "A=1", "tini", "--", "gosu", "1000", "node"], ("gosu", "1000")),
        (["setpriv", "--reuid=1000", "--clear-groups", "node"], ("setpriv", "1000")),
        (["sudo", "-u", "app", "node"], ("sudo", "app")),
        (["su", "-s", "/bin/sh", "-c", "node server.js", "node"], ("su", "node")),
        (["su", "-", "node", "-c", "node server.js"], ("su", "node")),
        (["su"], ("su", None)),
        (["sh", "-c", "mkdir -p /x && exec su-exec node node server.js"], ("su-exec", "node")),
        (["sh", "-c", "if [ -f x ]; then exec gosu app a; else exec gosu app b; fi"], ("gosu", "app")),
        (["sh", "-c", "echo su-exec node"], (None, None)),
        (["sh", "-c", "'not closed"], (None, None)),
        (["sh", "/app/start.sh"], (None, None)),
    ],
)
def test_who_runs_it_in_the_end(argv: list[str], switch: tuple[str | None, str | None]) -> None:
    assert user_of(argv) == switch
