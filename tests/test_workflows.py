"""The action, the pre-commit hook and the workflows: sound as files, and their scripts run as they stand wherever they can be here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_litefs import __version__
from tools.release import krew_version

from .cli.run import STARTS, executable

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [ACTION, *WORKFLOWS]
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="an sdist has no workflows")
each_file = pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.name)
needs_bash = pytest.mark.skipif(BASH is None, reason="no bash, which the runners have")

WRITES = {
    "release.yml": {
        "build": set(), "provenance": {"id-token", "attestations"}, "image": {"packages", "id-token", "attestations"}, "release": {"contents"}, "pypi": {"id-token"},
    },
}  # fmt: skip
"""Workflow -> job -> what it may write; a workflow that is not here only reads."""


def load(file: Path) -> dict[str, Any]:
    """With `on` as the word that it is there: YAML 1.1 takes it for true."""
    document: dict[str, Any] = yaml.load(file.read_text("utf8"), yaml.BaseLoader)
    return document


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(file).get("jobs", {})
    return found


def steps(file: Path) -> list[dict[str, Any]]:
    if file == ACTION:
        of_the_action: list[dict[str, Any]] = load(file)["runs"]["steps"]
        return of_the_action
    return [step for job in jobs(file).values() for step in job["steps"]]


def script(file: Path, begins: str) -> str:
    """The script of the step whose name begins so."""
    (found,) = (step["run"] for step in steps(file) if step.get("name", "").startswith(begins))
    return str(found)


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here; CI has it")
    return found


def passes(*words: str | Path, **env: str) -> None:
    done = subprocess.run([str(w) for w in words], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@each_file
def test_every_action_is_pinned_by_commit_and_says_its_version(file: Path) -> None:
    used = [line.strip("- \t") for line in file.read_text("utf8").splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert len(used) == sum("uses" in step for step in steps(file)) > 0
    for line in used:
        assert line == "uses: ./" or re.fullmatch(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_version_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for action, pin in re.findall(r"^\s*(?:- )?uses: ([\w./-]+)@(.+)", file.read_text("utf8"), re.MULTILINE):
            pins.setdefault(action, set()).add(pin)
    assert pins and not {action: p for action, p in pins.items() if len(p) != 1}


@each_workflow
def test_a_workflow_may_do_no_more_than_it_must(file: Path) -> None:
    assert load(file)["permissions"] == {"contents": "read"}
    may = {name: {what for what, how in job.get("permissions", {}).items() if how == "write"} for name, job in jobs(file).items()}
    assert may == WRITES.get(file.name, {name: set() for name in may})
    assert "pull_request_target" not in load(file)["on"] and "secrets." not in file.read_text("utf8")
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


@each_workflow
def test_a_workflow_ends(file: Path) -> None:
    assert "concurrency" in load(file)
    assert all(0 < int(job["timeout-minutes"]) <= 90 for job in jobs(file).values())


@each_file
@needs_bash
def test_every_script_is_right_shell_into_which_nothing_is_pasted(file: Path) -> None:
    """What a pull request can choose, such as the name of a branch, comes by environment: it is never part of a script."""
    scripts = [step["run"] for step in steps(file) if "run" in step]
    assert scripts
    for text in scripts:
        assert "${{" not in text
        done = subprocess.run([str(BASH), "-n"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stderr}"


@each_file
def test_every_script_passes_shellcheck(file: Path) -> None:
    shellcheck = program("shellcheck")
    for step in steps(file):
        if "run" in step:
            done = subprocess.run([shellcheck, "--shell=bash", "-"], input=f"set -e\n{step['run']}", capture_output=True, text=True)
            assert done.returncode == 0, done.stdout


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    called = {target for file in WORKFLOWS for step in steps(file) for target in re.findall(r"\bmake ([a-z0-9-]+)", step.get("run", ""))}
    assert called >= {"test", "compat", "e2e", "e2e-control-plane", "build", "dist", "release"} and called <= targets


def test_ci_tests_every_python_that_the_package_names() -> None:
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf8"))
    ci = jobs(ROOT / ".github" / "workflows" / "ci.yml")
    assert ci["test"]["strategy"]["matrix"]["python"] == named
    assert ci["compat"]["steps"][1]["with"]["python-version"].split() == named


def test_inputs_and_outputs_of_the_action_are_declared_and_used() -> None:
    action = load(ACTION)
    told = json.dumps(action["runs"])
    assert set(re.findall(r"\binputs\.([\w-]+)", told)) == set(action["inputs"])
    assert all(entry["description"] and "default" in entry for entry in action["inputs"].values()), "each works without being set"
    ids = {step["id"] for step in steps(ACTION) if "id" in step}
    assert set(re.findall(r"\bsteps\.([\w-]+)\.", json.dumps(action))) == ids
    written = set(re.findall(r'echo "([\w-]+)=', script(ACTION, "Lint")))
    assert {entry["value"].split("outputs.")[1].rstrip(" }") for entry in action["outputs"].values()} == written
    assert all(step.get("shell") == "bash" for step in steps(ACTION) if "run" in step)
    given = {key for step in steps(ROOT / ".github" / "workflows" / "ci.yml") if step.get("uses") == "./" for key in step["with"]}
    assert given <= set(action["inputs"])


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner's folder for temporary files, with this checkout installed as the action's own step would."""
    programs = tmp_path / "temp" / "kubectl-litefs" / "bin"
    programs.mkdir(parents=True)
    executable(programs / "kubectl-litefs", f'{STARTS} "$@"')
    (tmp_path / "work" / "well").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "lint" / "healthy.yaml", tmp_path / "work" / "well")
    (tmp_path / "work" / "alone").mkdir()
    (tmp_path / "work" / "alone" / "litefs.yml").write_text("fuse: {dir: /litefs}\ndata: {dir: /data}\nlease: {type: static, hostname: a, advertise-url: 'http://a:20202', candidate: true}\n")
    (tmp_path / "work" / "not so well").mkdir()
    (tmp_path / "work" / "not so well" / "litefs.yml").write_text("fuse: {dir: /litefs}\nno-such-key: 1\n")
    return tmp_path


