"""The bad inputs, numbered as in docs/reliability.md: the message names the value and a correct example, nothing is sent
that changes anything, and the exit code is the contract's."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.errors import KubeError

from ..harness import APP, CLUSTER_ID, NS
from .call import Call
from .sim import STRANGER, Sim

ONE = f"{APP}-1"


WORDS: list[tuple[str, list[str], int, str]] = [
    ("01-no-pod", [], 2, "abaci-app-1"),
    ("02-two-pods", [ONE, f"{APP}-2"], 2, "one target at a time"),
    ("03-empty", [""], 2, "empty"),
    ("04-a-set", [f"sts/{APP}"], 2, "give one pod"),
    ("05-no-ordinal", [APP], 2, "abaci-app-0, abaci-app-1, abaci-app-2"),
    ("06-leading-zero", [f"{APP}-01"], 2, "Did you mean abaci-app-1"),
    ("07-beyond", [f"{APP}-99"], 2, "0..2"),
    ("08-capitals", ["ABACI-APP-1"], 2, "RFC 1123"),
    *((f"09-{bad!a}", [f"a{bad}b"], 2, "RFC 1123") for bad in ("/", "..", "%2f", "?", "#", "\n", "\x1b[2J", "\U0001f600", "\u202e")),
    ("10-254", ["a" * 254], 2, "253"),
    ("11-minus-one", ["-1"], 2, "-1"),
    ("11-flag", ["--help;rm"], 2, "--help;rm"),
    *((f"12-{word}", [word], 2, "no selectors") for word in ("*", "all", "app=x")),
    ("17-empty-namespace", [ONE, "-n", ""], 2, "name of a namespace"),
    ("18-slash-namespace", [ONE, "-n", "a/b"], 2, "a/b"),
    ("20-all-namespaces", [ONE, "-A"], 2, "one namespace"),
    ("20-selector", [ONE, "-l", "app=x"], 2, "no selectors"),
    ("21-namespace-twice", [ONE, "-n", "a", "-n", "b"], 2, "given twice"),
    ("29-dry-run-yes", [ONE, "--dry-run=yes"], 2, "none, client, server"),
    ("29-dry-run-Client", [ONE, "--dry-run=Client"], 2, "did you mean client"),
    ("32-in-place-server", [ONE, "--dry-run=server", "--strategy=in-place"], 2, "exec has no dry run"),
    ("33-strategy", [ONE, "--strategy=scale1"], 2, "did you mean scale"),
    ("35-no-backup", [ONE, "--backup=none"], 4, "--accept-loss=db"),
    ("36-zip", [ONE, "--backup=zip"], 2, "export, snapshot, retain-pv, none"),
    ("38-empty-dir", [ONE, "--backup-dir", ""], 2, "--backup-dir"),
    ("41-accept-empty", [ONE, "--accept-loss="], 2, "name each database"),
    ("41-accept-star", [ONE, "--accept-loss=*"], 2, "name each database"),
    ("41-accept-unknown", [ONE, "--accept-loss=other"], 2, "It has: db"),
    ("42-small", [ONE, "--primary-is-right=lfsc00000000000000a1"], 2, "LFSC0123456789ABCDEF"),
    ("42-short", [ONE, "--primary-is-right=LFSC0000000000000A1"], 2, "is no cluster id"),
    ("42-targets", [ONE, f"--primary-is-right={STRANGER}"], 2, "which would be deleted"),
    *((f"43-{t}", [ONE, f"--timeout={t}"], 2, "--timeout" if t in ("0", "1000h") else "is no duration") for t in ("0", "-5s", "1e9h", "NaN", "1000h")),
    ("44-shorter-than-grace", [ONE, "--timeout=5"], 2, "60s"),
    *((f"45-{p}", [ONE, f"--port={p}"], 2, "--port") for p in ("0", "65536", "http", "-1")),
    ("46-container", [ONE, "--container=sidecar"], 2, "LiteFS runs in container app"),
    ("47-yes-alone", [ONE, "--yes"], 8, "--plan="),
    ("48-short-plan", [ONE, "--yes", "--plan=abc"], 6, "abc"),
    ("49-nothing-to-resume", [ONE, "--resume"], 0, "othing to resume"),
    ("53-format", [ONE, "-o", "yamll"], 2, "did you mean yaml"),
    ("55-unknown-flag", [ONE, "--force"], 2, "--force"),
    ("55-foreign-flag", [ONE, "--fail-on=error"], 2, "--fail-on"),
    ("55-twice", [ONE, "--strategy=pod", "--strategy=scale"], 2, "--strategy is given twice"),
    ("backup-dir-without-export", [ONE, "--backup=retain-pv", "--backup-dir=/tmp"], 2, "goes with --backup=export"),
    ("not-managed-by", [ONE, "--not-managed-by=abaci"], 2, "KIND/NAME"),
]


@pytest.mark.parametrize(("words", "code", "text"), [w[1:] for w in WORDS], ids=[w[0] for w in WORDS])
def test_words(call: Call, words: list[str], code: int, text: str) -> None:
    assert call(*words) == code
    assert text in " ".join((call.out + call.err).split()), call.out + call.err
    assert "\x1b" not in call.err and call.untouched


@pytest.mark.parametrize("words", [[f"pod/{ONE}"], ["pod", ONE], [f"pods/{ONE}"]])
def test_04_a_pod_by_its_kind_is_taken(call: Call, words: list[str]) -> None:
    assert call(*words, "--dry-run") == 0


@pytest.mark.parametrize("name", ["a%2fb", "a\x1b[2J", "../../etc"])
def test_09_nothing_is_sent_for_a_name_that_can_be_none(call: Call, name: str) -> None:
    assert call(name) == 2 and not call.sim.sent


def test_13_a_pod_of_another_kind(call: Call) -> None:
    call.sim.pod(1)["metadata"]["ownerReferences"][0] |= {"kind": "ReplicaSet"}
    assert call(ONE) == 4 and "R10" in call.out


def test_14_a_pod_without_litefs(call: Call) -> None:
    call.sim.put("pods", {"kind": "Pod", "metadata": {"name": "web-0", "namespace": NS}, "spec": {"containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 8080}]}]}, "status": {"phase": "Running"}})
    call.sim.infos["web-0"] = lambda path: (503, {}, b'{"reason": "ServiceUnavailable", "message": "connection refused"}')
    assert call("web-0") == 4 and "--port" in call.out + call.err


def test_15_the_primary(call: Call) -> None:
    assert call(f"{APP}-0") == 4 and "R1" in call.out


def test_16_a_single_replica(call: Call) -> None:
    call.sim = Sim(replicas=1, target=-1)
    assert call(f"{APP}-0") == 4 and "no other copy" in " ".join(call.out.split())


def test_19_a_namespace_that_does_not_exist(call: Call) -> None:
    call.sim.before.append(lambda s, sent: KubeError('namespaces "abaci" not found', status=404, reason="NotFound") if sent.path.endswith("/namespaces/abaci") else None)
    assert call(ONE) == 2 and 'namespace "abaci" not found' in call.err


def test_26_a_server_without_tls_is_said(call: Call) -> None:
    call.sim.server = "http://sim:8080"  # type: ignore[misc]
    assert call(ONE, "--dry-run") == 0 and "no TLS" in call.err


def test_27_an_unchecked_certificate_is_said(call: Call) -> None:
    assert call(ONE, "--dry-run", "--insecure-skip-tls-verify") == 0 and "is not checked" in call.err


def test_30_dry_run_alone_is_client(call: Call) -> None:
    assert call("--dry-run", ONE) == 0 and call.untouched
    assert {s.method for s in call.sim.sent if "accessreviews" not in s.path} == {"GET"}


def test_31_a_dry_run_wins_over_yes_and_says_so(call: Call) -> None:
    assert call(ONE, "--dry-run", "--yes") == 0
    assert "the dry run wins" in call.err and call.untouched


def test_34_scale_where_scaling_deletes(call: Call) -> None:
    call.sim.objects["statefulsets", APP]["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] = "Delete"
    assert call(ONE, "--strategy=scale") == 4 and "R20" in call.out


def folder(kind: str, home: Path) -> Path:
    path = home / "place"
    if kind == "file":
        path.write_text("x")
    elif kind == "symlink":
        (home / "real").mkdir()
        path.symlink_to(home / "real")
    elif kind == "world-writable":
        path.mkdir()
        path.chmod(0o777)
    elif kind == "read-only":
        path.mkdir()
        path.chmod(0o500)
    return path


@pytest.mark.parametrize(("kind", "text"), [("missing", "mkdir -m 700"), ("file", "is no folder"), ("symlink", "symbolic link"), ("world-writable", "everybody"), ("read-only", "cannot be written")])
def test_37_a_backup_folder_that_is_not_safe(call: Call, kind: str, text: str) -> None:
    if kind == "read-only" and os.geteuid() == 0:
        pytest.skip("root can write everywhere")
    assert call(ONE, f"--backup-dir={folder(kind, call.home)}") == 2 and text in call.err and not call.sim.sent


def test_37_a_git_tree_is_a_warning(call: Call) -> None:
    (call.home / "repo" / ".git").mkdir(parents=True)
    (call.home / "repo" / "b").mkdir()
    assert call(ONE, "--dry-run", f"--backup-dir={call.home / 'repo' / 'b'}") == 0 and "git tree" in call.err


def test_39_a_relative_folder_and_home_are_resolved_and_shown(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(call.home)
    monkeypatch.setenv("COLUMNS", "400")
    (call.home / "b").mkdir()
    for given in ("b", "~/b"):
        assert call(ONE, "--dry-run", "--backup-dir", given) == 0
        assert str(call.home / "b") in call.out


def test_40_an_older_backup_is_never_written_over(call: Call) -> None:
    plan = call.plan()
    place = call.home / ".local" / "state" / "kubectl-litefs" / "backups"
    for seconds in range(20):  # every name that this run could take
        taken = place / f"{NS}-{ONE}-20261123T1230{seconds:02d}Z"
        taken.mkdir(parents=True)
        (taken / "db-0001.sqlite").write_text("precious")
    assert call(ONE, "--yes", f"--plan={plan}") == 0
    kept = [p.read_text("latin1") for p in place.rglob("db-0001.sqlite")]
    assert kept.count("precious") == 20 and len(kept) == 21


def test_46_an_init_container(call: Call) -> None:
    call.sim.pod(1)["spec"]["initContainers"] = [{"name": "setup", "image": "x"}]
    assert call(ONE, "-c", "setup") == 2 and "LiteFS runs in container app" in call.err


def test_48_the_plan_of_another_target(call: Call) -> None:
    plan = call.plan()
    call.sim.volume_of(f"{APP}-2").cluster_id = "LFSC00000000000000F6"
    call.sim.claim(2)["metadata"]["creationTimestamp"] = call.sim.claim(1)["metadata"]["creationTimestamp"]
    call.sim.volume_of(f"{APP}-1").cluster_id = CLUSTER_ID
    assert call(f"{APP}-2", "--yes", f"--plan={plan}", "--accept-loss=db") in (4, 6) and call.untouched


@pytest.mark.parametrize("damage", [b"", b"{", b'{"v": 99, "step": "start"}\n', b"\xff\xfe\x00", b'{"v": 1, "step": "start", "document": {"id": "x"}}\n'])
def test_51_a_damaged_journal_is_passed_over(call: Call, damage: bytes) -> None:
    from kubectl_litefs.fix.journal import journal_path

    path = journal_path({"HOME": str(call.home)}, call.sim.server, NS, ONE)
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    assert call(ONE, "--resume") == 0 and "othing to resume" in call.out and call.untouched


def test_54_json_asks_nobody_and_answers_in_json(call: Call) -> None:
    call.typed(f"{ONE}\n")
    assert call(ONE, "-o", "json") == 8
    document = json.loads(call.out)
    assert (document["kind"], document["exitCode"], document["outcome"]) == ("FixResult", 8, "declined") and call.untouched
    assert call("nope", "-o", "json") == 2 and json.loads(call.out)["exitCode"] == 2
    assert all(json.loads(line)["event"] for line in call.err.splitlines())


@pytest.mark.parametrize("typed", ["", "y\n", "yes\n", ONE.upper() + "\n", ONE + " \n", " " + ONE + "\n", "y" * 2_000_000, "abaci-app-2\n"])
def test_56_only_the_exact_name_is_a_yes(call: Call, typed: str) -> None:
    call.typed(typed)
    assert call(ONE) == 8 and call.untouched


@pytest.mark.parametrize("typed", [f"{ONE}\n", f"{ONE}\r\n", ONE])
def test_56_the_exact_name_is_a_yes(call: Call, typed: str) -> None:
    call.typed(typed)
    assert call(ONE) == 0 and f"Type {ONE} to continue" in call.err


def test_the_cluster_is_shown_before_it_is_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    call.typed("no\n")
    assert call(ONE) == 8
    assert all(word in call.out for word in ("context sim", "cluster sim-cluster", "server https://sim:6443", f"namespace {NS}", f"statefulset {APP}"))


def test_57_an_ascii_terminal_and_a_name_that_is_no_utf8(call: Call) -> None:
    assert call("\udcff\udcfe") == 2


def test_58_without_a_home_the_lease_holds_the_state(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = call.plan()
    monkeypatch.delenv("HOME")
    assert call(ONE) == 2 and "--backup-dir" in call.err
    place = call.home / ".local" / "state" / "kubectl-litefs" / "backups"
    place.mkdir(parents=True, mode=0o700, exist_ok=True)
    assert call(ONE, f"--backup-dir={place}", "--yes", f"--plan={plan}") == 0
    assert "the Lease holds the state" in call.err


def test_58_a_home_that_cannot_be_written_is_a_failed_backup(call: Call) -> None:
    plan = call.plan()
    (call.home / ".local").write_text("in the way")
    assert call(ONE, "--yes", f"--plan={plan}") == 7 and call.untouched


def test_59_the_umask_opens_nothing(call: Call) -> None:
    plan = call.plan()
    old = os.umask(0)
    try:
        assert call(ONE, "--yes", f"--plan={plan}") == 0
    finally:
        os.umask(old)
    files = [p for p in (call.home / ".local" / "state" / "kubectl-litefs").rglob("*") if p.is_file()]
    assert len(files) >= 3 and {stat.S_IMODE(p.stat().st_mode) for p in files} == {0o600}


HOSTILE = ["../../x", "a b", "-rf", "con", "x" * 255, "a\x1b[2Jb", "<img>", "nul\x00l", "a/b?c#d%2f"]


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(n)[:20] for n in HOSTILE])
def test_61_a_databases_name_is_never_a_path_nor_a_command(call: Call, name: str) -> None:
    volume = call.sim.volume_of(ONE)
    volume.databases = {name: volume.databases["db"]}
    plan_words = ["--accept-loss", name] if "," not in name else []
    assert call(ONE, "--dry-run", "-o", "json", *plan_words) in (0, 2)
    if json.loads(call.out)["exitCode"] == 2:
        return  # LiteFS's answer is cleaned of what a terminal acts on; such a database cannot be named here
    plan = json.loads(call.out)["plan"]["id"]
    assert call(ONE, "--yes", f"--plan={plan}", *plan_words) in (0, 7)
    files = list(call.home.rglob("*.sqlite"))
    assert {p.name for p in files} <= {"db-0001.sqlite"} and "\x1b" not in call.out + call.err


def test_a_gigabyte_of_answer_is_read_no_further_than_a_line(call: Call) -> None:
    class Endless:
        taken = 0

        def isatty(self) -> bool:
            return True

        def readline(self, limit: int = -1) -> str:
            assert 0 < limit <= 4096
            return "y" * limit

    call.monkeypatch.setattr("sys.stdin", Endless())
    assert call(ONE) == 8


def test_help_names_every_exit_code(call: Call) -> None:
    assert call("--help") == 0
    listed = {int(w[0]) for line in call.out.splitlines() if (w := line.split()) and w[0].isdigit()}
    assert {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 70} <= listed



CONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": NS}}, {"name": "bare", "context": {"namespace": NS}}],
    "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {}}],
}  # fmt: skip


def spawned(tmp_path: Path, *words: str, config: Any = CONFIG, **env: str) -> tuple[int, str]:
    """A process of its own with the program's real way to the API server: (exit code, standard error)."""
    import subprocess
    import sys

    path = tmp_path / "config"
    if config is not None:
        path.write_bytes(config if isinstance(config, bytes) else json.dumps(config).encode())
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "kubectl_litefs", "fix-cluster-id", ONE, *words],
        env={"HOME": str(tmp_path), "KUBECONFIG": str(path), "PATH": "/nowhere", "PYTHONPATH": str(root), **env},
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=root,
    )  # fmt: skip
    print(done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_22_an_unknown_context_is_answered_with_names_only(tmp_path: Path) -> None:
    code, said = spawned(tmp_path, "--context=prod")
    assert code == 2 and "prod" in said and "127.0.0.1" not in said


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12))


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"{", b"- a", b"!!python/object/apply:os.system [touch /tmp/x]", BOMB, None], ids=["empty", "binary", "half", "list", "python", "bomb", "missing"])
def test_23_a_kubeconfig_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    code, said = spawned(tmp_path, config=content)
    assert code == 3 and said.startswith("error: ")
    assert spawned(tmp_path, "--kubeconfig", str(tmp_path / "other"), config=content)[0] == 2


