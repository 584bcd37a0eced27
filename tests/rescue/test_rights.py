"""Each command of `rescue` runs under exactly the Role that is printed for it."""

from __future__ import annotations

import itertools

import yaml

from kubectl_litefs.cli.main import main
from kubectl_litefs.rbac import RESCUE_CLUSTER, RESCUE_SAVE

from ..fix.sim import Sim
from .conftest import Save

Triple = tuple[str, str, str]


def triples(*tables: tuple[object, ...]) -> set[Triple]:
    return {(v, r.group, res) for r in itertools.chain(*tables) for v in r.verbs for res in r.resources}  # type: ignore[attr-defined]


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
    rights = triples(RESCUE_SAVE, RESCUE_CLUSTER)
    used = restricted(sim, rights)
    assert int(save(sim).code) == 0
    assert used == rights
    assert {verb for verb, _, _ in used} == {"get", "list"}


def test_the_printed_role_is_the_table(capsys: object) -> None:
    assert main(["rbac", "rescue", "-n", "abaci"]) == 0
    documents = list(yaml.safe_load_all(capsys.readouterr().out))  # type: ignore[attr-defined]
    printed = {(v, g, res) for d in documents for r in d.get("rules", ()) for v in r["verbs"] for g in r["apiGroups"] for res in r["resources"]}
    assert printed == triples(RESCUE_SAVE, RESCUE_CLUSTER)
    assert main(["rbac", "rescue", "-A"]) == 2
