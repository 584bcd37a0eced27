"""Terraform plans: what they hold is judged, what only apply knows is unknown, never unset and never wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.model.objects import Obj
from kubectl_litefs.parse.files.recognise import Kind, recognise
from kubectl_litefs.parse.files.terraform import Unjudged, kind_of
from kubectl_litefs.parse.files.terraform_plan import objects_in_plan

from ..cli.run import Done, run
from .terraform import LITEFS_YML, Values, plan, resources

SET = "kubernetes_stateful_set.app"
SERVICE = "kubernetes_service_v1.headless"
CONFIG = "kubernetes_config_map.config"


class Linted:
    """The report of one plan."""

    def __init__(self, done: Done) -> None:
        self.code, self.err = done.code, done.err
        self.report: Any = json.loads(done.out) if done.out else {}

    @property
    def found(self) -> set[str]:
        return {f["rule"] for f in self.report["findings"] if f["severity"] != "info"}

    @property
    def skipped(self) -> set[str]:
        return {c["rule"] for c in self.report["checks"] if c["status"] == "skipped"}

    @property
    def told(self) -> str:
        return " ".join(g["detail"] for g in self.report["gaps"])


@pytest.fixture
def lint(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def go(text: str) -> Linted:
        (tmp_path / "plan.json").write_text(text)
        return Linted(run(capsys, "lint", "-o", "json", "plan.json"))

    return go


def objects(text: str) -> dict[str, Obj]:
    return {str(o.ref): o for o in objects_in_plan("plan.json", text) if isinstance(o, Obj)}


def spec_of(values: dict[str, Values]) -> Values:
    found: Values = values[SET]["spec"][0]["template"][0]["spec"][0]
    return found


def test_blocks_become_fields() -> None:
    made = objects(plan(resources()))
    app = made["statefulset/abaci-app"]
    assert app.get("spec.replicas") == 3
    assert app.get("spec.serviceName") == "abaci-app-headless"
    assert app.get("spec.selector.matchLabels.app") == "abaci-app"
    container = app.get("spec.template.spec.containers.0")
    assert container["securityContext"] == {"privileged": True, "runAsUser": 0}
    assert container["env"] == [{"name": "MODE", "value": "x"}]
    assert container["volumeMounts"][1] == {"name": "config", "mountPath": "/etc/litefs.yml", "subPath": "litefs.yml", "readOnly": True}
    assert "args" not in container
    assert app.get("spec.template.spec.volumes.0.configMap") == {"name": "abaci-litefs", "defaultMode": "0644"}
    assert app.get("spec.volumeClaimTemplates.0.spec.resources.requests.storage") == "1Gi"
    service = made["service/abaci-app-headless"]
    assert service.get("spec.clusterIP") == "None"
    assert service.get("spec.ports.0") == {"port": 20202, "targetPort": 20202}
    assert made["configmap/abaci-litefs"].get("data") == {"litefs.yml": LITEFS_YML}


def test_every_version_of_a_type_is_the_same_kind() -> None:
    assert kind_of("kubernetes_stateful_set_v1") == kind_of("kubernetes_stateful_set") == "StatefulSet"
    assert kind_of("kubernetes_horizontal_pod_autoscaler_v2beta2") == "HorizontalPodAutoscaler"
    assert kind_of("kubernetes_daemon_set_v1") == kind_of("kubernetes_daemonset") == "DaemonSet"
    assert kind_of("kubernetes_secret") is None
    assert kind_of("aws_instance") is None


@pytest.mark.parametrize("module", ["", "db"])
def test_a_healthy_plan_has_no_fault_and_its_faults_have_their_place(lint: Any, module: str) -> None:
    assert (lint(plan(resources(), module=module)).code, lint(plan(resources(), module=module)).found) == (0, set())
    values = resources()
    values[CONFIG]["data"]["litefs.yml"] = LITEFS_YML.replace("lease:", "proxy:\n  primary-redirect-url: http://x\nlease:")
    text = plan(values, module=module)
    done = lint(text)
    assert (done.code, done.found) == (1, {"LFS501"})
    place = done.report["findings"][0]["evidence"][0]
    assert "litefs.yml" in text.split("\n")[place["line"] - 1][place["column"] - 1 :]


def test_what_the_server_fills_in_is_not_set(lint: Any) -> None:
    values = resources()
    values["kubernetes_service.web"] = {"metadata": [{"name": "web", "namespace": "abaci"}], "spec": [{"selector": {"app": "web"}, "port": [{"port": 80}]}]}
    unknown = {
        SERVICE: {"id": True, "spec": [{"cluster_ips": True, "session_affinity_config": True}]},
        "kubernetes_service.web": {"id": True, "spec": [{"cluster_ip": True, "cluster_ips": True}]},
        SET: {"metadata": [{"uid": True}], "spec": [{"template": [{"spec": [{"node_name": True, "container": [{"resources": True}]}]}]}]},
    }
    done = lint(plan(values, unknown=unknown))
    assert done.code == 0
    assert "only after apply" not in done.told


def test_a_variable_that_only_apply_knows_is_unknown_and_not_unset(lint: Any) -> None:
    values = resources()
    values[CONFIG]["data"]["litefs.yml"] = LITEFS_YML.replace("${HOSTNAME == 'abaci-app-0'}", "${CANDIDATE}")
    assert lint(plan(values)).found & {"LFS205", "LFS207"}, "without a definition it is a fault"
    spec_of(values)["container"][0]["env"] = [{"name": "CANDIDATE", "value_from": []}]
    unknown = {SET: {"spec": [{"template": [{"spec": [{"container": [{"env": [{"value": True}]}]}]}]}]}}
    expressions = {SET: {"spec": [{"template": [{"spec": [{"container": [{"env": [{"value": {"references": ["x.y"]}}]}]}]}]}]}}
    done = lint(plan(values, unknown=unknown, expressions=expressions))
    assert done.found & {"LFS205", "LFS206", "LFS207", "LFS507"} == set()


def test_a_set_whose_service_is_not_known_cannot_be_judged(lint: Any) -> None:
    values = resources()
    del values[SET]["spec"][0]["service_name"]
    unknown = {SET: {"spec": [{"service_name": True}]}}
    done = lint(plan(values, unknown=unknown, expressions={SET: {"spec": [{"service_name": {"references": ["x"]}}]}}))
    assert done.code == 3
    assert "no LiteFS found" in done.err
    assert "kubernetes_stateful_set.app: spec.0.service_name is known only after apply" in done.err


def test_a_hidden_service_is_not_missing(lint: Any) -> None:
    values = resources()
    values["kubernetes_service.other"] = {"metadata": [{"name": "other", "namespace": "abaci"}], "spec": [{"port": [{"port": 80}]}]}
    del values[SERVICE]["metadata"][0]["name"]
    done = lint(plan(values, unknown={SERVICE: {"metadata": [{"name": True}]}}))
    assert not done.found & {"LFS301", "LFS302", "LFS303"}
    assert "LFS301" in done.skipped
    assert f"{SERVICE}: metadata.0.name is known only after apply" in done.told


def test_sensitive_data_is_unknown(lint: Any) -> None:
    done = lint(plan(resources(), sensitive={CONFIG: {"data": True}}))
    assert not done.found
    assert "is known only after apply, or is sensitive" in done.told
    assert "LFS501" in done.skipped


def test_a_manifest_counts_as_it_is_and_a_chart_cannot_be_seen(lint: Any) -> None:
    values = resources()
    del values[CONFIG]
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "abaci-litefs", "namespace": "abaci"}, "data": {"litefs.yml": "lees: 1\n"}}
    values["kubernetes_manifest.config"] = {"manifest": manifest}
    values["helm_release.ingress"] = {"name": "ingress", "chart": "nginx"}
    done = lint(plan(values))
    assert "LFS501" in done.found
    assert "helm_release.ingress: what a chart makes" in done.told
    hidden = objects_in_plan("p", plan(values, unknown={"kubernetes_manifest.config": {"manifest": {"data": {"litefs.yml": True}}}}))
    assert [u.message.split(":")[0] for u in hidden if isinstance(u, Unjudged)] == ["kubernetes_manifest.config", "helm_release.ingress"]


@pytest.mark.parametrize("text", ['{"format_version": "1.2", "planned_values": [', '{"format_version": 1, "planned_values": {"root_module": []}}'])
def test_a_broken_plan_ends_with_words(lint: Any, text: str) -> None:
    assert lint(text).code == 3


def test_a_plan_is_told_by_its_content() -> None:
    assert recognise("x", plan(resources())) is Kind.TERRAFORM_PLAN
    assert recognise("x.json", '{"planned_values": 1}') is None
