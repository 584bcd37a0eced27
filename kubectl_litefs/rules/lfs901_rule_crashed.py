"""LFS901 rule-crashed: a rule of this tool broke; the engine reports it here."""

from __future__ import annotations

from ..model.rule import Rule, Severity

RULE = Rule(
    id="LFS901",
    name="rule-crashed",
    title="A rule broke and was not judged",
    severity=Severity.WARNING,
    heals="no",
    symptom="One check is listed as crashed; all others were made.",
    impact="The fault that this rule looks for may be there and is not reported.",
    cause="A mistake in this tool: the rule met facts that it does not handle.",
    fix=("Save a bundle with `kubectl litefs bundle` and report the mistake with it and with the evidence line.",),
    reads=(),
    check=lambda cluster: (),
)
