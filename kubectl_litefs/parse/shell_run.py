"""Follows a script without running it: which variables and files there are when LiteFS starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import ShellError
from .shell import parse_script, tail_after
from .shell_builtins import BUILTINS, DECLARE
from .shell_call import Call, Result
from .shell_commands import COMMANDS, unseen_program
from .shell_expand import fields_of, text_of
from .shell_flow import Flow
from .shell_state import Scene, State
from .shell_tree import Redirect, Simple
from .shell_words import MAX_DEPTH, Word
from .unseen import UNKNOWN, has_unknown, without_markers
from .wrappers import Peeled, peel

MAX_COMMANDS = 20_000
EMPTY = Result()
SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da|a|k)?sh\b")
SHELLS = frozenset("sh bash ash dash ksh zsh".split())


@dataclass(frozen=True, slots=True)
class Hit:
    """A watched command as it is reached: its words, how they are written, the state at that moment.

    `tail` is what stands behind it in its script; `in_shell` is False where a shell is not between it and its parent.
    """

    words: tuple[str, ...]
    written: tuple[str, ...]
    state: State
    tail: str
    in_shell: bool
    peeled: Peeled


Watch = Callable[[Sequence[str]], bool]


class Interpreter(Flow):
    """Follows commands and notes the watched ones. Nothing is ever executed; nothing here raises but `ShellError`."""

    def __init__(self, scene: Scene, watch: Watch) -> None:
        super().__init__(scene)
        self.watch = watch
        self.hits: list[Hit] = []
        self.count = 0
        self.text_now: str | None = None
        """The script being followed; None outside any shell."""

    def script(self, text: str, state: State, args: Sequence[str] = ()) -> Result:
        """Follow a whole script."""
        outer, state.args = state.args, tuple(args)
        above, self.text_now = self.text_now, text
        try:
            return self.sequence(parse_script(text), state, Result())
        finally:
            state.args, self.text_now = outer, above

    def text(self, word: Word, state: State) -> str:
        return text_of(word, self.scene, state, self.substitute)

    def substitute(self, text: str, state: State) -> str:
        """`$(...)`. Its own mistakes make its output unknown, no more."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                return UNKNOWN
            inner = state.copy()
            above, self.text_now = self.text_now, text
            result = self.sequence(parse_script(text, self.depth), inner, Result())
            self.text_now = above
            state.ran_unseen = state.ran_unseen or inner.ran_unseen
            return result.out.rstrip("\n")
        except ShellError:
            return UNKNOWN
        finally:
            self.depth -= 1

    def input(self, redirects: Sequence[Redirect], state: State, stdin: Result) -> Result:
        for redirect in redirects:
            if redirect.op == "<<":
                stdin = Result(self.text(redirect.target, state))
            elif redirect.op == "<" and redirect.fd in ("", "0"):
                stdin = self.call("<", (), stdin, state).read(self.text(redirect.target, state))
        return stdin

    def output(self, redirects: Sequence[Redirect], state: State, result: Result) -> Result:
        for redirect in redirects:
            if redirect.op not in (">", ">>", ">|", "&>", "&>>"):
                continue
            path = self.text(redirect.target, state)
            writer = self.call(">", (), Result(), state)
            if redirect.fd in ("", "1"):
                writer.write(path, result, append=redirect.op.endswith(">>"))
                result = Result("", result.ok)
            else:
                writer.write(path, Result(UNKNOWN))
        return result

    def call(self, name: str, args: Sequence[str], stdin: Result, state: State) -> Call:
        return Call(name, args, stdin, self.scene, state)

    def simple(self, node: Simple, state: State, stdin: Result) -> Result:
        self.count += 1
        if self.count > MAX_COMMANDS:
            raise ShellError("too many commands")
        words: list[str] = []
        written: list[str] = []
        declares = bool(node.words) and node.words[0].bare in DECLARE
        for word in node.words:
            fields = [self.text(word, state)] if declares else fields_of(word, self.scene, state, self.substitute)
            words += fields
            unseen = any(has_unknown(f) for f in fields)
            written += [word.source.strip("\"'")] if unseen else [without_markers(f) for f in fields]
        assigned = [(name, self.text(value, state)) for name, value in node.assigns]
        if not words:
            for name, value in assigned:
                state.set(name, value)
            return self.output(node.redirects, state, Result())
        stdin = self.input(node.redirects, state, stdin)
        inner = state
        if assigned and words[0] != "exec":
            inner = state.copy()
        for name, value in assigned:
            inner.set(name, value, exported=True)
        result = self.run(words, written, inner, stdin, node.end)
        if inner is not state:
            state.files, state.ran_unseen = inner.files, state.ran_unseen or inner.ran_unseen
        return self.output(node.redirects, state, result)

    def run(
        self, words: list[str], written: list[str], state: State, stdin: Result = EMPTY, end: int | None = None
    ) -> Result:
        """One command with its words known as far as they are. `end` is the offset behind it in its script."""
        replaced = words[0] == "exec"
        peeled = peel(words)
        inner = state.copy() if peeled.env and not replaced else state
        for name, value in peeled.env:
            inner.set(name, value, exported=True)
        if not peeled.words:
            return Result()
        seen = tuple(without_markers(w) for w in peeled.words)
        if self.watch(seen):
            in_shell = self.text_now is not None and not replaced
            tail = tail_after(self.text_now or "", end) if in_shell and end is not None and not self.background else ""
            self.hits.append(
                Hit(seen, tuple(written[len(words) - len(seen) :]), inner.copy(), tail, in_shell, peeled)
                if len(written) == len(words)
                else Hit(seen, seen, inner.copy(), tail, in_shell, peeled)
            )
            result = Result(UNKNOWN)
        else:
            result = self.ordinary(list(peeled.words), inner, stdin)
        if inner is not state:
            state.files, state.ran_unseen = inner.files, state.ran_unseen or inner.ran_unseen
        state.dead = state.dead or replaced
        return result

    def ordinary(self, words: list[str], state: State, stdin: Result) -> Result:
        name, args = without_markers(words[0]).rsplit("/", 1)[-1], words[1:]
        if words[0] in state.functions:
            outer, state.args = state.args, tuple(args)
            result = self.node(state.functions[words[0]], state, stdin)
            state.args = outer
            return result
        if name == "eval":
            return self.eval(args, state)
        if name in BUILTINS:
            return BUILTINS[name](args, state)
        if name in SHELLS or name in (".", "source"):
            return self.nested(name, args, state)
        if has_unknown(words[0]):
            state.ran_unseen = True
            return Result(UNKNOWN, None)
        if "/" in words[0] and (file := self.scene.file(state, words[0])) is not None and SHEBANG.match(file.text or ""):
            return self.nested("sh", words, state)
        return COMMANDS.get(name, unseen_program)(self.call(name, args, stdin, state))

    def nested(self, name: str, args: list[str], state: State) -> Result:
        """Another script: `. file`, `sh file`, `sh -c text`."""
        sourced = name in (".", "source")
        inner = state if sourced else state.copy()
        text: str | None
        if not sourced and args and args[0].startswith("-") and "c" in args[0]:
            text, rest = (args[1] if len(args) > 1 else ""), args[3:]
        else:
            got = self.call(name, args, Result(), state).read(args[0]) if args else Result(UNKNOWN)
            text, rest = (None if has_unknown(got.out) or got.ok is False else got.out), args[1:]
            if got.copy_of is not None and got.copy_of.origin is not None:
                self.scene.texts.append((got.out, got.copy_of.origin))
        self.depth += 1
        try:
            if text is None or self.depth > MAX_DEPTH:
                raise ShellError("not seen")
            result = self.script(text, inner, rest if rest or not sourced else inner.args or ())
        except ShellError:
            state.ran_unseen = True
            state.anything = state.anything or sourced
            return Result(UNKNOWN, None)
        finally:
            self.depth -= 1
        if inner is not state:
            state.files, state.ran_unseen = inner.files, state.ran_unseen or inner.ran_unseen
        return result

    def eval(self, args: list[str], state: State) -> Result:
        text = " ".join(args)
        self.depth += 1
        try:
            if has_unknown(text) or self.depth > MAX_DEPTH:
                raise ShellError("not seen")
            return self.sequence(parse_script(without_markers(text), self.depth), state, Result())
        except ShellError:
            state.anything = state.ran_unseen = True
            return Result(UNKNOWN, None)
        finally:
            self.depth -= 1
