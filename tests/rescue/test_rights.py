"""Each command of `rescue` runs under exactly the Role that is printed for it."""

from __future__ import annotations

import itertools

import pytest
import yaml

from kubectl_litefs.cli.main import main
from kubectl_litefs.rbac import (
    RESCUE_CLUSTER,
    RESCUE_DATA_DIR,
    RESCUE_IMPORT,
    RESCUE_RESET,
    RESCUE_RESTART,
    RESCUE_RUN,
    RESCUE_SAVE,
    Right,
)

from ..fix.sim import Sim
from .conftest import Make, Rescue, Save

Triple = tuple[str, str, str]


def triples(*tables: tuple[Right, ...]) -> set[Triple]:
    return {(v, r.group, res) for r in itertools.chain(*tables) for v in r.verbs for res in r.resources}


WAYS = {
    "data-dir": ("recreated", "data-dir", triples(RESCUE_RUN, RESCUE_CLUSTER, RESCUE_RESTART, RESCUE_DATA_DIR)),
    "data-dir-lost": ("lost", "data-dir", triples(RESCUE_RUN, RESCUE_CLUSTER, RESCUE_RESTART, RESCUE_DATA_DIR)),
    "import": ("lost", "import", triples(RESCUE_RUN, RESCUE_CLUSTER, RESCUE_RESTART, RESCUE_IMPORT)),
    "import-reset": ("recreated", "import", triples(RESCUE_RUN, RESCUE_CLUSTER, RESCUE_IMPORT, RESCUE_RESET)),
}


def restricted(sim: Sim, rights: set[Triple]) -> set[Triple]:
    """What is asked of the cluster from here on; only `rights` are allowed."""
    used: set[Triple] = set()

    def allowed(verb: str, group: str, resource: str, name: str) -> bool:
        used.add((verb, group, resource))
        return (verb, group, resource) in rights

    sim.allowed = allowed
    return used


def test_save_runs_under_exactly_its_role(save: Save) -> None:
    sim = Sim(target=0)
    rights = triples(RESCUE_SAVE) | {("get", "", "namespaces")}
    used = restricted(sim, rights)
    assert int(save(sim).code) == 0
    assert used == rights
    assert {verb for verb, _, _ in used} == {"get", "list"}


@pytest.mark.parametrize("way", list(WAYS))
def test_run_runs_under_exactly_the_roles_of_its_strategy(rescue: Rescue, make: Make, way: str) -> None:
    state, strategy, rights = WAYS[way]
    sim: Sim = getattr(make, state)()
    used = restricted(sim, rights)
    outcome = rescue(sim, strategy=strategy)
    assert int(outcome.code) == 0, outcome
    assert used <= rights, f"it asks for more than the Roles give: {used - rights}"
    assert rights - used == set(), f"the Roles give more than it uses: {rights - used}"


def test_undo_runs_under_exactly_the_roles_of_data_dir(rescue: Rescue, make: Make) -> None:
    sim = make.recreated()
    assert int(rescue(sim).code) == 0
    rights = WAYS["data-dir"][2]
    used = restricted(sim, rights)
    assert int(rescue.undo(sim).code) == 0
    assert used == rights


@pytest.mark.parametrize("missing", [("delete", "", "pods"), ("create", "", "pods/exec"), ("create", "coordination.k8s.io", "leases")])
def test_undo_names_the_right_it_lacks_and_changes_nothing(rescue: Rescue, make: Make, missing: Triple) -> None:
    sim = make.recreated()
    assert int(rescue(sim).code) == 0
    sim.sent.clear()
    restricted(sim, WAYS["data-dir"][2] - {missing})
    outcome = rescue.undo(sim)
    assert int(outcome.code) == 3 and f"{missing[0]} {missing[2].split('/')[0]}" in outcome.message
    assert not [c for c in sim.changes if not c.startswith("EXEC")]


@pytest.mark.parametrize(
    ("way", "missing"),
    [
        ("data-dir", ("delete", "", "pods")),
        ("data-dir", ("create", "", "pods/exec")),
        ("data-dir", ("update", "coordination.k8s.io", "leases")),
        ("import", ("create", "", "pods/proxy")),
        ("import-reset", ("delete", "", "persistentvolumeclaims")),
        ("import-reset", ("create", "", "pods/eviction")),
    ],
)
def test_one_right_less_is_named_and_nothing_happens(rescue: Rescue, make: Make, way: str, missing: Triple) -> None:
    state, strategy, rights = WAYS[way]
    sim: Sim = getattr(make, state)()
    restricted(sim, rights - {missing})
    outcome = rescue(sim, strategy=strategy)
    told = f"{outcome.message} {[r.text for r in outcome.refusals]}"
    assert int(outcome.code) in (3, 4) and f"{missing[0]} {missing[2].split('/')[0]}" in told
    assert not [c for c in sim.changes if not c.startswith("EXEC")]


def test_the_printed_roles_are_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rbac", "rescue", "-n", "abaci"]) == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    printed = {
        d["metadata"]["name"]: {(v, g, res) for r in d["rules"] for v in r["verbs"] for g in r["apiGroups"] for res in r["resources"]}
        for d in documents
        if "rules" in d
    }
    name = "kubectl-litefs-rescue"
    assert printed == {
        name: triples(RESCUE_SAVE),
        f"{name}-cluster": triples(RESCUE_CLUSTER),
        f"{name}-run": triples(RESCUE_RUN[len(RESCUE_SAVE) :]),
        f"{name}-data-dir": triples(RESCUE_RESTART, RESCUE_DATA_DIR),
        f"{name}-import": triples(RESCUE_RESTART, RESCUE_IMPORT),
        f"{name}-import-reset": triples(RESCUE_IMPORT, RESCUE_RESET),
    }
    assert main(["rbac", "rescue", "-A"]) == 2
