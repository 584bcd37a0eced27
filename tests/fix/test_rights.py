"""The command runs under exactly its Role: one verb less gives a named message, one verb more is a defect."""

from __future__ import annotations

import itertools

import pytest

from kubectl_litefs.rbac import FIX, FIX_CLUSTER, FIX_SCALE

from .conftest import Fix
from .sim import Sim

Triple = tuple[str, str, str]


def triples(*tables: tuple[object, ...]) -> set[Triple]:
    return {(v, r.group, res) for r in itertools.chain(*tables) for v in r.verbs for res in r.resources}  # type: ignore[attr-defined]


POD = triples(FIX, FIX_CLUSTER)
SCALE = triples(FIX, FIX_CLUSTER, FIX_SCALE)


def restricted(rights: set[Triple]) -> tuple[Sim, set[Triple]]:
    """A cluster that allows only these, and what was asked of it besides the questions about rights."""
    sim, used = Sim(), set()

    def allowed(verb: str, group: str, resource: str, name: str) -> bool:
        used.add((verb, group, resource))
        return (verb, group, resource) in rights

    sim.allowed = allowed
    return sim, used


@pytest.mark.parametrize(("strategy", "rights"), [("pod", POD), ("scale", SCALE)])
def test_it_runs_under_exactly_its_role(fix: Fix, strategy: str, rights: set[Triple]) -> None:
    sim, used = restricted(rights)
    assert int(fix(sim, strategy=strategy).code) == 0
    assert used <= rights, "it asks for more than the Role gives"
    waiting = {("get", "", "nodes")}  # read only while a pod does not end
    other = {("create", "", "pods/eviction")} if strategy == "scale" else set()
    only_scale = {("list", "autoscaling", "horizontalpodautoscalers")} if strategy == "pod" else set()
    assert rights - used - waiting - other - only_scale == set(), "the Role gives more than it uses"


NEEDED = sorted(t for t in triples(FIX) if t not in {
    ("list", "", "services"), ("list", "", "events"), ("list", "policy", "poddisruptionbudgets"), ("get", "", "configmaps"),
})  # fmt: skip


@pytest.mark.parametrize("missing", NEEDED, ids=[" ".join(t) for t in NEEDED])
def test_one_verb_less_is_named_and_nothing_happens(fix: Fix, missing: Triple) -> None:
    sim, _ = restricted(POD - {missing})
    outcome = fix(sim)
    code, words = int(outcome.code), f"{outcome.message} {outcome.hint} {[r.text for r in outcome.refusals]} {outcome.warnings}"
    verb, _, resource = missing
    assert code in (3, 4), outcome
    assert verb in words and resource.split("/")[0] in words, words
    assert not sim.changes


@pytest.mark.parametrize("resource", ["persistentvolumes", "nodes", "storageclasses", "poddisruptionbudgets"])
def test_what_cannot_be_checked_is_said_in_the_plan(fix: Fix, resource: str) -> None:
    group = {"storageclasses": "storage.k8s.io", "poddisruptionbudgets": "policy"}.get(resource, "")
    sim, _ = restricted(POD - {("list", group, resource)})
    plan = fix(sim, dry_run="client").plan
    assert plan is not None
    assert any("cannot check" in w and resource in w for w in plan.warnings), plan.warnings


def test_rights_that_cannot_be_asked_for_are_not_assumed(fix: Fix) -> None:
    from kubectl_litefs.errors import KubeError
    from kubectl_litefs.ports import Answer

    for said in (
        KubeError("no", status=403, reason="Forbidden"),
        Answer(201, {}, b'{"status": {"allowed": false, "evaluationError": "webhook down"}}'),
        Answer(201, {}, b"<html>"),
    ):
        sim = Sim()
        sim.before.append(lambda s, sent, said=said: said if "accessreviews" in sent.path else None)
        assert int(fix(sim).code) == 3
        assert not [s for s in sim.sent if s.changes]


