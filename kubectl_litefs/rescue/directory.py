"""Strategy `data-dir`: the replica's data directory beside the primary's, compared by sha256; the swap is in swap.py.

Everything here only adds a directory on the primary's volume. The data goes in before the id, and the id comes out
before the data: with the old id over other data every replica would take that as it connects.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import KubeError
from ..exitcodes import ExitCode
from ..fix.export import CREATE, write_all
from ..fix.work import Stopped
from ..ports import WritableKube
from .plan import RescuePlan
from .swap import CLEAN, TIMEOUT, TRIES, Exchange, Place, find, script
from .work import RescueWork

PIECE = 256 * 1024
AT_ONCE = 50
"""Files that one command compares: its words are in a URL, and of its output 64 KiB are kept."""

# Every script is a constant; what varies comes in as an argument and never as text of the script.
PROBE = """for t in sh tar mv rm mkdir rmdir head sha256sum du df; do
  command -v "$t" >/dev/null 2>&1 || { echo "no $t"; exit 3; }
done
cd "$1" || exit 4
du -sk dbs || exit 5
df -Pk ."""
HASHES = """cd "$1" || exit 4
shift
for f; do
  if [ -e "$f" ]; then sha256sum "$f" || exit 5; else echo "none  $f"; fi
done"""
UNPACK = """rm -rf "$1" && mkdir "$1" || exit 4
head -c "$2" | tar -C "$1" -xf -"""


@dataclass(frozen=True, slots=True)
class Room:
    """What a probe of one container found, in KiB; `problem` says why the strategy cannot be used with it."""

    used: int
    free: int
    problem: str


def probe(kube: WritableKube, where: tuple[str, str, str], directory: str) -> Room:
    """Whether the tools are there, and how much room. Reads only."""
    try:
        done = script(kube, where, PROBE, directory)
    except KubeError as error:
        return Room(0, 0, f"exec in {where[1]} is not possible: {error.as_kubectl_prints_it()}")
    if done.code != 0:
        return Room(0, 0, f"the container of {where[1]} cannot do it ({' '.join(done.output.split())[:120] or f'code {done.code}'})")
    lines = [line.split() for line in done.output.splitlines() if line.strip()]
    try:
        return Room(int(lines[0][0]), int(lines[-1][3]), "")
    except (IndexError, ValueError):
        return Room(0, 0, f"what du and df say in {where[1]} could not be read")


def half_swapped(kube: WritableKube, plan: RescuePlan) -> bool:
    """Whether this very swap has begun. What cannot be looked at is judged by the probe."""
    place = Place(frozenset(), plan.parts, plan.staging, plan.aside, plan.cluster_id)
    try:
        return find(kube, (plan.namespace, plan.pod, plan.container), plan.data_dir, place).half
    except (KubeError, Stopped):
        return False


class Directory:
    """One run of the strategy."""

    def __init__(self, work: RescueWork) -> None:
        self.work, self.plan = work, work.plan
        self.here = (self.plan.namespace, self.plan.pod, self.plan.container)
        self.there = (self.plan.namespace, self.plan.source, self.plan.source_container)
        self.staging = f"{self.plan.data_dir.rstrip('/')}/{self.plan.staging}"
        self.tar = work.folder / f"directory-{self.plan.id[:12]}.tar.part"
        whole = self.plan.fault == "LFS102"
        half = "Its own id is still in place, so no replica loses anything" if whole else "LiteFS serves none of it before its restart"
        self.exchange = Exchange(work, self.plan.data_dir, self.plan.staging, self.plan.aside, self.plan.cluster_id, self.plan.parts, half)

    # --- beside

    def stage(self) -> None:
        """The replica's directory beside the primary's own, proven the same by sha256. Raises Stopped (exit 9)."""
        self.work.record("stage", directory=self.staging)
        try:
            want = self.fetch()
            self.require_id(want)
            self.push()
            self.require_equal(want, self.hashes(self.here, self.staging), f"{self.staging} on {self.plan.pod}")
            self.require_equal(want, self.hashes(self.there, self.plan.source_dir), f"the directory of {self.plan.source}, looked at again,")
        except OSError as error:
            raise self.stopped("no-room", f"{self.tar}: {error.strerror or error}") from error
        finally:
            with contextlib.suppress(OSError):
                self.tar.unlink()

    def fetch(self) -> dict[str, str]:
        """The directory as a tar file on this machine, and the sha256 of what must be in it."""
        why = ""
        for _ in range(TRIES):
            want = self.hashes(self.there, self.plan.source_dir)
            try:
                code, said = self.download()
            except KubeError as error:
                why = error.as_kubectl_prints_it()
                continue
            why = f"tar on {self.plan.source} ended with {code}: {said.strip()[:200]}" if code else self.doubt(want)
            if not why:
                return want
        raise self.stopped("stage-failed", f"the directory of {self.plan.source} could not be copied whole: {why}")

    def download(self) -> tuple[int, str]:
        with contextlib.suppress(FileNotFoundError):
            self.tar.unlink()
        file = os.open(self.tar, CREATE, 0o600)

        def take(data: bytes) -> None:
            write_all(file, data)
            self.work.tick()

        try:
            words = ("tar", "-C", self.plan.source_dir, "-cf", "-", *reversed(self.plan.parts))
            done = self.work.kube.execute(*self.there, words, timeout=max(1.0, self.work.left()), stdout=take)
            os.fsync(file)
        except OSError as error:
            raise self.stopped("no-room", f"{self.tar}: {error.strerror or error}") from error
        finally:
            os.close(file)
        return done.code, done.output

    def doubt(self, want: dict[str, str]) -> str:
        """Why the tar file is not the directory; empty where it is. Members are read one by one and never unpacked here."""
        found: dict[str, str] = {}
        try:
            with tarfile.open(self.tar, "r:") as tar:
                for member in tar:
                    path = PurePosixPath(member.name)
                    inside = any(part in map(str, (path, *path.parents)) for part in self.plan.parts)
                    if ".." in path.parts or not inside or not (member.isreg() or member.isdir()):
                        return f"it holds {member.name!r}, which is no plain file of a data directory"
                    if str(path) in want:
                        found[str(path)] = _digest(tar, member)
                if self.tar.stat().st_size < tar.offset + 2 * tarfile.BLOCKSIZE:
                    return "the tar file is not whole: its end is missing"
        except (tarfile.TarError, OSError, EOFError) as error:
            return f"the tar file is not whole: {error}"
        wrong = [name for name, sha in want.items() if found.get(name, "none") != sha]
        return f"{wrong[0]} in the tar file is not what it is on {self.plan.source}" if wrong else ""

    def push(self) -> None:
        size = self.tar.stat().st_size
        with open(self.tar, "rb") as file:
            words = ("sh", "-c", UNPACK, "sh", self.staging, str(size))
            try:
                done = self.work.kube.execute(*self.here, words, timeout=max(1.0, self.work.left()), stdin=_pieces(self.work, file.fileno()))
            except KubeError as error:
                raise self.stopped("push-failed", f"the directory could not be put beside {self.plan.pod}'s: {error.as_kubectl_prints_it()}") from error
        if done.code != 0:
            raise self.stopped("push-failed", f"unpacking in {self.plan.pod} ended with {done.code}: {done.output.strip()[:200]}")

    def files(self) -> tuple[str, ...]:
        """What is compared: the id where it comes, too, and of each database its file and its write-ahead log."""
        return (*(p for p in self.plan.parts if p == "clusterid"), *(f"dbs/{d.name}/{part}" for d in self.plan.databases for part in ("database", "wal")))

    def hashes(self, where: tuple[str, str, str], directory: str) -> dict[str, str]:
        files, found = self.files(), dict[str, str]()
        for some in (files[i : i + AT_ONCE] for i in range(0, len(files), AT_ONCE)):
            done = script(self.work.kube, where, HASHES, directory, *some, timeout=max(TIMEOUT, self.work.left()))
            lines = [line.split(None, 1) for line in done.output.splitlines()]
            found |= {name.lstrip("*"): sha for sha, name in (pair for pair in lines if len(pair) == 2)}
            if done.code != 0 or not found.keys() >= set(some):
                raise self.stopped("no-hashes", f"sha256sum in {where[1]} ended with {done.code}: {done.output.strip()[:200]}")
        return found

    def require_id(self, want: dict[str, str]) -> None:
        """LiteFS reads the file at its start only: what it runs with may be another id than what would be brought over."""
        good = {hashlib.sha256(f"{self.plan.cluster_id}{end}".encode()).hexdigest() for end in ("\n", "")}
        if want.get("clusterid") not in (None, "none", *good):
            text = f"the file clusterid of {self.plan.source} does not hold {self.plan.cluster_id}, with which it runs"
            raise Stopped("differs", text, ExitCode.STOPPED_BEFORE, "Somebody has changed it. --strategy=import takes no id from there.")

    def require_equal(self, want: dict[str, str], has: dict[str, str], what: str) -> None:
        wrong = [name for name, sha in want.items() if has.get(name) != sha]
        if wrong:
            raise self.stopped("differs", f"{what} is not the same: {wrong[0]} has sha256 {has.get(wrong[0])}, want {want[wrong[0]]}")
        if want.get("clusterid") == "none" or any(want[f"dbs/{d.name}/database"] == "none" for d in self.plan.databases):
            raise self.stopped("differs", f"the directory of {self.plan.source} lacks clusterid or a database")

    def clean(self) -> str:
        """Take our own copy away again, never from a swap that has begun. Empty where that is so, else the command that does it."""
        try:
            place = self.exchange.where()
            if not (place.half or place.swapped):
                script(self.work.kube, self.here, CLEAN, self.plan.data_dir, self.plan.staging, self.plan.aside)
            return ""
        except (KubeError, Stopped):
            return f"What was copied stays and harms nothing; remove it: kubectl -n {self.plan.namespace} exec {self.plan.pod} -c {self.plan.container} -- rm -rf -- {self.staging}"

    def stopped(self, reference: str, message: str) -> Stopped:
        return Stopped(reference, message, ExitCode.STOPPED_BEFORE)


def _digest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file, sha = tar.extractfile(member), hashlib.sha256()
    assert file is not None
    while piece := file.read(PIECE):
        sha.update(piece)
    return sha.hexdigest()


def _pieces(work: RescueWork, file: int) -> Iterator[bytes]:
    while piece := os.read(file, PIECE):
        yield piece
        work.tick()


def tar_files(folder: Path) -> list[Path]:
    """Halves of directories that a run which was killed has left."""
    return sorted(folder.glob("directory-*.tar.part"))
