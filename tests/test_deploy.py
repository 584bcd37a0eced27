"""What ships beside the package: the container's recipe (its steps: test_image.py) and the CronJob."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kubectl_litefs.rbac import CLUSTER, NAMESPACED, Right

ROOT = Path(__file__).parent.parent


def documents() -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all((ROOT / "deploy" / "cronjob.yaml").read_text("utf8")) if d]


def rules(right: Right) -> dict[str, Any]:
    return {"apiGroups": [right.group], "resources": list(right.resources), "verbs": list(right.verbs)}


def test_the_cronjob_may_do_exactly_what_diagnose_needs() -> None:
    roles = {d["kind"]: d["rules"] for d in documents() if d["kind"] in ("Role", "ClusterRole")}
    assert roles == {"Role": [rules(r) for r in NAMESPACED], "ClusterRole": [rules(r) for r in CLUSTER]}


def pod_spec() -> dict[str, Any]:
    (job,) = (d for d in documents() if d["kind"] == "CronJob")
    spec: dict[str, Any] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def restricted(pod: dict[str, Any]) -> list[str]:
    """What the Pod Security profile "restricted" would refuse; the controls are those of Kubernetes' documentation."""
    of_pod, refused = pod.get("securityContext", {}), []
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        refused.append("host namespaces")
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    refused += [f"volume {v['name']}" for v in pod.get("volumes", []) if set(v) - {"name"} - allowed]
    for container in [*pod.get("containers", []), *pod.get("initContainers", [])]:
        own = container.get("securityContext", {})
        both = {**of_pod, **own}
        capabilities = own.get("capabilities", {})
        wrong = {
            "privileged": own.get("privileged", False),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
            "capabilities": "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"},
            "runAsNonRoot": both.get("runAsNonRoot") is not True,
            "runAsUser": both.get("runAsUser") == 0,
            "seccompProfile": both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "procMount": own.get("procMount", "Default") != "Default",
            "host ports": any(port.get("hostPort") for port in container.get("ports", [])),
            "seLinuxOptions": both.get("seLinuxOptions"), "sysctls": of_pod.get("sysctls"), "appArmorProfile": both.get("appArmorProfile"),
        }  # fmt: skip
        refused += [f"{container['name']}: {name}" for name, is_wrong in wrong.items() if is_wrong]
    return refused


def test_the_cronjob_is_let_in_where_pod_security_is_restricted() -> None:
    assert restricted(pod_spec()) == []
    bare = {"containers": [{"name": "a"}], "volumes": [{"name": "host", "hostPath": {"path": "/"}}], "hostPID": True}
    assert restricted(bare) == ["host namespaces", "volume host", "a: allowPrivilegeEscalation", "a: capabilities", "a: runAsNonRoot", "a: seccompProfile"]


def test_the_cronjob_runs_as_nobody_on_a_read_only_root() -> None:
    pod = pod_spec()
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [m["mountPath"] for m in container["volumeMounts"]] == ["/tmp"]
    user = next(line.split()[1] for line in (ROOT / "Dockerfile").read_text("utf8").splitlines() if line.startswith("USER "))
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    account = next(d for d in documents() if d["kind"] == "ServiceAccount")["metadata"]["name"]
    assert pod["serviceAccountName"] == account


def test_the_cronjobs_words_are_the_programs() -> None:
    from kubectl_litefs.cli.diagnose import command

    name, *words = pod_spec()["containers"][0]["args"]
    assert name == "diagnose"
    with command.make_context("diagnose", list(words), help_option_names=["-h", "--help"]) as context:
        assert context.params["strict"] and context.params["fail_on"] == "error"


def test_the_image_is_built_from_what_is_there_and_runs_as_nobody() -> None:
    lines = [line for line in (ROOT / "Dockerfile").read_text("utf8").splitlines() if not line.startswith("#")]
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    ignored = (ROOT / ".dockerignore").read_text("utf8").splitlines()
    assert copied and all((ROOT / word).exists() and f"!{word}" in ignored for word in copied)
    assert "USER 65532:65532" in lines and lines.index("USER 65532:65532") > max(i for i, x in enumerate(lines) if x.startswith("FROM"))
