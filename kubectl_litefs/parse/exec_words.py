"""How LiteFS splits a command of `exec` (go-shellwords 1.0.12): quotes group, an unquoted operator ends it."""

from __future__ import annotations

from dataclasses import dataclass

INVALID = "invalid command line string"


@dataclass(frozen=True, slots=True)
class Split:
    """`argv` is None where LiteFS refuses the command. `dropped` begins with the operator that ended it."""

    argv: tuple[str, ...] | None
    dropped: str


def split_command(line: str) -> Split:
    """The arguments LiteFS runs, and the rest that it throws away."""
    return _Splitter(line).run()


class _Splitter:
    def __init__(self, line: str) -> None:
        self.line = line
        self.args: list[str] = []
        self.buffer: list[str] = []
        self.got = False
        self.open: frozenset[str] = frozenset()
        self.escaped = False

    def run(self) -> Split:
        dropped = ""
        for index, char in enumerate(self.line):
            step = self.char(char)
            if step is None:
                return Split(None, "")
            if not step:
                dropped = self.line[index:]
                break
        self.flush()
        if self.escaped or self.open:
            return Split(None, "")
        return Split(tuple(self.args), dropped)

    def flush(self) -> None:
        if self.got:
            self.args.append("".join(self.buffer))
            self.buffer = []
            self.got = False

    def take(self, char: str) -> bool:
        self.buffer.append(char)
        self.got = True
        return True

    def char(self, char: str) -> bool | None:
        """True to go on, False where an operator ends the command, None where LiteFS refuses it."""
        if self.escaped:
            self.escaped = False
            return self.take(char)
        if char == "\\":
            if "'" in self.open:
                self.buffer.append(char)
            else:
                self.escaped = True
            return True
        if char in " \t\r\n":
            if self.open:
                self.buffer.append(char)
            else:
                self.flush()
            return True
        return self.special(char)

    def special(self, char: str) -> bool | None:
        """Quotes of different kinds are separate switches in LiteFS's splitter: a backquote may hold an open `"`."""
        open_ = self.open
        if char == "`" and not open_ & {"'", '"', "("}:
            self.open = open_ ^ {"`"}
        elif char == ")" and not open_ & {"'", '"', "`"}:
            self.open = open_ ^ {"("}
        elif char == "(" and not open_ & {"'", '"', "`"}:
            if "(" in open_ or self.buffer[-1:] != ["$"]:
                return None
            self.open = open_ | {"("}
            self.buffer.append(char)
            return True
        elif char in "'\"" and not open_ & {"(", "'" if char == '"' else '"'}:
            self.got = self.got or char in open_
            self.open = open_ ^ {char}
            return True
        elif char in ";&|<>" and not open_:
            if char == ">" and self.buffer and self.buffer[0][0] in "0123456789":
                self.got = False
            return False
        return self.take(char)
