"""What is said of a compose file and of a fly.toml speaks of nodes, not of what only Kubernetes has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ..cli.run import run
from .test_cases import HEALTHY

LITEFS_YML = """\
exit-on-error: false
fuse:
  dir: /litefs
data:
  dir: /var/lib/litefs
lease:
  type: static
  hostname: ${HOSTNAME}
  advertise-url: node:20202
  candidate: true
"""
FILES = {
    "compose.yaml": "services:\n  app:\n    build: .\n    privileged: true\n    environment: {HOSTNAME: 0.0.0.0}\n    volumes: [data:/litefs]\n",
    "fly.toml": 'app = "x"\nprimary_region = "ams"\n[env]\nHOSTNAME = "0.0.0.0"\n[[mounts]]\nsource = "data"\ndestination = "/litefs"\n',
}
KUBERNETES = re.compile(r"\b(pods?|claims?|ConfigMaps?|StatefulSet|headless|apply|kubectl)\b|\bService\b")


@pytest.mark.parametrize("image", [False, True], ids=["the file sets HOSTNAME", "the image sets HOSTNAME"])
@pytest.mark.parametrize(("name", "severity"), [("compose.yaml", "warning"), ("fly.toml", "info")])
def test_no_word_of_kubernetes(name: str, severity: str, image: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("litefs.yml").write_text(LITEFS_YML)
    env = "ENV HOSTNAME=0.0.0.0\n" if image else ""
    Path("Dockerfile").write_text(f'FROM debian\nRUN apt-get install -y fuse3\n{env}COPY litefs.yml /etc/litefs.yml\nENTRYPOINT ["litefs", "mount"]\n')
    Path(name).write_text(re.sub(r".*HOSTNAME.*\n", "", FILES[name]) if image else FILES[name])
    report = json.loads(run(capsys, "lint", "-o", "json", ".").out)
    found: dict[str, Any] = {f["rule"]: f for f in report["findings"]}
    assert {"LFS201", "LFS305", "LFS406", "LFS512"} <= set(found)
    assert found["LFS512"]["severity"] == severity, "Fly's own examples have the line, to look around with a shell"
    said = {rule: " ".join([f["message"], f["impact"], f["cause"], *f["remediation"]]) for rule, f in found.items() if rule in ("LFS201", "LFS305", "LFS406", "LFS512")}
    assert {rule: KUBERNETES.findall(text) for rule, text in said.items() if KUBERNETES.search(text)} == {}


def test_a_policy_in_files_cuts_no_connection_that_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing runs yet, so nothing can be felt, now or later."""
    monkeypatch.chdir(tmp_path)
    policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: abaci}\nspec:\n  podSelector: {matchLabels: {app: abaci-app}}\n  ingress: [{ports: [{port: 8080}]}]\n"
    Path("app.yaml").write_text(HEALTHY + policy, "utf8")
    findings = json.loads(run(capsys, "lint", "app.yaml", "-o", "json").out)["findings"]
    (found,) = (f for f in findings if f["rule"] == "LFS307")
    assert "felt" not in found["message"]
    assert found["impact"].startswith("Replicas cannot connect")
