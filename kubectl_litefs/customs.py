"""What the user adds to the table of rules, read from flags and files: suppressions, and rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .errors import UsageError
from .model.custom import Custom
from .model.suppression import Suppression
from .parse import ignores
from .rules import ALL


def typed_suppressions(entries: Sequence[str], by: str) -> tuple[Suppression, ...]:
    """Entries such as `LFS203=StatefulSet/abaci/abaci-app: one region`, typed for this run."""
    try:
        return tuple(s for entry in entries for s in ignores.read_entry(entry, by))
    except ignores.Malformed as error:
        raise UsageError("bad-suppression", f"{by}: {error}", hint="docs/suppressing.md tells the forms.") from None


def saved_suppressions(path: Path, name: str) -> tuple[Suppression, ...]:
    """The suppressions of a file, which messages call `name`. A file with a mistake is refused whole."""
    hint = "--no-config goes on without it."
    try:
        found, problems = ignores.read_file(path.read_bytes(), name)
    except OSError as error:
        raise UsageError("no-config", f"cannot read {name}: {error.strerror}", hint=hint) from None
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UsageError("bad-config", f"{problems[0]}{more}", hint=hint)
    return found


def own_rules(paths: Sequence[Path]) -> tuple[Custom, tuple[str, ...]]:
    """The rules of the user's files, and what is wrong with the files: with a problem none of the rules is to be used."""
    from .own_rules.load import load

    files: list[tuple[str, bytes]] = []
    for path in paths:
        try:
            files.append((str(path), path.read_bytes()))
        except OSError as error:
            raise UsageError("no-rules", f"cannot read {path}: {error.strerror}") from None
    loaded = load(files, (r.id for r in ALL))
    return Custom(rules=tuple(loaded.rules), patterns=tuple(loaded.patterns)), tuple(map(str, loaded.problems))