def test_23_a_kubeconfig_that_is_a_folder(tmp_path: Path) -> None:
    code, _ = spawned(tmp_path, KUBECONFIG=str(tmp_path))
    assert code == 3


def test_24_a_context_without_cluster_or_user(tmp_path: Path) -> None:
    assert spawned(tmp_path, "--context=bare")[0] == 3


@pytest.mark.parametrize("command", ["/nowhere/plugin", "/bin/false", "/bin/echo"])
def test_25_an_exec_plugin_that_gives_nothing(tmp_path: Path, command: str) -> None:
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": ["junk"], "interactiveMode": "Never"}}
    code, said = spawned(tmp_path, config={**CONFIG, "users": [{"name": "u", "user": plugin}]})
    assert code == 3 and command in said


def test_28_impersonation_that_is_not_allowed(call: Call) -> None:
    call.sim.allowed = lambda verb, group, resource, name: False
    assert call(ONE, "--as", "eve") == 3 and "list pods" in call.err and call.untouched


def test_52_a_live_lock_is_not_broken(call: Call) -> None:
    plan = call.plan()
    at = "2026-11-23T12:30:00.000000Z"
    held = call.sim.put("leases", {"metadata": {"name": f"litefs-fix-{APP}", "namespace": NS}, "spec": {"holderIdentity": "eve@else#1", "leaseDurationSeconds": 60, "renewTime": at}})

    def renew(sim: Sim, sent: Any) -> None:
        held["spec"]["renewTime"] = f"2026-11-23T12:30:{int(sim.clock.seconds) % 60:02d}.000000Z"

    call.sim.before.append(renew)
    assert call(ONE, "--yes", f"--plan={plan}", "--break-lock") == 5 and "eve@else" in call.err + call.out and call.untouched


def test_60_without_kubectl_on_the_path_it_works_all_the_same(tmp_path: Path) -> None:
    """It gets as far as the server that is not there."""
    code, said = spawned(tmp_path)
    assert code == 3 and "127.0.0.1:1" in said


def test_62_a_bundle_is_no_input_here(call: Call) -> None:
    assert call(ONE, "--from", "bundle.tar.gz") == 2 and "--from" in call.err
