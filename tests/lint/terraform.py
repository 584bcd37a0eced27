"""The healthy application of these tests as Terraform resources: one tree for plans and for sources."""

from __future__ import annotations

import copy
import json
from typing import Any

LITEFS_YML = """\
fuse:
  dir: /litefs
data:
  dir: /var/lib/litefs
lease:
  type: static
  hostname: abaci-app-0
  advertise-url: http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202
  candidate: ${HOSTNAME == 'abaci-app-0'}
"""
Values = dict[str, Any]


def metadata(name: str) -> list[Values]:
    return [{"name": name, "namespace": "abaci", "annotations": None, "labels": {}, "generate_name": ""}]


RESOURCES: dict[str, Values] = {
    "kubernetes_config_map.config": {"metadata": metadata("abaci-litefs"), "data": {"litefs.yml": LITEFS_YML}, "binary_data": None},
    "kubernetes_service_v1.headless": {
        "metadata": metadata("abaci-app-headless"),
        "spec": [{
            "cluster_ip": "None", "publish_not_ready_addresses": True, "selector": {"app": "abaci-app"}, "external_name": "",
            "port": [{"name": "", "port": 20202, "target_port": "20202"}],
        }],
    },
    "kubernetes_stateful_set.app": {
        "metadata": metadata("abaci-app"),
        "wait_for_rollout": True,
        "spec": [{
            "service_name": "abaci-app-headless",
            "replicas": "3",
            "selector": [{"match_expressions": [], "match_labels": {"app": "abaci-app"}}],
            "template": [{
                "metadata": [{"labels": {"app": "abaci-app"}, "annotations": {}}],
                "spec": [{
                    "container": [{
                        "name": "app", "image": "ghcr.io/example/abaci:1", "command": ["litefs", "mount"], "args": None, "working_dir": "",
                        "env": [{"name": "MODE", "value": "x", "value_from": []}],
                        "security_context": [{"privileged": True, "run_as_user": "0"}],
                        "volume_mount": [
                            {"name": "litefs-data", "mount_path": "/var/lib/litefs", "sub_path": "", "read_only": False},
                            {"name": "config", "mount_path": "/etc/litefs.yml", "sub_path": "litefs.yml", "read_only": True},
                        ],
                    }],
                    "init_container": [],
                    "volume": [{"name": "config", "config_map": [{"name": "abaci-litefs", "items": [], "default_mode": "0644", "optional": None}]}],
                }],
            }],
            "volume_claim_template": [{
                "metadata": [{"name": "litefs-data"}],
                "spec": [{"access_modes": ["ReadWriteOnce"], "resources": [{"limits": None, "requests": {"storage": "1Gi"}}]}],
            }],
        }],
    },
}  # fmt: skip


def resources() -> dict[str, Values]:
    """A copy that a test may change."""
    return copy.deepcopy(RESOURCES)


def plan(values: dict[str, Values], *, unknown: dict[str, Any] | None = None, sensitive: dict[str, Any] | None = None,
         expressions: dict[str, Any] | None = None, module: str = "") -> str:  # fmt: skip
    """What `terraform show -json` prints of it; in a child module where one is named."""
    planned, changes, sources = [], [], []
    for address, found in values.items():
        kind, name = address.split(".")
        full = f"module.{module}.{address}" if module else address
        planned.append({
            "address": full, "mode": "managed", "type": kind, "name": name, "values": found,
            "sensitive_values": (sensitive or {}).get(address, {}),
        })  # fmt: skip
        changes.append({"address": full, "change": {"actions": ["create"], "after_unknown": (unknown or {}).get(address, {"id": True})}})
        if expressions is not None:
            sources.append({"type": kind, "name": name, "expressions": expressions.get(address, {})})
    here: Values = {"resources": planned}
    told: Values = {"resources": sources} if expressions is not None else {}
    root = {"child_modules": [{"address": f"module.{module}", **here}]} if module else here
    config = {"module_calls": {module: {"module": told}}} if module else told
    return json.dumps({
        "format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": root}, "resource_changes": changes,
        "configuration": {"root_module": config if told else {}},
    }, indent=1)  # fmt: skip
