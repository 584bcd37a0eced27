"""Report -> text. A renderer never fetches anything."""

from __future__ import annotations

from typing import Any

FORMATS = {
    "text": "kubectl_litefs.render.text",
    "json": "kubectl_litefs.render.json",
    "yaml": "kubectl_litefs.render.yaml",
    "sarif": "kubectl_litefs.render.sarif",
    "junit": "kubectl_litefs.render.junit",
    "markdown": "kubectl_litefs.render.markdown",
}
"""Output format -> module with `render(report, ...) -> str`. Nothing is imported before it is asked for."""

DATA = ("json", "yaml")
"""Formats that any plain data can be written in: their modules have `document(tree) -> str`, too."""


def document(tree: Any, output: str) -> str:
    """Plain data as a JSON or YAML document."""
    import importlib

    written: str = importlib.import_module(FORMATS[output]).document(tree)
    return written
