"""The tests that write to a cluster do nothing unless the cluster was named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYTEST = [sys.executable, "-m", "pytest", "tests/e2e", "--collect-only", "-p", "no:cacheprovider"]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    contexts = [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("production", "throw-away")]
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({"current-context": "production", "contexts": contexts, "clusters": [], "users": []}))
    return path


def collected(**env: str) -> subprocess.CompletedProcess[str]:
    base = {k: v for k, v in os.environ.items() if k != "KUBECONFIG" and not k.startswith("E2E_")}
    return subprocess.run(PYTEST, capture_output=True, text=True, env={**base, **env}, cwd=ROOT, check=False)


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


def test_the_default_run_collects_none_of_them() -> None:
    done = subprocess.run([sys.executable, "-m", "pytest", "tests", "--collect-only", "-k", "diagnose or lfs101 or refuses", "-p", "no:cacheprovider"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "test_e2e_refuses.py" in done.stdout
    assert "tests/e2e/" not in done.stdout
