"""Terraform sources whose litefs.yml stands in another file, or is written in Terraform's own language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ..cli.run import run
from .terraform import LITEFS_YML
from .test_terraform_plan import Linted
from .test_terraform_sources import SOURCE, parsed

ENCODED = """yamlencode({
      fuse = { dir = "/litefs" }
      data = { dir = "/var/lib/litefs" }
      lease = {
        type          = "consul"
        candidate     = true
        advertise-url = "http://$${HOSTNAME}.${local.service}:20202"
        consul        = { url = "http://consul:8500", key = "abaci" }
      }
    })"""
pytestmark = parsed


@pytest.fixture
def lint(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of the healthy sources with another expression for the text of litefs.yml, and of files beside them."""
    monkeypatch.chdir(tmp_path)

    def go(expression: str | None, more: str = "", **files: str) -> Linted:
        source = re.sub(r"<<-EOT.*?EOT", lambda found: found[0] if expression is None else expression, SOURCE, flags=re.DOTALL)
        for name, text in {"infra/main.tf": source + more, **{n.replace("__", "/").replace("_", "."): t for n, t in files.items()}}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Linted(run(capsys, "lint", "-o", "json", "."))

    return go


def places(done: Linted, rule: str) -> set[str]:
    return {f"{e['source']}:{e['line']}" for f in done.report["findings"] if f["rule"] == rule for e in f["evidence"]}


@pytest.mark.parametrize("call", ['file("${path.module}/conf/litefs.yml")', 'file("conf/litefs.yml")'])
def test_a_file_beside_the_sources_is_read(lint: Any, call: str) -> None:
    done = lint(call, infra__conf__litefs_yml=LITEFS_YML)
    assert (done.code, done.found) == (0, set())
    assert "LFS501" not in done.skipped
    done = lint(call, infra__conf__litefs_yml=LITEFS_YML + "leese: {}\n")
    assert done.found == {"LFS501"}
    assert places(done, "LFS501") == {"./infra/conf/litefs.yml:10"}
    assert [f["subject"]["kind"] for f in done.report["findings"] if f["rule"] == "LFS501"] == ["StatefulSet"], "once, of the set that uses it"


def test_a_file_that_was_not_given_is_unknown(lint: Any) -> None:
    for call in ('file("${path.module}/litefs.yml")', 'file("${path.root}/conf/litefs.yml")', 'file(var.path)', 'yamlencode(file("x"))', "yamlencode({ a = )"):
        done = lint(call, infra__other__litefs_yml=LITEFS_YML + "leese: {}\n")
        subjects = {f["subject"]["kind"] for f in done.report["findings"] if f["rule"] == "LFS501"}
        assert subjects == {"File"}, f"{call}: of the file that nobody uses, not of the set"


def test_a_template_is_read_with_its_unknown_parts(lint: Any) -> None:
    text = LITEFS_YML.replace("abaci-app-0.abaci", "${primary}.abaci").replace("${HOSTNAME", "$${HOSTNAME")
    done = lint('templatefile("${path.module}/litefs.yml", { primary = "abaci-app-0" })', infra__litefs_yml=text + "leese: {}\n")
    assert done.found == {"LFS501"}
    assert places(done, "LFS501") == {"./infra/litefs.yml:10"}
    hidden = lint('templatefile("${path.module}/litefs.yml", {})', infra__litefs_yml="%{ if x }\n" + text)
    assert "LFS501" in hidden.skipped, "what its directives make nobody knows"


@pytest.mark.parametrize("function", ["yamlencode", "jsonencode"])
def test_an_encoded_object_is_read(lint: Any, function: str) -> None:
    encoded = ENCODED.replace("yamlencode", function)
    done = lint(encoded)
    assert (done.code, done.found) == (0, set())
    assert "LFS501" not in done.skipped
    done = lint(encoded.replace("candidate ", "candidat "))
    assert "LFS501" in done.found
    assert places(done, "LFS501") == {"./infra/main.tf:11"}
    quoted = lint(encoded.replace("= true", "= \"$${HOSTNAME == 'abaci-app-0'}\""))
    assert quoted.found == {"LFS504"}, "these functions put quotes around every text, and LiteFS takes no text for true"


@pytest.mark.parametrize(("old", "new"), [("= true", "= var.leads"), ("${local.service}", "${var.service}"), ('"http://consul:8500"', "var.consul"), ('"/litefs"', "var.dir"), ('{ dir = "/litefs" }', "var.fuse"), ('"consul"', "local.type")])
def test_what_is_unknown_in_an_encoded_object_is_never_wrong(lint: Any, old: str, new: str) -> None:
    assert old in ENCODED
    done = lint(ENCODED.replace(old, new))
    assert (done.code, done.found) == (0, set())


MANIFEST = """
resource "kubernetes_manifest" "config" {
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "abaci-litefs", namespace = "abaci" }
    data = {
      "litefs.yml" = <<-EOT
        fuse:
          dir: /litefs
        leese: {}
        lease:
          type: static
          hostname: abaci-app-0
          advertise-url: http://abaci-app-0.abaci-app-headless:20202
          candidate: $${HOSTNAME == 'abaci-app-0'}
      EOT
    }
  }
}
"""


def with_manifest(manifest: str) -> str:
    """The healthy sources, their ConfigMap as a manifest."""
    head, rest = SOURCE.split("# the configuration\n")
    others = rest[rest.index('resource "kubernetes_service_v1"') :].replace("kubernetes_config_map.config.metadata.0.name", '"abaci-litefs"')
    return head + others + manifest


def test_a_manifest_of_literals_is_an_object_with_places(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def judged(manifest: str) -> Linted:
        Path("main.tf").write_text(with_manifest(manifest))
        return Linted(run(capsys, "lint", "-o", "json", "main.tf"))

    done = judged(MANIFEST)
    line = with_manifest(MANIFEST).split("\n").index("        leese: {}") + 1
    assert done.found == {"LFS501"}
    assert places(done, "LFS501") == {f"main.tf:{line}"}
    unknown = judged(MANIFEST.replace("leese: {}", "leese${var.x}: {}"))
    assert unknown.found == set(), "a part that is unknown is never wrong"
    hidden = judged(MANIFEST.replace('name = "abaci-litefs"', "name = var.name"))
    assert "LFS501" in hidden.skipped
    assert "of this manifest something is an expression" in hidden.told
