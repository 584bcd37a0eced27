"""Imports go one way. One table, one walk over the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kubectl_litefs

ROOT = Path(kubectl_litefs.__file__).parent
BASE = {"model", "errors", "exitcodes", "ports", "__init__"}
MAY_IMPORT: dict[str, set[str]] = {
    "model": {"exitcodes"},
    "errors": {"exitcodes"},
    "exitcodes": set(),
    "ports": set(),
    "project": set(),
    "__init__": set(),
    "rules": {"model"},
    "parse": {"model"},
    "suppress": {"model"},
    "compare": {"model", "engine"},
    "engine": {"model", "suppress", "__init__"},
    "gather": {*BASE, "parse"},
    "own_rules": {"model", "parse"},
    "kube": BASE,
    "fix": {*BASE, "gather", "parse"},
    "rescue": {*BASE, "gather", "parse", "fix"},
    "render": {*BASE, "project", "rules", "fix", "rescue"},
    "rbac": {"model"},
    "watching": BASE,
    "app": {*BASE, "engine", "compare", "gather", "parse", "rules", "rbac", "fix", "rescue", "suppress"},
    "customs": {*BASE, "parse", "rules", "own_rules"},
    "sides": {*BASE, "app", "parse"},
    "cli": {*BASE, "project", "app", "customs", "sides", "watching", "fix", "rescue", "engine", "render", "rules", "rbac", "kube", "demo", "gather", "schema"},
    "demo": BASE,
    "schema": set(),
    "__main__": {"cli"},
}
"""Package or module of the project -> what it may import of the project, itself aside."""

THIRD_PARTY: dict[str, set[str]] = {
    "click": {"cli"},
    "hyperscan": {"parse"},
    "hcl2": {"parse"},
    "lark": {"parse"},
    "kubernetes": {"kube"},
    "requests": {"kube"},
    "urllib3": {"kube"},
    "websocket": {"kube"},
    "rich": {"cli", "render"},
    "yaml": {"parse", "render", "kube", "gather"},
}
"""Package of others -> where it may be imported."""

FILES = sorted(p for p in ROOT.rglob("*.py"))


def home(path: Path) -> str:
    """The top-level package or module a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, dotted name from the package's or the world's root, whether it is the project's own)."""
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                own = alias.name.startswith("kubectl_litefs")
                yield node.lineno, alias.name.removeprefix("kubectl_litefs."), own
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = here[: len(here) - node.level]
                name = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    yield node.lineno, name or alias.name, True
            else:
                module = node.module or ""
                yield node.lineno, module.removeprefix("kubectl_litefs."), module.startswith("kubectl_litefs")


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_imports_go_one_way(path: Path) -> None:
    mine = home(path)
    assert mine in MAY_IMPORT, f"{mine} has no line in the table"
    for line, name, own in imports(path):
        target = name.split(".")[0]
        if own:
            if target == "__version__":
                target = "__init__"
            assert target == mine or target in MAY_IMPORT[mine] or target == "kubectl_litefs", f"{path.name}:{line}: {mine} imports {name}"
        elif target in THIRD_PARTY:
            assert mine in THIRD_PARTY[target], f"{path.name}:{line}: {target} is not for {mine}"


def test_rules_import_no_other_rule() -> None:
    for path in (ROOT / "rules").glob("lfs*.py"):
        for line, name, own in imports(path):
            assert not (own and name.startswith("rules")), f"{path.name}:{line} imports {name}"


def test_every_rule_file_is_in_the_table() -> None:
    from kubectl_litefs.rules import ALL

    files = sorted(p.stem[:6].upper() for p in (ROOT / "rules").glob("lfs*.py"))
    assert [r.id for r in ALL] == files, "sorted by id, nothing forgotten"
    assert len({r.name for r in ALL}) == len(ALL)


def test_no_file_has_grown_large() -> None:
    data_tables = {"signatures.py", "messages.py"}
    large = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text("utf8").splitlines())) > 300 and p.name not in data_tables}
    assert not large
