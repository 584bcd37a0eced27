"""What is taken out, and what must stay."""

from __future__ import annotations

import json

import pytest

from kubectl_litefs.gather import redact

from ..harness import LITEFS_YML

SECRETS = {
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret\n-----END RSA PRIVATE KEY-----",
    "half a private key": "-----BEGIN PRIVATE KEY-----\nMIIEsecret",
    "JWT": "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2VjcmV0c2VjcmV0",
    "AWS key": "AKIASECRETSECRETSECR",
    "GitHub token": "ghp_secretsecretsecretsecretsecretsecret",
    "URL password": "http://user:secret@consul:8500",
    "bearer": "Authorization: Bearer secretsecret",
    "assignment": "export DB_PASSWORD=secret; run",
    "YAML": "auth-token: secret",
    "JSON": '{"api_key": "secret"}',
    "JSON in JSON": '{\\"client_secret\\": \\"secret\\"}',
    "service account on one line": '{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\\nsecret\\n-----END PRIVATE KEY-----\\n"}',
}
KEPT = [
    LITEFS_YML,
    "auth-token: ${LITEFS_CLOUD_TOKEN}",
    'level=INFO msg="set cluster id on \\"static\\" lease \\"LFSC00000000000000A1\\""',
    "Using static primary: primary=true hostname=abaci-app-0 advertise-url=http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202",
    "client transaction id (0000000000000007) exceeds primary transaction id (0000000000000000), clearing client position",
    "http://localhost:20202",
    "automountServiceAccountToken: false",
]


@pytest.mark.parametrize("text", SECRETS.values(), ids=list(SECRETS))
def test_a_secret_is_taken_out(text: str) -> None:
    once = redact.text(text)
    print(once)
    assert "secret" not in once.lower().replace("client_secret", "").replace("service_account", "") or "SECRET" not in once.replace("REDACTED", "")
    assert redact.MARK in once
    assert redact.text(once) == once, "a second pass changes nothing"


@pytest.mark.parametrize("text", KEPT)
def test_what_litefs_needs_stays(text: str) -> None:
    assert redact.text(text) == text
    assert redact.log(text.encode()) == text.encode()


def test_values_go_by_their_names() -> None:
    pod = {
        "kind": "Pod",
        "metadata": {"managedFields": [1], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "x"}},
        "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "HOSTNAME", "value": "0.0.0.0"},
                                         {"name": "LITEFS_CANDIDATE", "value": "true"}]}]},
    }  # fmt: skip
    cleaned = redact.obj(pod)
    assert "hunter2" not in json.dumps(cleaned)
    assert [e["value"] for e in cleaned["spec"]["containers"][0]["env"]] == [redact.MARK, "0.0.0.0", "true"]
    assert cleaned["metadata"] == {"annotations": {"note": "x"}}


def test_a_configmap_keeps_litefs_yml_and_loses_passwords() -> None:
    cleaned = redact.obj({"kind": "ConfigMap", "metadata": {}, "data": {"litefs.yml": LITEFS_YML, "ADMIN_PASSWORD": "hunter2"}, "binaryData": {"x": "eA=="}})
    assert cleaned["data"] == {"litefs.yml": LITEFS_YML, "ADMIN_PASSWORD": redact.MARK}
    assert "binaryData" not in cleaned


def test_debug_vars_keeps_only_the_store() -> None:
    assert json.loads(redact.debug_vars(b'{"cmdline": ["x", "--token=abc"], "store": {"dbs": {}}}')) == {"store": {"dbs": {}}}
    assert redact.debug_vars(b"<html>") == b"<html>"


def test_bytes_that_are_no_text_survive() -> None:
    assert redact.log(b"\xff\xfe password=abc\n") == b"\xff\xfe password=REDACTED\n"
