"""The tests that write to a cluster do nothing unless the cluster was named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYTEST = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider"]
CONTROL_PLANE, NODE = "tests/e2e", "tests/e2e/node"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    contexts = [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("production", "throw-away")]
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({"current-context": "production", "contexts": contexts, "clusters": [], "users": []}))
    return path


def run(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    base = {k: v for k, v in os.environ.items() if k not in ("KUBECONFIG", "LITEFS_BIN") and not k.startswith("E2E_")}
    base["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # half the time of each start
    return subprocess.run(command, capture_output=True, text=True, env={**base, **env}, cwd=ROOT, check=False)


def collected(folder: str = CONTROL_PLANE, **env: str) -> subprocess.CompletedProcess[str]:
    return run([*PYTEST, folder], **env)


def test_no_kubeconfig(tmp_path: Path) -> None:
    done = collected()
    assert done.returncode == 4 and "KUBECONFIG must be one file" in done.stderr


def test_context_not_told(kubeconfig: Path) -> None:
    done = collected(KUBECONFIG=str(kubeconfig))
    assert done.returncode == 4 and "E2E_CONTEXT=production" in done.stderr


def test_another_context_than_the_current_one(kubeconfig: Path) -> None:
    done = collected(KUBECONFIG=str(kubeconfig), E2E_CONTEXT="throw-away")
    assert done.returncode == 4 and 'E2E_CONTEXT is "throw-away", and the current context' in done.stderr


def test_named_as_it_is(kubeconfig: Path) -> None:
    done = collected(KUBECONFIG=str(kubeconfig), E2E_CONTEXT="production")
    assert done.returncode == 0, done.stderr
    assert "test_lfs101_in_a_cluster_id_mismatch" in done.stdout
    assert "e2e/node/" not in done.stdout, "those need a real node"


def test_a_node_alone_is_not_enough_without_an_image(kubeconfig: Path) -> None:
    done = collected(NODE, KUBECONFIG=str(kubeconfig), E2E_CONTEXT="production")
    assert done.returncode == 4 and "an image with LiteFS" in done.stderr


def test_the_node_runs_its_own_tests_only(kubeconfig: Path) -> None:
    done = collected(NODE, KUBECONFIG=str(kubeconfig), E2E_CONTEXT="production", E2E_IMAGE="litefs:1")
    assert done.returncode == 0, done.stderr
    assert "test_a_cluster_id_mismatch_is_found_and_fixed" in done.stdout
    assert "test_states.py" not in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(("required", "code", "words"), [("", 0, "e2e: all skipped: "), ("1", 1, "e2e: ")])
def test_a_node_that_cannot_run_says_why_in_one_line(tmp_path: Path, required: str, code: int, words: str) -> None:
    done = run(["bash", "tests/e2e/lab/run.sh", "false"], LAB_NODE="1", LAB=str(tmp_path), E2E_REQUIRED=required)
    assert done.returncode == code and done.stderr.startswith(words) and len(done.stderr.splitlines()) == 1, done.stderr
    assert not done.stdout and not list(tmp_path.iterdir()), "nothing was started"


def test_the_default_run_collects_none_of_them() -> None:
    others = [f"--ignore={p.relative_to(ROOT)}" for p in (ROOT / "tests").iterdir() if p.name not in ("e2e", "conftest.py", "__init__.py", Path(__file__).name)]
    done = run([*PYTEST, "tests", *others])
    assert "test_e2e_refuses.py" in done.stdout
    assert "tests/e2e/" not in done.stdout
