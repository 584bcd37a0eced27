"""Values that come from a kubeconfig or a cluster: which, by which requests, and never anything a shell could act on."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import click
import pytest

from kubectl_litefs.cli import values
from kubectl_litefs.cli.main import COMMANDS
from kubectl_litefs.cli.options import Command, cluster_options

from ..api import serve
from .cluster import HOSTILE, Cluster, kubeconfig, named
from .test_protocol import ask

PODS = ["abaci-app-0", "abaci-app-1", "abaci-app-2"]


def test_namespaces(cluster: Cluster) -> None:
    assert ask("diagnose", "-n", "") == (["abaci", "abacus", "kube-system"], 4)
    assert ask("diagnose", "--namespace=abac") == (["abaci", "abacus"], 4)
    assert ask("rbac", "diagnose", "-n", "k") == (["kube-system"], 4)
    assert cluster.requests == ["/api/v1/namespaces?limit=500"] * 3


def test_where_namespaces_may_not_be_listed_the_kubeconfigs_are_offered(cluster: Cluster) -> None:
    cluster.refuse = "/namespaces"
    assert ask("diagnose", "-n", "") == (["abaci", "remote"], 4)
    assert len(cluster.requests) == 1


def test_pods_and_sets_by_one_request(cluster: Cluster) -> None:
    assert ask("diagnose", "") == ([*PODS, "abaci-web-0", "statefulset/abaci-app"], 4)
    assert cluster.requests == ["/api/v1/namespaces/abaci/pods?limit=500"]


def test_what_is_typed_already_is_not_offered_again(cluster: Cluster) -> None:
    assert ask("bundle", "abaci-app-0", "statefulset/abaci-app", "") == (["abaci-app-1", "abaci-app-2", "abaci-web-0"], 4)


@pytest.mark.parametrize(("words", "found"), [
    (["sts/"], ["sts/abaci-app"]),
    (["StatefulSet/ab"], ["StatefulSet/abaci-app"]),
    (["statefulset", ""], ["abaci-app"]),
    (["pod/abaci-w"], ["pod/abaci-web-0"]),
    (["po", "abaci-w"], ["abaci-web-0"]),
    (["secret/"], []),
])  # fmt: skip
def test_names_of_one_kind(cluster: Cluster, words: list[str], found: list[str]) -> None:
    assert ask("diagnose", *words) == (found, 4)
    assert len(cluster.requests) == (1 if found else 0)


def test_a_saved_bundle_asks_no_cluster(cluster: Cluster) -> None:
    assert ask("diagnose", "--from", "x.tar.gz", "") == ([], 4)
    assert cluster.requests == []


def test_flags_already_typed_are_honoured(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("diagnose", "-n", "abacus", "")
    ask("diagnose", "-A", "")
    assert cluster.requests == ["/api/v1/namespaces/abacus/pods?limit=500", "/api/v1/pods?limit=500"]
    second = Cluster(cluster.snapshot)
    with serve(second) as url:
        other = kubeconfig(tmp_path / "other", url)
        monkeypatch.setenv("ELSEWHERE", str(tmp_path))
        for words in (["--kubeconfig", str(other)], ["--kubeconfig=" + str(other)], ["-s", url], ["--kubeconfig", "$ELSEWHERE/other"]):
            assert ask("diagnose", *words, "abaci-app")[0] == PODS
    assert len(second.requests) == 4
    assert len(cluster.requests) == 2
    assert ask("diagnose", "--context", "arn:aws:eks:eu:1:cluster/far", "--cluster", "lab", "-n", "") == (["abaci", "abacus", "kube-system"], 4)


def test_impersonation_goes_along(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    from kubectl_litefs.kube import connect as module

    seen = []
    real = module.connect
    monkeypatch.setattr(module, "connect", lambda options: seen.append(options) or real(options))
    ask("diagnose", "--as", "eve", "--as-group", "a", "--as-group", "b", "--as-uid", "7", "")
    assert (seen[0].as_user, seen[0].as_groups, seen[0].as_uid) == ("eve", ("a", "b"), "7")


def test_kubeconfig_names(cluster: Cluster) -> None:
    assert ask("diagnose", "--context", "") == (["arn:aws:eks:eu:1:cluster/far", "here"], 4)
    assert ask("diagnose", "--context=arn:aws:eks") == (["arn:aws:eks:eu:1:cluster/far"], 4)
    assert ask("diagnose", "--cluster", "") == (["lab", "other"], 4)
    assert ask("diagnose", "--user", "") == (["me@lab"], 4), "a name that a shell would run is not offered"
    assert cluster.requests == []


def test_hostile_names_are_never_offered(cluster: Cluster) -> None:
    cluster.extra = [named(n) for n in HOSTILE]
    assert ask("diagnose", "") == ([*PODS, "statefulset/abaci-app"], 4)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items": 5}', b'{"items": [1, null, {}, {"metadata": []}]}', b"\xff", b"[" * 100_000])
def test_a_strange_answer_offers_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    from ..cli.run import run

    monkeypatch.setattr(cluster, "answer", lambda path, query: (200, body))
    done = run(capsys, "__complete", "diagnose", "")
    assert (done.code, done.out, done.err) == (0, ":4\n", "")


@pytest.fixture
def fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fix-cluster-id` as it is, or a stand-in as long as there is none."""
    if "fix-cluster-id" in COMMANDS:
        return

    @click.command("fix-cluster-id", cls=Command)
    @click.argument("pod", metavar="POD", shell_complete=values.litefs_pods)
    @cluster_options
    def command(**_: object) -> None:
        """A stand-in."""

    module = types.ModuleType("kubectl_litefs.cli.fix_cluster_id")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "fix-cluster-id", ("fix_cluster_id", "A stand-in."))


@pytest.mark.usefixtures("fix")
def test_a_fix_offers_litefs_pods_only(cluster: Cluster) -> None:
    assert ask("fix-cluster-id", "") == (PODS, 4)
    assert ask("fix-cluster-id", "-n", "abaci", "abaci-w") == ([], 4)
    assert ask("fix-cluster-id", "abaci-app-1", "") == ([], 4), "it takes one pod"
    assert cluster.requests == ["/api/v1/namespaces/abaci/pods?limit=500"] * 2


@pytest.mark.usefixtures("fix")
def test_pods_with_weak_signs_where_there_are_no_better(cluster: Cluster) -> None:
    port = {"name": "db", "ports": [{"containerPort": 20202}]}
    cluster.extra = [named("plain-0"), {**named("odd-0"), "spec": {"containers": [port]}}]
    assert ask("fix-cluster-id", "")[0] == PODS
    assert ask("fix-cluster-id", "o")[0] == ["odd-0"]
    assert ask("fix-cluster-id", "p")[0] == []


@pytest.mark.parametrize("command", ["plan", "run", "undo"])
def test_a_rescue_offers_the_set_of_litefs_pods_once(cluster: Cluster, command: str) -> None:
    assert ask("rescue", command, "") == (["abaci-app"], 4)
    assert ask("rescue", command, "z") == ([], 4)
    assert ask("rescue", command, "abaci-app", "") == ([], 4), "it takes one set"


def test_the_source_of_a_rescue_is_a_litefs_pod(cluster: Cluster) -> None:
    assert ask("rescue", "run", "--source", "") == (PODS, 4)
