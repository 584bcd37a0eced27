"""The Dockerfile's steps, one by one, in a root file system made for it, and the program in what comes out. CI also builds the real image."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubectl_litefs.demo import path
from kubectl_litefs.parse.files.docker_lines import Instruction, instructions

ROOT = Path(__file__).parent.parent
PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
INSTALLED = Path(sysconfig.get_path("purelib"))
LIBRARIES = "/libraries"
GIVEN = [*(p for p in ("/usr", "/bin", "/sbin", "/lib", "/lib64") if Path(p).exists()), sys.base_prefix, str(INSTALLED)]
"""What the base image has, and the packages of this environment in place of an index: bound at their own paths, read-only."""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": LIBRARIES}
SYSTEM = "/python:/usr/local/bin:/usr/bin:/bin"

FRESH_ROOT = """\
set -eu
mount -t tmpfs -o mode=755 none "$root"
mkdir -m 1777 "$root/tmp"
mkdir "$root/context" "$root/python" "$root/dev"
for folder in $given; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done
touch "$root/dev/null"; mount --bind /dev/null "$root/dev/null"
mount --bind "$context" "$root/context"
printf '#!/bin/sh\\nexec %s "$@"\\n' "$python" > "$root/python/python"
chmod 755 "$root/python/python"
cp "$recording" "$root/cluster.tar.gz"; chmod 644 "$root/cluster.tar.gz" # a checkout under another umask
mkdir "$root/libraries"
for package in "$installed"/*; do # this project's own package comes from the steps
  case ${package##*/} in *kubectl_litefs*) ;; *) ln -s "$package" "$root/libraries" ;; esac
done
"""


@dataclass
class Recipe:
    """A Dockerfile as shell: what is done as root, and how the last stage starts."""

    steps: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)


def recipe(text: str) -> Recipe:
    """Both stages share one root: what COPY --from brings over is at its place, and /src of the first stage is taken away."""
    made = Recipe()
    for at in instructions(text):
        if at.name == "FROM":
            made = Recipe([*made.steps, "rm -rf /src"] if made.steps else [])
        elif at.name == "COPY":
            made.steps += copied(at, made.workdir)
        elif at.name == "RUN":
            made.steps.append(f"cd {made.workdir}; {at.rest}")
        elif at.name == "WORKDIR":
            made.workdir = at.rest
            made.steps.append(f"mkdir -p {at.rest}")
        elif at.name == "ENV":
            made.env |= dict(word.replace("$PATH", SYSTEM).split("=", 1) for word in at.rest.split())
        elif at.name == "USER":
            made.user = at.rest
        else:
            assert at.name in ("ENTRYPOINT", "CMD"), f"this test does not know {at.name}"
            setattr(made, at.name.lower(), json.loads(at.rest))
    return made


def copied(at: Instruction, workdir: str) -> Iterator[str]:
    """A folder's content goes into the target, files go into a target that ends with a slash."""
    *sources, target = at.rest.split()
    if sources[0].startswith("--from="):
        assert sources[1:] == [target], "to the same place: the stages share a root here"
        return
    for source in sources:
        how = f"mkdir -p {target}; cp" if target.endswith("/") else "cp -rT"
        yield f"cd {workdir}; {how} /context/{source} {target}"


def context(folder: Path) -> Path:
    """What .dockerignore lets through to the build: a list of what may."""
    everything, *lines = (ROOT / ".dockerignore").read_text("utf8").split()
    assert everything == "*"
    for name in (line[1:] for line in lines if line.startswith("!")):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


RUNS: dict[str, tuple[bool, list[str]]] = {
    "no words": (True, []),
    "demo": (True, ["demo", "healthy"]),
    "diagnose": (True, ["diagnose", "--from", "/cluster.tar.gz"]),
    "no home": (False, ["diagnose", "--from", "/cluster.tar.gz"]),
    "bundle": (False, ["bundle", "-o", "/tmp/bundle.tar.gz"]),
}
"""Name -> (with the image's ENV or with nothing but PATH, the words behind `docker run IMAGE`)."""
LOOKS = {
    "who": "id -u",
    "writes": "for f in /tmp/x /opt/litefs/x /x; do if touch $f 2> /dev/null; then echo $f; fi; done",
    "left": "ls /opt/litefs/bin; ls -d /src /opt/litefs/lib/*/site-packages/pip 2> /dev/null || true",
}
"""The same root, seen from a shell."""


