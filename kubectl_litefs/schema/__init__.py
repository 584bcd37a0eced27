"""The JSON schema of the report, for whoever reads it by program: `kubectl litefs version --schema` prints it."""

from __future__ import annotations

from pathlib import Path

REPORT = Path(__file__).parent / "report.schema.json"
"""JSON Schema, draft 7. New keys may come in any release, so it forbids none; those it names stay (docs/adr/0005-contracts.md)."""
