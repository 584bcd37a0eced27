"""Every report of the tests against the schema that ships, and a key that the schema does not know is an error here."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import fastjsonschema

from kubectl_litefs.model.report import Report
from kubectl_litefs.render.tree import tree
from kubectl_litefs.schema import REPORT


def check(report: Report) -> Report:
    """The report, if it is as the schema says."""
    check_tree(json.loads(json.dumps(tree(report), allow_nan=False)))
    return report


def check_tree(document: Any) -> None:
    validator()(document)


@lru_cache(maxsize=1)
def validator() -> Callable[[Any], Any]:
    """The shipped schema allows keys that are still to come; tests do not."""
    return fastjsonschema.compile(closed(json.loads(REPORT.read_text("utf8"))))  # type: ignore[no-any-return]


def closed(schema: Any) -> Any:
    """The schema with every object closed to keys that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made
