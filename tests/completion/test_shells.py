"""TAB in real shells, against a cluster on the loopback: `kubectl litefs` through kubectl's own completion, and the
bare `kubectl-litefs` through ours. Each shell, a plain kubectl (KUBECTL=/path, or on PATH) and for bash the package
bash-completion must be there; what is absent is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_litefs.cli import shim
from kubectl_litefs.cli.main import COMMANDS

from ..cli.run import STARTS, executable
from .cluster import HOSTILE, Cluster, kubeconfig, named
from .terminal import Terminal

BASH_COMPLETION = next((p for p in ("/usr/share/bash-completion/bash_completion", "/opt/homebrew/etc/profile.d/bash_completion.sh", "/usr/local/etc/profile.d/bash_completion.sh") if os.path.exists(p)), None)
BARE, THROUGH_KUBECTL = "kubectl-litefs", "kubectl litefs"
SETUP = {
    ("bash", BARE): "source <(kubectl-litefs completion bash)",
    ("zsh", BARE): "source <(kubectl-litefs completion zsh)",
    ("fish", BARE): "kubectl-litefs completion fish | source",
    ("bash", THROUGH_KUBECTL): f"source {BASH_COMPLETION}\nsource <(kubectl completion bash)",
    ("zsh", THROUGH_KUBECTL): "source <(kubectl completion zsh)",
    ("fish", THROUGH_KUBECTL): "kubectl completion fish | source",
}


def plain_kubectl() -> str | None:
    """A kubectl that completes plugins (1.26 and later), and is no vendor's script around one."""
    found = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if found is None:
        return None
    done = subprocess.run([found, "completion", "bash"], capture_output=True, text=True, timeout=30)
    return os.path.realpath(found) if done.returncode == 0 and "__start_kubectl" in done.stdout else None


KUBECTL = plain_kubectl()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with kubectl, kubectl-litefs and what `completion install` writes."""
    folder = tmp_path_factory.mktemp("bin")
    program = executable(folder / "kubectl-litefs", f'{STARTS} "$@"')
    if KUBECTL is not None:
        (folder / "kubectl").symlink_to(KUBECTL)
    done = subprocess.run([program, "completion", "install", "--dir", folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and (folder / shim.NAME).read_bytes() == shim.CONTENT
    return folder


Shell = tuple[str, str, Terminal]


@pytest.fixture(scope="module", params=SETUP, ids=[f"{shell}:{program.replace(' ', '_')}" for shell, program in SETUP])
def shell(
    request: pytest.FixtureRequest, programs: Path, started: tuple[Cluster, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    """(shell, the words that are completed, its terminal)."""
    name, program = request.param
    if shutil.which(name) is None:
        pytest.skip(f"no {name} here")
    if program == THROUGH_KUBECTL and KUBECTL is None:
        pytest.skip("no plain kubectl here: put one on PATH or set KUBECTL")
    if (name, program) == ("bash", THROUGH_KUBECTL) and BASH_COMPLETION is None:
        pytest.skip("kubectl's completion in bash needs the package bash-completion, which is not here")
    home = tmp_path_factory.mktemp(name)
    for made in ("bundle-one.tar.gz", "bundle-two.tar.gz"):
        (home / made).touch()
    (home / "some-folder").mkdir()
    env = {"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin", "KUBECONFIG": str(started[1]), "COLUMNS": "120"}
    terminal = Terminal(name, f"cd {home}\n{SETUP[name, program]}", home, env)
    try:
        yield name, program, terminal
    finally:
        terminal.close()


COMMON = [
    ("diag", "diagnose "),
    ("diagnose --namespace=kub", "diagnose --namespace=kube-system "),
    ("diagnose --context here --kubeconfig $KUBECONFIG abaci-w", "diagnose --context here --kubeconfig $KUBECONFIG abaci-web-0 "),
    ("diagnose --from bundle-t", "diagnose --from bundle-two.tar.gz "),
    ("diagnose --from=bundle-t", "diagnose --from=bundle-two.tar.gz "),
    ("completion install --dir som", "completion install --dir some-folder/"),
    ("explain bundle-t", "explain bundle-t"),
]
OUR_SCRIPTS = [
    *COMMON,
    ("diagnose --fail", "diagnose --fail-on "),
    ("diagnose sts/a", "diagnose sts/abaci-app "),
    ("explain LFS60", "explain LFS60"),
]
"""One of each kind of word. What is offered for a word is proven without a shell, by test_protocol and test_values."""


@pytest.mark.usefixtures("cluster")
def test_one_tab(shell: Shell) -> None:
    name, program, terminal = shell
    for typed, becomes in COMMON if program == THROUGH_KUBECTL else OUR_SCRIPTS:
        line, _ = terminal.complete(f"{program} {typed}")
        assert line.rstrip() == f"{program} {becomes}".rstrip()
        if becomes.endswith(" ") and name != "fish":
            assert line.endswith(" "), f"{line!r}: the word is complete"


@pytest.mark.usefixtures("cluster")
def test_a_context_with_colons(shell: Shell) -> None:
    _, program, terminal = shell
    for typed in ("diagnose --context arn:aws:e", "diagnose --context=ar"):
        line, _ = terminal.complete(f"{program} {typed}")
        assert line.replace("\\", "").rstrip().endswith("arn:aws:eks:eu:1:cluster/far"), line


def test_the_list_of_commands(shell: Shell) -> None:
    _, program, terminal = shell
    _, shown = terminal.complete(f"{program} ", tabs=2)
    assert all(command in shown for command in COMMANDS)
    assert "Print the smallest Role" in shown


def test_the_list_of_pods_of_a_cluster_that_would_run_commands(shell: Shell, cluster: Cluster) -> None:
    """kubectl's script for bash has the shell expand what it is given."""
    name, program, terminal = shell
    cluster.extra = [named(n) for n in HOSTILE]
    line, shown = terminal.complete(f"{program} diagnose abaci-", tabs=3 if name == "bash" else 2)  # bash lists when a TAB and the one before added nothing
    assert line.startswith(f"{program} diagnose abaci-app-")
    assert all(f"app-{n}" in shown for n in range(3))  # fish shows "…" for the beginning that all of them have
    assert "bundle-one" not in shown
    terminal.complete(f"{program} diagnose --user ")
    _, listed = terminal.complete("pwne")
    assert cluster.requests, "it was asked"
    assert not list(Path(terminal.home).rglob("pwned")), listed


def test_a_cluster_out_of_reach_is_silent(shell: Shell, tmp_path: Path) -> None:
    _, program, terminal = shell
    typed = f"diagnose --kubeconfig {kubeconfig(tmp_path / 'away', 'http://127.0.0.1:1')} ab"
    line, shown = terminal.complete(f"{program} {typed}")
    assert line.rstrip() == f"{program} {typed}"
    assert "rror" not in shown and "refused" not in shown
