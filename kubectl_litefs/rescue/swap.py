"""Two directories on the primary's volume change places: data and id come in from one beside them, what stood there goes aside.

Each move is a rename, so whatever is cut off half-way is finished by the same script, and nothing is ever overwritten.
What LiteFS or the application makes anew in a gap (a pod restarted half-way) goes aside, too, into `since-1`, `since-2`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from ..errors import CouldNotLook, KubeError
from ..exitcodes import ExitCode
from ..fix.work import POLL, Phase, Stopped, Work
from ..ports import Executed, WritableKube

TIMEOUT = 60.0
"""Seconds for a command that moves or lists."""
TRIES = 3
BACK = 30.0
"""Seconds a container that stopped under the swap may take to be back."""

# Every script is a constant; what varies comes in as an argument and never as text of the script.
CLEAN = """cd "$1" || exit 4
rmdir "$3/dbs" "$3" 2>/dev/null
rm -rf -- "$2"
"""
EXCHANGE = """cd "$1" || exit 4
from=$2 to=$3
shift 3
[ -e "$from" ] || [ -e "$to" ] || { echo "$from is not there"; exit 6; }
mkdir -p "$to" || exit 5
for x; do
  [ -e "$from/$x" ] || continue
  if [ -e "$x" ]; then
    out=$to n=1
    while [ -e "$out/$x" ]; do out=$to/since-$n n=$((n + 1)); done
    case "$x" in */*) mkdir -p "$out/${x%/*}" || exit 5 ;; *) mkdir -p "$out" || exit 5 ;; esac
    mv "$x" "$out/$x" || exit 7
  fi
  mv "$from/$x" "$x" || exit 8
done"""
WHERE = """cd "$1" || exit 4
from=$2 to=$3
shift 3
if [ -e "$to" ]; then echo "$to"; fi
for x; do
  for f in "$x" "$from/$x" "$to/$x"; do
    if [ -e "$f" ]; then echo "$f"; fi
  done
done
if [ -e clusterid ]; then echo "id $(head -c 20 clusterid)"; fi
echo end"""
ASIDE = """cd "$1" || exit 4
for d in lost-*; do
  if [ -e "$d/dbs" ]; then echo "$d $(head -c 20 "$d/clusterid" 2>/dev/null)"; fi
done
if [ -e clusterid ]; then echo "id $(head -c 20 clusterid)"; fi
echo end"""
NAME = re.compile(r"lost-[0-9a-f]{12}")


def script(kube: WritableKube, where: tuple[str, str, str], text: str, *words: str, timeout: float = TIMEOUT) -> Executed:
    """Run a constant script in (namespace, pod, container)."""
    return kube.execute(*where, ("sh", "-c", text, "sh", *words), timeout=timeout)


def require_end(done: Executed, where: tuple[str, str, str]) -> None:
    """A success whose end did not arrive (a kubelet loses output; 64 KiB are kept) says nothing. Raises KubeError."""
    if done.code == 0 and done.output.splitlines()[-1:] != ["end"]:
        raise KubeError(f"what a command said in {where[1]} did not arrive whole", status=None, reason="Cut", verb="create", resource="pods/exec")


@dataclass(frozen=True, slots=True)
class Former:
    """A directory that a rescue put aside on the primary's volume, and the cluster id that belongs to its data."""

    name: str
    cluster_id: str


def put_aside(kube: WritableKube, where: tuple[str, str, str], data_dir: str) -> tuple[Former, ...]:
    """What rescues have put aside and nobody has brought back. Reads only. Raises CouldNotLook, KubeError.

    Where the id is not in it, it stands in its place already: the swap was cut off half-way.
    """
    done = script(kube, where, ASIDE, data_dir)
    require_end(done, where)
    if done.code != 0:
        raise CouldNotLook("cannot-look", f"{data_dir} in {where[1]} could not be looked at: {done.output.strip()[:200]}")
    lines = [line.split() for line in done.output.splitlines()]
    here = next((words[1] for words in lines if len(words) == 2 and words[0] == "id"), "")
    return tuple(Former(words[0], words[1] if len(words) == 2 else here) for words in lines if words and NAME.fullmatch(words[0]))


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the `parts` are where. `incoming` holds what comes in, `aside` what goes out, `cluster_id` is what then must stand there."""

    there: frozenset[str]
    parts: tuple[str, ...]
    incoming: str
    aside: str
    cluster_id: str

    @property
    def waiting(self) -> bool:
        """Something still stands beside."""
        return any(f"{self.incoming}/{x}" in self.there for x in self.parts)

    @property
    def swapped(self) -> bool:
        """All that came in is in place, and the id. Nothing need have gone aside."""
        return {*self.parts, f"id {self.cluster_id}", self.aside} <= self.there and not self.waiting

    @property
    def half(self) -> bool:
        """It has begun, which makes `aside`, and something was moved."""
        moved = any(f"{self.aside}/{x}" in self.there or f"{self.incoming}/{x}" not in self.there for x in self.parts)
        return self.aside in self.there and moved and not self.swapped


def find(kube: WritableKube, where: tuple[str, str, str], data_dir: str, place: Place) -> Place:
    """The same with what is there. Reads only. Raises Stopped (exit 9), KubeError."""
    done = script(kube, where, WHERE, data_dir, place.incoming, place.aside, *place.parts)
    require_end(done, where)
    if done.code != 0:
        said = done.output.strip()[:200]
        raise Stopped("cannot-look", f"{data_dir} in {where[1]} could not be looked at: {said}", ExitCode.STOPPED_BEFORE)
    return dataclasses.replace(place, there=frozenset(done.output.splitlines()))


@dataclass(frozen=True)
class Exchange:
    """`parts` are moved in this order: the id which the replicas obey must never stand over data that is not theirs.

    `half` says why nothing is lost where it was cut off.
    """

    work: Work
    data_dir: str
    incoming: str
    aside: str
    cluster_id: str
    parts: tuple[str, ...]
    half: str

    @property
    def here(self) -> tuple[str, str, str]:
        return self.work.plan.namespace, self.work.plan.pod, self.work.plan.container

    def where(self) -> Place:
        return find(self.work.kube, self.here, self.data_dir, Place(frozenset(), self.parts, self.incoming, self.aside, self.cluster_id))

    def where_at_last(self) -> Place:
        """A container whose application wrote through the swap may stop; it is back in seconds, on the same volume."""
        ends = self.work.clock.monotonic() + BACK
        while True:
            try:
                return self.where()
            except KubeError as error:
                if error.status in (401, 403, 404) or self.work.clock.monotonic() >= ends or self.work.left() <= 0:
                    raise
                self.work.ui.step("swap", "", "waiting", f"{self.work.plan.pod} cannot be looked into: {error.as_kubectl_prints_it()}")
                self.work.sleep(POLL)

    def swap(self) -> None:
        """The point of no return. A lost answer is looked up. Raises Stopped: exit 9 where nothing was moved, else 10."""
        self.work.record("swap", incoming=self.incoming, aside=self.aside)
        self.work.phase = Phase.DELETING
        lost = ""
        for _ in range(TRIES):
            try:
                done = script(self.work.kube, self.here, EXCHANGE, self.data_dir, self.incoming, self.aside, *self.parts)
                lost = "" if done.code == 0 else f"code {done.code}: {done.output.strip()[:200]}"
            except KubeError as error:
                lost = error.as_kubectl_prints_it()
            place = self.where_at_last()
            if place.swapped:
                self.work.phase = Phase.ARMED
                return
            if not place.half:
                self.work.phase = Phase.PLANNED
                why = lost or f"{self.incoming} is gone"
                raise Stopped("not-swapped", f"the directories were not swapped: {why}", ExitCode.STOPPED_BEFORE)
        self.work.phase = Phase.ARMED
        raise Stopped(
            "half-swapped",
            f"the directories of {self.work.plan.pod} are swapped half-way: {lost}. {self.half}",
            ExitCode.STOPPED_AFTER,
            "Do not delete the pod. --resume finishes it.",
        )

    def settle(self) -> Phase:
        """What a swap whose request was cut off has come to."""
        place = self.where()
        return Phase.ARMED if place.swapped or place.half else Phase.PLANNED
