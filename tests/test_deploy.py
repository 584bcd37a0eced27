"""What ships beside the package: the container's recipe and the CronJob."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs.rbac import CLUSTER, NAMESPACED, Right

ROOT = Path(__file__).parent.parent


def documents() -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all((ROOT / "deploy" / "cronjob.yaml").read_text("utf8")) if d]


def rules(right: Right) -> dict[str, Any]:
    return {"apiGroups": [right.group], "resources": list(right.resources), "verbs": list(right.verbs)}


def test_the_cronjob_may_do_exactly_what_diagnose_needs() -> None:
    roles = {d["kind"]: d["rules"] for d in documents() if d["kind"] in ("Role", "ClusterRole")}
    assert roles == {"Role": [rules(r) for r in NAMESPACED], "ClusterRole": [rules(r) for r in CLUSTER]}


def test_the_cronjob_runs_as_nobody_on_a_read_only_root() -> None:
    (job,) = (d for d in documents() if d["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    account = next(d for d in documents() if d["kind"] == "ServiceAccount")["metadata"]["name"]
    assert pod["serviceAccountName"] == account


def test_the_cronjobs_words_are_the_programs() -> None:
    from kubectl_litefs.cli.diagnose import command

    (job,) = (d for d in documents() if d["kind"] == "CronJob")
    name, *words = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert name == "diagnose"
    with command.make_context("diagnose", list(words), help_option_names=["-h", "--help"]) as context:
        assert context.params["strict"] and context.params["fail_on"] == "error"


def test_the_image_is_built_from_what_is_there_and_runs_as_nobody() -> None:
    lines = [line for line in (ROOT / "Dockerfile").read_text("utf8").splitlines() if not line.startswith("#")]
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    ignored = (ROOT / ".dockerignore").read_text("utf8").splitlines()
    assert copied and all((ROOT / word).exists() and f"!{word}" in ignored for word in copied)
    assert "USER 65532:65532" in lines and lines.index("USER 65532:65532") > max(i for i, x in enumerate(lines) if x.startswith("FROM"))


def test_the_images_steps_in_a_fresh_environment(tmp_path: Path) -> None:
    """What the recipe does, without a container: install from the copied files alone, run from there, write nothing."""
    source = tmp_path / "src"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "kubectl_litefs", source / "kubectl_litefs", ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(tmp_path / "env", with_pip=False, system_site_packages=False)
    wheel = subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source)], capture_output=True, text=True)
    if wheel.returncode:
        pytest.skip(f"pip cannot build here: {wheel.stderr.strip()[:200]}")
    target = tmp_path / "lib"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), *map(str, tmp_path.glob("*.whl"))], check=True, capture_output=True)
    before = sorted(p for p in target.rglob("*") if "__pycache__" not in p.parts)
    paths = f"{target}:{':'.join(p for p in sys.path if 'site-packages' in p)}"
    env = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent", "PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-m", "kubectl_litefs", "demo", "healthy"], env=env, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0 and "Replication works" in done.stdout, done.stderr
    assert sorted(p for p in target.rglob("*") if "__pycache__" not in p.parts) == before
