"""The report as JSON."""

from __future__ import annotations

import json
from typing import Any

from ..model.report import Report
from .tree import tree


def document(data: Any) -> str:
    """Everything outside ASCII is escaped, so nothing in it can reach a terminal as a control code."""
    return json.dumps(data, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def render(report: Report) -> str:
    """One document."""
    return document(tree(report))