def act(where: Path, text: str, **env: str) -> tuple[int, str, dict[str, str]]:
    """As a runner runs a script: its code, what it printed, its outputs."""
    output = where / "output"
    output.write_text("")
    given = {"PATH": os.environ["PATH"], "HOME": str(where), "RUNNER_TEMP": str(where / "temp"), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(where / "summary"), **env}
    words = [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    done = subprocess.run(words, cwd=where / "work", env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr, dict(outputs(output.read_text()))


def outputs(text: str) -> Iterator[tuple[str, str]]:
    for name, end, value in re.findall(r"^([\w-]+)<<(\w+)\n(.*?)^\2$", text, re.MULTILINE | re.DOTALL):
        assert end
        yield name, value
    yield from re.findall(r"^([\w-]+)=(.*)$", re.sub(r"^[\w-]+<<(\w+)\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


DEFAULTS = {"FAIL_ON": "error", "STRICT": "false", "ARGS": ""}


@needs_bash
@pytest.mark.parametrize(
    ("inputs", "code", "said", "judged"),
    [
        ({"PATHS": "well"}, 0, "No fault found", True),
        ({"PATHS": "well", "FAIL_ON": "info"}, 1, "LFS208", True),
        ({"PATHS": "alone"}, 0, "could not look", True),
        ({"PATHS": "alone", "STRICT": "true"}, 3, "could not look", True),
        ({"PATHS": "well\nnot so well"}, 1, "no-such-key", True),
        ({"PATHS": "not so well", "ARGS": "--ignore=LFS501"}, 0, "no-such-key", True),
        ({"PATHS": "not so well", "FAIL_ON": "never"}, 0, "no-such-key", True),
        ({"PATHS": "nowhere"}, 2, "nowhere", False),
        ({"PATHS": "--help"}, 2, "--help", False),
        ({"PATHS": "well", "FAIL_ON": "sometimes"}, 2, "sometimes", False),
    ],
)
def test_the_action_judges_and_ends_as_asked(runner: Path, inputs: Mapping[str, str], code: int, said: str, judged: bool) -> None:
    ended, told, out = act(runner, script(ACTION, "Lint"), **{**DEFAULTS, **inputs})
    assert (ended, out["exit-code"]) == (0, str(code)), told
    if "ARGS" not in inputs:
        assert said in told
    assert bool(out["sarif"]) is judged is (runner / "summary").exists()
    if judged:
        assert json.loads(Path(out["sarif"]).read_text("utf8"))["version"] == "2.1.0"
    assert act(runner, script(ACTION, "Verdict"), CODE=out["exit-code"])[0] == code


@needs_bash
def test_a_report_of_an_earlier_use_is_not_uploaded_again(runner: Path) -> None:
    assert act(runner, script(ACTION, "Lint"), **DEFAULTS, PATHS="well")[2]["sarif"]
    assert act(runner, script(ACTION, "Lint"), **DEFAULTS, PATHS="nowhere")[2] == {"exit-code": "2", "sarif": ""}


@needs_bash
def test_a_tag_that_is_not_the_version_is_not_released(runner: Path) -> None:
    (runner / "work" / ".venv" / "bin").mkdir(parents=True)
    (runner / "work" / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (runner / "work" / ".venv" / "bin" / "python").chmod(0o755)
    text = script(ROOT / ".github" / "workflows" / "release.yml", "The tag says")
    code, told, out = act(runner, text, PYTHONPATH=str(ROOT), GITHUB_REF_TYPE="tag", GITHUB_REF_NAME=f"v{krew_version(__version__)}")
    assert (code, out) == (0, {"version": __version__}), told
    code, told, out = act(runner, text, PYTHONPATH=str(ROOT), GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v99.0.0")
    assert (code, out) == (1, {}) and f"has the tag v{krew_version(__version__)}" in told
    assert act(runner, text, PYTHONPATH=str(ROOT), GITHUB_REF_TYPE="branch", GITHUB_REF_NAME="main")[0] == 0


@needs_bash
def test_a_release_has_notes(runner: Path) -> None:
    text = script(ROOT / ".github" / "workflows" / "release.yml", "CHANGELOG.md")
    (runner / "work" / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- later\n\n## [0.2.0] - 2030-01-01\n\n- new\n\n## [0.1.0]\n\n- old\n")
    assert act(runner, text, VERSION="0.2.0", GITHUB_REF_TYPE="tag")[0] == 0
    assert (runner / "work" / "notes.md").read_text() == "\n- new\n\n"
    code, told, _ = act(runner, text, VERSION="0.2", GITHUB_REF_TYPE="tag")
    assert code == 1 and "says nothing of 0.2" in told
    assert act(runner, text, VERSION="0.3.0", GITHUB_REF_TYPE="branch")[0] == 0


@needs_bash
@pytest.mark.parametrize(("tag", "tags"), [("v1.2.3", ["1.2.3", "latest"]), ("v1.2.3-rc.1", ["1.2.3-rc.1"])])
def test_the_images_name(runner: Path, tag: str, tags: list[str]) -> None:
    text = script(ROOT / ".github" / "workflows" / "release.yml", "Names are")
    _, _, out = act(runner, text, GITHUB_REPOSITORY="SomeBody/kubectl-litefs", GITHUB_REF_NAME=tag)
    assert out["image"] == "ghcr.io/somebody/kubectl-litefs"
    assert out["tags"].split() == [f"{out['image']}:{t}" for t in tags]


def test_the_hook_runs_what_the_package_installs(runner: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text("utf8"))
    assert hook["language"] == "python" and hook["pass_filenames"] is False and hook["types"] == ["text"], "content decides, and all files together"
    name, *words = [*hook["entry"].split(), *hook["args"]]
    assert f'{name} = "' in (ROOT / "pyproject.toml").read_text("utf8").partition("[project.scripts]")[2]
    for folder, code in (("well", 0), ("not so well", 1)):
        command = [sys.executable, "-m", "kubectl_litefs", *words]
        done = subprocess.run(command, cwd=runner / "work" / folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr


def test_schemas_of_workflows_and_action() -> None:
    check = program("check-jsonschema")
    passes(check, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    passes(check, "--builtin-schema", "vendor.github-actions", ACTION)


def test_the_hook_is_one_for_pre_commit(tmp_path: Path) -> None:
    passes(program("pre-commit"), "validate-manifest", HOOKS, PRE_COMMIT_HOME=str(tmp_path))


def test_actionlint_has_nothing_to_say() -> None:
    passes(program("actionlint"), "-no-color", *WORKFLOWS)
