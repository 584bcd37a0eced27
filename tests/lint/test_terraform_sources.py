"""Terraform sources: literals are judged with their place, expressions are unknown."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_litefs.parse.files.hcl_places import HclPlaces
from kubectl_litefs.parse.files.migrations import fix_file

from ..cli.run import run
from .terraform import LITEFS_YML
from .test_terraform_plan import Linted

HAVE = importlib.util.find_spec("hcl2") is not None
parsed = pytest.mark.skipif(not HAVE, reason="needs the extra terraform (python-hcl2)")

SOURCE = """\
locals {
  service = "abaci-app-headless"
}
# the configuration
resource "kubernetes_config_map" "config" {
  metadata {
    name      = "abaci-litefs"
    namespace = var.namespace
  }
  data = {
    "litefs.yml" = <<-EOT
      fuse:
        dir: /litefs
      data:
        dir: /var/lib/litefs
      lease:
        type: static
        hostname: abaci-app-0
        advertise-url: http://abaci-app-0.${local.service}.abaci.svc.cluster.local:20202
        candidate: $${HOSTNAME == 'abaci-app-0'}
    EOT
  }
}
resource "kubernetes_service_v1" "headless" {
  metadata { name = local.service }
  spec {
    cluster_ip                  = "None"
    publish_not_ready_addresses = true
    selector                    = { app = "abaci-app" }
    port {
      port = 20202
    }
  }
}
resource "kubernetes_stateful_set_v1" "app" {
  metadata {
    name = "abaci-app"
  }
  spec {
    service_name = kubernetes_service_v1.headless.metadata[0].name
    replicas     = 3
    selector {
      match_labels = { app = "abaci-app" }
    }
    template {
      metadata {
        labels = { app = "abaci-app" }
      }
      spec {
        container {
          name    = "app"
          image   = var.image
          command = ["litefs", "mount"]
          security_context {
            privileged = true
          }
          volume_mount {
            name       = "litefs-data"
            mount_path = "/var/lib/litefs"
          }
          volume_mount {
            name       = "config"
            mount_path = "/etc/litefs.yml"
            sub_path   = "litefs.yml"
          }
        }
        volume {
          name = "config"
          config_map {
            name = kubernetes_config_map.config.metadata.0.name
          }
        }
      }
    }
    volume_claim_template {
      metadata { name = "litefs-data" }
      spec {
        access_modes = ["ReadWriteOnce"]
        resources {
          requests = { storage = "1Gi" }
        }
      }
    }
  }
}
"""


@pytest.fixture
def lint(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def go(text: str = SOURCE, *paths: str, **more: str) -> Linted:
        for name, content in {"main.tf": text, **{f"{n}.tf": t for n, t in more.items()}}.items():
            (tmp_path / name).write_text(content)
        return Linted(run(capsys, "lint", "-o", "json", *(paths or ["main.tf"])))

    return go


@parsed
def test_healthy_sources_have_no_fault(lint: Any) -> None:
    done = lint()
    assert (done.code, done.found) == (0, set())
    assert "LFS501" not in done.skipped
    assert "LFS301" not in done.skipped


@parsed
@pytest.mark.parametrize(
    ("old", "new", "rule", "place"),
    [
        ("      lease:\n", "      leese:\n", "LFS501", "main.tf:16:7"),
        ("        dir: /litefs\n", "        dir: /var/lib/litefs\n", "LFS410", "main.tf:13:9"),
        ('            mount_path = "/var/lib/litefs"\n', '            mount_path = "/elsewhere"\n', "LFS401", "main.tf:15:9"),
        ('cluster_ip                  = "None"', 'cluster_ip                  = "10.0.0.1"', "LFS301", "main.tf:27:5"),
    ],
)
def test_a_fault_has_its_line_and_column(lint: Any, old: str, new: str, rule: str, place: str) -> None:
    done = lint(SOURCE.replace(old, new))
    assert done.code == 1
    seen = [f"{e['source']}:{e['line']}:{e['column']}" for f in done.report["findings"] if f["rule"] == rule for e in f["evidence"]]
    assert place in seen


@parsed
@pytest.mark.parametrize(
    ("old", "new", "hidden"),
    [
        ("replicas     = 3", "replicas     = var.replicas", "kubernetes_stateful_set_v1.app: spec.0.replicas"),
        ("kubernetes_service_v1.headless.metadata[0].name", "var.service", "kubernetes_stateful_set_v1.app: spec.0.service_name"),
        ('        volume {\n', '        dynamic "volume" {\n          for_each = var.volumes\n          content { name = "x" }\n        }\n        volume {\n', "volume"),
    ],
)
def test_what_an_expression_decides_cannot_be_judged(lint: Any, old: str, new: str, hidden: str) -> None:
    done = lint(SOURCE.replace(old, new))
    assert done.code == 3
    assert "no LiteFS found" in done.err
    assert hidden in done.err


@parsed
def test_a_configmap_of_unknown_text_is_unknown(lint: Any) -> None:
    done = lint(re.sub(r"<<-EOT.*?EOT", 'file("litefs.yml")', SOURCE, flags=re.DOTALL))
    assert done.code == 0
    assert "LFS501" in done.skipped
    assert "is an expression" in done.told


@parsed
def test_variables_that_a_dynamic_block_makes_are_unknown(lint: Any) -> None:
    text = SOURCE.replace("$${HOSTNAME == 'abaci-app-0'}", "$${CANDIDATE}")
    assert lint(text).found & {"LFS205", "LFS207"}
    more = text.replace("          security_context {", '          dynamic "env" {\n            for_each = var.env\n            content { name = env.key }\n          }\n          security_context {')
    assert not lint(more).found & {"LFS205", "LFS206", "LFS207", "LFS507"}


@parsed
def test_names_are_followed_into_other_files_of_the_folder(lint: Any) -> None:
    head, rest = SOURCE.split("# the configuration\n")
    done = lint(rest, ".", locals=head)
    assert (done.code, done.found) == (0, set())


@parsed
def test_sources_that_are_none_are_said_with_their_line(lint: Any) -> None:
    done = lint(SOURCE + "resource {{\n")
    assert done.code == 3
    assert "no Terraform source" in done.err


def test_without_the_parser_a_named_file_fails_and_one_in_a_folder_is_a_gap(lint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hcl2", None)
    (tmp_path / "litefs.yml").write_text(LITEFS_YML)
    named = lint(SOURCE, "main.tf", "litefs.yml")
    assert named.code == 3
    assert "pip install 'kubectl-litefs[terraform]'" in named.told
    folder = lint(SOURCE, ".")
    assert folder.code == 0
    assert "pip install 'kubectl-litefs[terraform]'" in folder.told


def test_places_are_found_without_the_parser() -> None:
    places = HclPlaces("main.tf", SOURCE)
    at = ("resource", "kubernetes_stateful_set_v1", "app", "spec", "0")
    lines = SOURCE.split("\n")

    def line(*keys: str) -> str:
        place = places.place((*at, *keys))
        return lines[place.line - 1][place.column - 1 :]

    assert line("replicas") == "replicas     = 3"
    assert line("template", "0", "spec", "0", "container", "0", "volume_mount", "1", "sub_path") == 'sub_path   = "litefs.yml"'
    assert line("template", "0", "metadata", "0", "labels", "app").startswith("app = ")
    assert line("nothing", "of", "it").startswith("spec {")
    origin = places.origin(("resource", "kubernetes_config_map", "config", "data", "litefs.yml"))
    assert origin is not None
    assert (origin.line, origin.indent, origin.exact) == (12, 6, True)


def test_a_heredoc_in_sources_is_migrated() -> None:
    old = SOURCE.replace("      fuse:\n        dir: /litefs\n      data:\n        dir: /var/lib/litefs\n", "      mount-dir: /litefs\n      data-dir: /var/lib/litefs\n")
    fix = fix_file("main.tf", old.encode())
    assert fix is not None
    assert fix.by_hand == ()
    assert fix.after.decode() == SOURCE


POLICY = """
resource "kubernetes_network_policy" "closed" {
  metadata {
    name      = "closed"
    namespace = "abaci"
  }
  spec {
    pod_selector {}
    policy_types = ["Ingress"]
    ingress {
      ports {
        port = PORT
      }
    }
  }
}
"""


@parsed
@pytest.mark.parametrize(("port", "found", "skipped"), [('"8080"', {"LFS307"}, False), ('"20202"', set(), False), ("var.port", set(), True)])
def test_a_network_policy_is_held_against_the_port_of_litefs(lint: Any, port: str, found: set[str], skipped: bool) -> None:
    done = lint(SOURCE + POLICY.replace("PORT", port))
    assert (done.found, "LFS307" in done.skipped and "networkpolicies" in str(done.report)) == (found, skipped)
