"""The ways through a script: lists, pipelines, blocks, and what is left known where nobody can tell the way."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import ShellError
from .shell_call import Result
from .shell_expand import matches, pattern_of
from .shell_state import Scene, State, join
from .shell_tree import AndOr, Case, Function, Group, If, Loop, Node, Pipeline, Redirect, Seq, Simple
from .shell_words import MAX_DEPTH, Word
from .unseen import UNKNOWN


class Flow:
    """Follows lists and blocks. Simple commands, words and redirections are for the subclass to give."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.depth = 0
        self.background = False

    def simple(self, node: Simple, state: State, stdin: Result) -> Result:
        raise NotImplementedError

    def text(self, word: Word, state: State) -> str:
        raise NotImplementedError

    def substitute(self, text: str, state: State) -> str:
        raise NotImplementedError

    def input(self, redirects: Sequence[Redirect], state: State, stdin: Result) -> Result:
        raise NotImplementedError

    def output(self, redirects: Sequence[Redirect], state: State, result: Result) -> Result:
        raise NotImplementedError

    def sequence(self, commands: Seq, state: State, stdin: Result) -> Result:
        pieces: list[Result] = []
        for command in commands:
            if state.dead:
                break
            pieces.append(self.and_or(command, state, stdin))
        return together(pieces)

    def and_or(self, command: AndOr, state: State, stdin: Result) -> Result:
        outer, self.background = self.background, self.background or command.background
        pieces: list[Result] = []
        ok: bool | None = True
        for operator, pipeline in command.items:
            if state.dead:
                break
            wanted = operator != "||"
            if operator and ok is not None and ok is not wanted:
                continue
            if operator and ok is None:
                taken = state.copy()
                pieces.append(Result(self.pipeline(pipeline, taken, stdin).out and UNKNOWN))
                state.become(join(state, taken) if not (taken.dead and state.dead) else taken)
            else:
                pieces.append(self.pipeline(pipeline, state, stdin))
                ok = pieces[-1].ok
        self.background = outer
        return Result(together(pieces).out, ok, together(pieces).copy_of)

    def pipeline(self, pipeline: Pipeline, state: State, stdin: Result) -> Result:
        result = stdin
        for stage in pipeline.stages:
            inner = state if len(pipeline.stages) == 1 else state.copy()
            result = self.node(stage, inner, result)
            if inner is not state:
                state.files, state.ran_unseen = inner.files, state.ran_unseen or inner.ran_unseen
        ok = result.ok
        return Result(result.out, not ok if pipeline.negated and ok is not None else ok, result.copy_of)

    def node(self, node: Node, state: State, stdin: Result) -> Result:
        self.depth += 1
        if self.depth > MAX_DEPTH * 4:
            raise ShellError("nested too deeply")
        try:
            if isinstance(node, Simple):
                return self.simple(node, state, stdin)
            if isinstance(node, Function):
                state.functions[node.name] = node.body
                return Result()
            stdin = self.input(node.redirects, state, stdin)
            return self.output(node.redirects, state, self.block(node, state, stdin))
        finally:
            self.depth -= 1

    def block(self, node: If | Case | Loop | Group, state: State, stdin: Result) -> Result:
        if isinstance(node, If):
            return self.if_block(node, state, stdin)
        if isinstance(node, Case):
            return self.case_block(node, state, stdin)
        if isinstance(node, Loop):
            return self.loop(node, state, stdin)
        inner = state.copy() if node.subshell else state
        result = self.sequence(node.body, inner, stdin)
        if inner is not state:
            state.files, state.ran_unseen = inner.files, state.ran_unseen or inner.ran_unseen
        return result

    def if_block(self, node: If, state: State, stdin: Result) -> Result:
        ways: list[tuple[State, Result]] = []
        for condition, body in node.branches:
            ok = self.sequence(condition, state, stdin).ok
            if ok is not False:
                way = state.copy()
                ways.append((way, self.sequence(body, way, stdin)))
            if ok is True:
                return self.one_of(ways, state)
        way = state.copy()
        ways.append((way, self.sequence(node.otherwise or (), way, stdin)))
        return self.one_of(ways, state)

    def case_block(self, node: Case, state: State, stdin: Result) -> Result:
        subject = self.text(node.word, state)
        ways: list[tuple[State, Result]] = []
        for patterns, body in node.items:
            found = [matches(subject, pattern_of(p, self.scene, state, self.substitute)) for p in patterns]
            if any(f is not False for f in found):
                way = state.copy()
                ways.append((way, self.sequence(body, way, stdin)))
            if any(found):
                return self.one_of(ways, state)
        ways.append((state.copy(), Result()))
        return self.one_of(ways, state)

    def one_of(self, ways: list[tuple[State, Result]], state: State) -> Result:
        """Go on with what all ways agree on."""
        merged, result = ways[0]
        for way, other in ways[1:]:
            merged = join(merged, way)
            result = result if result == other else Result(UNKNOWN, None)
        state.become(merged)
        return result

    def loop(self, node: Loop, state: State, stdin: Result) -> Result:
        """The body may run any number of times: what it changes is unknown afterwards."""
        if node.condition is not None:
            self.sequence(node.condition, state, stdin)
        way = state.copy()
        if node.name:
            way.set(node.name, UNKNOWN)
        result = self.sequence(node.body, way, stdin)
        state.become(join(state, way))
        return Result(UNKNOWN if result.out else "")


def together(pieces: Sequence[Result]) -> Result:
    if not pieces:
        return Result()
    loud = [p for p in pieces if p.out]
    return Result("".join(p.out for p in pieces), pieces[-1].ok, loud[0].copy_of if len(loud) == 1 else None)
