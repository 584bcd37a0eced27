"""What RUN instructions install, as far as it can be read without running them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INSTALL = re.compile(
    r"\b(?:(?:apt-get|apt|aptitude|dnf|yum|microdnf|tdnf|zypper)\b[^;&|\n]*?\binstall|apk\b[^;&|\n]*?\badd|pacman\s+-S\w*)(?=\s)([^;&|\n]*)"
)
_SCRIPT = re.compile(
    r"(?:^|[;&|(\s])(?:\.{0,2}/\S+\.sh|(?:ba|da|a)?sh\s+(?!-c)\S+|make|nix-\S+|ansible\S*|chef-\S+)(?=\s|;|&|\||\Z)|\|\s*(?:sudo\s+)?(?:ba|a|da)?sh\b"
)
_VERSION = re.compile(r"[=<>~@].*|/[a-z-]+\Z|:[a-z0-9]+\Z")


@dataclass(frozen=True, slots=True)
class Installed:
    """`known` is False where a script, a file or a variable may name more."""

    packages: tuple[str, ...]
    known: bool


def installed(run: str) -> Installed:
    """The packages of one RUN, `fuse3` for `fuse3=3.10.3-2`."""
    run = " ".join(run.split("\\\n"))
    packages: list[str] = []
    known = _SCRIPT.search(run) is None
    for match in _INSTALL.finditer(run):
        for word in match[1].split():
            if "$" in word or "`" in word or word.startswith("@"):
                known = False
            elif not word.startswith(("-", ">", "<", "2>")):
                packages.append(_VERSION.sub("", word.strip("\"'")))
    return Installed(tuple(p for p in packages if p), known and "xargs" not in run)
