"""What a SARIF file of ours may hold: of SARIF 2.1.0 the parts that are written, closed, and what GitHub's code scanning wants."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
SHORT = {"type": "string", "minLength": 1, "maxLength": 1024}
LEVEL = {"enum": ["error", "warning", "note"]}
INDEX = {"type": "integer", "minimum": 0}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required | optional, "additionalProperties": False}


def listed(items: Any, least: int = 0, most: int = 1000) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


MESSAGE = closed({"text": TEXT})
REGION = closed(
    {"startLine": {"type": "integer", "minimum": 1}}, startColumn={"type": "integer", "minimum": 1}, snippet=closed({"text": {"type": "string"}})
)
URI = {"type": "string", "pattern": r"^(file:///)?[A-Za-z0-9._~/%-]+$"}
PHYSICAL = closed({"artifactLocation": closed({"uri": URI}), "region": REGION})
LOGICAL = closed({"name": {"type": "string"}, "fullyQualifiedName": TEXT, "kind": TEXT})
LOCATION = closed({"physicalLocation": PHYSICAL}, logicalLocations=listed(LOGICAL, 1))
RELATED = closed({"id": INDEX, "physicalLocation": PHYSICAL, "message": MESSAGE})
SUPPRESSION = closed({"kind": {"enum": ["external", "inSource"]}, "status": {"const": "accepted"}, "justification": TEXT})
RULE = closed(
    {
        "id": {"type": "string", "minLength": 1, "maxLength": 255},
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "shortDescription": closed({"text": SHORT}),
        "fullDescription": closed({"text": SHORT}),
        "help": closed({"text": TEXT, "markdown": TEXT}),
        "defaultConfiguration": closed({"level": LEVEL}),
        "properties": closed(
            {
                "tags": listed(TEXT, 1, 20),
                "precision": {"enum": ["very-high", "high", "medium", "low"]},
                "problem.severity": {"enum": ["error", "warning", "recommendation"]},
            }
        ),
    },
    helpUri={"type": "string", "pattern": "^https?://"},
)
RESULT = closed(
    {
        "ruleId": TEXT,
        "ruleIndex": INDEX,
        "kind": {"enum": ["fail", "pass"]},
        "level": {"enum": ["error", "warning", "note", "none"]},
        "message": MESSAGE,
        "locations": listed(LOCATION, 1, 10),
        "partialFingerprints": {"type": "object", "minProperties": 1, "additionalProperties": TEXT},
        "suppressions": listed(SUPPRESSION),
        "properties": {"type": "object"},
    },
    relatedLocations=listed(RELATED, 1),
    baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
)
NOTIFICATION = closed(
    {"descriptor": closed({"id": TEXT}), "level": LEVEL, "message": MESSAGE}, associatedRule=closed({"id": TEXT, "index": INDEX}), locations=listed(LOCATION, 1, 1)
)
INVOCATION = closed(
    {
        "executionSuccessful": {"type": "boolean"},
        "endTimeUtc": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "toolExecutionNotifications": listed(NOTIFICATION, 0, 100_000),
    }
)
DRIVER = closed({"name": TEXT, "version": TEXT, "rules": listed(RULE, 0, 25_000)}, informationUri={"type": "string", "pattern": "^https://"})
RUN = closed(
    {
        "tool": closed({"driver": DRIVER}),
        "columnKind": {"enum": ["unicodeCodePoints", "utf16CodeUnits"]},
        "invocations": listed(INVOCATION, 1, 1),
        "results": listed(RESULT, 0, 25_000),
    }
)
SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **closed({"$schema": {"type": "string", "pattern": "^https://.*sarif.*2.1.0.*json$"}, "version": {"const": "2.1.0"}, "runs": listed(RUN, 1, 1)}),
}
