"""The schema that ships: it is what the code writes, and it finds what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import fastjsonschema
import pytest

from kubectl_litefs.model.origin import GapReason
from kubectl_litefs.model.report import Status
from kubectl_litefs.model.rule import Severity
from kubectl_litefs.model.topology import Role
from kubectl_litefs.render import json as as_json
from kubectl_litefs.schema import REPORT

from .render.reports import judged, passes, says
from .report_schema import check_tree

SCHEMA = json.loads(REPORT.read_text("utf8"))
TREE = json.loads(as_json.render(judged(says("LFS101", ["abaci-app-1"]), passes("LFS102"), info={"abaci-app-2": None})))


def test_its_words_are_those_of_the_code() -> None:
    parts = SCHEMA["definitions"]
    assert parts["finding"]["properties"]["severity"]["enum"] == [s.value for s in Severity]
    assert parts["check"]["properties"]["status"]["enum"] == [s.value for s in Status]
    assert parts["gap"]["properties"]["why"]["enum"] == [g.value for g in GapReason]
    assert parts["pod"]["properties"]["role"]["enum"] == [r.value for r in Role]


def test_keys_that_are_still_to_come_are_allowed_to_readers_but_not_here() -> None:
    grown = copy.deepcopy(TREE) | {"new": 1}
    fastjsonschema.compile(SCHEMA)(grown)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check_tree(grown)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), "Reports"), (("takenAt",), "yesterday"), (("findings", 0, "severity"), "fatal"), (("findings", 0, "fingerprint"), "x"),
        (("findings", 0, "evidence", 0, "line"), 0), (("checks", 0, "status"), "ok"), (("clusters", 0, "pods", 0, "role"), "boss"),
        (("summary", "error"), -1), (("gaps", 0, "why"), "BECAUSE"), (("findings", 0, "suppressed"), {"by": "me"}),
    ],
)  # fmt: skip
def test_it_refuses_what_is_no_report(path: tuple[Any, ...], value: Any) -> None:
    tree = copy.deepcopy(TREE)
    check_tree(tree)
    at = tree
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check_tree(tree)
