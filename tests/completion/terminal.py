"""A shell on a pseudo-terminal: keys go in; what stands on its command line comes out."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Mapping
from pathlib import Path

PROMPT = "ready-to-type>"
LIMIT = 60.0
DUMP = "\x18\x04"  # Ctrl-X Ctrl-D: every start-up file here binds it to "write the line down and empty it"

START = {
    "bash": f"""
PS1='{PROMPT} '
bind 'set bell-style none'
bind 'set completion-query-items 0'
bind 'set page-completions off'
_dump() {{ printf '%s' "$READLINE_LINE" > "$DUMP_TO.part"; READLINE_LINE=; READLINE_POINT=0; mv "$DUMP_TO.part" "$DUMP_TO"; }}
bind -x '"\\C-x\\C-d": _dump'
""",
    "zsh": f"""
PS1='{PROMPT} '
unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste
setopt no_beep no_list_beep
LISTMAX=1000
autoload -Uz compinit && compinit -u -d "$COMPDUMP"
_dump() {{ printf '%s' "$BUFFER" > "$DUMP_TO.part"; BUFFER=; command mv "$DUMP_TO.part" "$DUMP_TO"; }}
zle -N _dump
bindkey '^X^D' _dump
""",
    "fish": f"""
function fish_prompt; echo -n '{PROMPT} '; end
function fish_greeting; end
function _dump; commandline > "$DUMP_TO.part"; commandline ''; command mv "$DUMP_TO.part" "$DUMP_TO"; end
bind \\cx\\cd _dump
""",
}


class Terminal:
    """One interactive shell. `setup` is run by it before the first prompt."""

    def __init__(self, shell: str, setup: str, folder: Path, env: Mapping[str, str]) -> None:
        self.home, self._dump = folder, folder / "line"
        start = folder / "start"
        start.write_text(START[shell] + setup + "\n")
        (folder / ".zshrc").write_text(start.read_text())
        arguments = {
            "bash": ["bash", "--noprofile", "--rcfile", str(start), "-i"],
            "zsh": ["zsh", "-d", "-i"],
            "fish": ["fish", "--no-config", "-i", "-C", f"source {start}"],
        }[shell]
        self._pid, self._screen = pty.fork()
        if self._pid == 0:
            home = {"HOME": str(folder), "ZDOTDIR": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
            home["COMPDUMP"] = str(folder.parent / "zcompdump")  # made once for all: half a second
            os.execvpe(arguments[0], arguments, {**env, **home, "TERM": "dumb" if shell == "bash" else "xterm", "DUMP_TO": str(self._dump), "LC_ALL": "C.UTF-8"})
        self.said = ""
        self._until(lambda: PROMPT in self.said, "a prompt")

    def complete(self, line: str, tabs: int = 1) -> tuple[str, str]:
        """Type a line and TAB on an empty command line: (the line then, what the shell showed meanwhile)."""
        self._dump.unlink(missing_ok=True)
        before = len(self.said)
        for keys in [line, *["\t"] * tabs, DUMP]:
            os.write(self._screen, keys.encode())
        self._until(self._dump.exists, f"the line after {line!r}")
        self._drain()  # what was shown before the dump is in the terminal's buffer by now
        shown = self.said[before:]
        return self._dump.read_text().rstrip("\n"), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r", "", shown)

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._screen)

    def _until(self, condition: object, what: str) -> None:
        ends = time.monotonic() + LIMIT
        assert callable(condition)
        while not condition():
            assert time.monotonic() < ends, f"no {what}; the terminal says {self.said[-1500:]!r}"
            self._drain(0.02)

    def _drain(self, seconds: float = 0) -> None:
        while select.select([self._screen], [], [], seconds)[0]:
            self.said += os.read(self._screen, 65536).decode("utf8", "replace")
            seconds = 0