def run_words(image: Recipe, name: str) -> list[str]:
    full, words = RUNS[name]
    env = {**(image.env if full else {"PATH": image.env["PATH"]}), "PYTHONPATH": LIBRARIES}
    return ["env", "-i", *(f"{k}={v}" for k, v in env.items()), *image.entrypoint, *(words or image.cmd)]


def whole_script(image: Recipe, out: Path) -> str:
    """Root, steps, a root that is read-only from then on, and every run; what each printed goes to a file of `out`."""
    lines = [FRESH_ROOT]
    given = " ".join(shlex.quote(f"{k}={v}") for k, v in {"PATH": SYSTEM, "HOME": "/tmp", **OFFLINE}.items())
    lines += [f'chroot "$root" env -i {given} sh -euc {shlex.quote(step)} >&2' for step in image.steps]
    lines += ['umount "$root/context"', 'mount -o remount,bind,ro "$root"']
    user, group = image.user.split(":")
    become = f'chroot --userspec={user}:{group} "$root"' if os.geteuid() == 0 else f'unshare --user --map-user={user} --map-group={group} --root="$root"'
    commands = {**{name: run_words(image, name) for name in RUNS}, **{name: ["env", "-i", f"PATH={SYSTEM}", "sh", "-c", text] for name, text in LOOKS.items()}}
    for name, words in commands.items():
        to = shlex.quote(str(out / name))
        lines.append(f"code=0; {become} {shlex.join(words)} < /dev/null > {to} 2>&1 || code=$?; echo $code > {to}.code")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[int, str]]:
    """Name of a run -> its exit code and what it printed, as the image's user on a read-only root."""
    folder = tmp_path_factory.mktemp("image")
    for name in ("root", "context", "out"):
        (folder / name).mkdir()
    apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    env = {**os.environ, "root": str(folder / "root"), "context": str(context(folder / "context")), "given": " ".join(GIVEN), "python": str(PYTHON), "installed": str(INSTALLED), "recording": str(path("cluster-id-mismatch"))}
    if shutil.which("unshare") is None or subprocess.run([*apart, "sh", "-c", FRESH_ROOT], env=env, capture_output=True).returncode:
        pytest.skip("no root file system can be made here: it takes Linux, util-linux, and mounts in a namespace")
    script = whole_script(recipe((ROOT / "Dockerfile").read_text("utf8")), folder / "out")
    done = subprocess.run([*apart, "sh", "-c", script], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {name: (int((folder / "out" / f"{name}.code").read_text()), (folder / "out" / name).read_text("utf8")) for name in (*RUNS, *LOOKS)}


def test_the_image_runs_as_nobody_on_a_root_that_is_read_only(told: Mapping[str, tuple[int, str]]) -> None:
    assert told["who"] == (0, "65532\n")
    assert told["writes"] == (0, "")


def test_the_image_holds_the_program_and_not_what_built_it(told: Mapping[str, tuple[int, str]]) -> None:
    code, listed = told["left"]
    assert code == 0 and {"kubectl-litefs", "python"} <= set(listed.split())
    assert "pip" not in listed and "/src" not in listed


def test_the_image_says_what_it_can_do(told: Mapping[str, tuple[int, str]]) -> None:
    code, said = told["no words"]
    assert code == 0 and "Usage: kubectl litefs" in said


@pytest.mark.parametrize("run", ["diagnose", "no home"])
def test_the_image_diagnoses_a_recording(told: Mapping[str, tuple[int, str]], run: str) -> None:
    assert told["demo"][0] == 0 and "Replication works" in told["demo"][1]
    code, said = told[run]
    assert code == 1 and "LFS101 cluster-id-mismatch" in said and "Traceback" not in said


def test_without_a_cluster_and_a_home_the_image_says_so(told: Mapping[str, tuple[int, str]]) -> None:
    code, said = told["bundle"]
    assert code == 3 and said.startswith("error: ") and "Traceback" not in said
