"""How a container starts LiteFS, as far as its `command` and `args` show it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import LitefsCommand
from .container_start import Start, follow, start_words
from .image_files import in_image
from .mount_flags import parse_mount
from .shell_run import Hit
from .shell_state import Scene, State, join
from .unseen import has_unknown, shown
from .wrappers import base_name

SUBCOMMANDS = frozenset({"mount", "run", "export", "import", "version"})
ENTRYPOINTS = ("entrypoint", "entrypoint.sh", "start.sh", "run.sh", "init.sh")
MAX_EXCERPT = 300


def litefs_command(container: Mapping[str, Any], pod: Obj, field: str) -> LitefsCommand | None:
    """None where the spec does not show LiteFS being run: the image's own entrypoint may still do it.

    Variables count only as far as the container's literal `env` gives them.
    """
    env = {
        str(e["name"]): str(e.get("value") or "")
        for e in container.get("env") or ()
        if isinstance(e, Mapping) and e.get("name") and "valueFrom" not in e
    }
    scene = Scene(None, lambda path: in_image(pod, container, path), False, pod.source, "the command")
    start = follow(container, env, scene, is_litefs)
    hit = best_hit(start)
    if hit is None:
        return None
    given = [w for key in ("command", "args") for w in start_words(container, key)]
    excerpt = f"{field}.command: {json.dumps(given, ensure_ascii=False)}"
    line = _line_of_a_script(scene, pod, container, field)
    if line is not None:
        return as_command(hit, line)
    return as_command(hit, pod.at(f"{field}.{'command' if container.get('command') else 'args'}", excerpt[:MAX_EXCERPT]))


def _line_of_a_script(scene: Scene, pod: Obj, container: Mapping[str, Any], field: str) -> Evidence | None:
    """The line that starts LiteFS, where it stands in a script in a file that was given."""
    texts = list(scene.texts)
    for key in ("command", "args"):
        for i, word in enumerate(start_words(container, key)):
            origin = pod.text_origin(*field.split("."), key, str(i)) if "\n" in word else None
            texts += [(word, origin)] if origin is not None else []
    for text, origin in texts:
        match = _STARTS.search(text)
        if match is not None:
            start = match.start(1)
            place = origin.at(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
            return place.evidence(text[start:].split("\n", 1)[0].strip()[:MAX_EXCERPT])
    return None


_STARTS = re.compile(r"^[^#\n]*?((?:\S*/)?\blitefs[ \t]+(?:mount\b|-))", re.MULTILINE)


def is_litefs(words: Sequence[str]) -> bool:
    """Whether these words, wrappers taken off, start LiteFS."""
    return _litefs_at(words) is not None


def best_hit(start: Start) -> Hit | None:
    """The first `litefs mount` of a start; where there is none, the first `litefs` of any kind."""
    mounts = [h for h in start.hits if litefs_words(h.words)[1:2] == ("mount",)]
    return next(iter(mounts or start.hits), None)


def litefs_words(words: Sequence[str]) -> tuple[str, ...]:
    """The argv of LiteFS in words that `is_litefs` took."""
    at = _litefs_at(words) or 0
    if at < 0:
        return ("litefs", *words)
    return tuple(words[at:])


def _litefs_at(words: Sequence[str]) -> int | None:
    """Where `litefs` stands; -1 for a bare `mount -config ...` handed to the image's entrypoint; None for neither."""
    if not words:
        return None
    first = words[0].split()
    if first and base_name(first[0]) == "litefs":
        return 0
    name = base_name(words[0])
    handed_on = name.endswith(ENTRYPOINTS) or "--" in words
    for at in range(1, len(words) - 1):
        if base_name(words[at]) == "litefs" and words[at + 1] == "mount" and handed_on:
            return at if words[at - 1] == "--" or name.endswith(ENTRYPOINTS) else None
    return None


def as_command(hit: Hit, evidence: Evidence) -> LitefsCommand:
    """The facts of one start of LiteFS."""
    words = litefs_words(hit.words)
    written = tuple(shown(w) for w in hit.written[len(hit.written) - len(words) :]) if hit.written else words
    written = written if len(written) == len(words) else tuple(shown(w) for w in words)
    subcommand = words[1] if words[1:2] and words[1] in SUBCOMMANDS else ""
    old_style = len(words) > 1 and words[1].startswith("-")
    flags = parse_mount(words[1:] if old_style else words[2:])
    problem = flags.problem if subcommand == "mount" else _subcommand_problem(words)
    config = flags.config_path
    if config is not None and has_unknown(config):
        config = parse_mount(written[1:] if old_style else written[2:]).config_path
    return LitefsCommand(
        words=written,
        subcommand=subcommand,
        config_path=config if subcommand == "mount" or old_style else None,
        expand_env=flags.expand_env,
        skip_unmount=flags.skip_unmount,
        after_dashes=flags.after_dashes if subcommand == "mount" else None,
        through_shell=hit.in_shell,
        shell_tail=hit.tail,
        user_switch=hit.peeled.user_switch,
        user_switch_to=hit.peeled.user_switch_to,
        problem=problem,
        evidence=evidence,
    )


def _subcommand_problem(words: Sequence[str]) -> str | None:
    """What LiteFS or the kernel says to words that are no `litefs mount`."""
    if len(words[0].split()) > 1:
        return f'exec: "{words[0]}": executable file not found in $PATH'
    if len(words) == 1 or words[1] == "help" or words[1].startswith("-"):
        return "litefs prints its usage and exits with code 2"
    if has_unknown(words[1]) or words[1] in SUBCOMMANDS:
        return None
    return f"litefs {words[1]}: unknown command"


def reached(start: Start) -> State | None:
    """What is known when LiteFS starts: what all its starts in the script agree on. None where none is seen."""
    best = best_hit(start)
    if best is None:
        return None
    same = [h for h in start.hits if litefs_words(h.words)[1:2] == litefs_words(best.words)[1:2]]
    state = same[0].state
    for hit in same[1:]:
        state = join(state, hit.state)
    return state
