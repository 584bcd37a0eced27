"""The report as YAML: the same tree as JSON."""

from __future__ import annotations

from typing import Any

import yaml

from ..model.report import Report
from .tree import tree


class _Dumper(yaml.SafeDumper):
    """Writes a value that occurs twice in full both times: anchors help no reader."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def document(data: Any) -> str:
    """Control characters and everything outside ASCII are escaped."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=120)
    return text


def render(report: Report) -> str:
    """One document."""
    return document(tree(report))
