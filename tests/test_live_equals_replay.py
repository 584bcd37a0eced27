"""A recording served as an API, read through the live path, gives the same report as the recording itself."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from kubectl_litefs import app
from kubectl_litefs.gather import bundle, live
from kubectl_litefs.kube.connect import connect
from kubectl_litefs.kube.options import ConnectionOptions
from kubectl_litefs.model.report import Report
from kubectl_litefs.model.target import Target
from kubectl_litefs.render import json as as_json

from .api import RecordedApi
from .test_recordings import EXPECTED, recording

SERVER = "http://api.test:6443"


class StoppedClock:
    """The time of the recording; sleeping costs nothing."""

    def __init__(self, at: datetime) -> None:
        self.at, self.slept = at, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Quiet:
    """Nobody watches."""

    def progress(self, text: str) -> None:
        pass


def served(api: RecordedApi) -> responses.RequestsMock:
    """`requests` answered by the recording: nothing leaves the process."""
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.url)
        status, body = api.answer(parts.path, {k: v[-1] for k, v in parse_qs(parts.query).items()})
        return status, {}, body

    mock.add_callback(responses.GET, re.compile(re.escape(SERVER) + "/.*"), callback=answer)
    return mock


def live_report(api: RecordedApi, target: Target | None = None) -> tuple[Report, Any]:
    with served(api):
        kube = connect(ConnectionOptions(server=SERVER, namespace="abaci", kubeconfig=None))
        snapshot = live.gather(kube, target or Target(namespace="abaci"), StoppedClock(api.snapshot.taken_at), Quiet())
        kube.close()
    return app.judge(snapshot), snapshot


def essence(report: Report) -> Any:
    """What must be equal although the older recordings did not ask for everything that is asked today."""
    tree = json.loads(as_json.render(report))
    return {"findings": tree["findings"], "clusters": tree.get("clusters")}


@pytest.mark.parametrize("name", EXPECTED)
def test_live_equals_replay(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    recorded = bundle.load(recording(name))
    report, snapshot = live_report(RecordedApi(recorded))
    assert essence(report) == essence(app.judge(recorded))
    saved = tmp_path / "saved.tar.gz"
    bundle.save(snapshot, saved)
    replayed = json.loads(as_json.render(app.judge(bundle.load(saved))))
    first = json.loads(as_json.render(report))
    for tree in (replayed, first):
        del tree["takenAt"], tree["target"]["source"]
    assert replayed == first, "a saved bundle replays to the very same report"


def test_a_healthy_set_costs_few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    api = RecordedApi(bundle.load(recording("healthy")))
    live_report(api)
    print("\n".join(api.requests))
    assert len(api.requests) <= 19 + 5 * 3
    assert not [r for r in api.requests if "/secrets" in r or "/exec" in r]
