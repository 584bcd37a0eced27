"""`sed` and `test`, as far as they can be told without running them."""

from __future__ import annotations

import re

from .shell_call import Call, Result
from .shell_expand import unsure
from .unseen import UNKNOWN


def sed(call: Call) -> Result:
    """Only `s` with a plain word on the left is followed; anything else gives unknown text."""
    args = [a for a in call.args if a not in ("-e", "-E", "-r")]
    in_place = any(re.match(r"-[A-Za-z]*i|--in-place", a) for a in args)
    rest = [a for a in args if not a.startswith("-")]
    if in_place:
        for path in rest[1:]:
            source = call.read(path)
            text = _substituted(rest[0], source.out) if len(rest) == 2 and source.copy_of else None
            if text is None:
                call.spoil(path)
            else:
                call.write(path, Result(text))
        return Result()
    source = call.read(rest[1]) if len(rest) == 2 else call.stdin
    text = _substituted(rest[0], source.out) if rest and len(rest) <= 2 else None
    return Result(UNKNOWN if text is None else text, source.ok)


def _substituted(script: str, text: str) -> str | None:
    for command in re.split(r";\s*(?=s)", script):
        match = re.fullmatch(r"s(?P<d>[/|#,@])(\$?\{?[\w %@-]+\}?)(?P=d)([^&\\]*?)(?P=d)(g?)", command.strip())
        if match is None or "$" in match[2][1:]:
            return None
        count = -1 if match[4] else 1
        text = "\n".join(line.replace(match[2], match[3], count) for line in text.split("\n"))
    return text


def test(call: Call) -> Result:
    args = list(call.args)
    if call.name == "[":
        args = args[:-1]
    negated = False
    while args[:1] == ["!"]:
        args, negated = args[1:], not negated
    ok = _holds(call, args)
    return Result("", ok if ok is None else ok is not negated)


def _holds(call: Call, args: list[str]) -> bool | None:
    if len(args) == 2 and args[0] in ("-f", "-e", "-s", "-r"):
        content = call.file(args[1])
        return None if content is None else not content.missing and (content.text != "" or args[0] != "-s")
    if any(unsure(a) for a in args):
        return None
    if len(args) == 1:
        return args[0] != ""
    if len(args) == 2 and args[0] in ("-z", "-n"):
        return (args[1] == "") is (args[0] == "-z")
    if len(args) == 3 and args[1] in ("=", "==", "!="):
        return (args[0] == args[2]) is (args[1] != "!=")
    numbers = {"-eq": "__eq__", "-ne": "__ne__", "-gt": "__gt__", "-lt": "__lt__", "-ge": "__ge__", "-le": "__le__"}
    if len(args) == 3 and args[1] in numbers and args[0].isdecimal() and args[2].isdecimal() and len(args[0]) < 19:
        return bool(getattr(int(args[0]), numbers[args[1]])(int(args[2]))) if len(args[2]) < 19 else None
    return None
