"""Accounts that may do what a file of roles says and nothing else, and what the API server saw of them."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from .api import Api, Object, until
from .played import LABEL

RBAC = "/apis/rbac.authorization.k8s.io/v1"
PLURALS = {"Role": "roles", "RoleBinding": "rolebindings", "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}


@dataclass(frozen=True, slots=True)
class Account:
    """A ServiceAccount and the kubeconfig for it."""

    user: str
    kubeconfig: Path
    context: str


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the audit log."""

    user: str
    verb: str
    uri: str
    code: int
    body: Any
    dry_run: bool

    @property
    def mutating(self) -> bool:
        """Whether it may change the cluster. A review of one's own rights is a question in the form of a `create`."""
        return self.verb not in {"get", "list", "watch"} and not self.uri.startswith("/apis/authorization.k8s.io/")


def make_account(api: Api, run: str, kubeconfig: Path, context: str, namespace: str, roles: str, folder: Path, also: tuple[str, ...] = ()) -> Account:
    """Create what the YAML says and log in as its ServiceAccount; without bindings the Roles in it are bound to one.

    `also` names Roles of the YAML that are to be bound although it does not bind them.
    Cluster-scoped names get the run's suffix, so that nothing of the same name in the cluster is touched."""
    objects: list[Object] = [o for o in yaml.safe_load_all(roles) if o]
    accounts = [o["metadata"]["name"] for o in objects if o["kind"] == "ServiceAccount"]
    account = accounts[0] if accounts else "tool"
    bound = {o["roleRef"]["name"] for o in objects if o["kind"].endswith("Binding")}
    wanted = {o["metadata"]["name"] for o in objects if o["kind"] in ("Role", "ClusterRole")} if not bound else set(also)
    objects += [_binding(o, namespace, account) for o in objects if o["kind"] in ("Role", "ClusterRole") and o["metadata"]["name"] in wanted - bound]
    in_force = [o for o in objects if o["kind"] in ("Role", "ClusterRole") and o["metadata"]["name"] in wanted | bound]
    suffix = f"-{run}-{namespace}"
    renamed = {o["metadata"]["name"] for o in objects if o["kind"] == "ClusterRole"}
    api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": account, "labels": {LABEL: run}}})
    for item in objects:
        kind, meta = item["kind"], item["metadata"]
        if kind == "ServiceAccount":
            continue
        meta.setdefault("labels", {})[LABEL] = run
        if kind.startswith("Cluster"):
            meta["name"] += suffix
        if item.get("roleRef", {}).get("kind") == "ClusterRole" and item["roleRef"]["name"] in renamed:
            item["roleRef"]["name"] += suffix
        scope = "" if kind.startswith("Cluster") else f"/namespaces/{meta.get('namespace', namespace)}"
        api.create(f"{RBAC}{scope}/{PLURALS[kind]}", item)
    user = f"system:serviceaccount:{namespace}:{account}"
    for item in in_force:
        _until_allowed(api, user, item, namespace)
    token = api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", {"spec": {"expirationSeconds": 7200}})["status"]["token"]
    path = folder / f"{namespace}-{account}.kubeconfig"
    path.touch(mode=0o600)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": account,
        "contexts": [{"name": account, "context": {"cluster": "c", "user": account, "namespace": namespace}}],
        "clusters": [{"name": "c", "cluster": _cluster(kubeconfig, context)}],
        "users": [{"name": account, "user": {"token": token}}],
    }
    path.write_text(json.dumps(config))
    return Account(user, path, account)


def _binding(role: Object, namespace: str, account: str) -> Object:
    kind, name = role["kind"], role["metadata"]["name"]
    meta = {"name": name} if kind == "ClusterRole" else {"name": name, "namespace": role["metadata"].get("namespace", namespace)}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


def _until_allowed(api: Api, user: str, role: Object, namespace: str) -> None:
    """The authorizer learns of a new binding a moment later."""
    for rule in role["rules"]:
        resource, _, sub = rule["resources"][0].partition("/")
        asked = {"group": rule["apiGroups"][0], "resource": resource, "subresource": sub, "verb": rule["verbs"][0], "name": (rule.get("resourceNames") or [""])[0]}
        if role["kind"] == "Role":
            asked["namespace"] = role["metadata"].get("namespace", namespace)
        review = {"spec": {"user": user, "resourceAttributes": asked}}
        until(f"{user} may {rule['verbs'][0]} {rule['resources'][0]}", partial(_allowed, api, review), 10)


def _allowed(api: Api, review: Object) -> bool:
    return bool(api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"])


def _cluster(kubeconfig: Path, context: str) -> Object:
    config = yaml.safe_load(kubeconfig.read_text())
    name = next(c["context"]["cluster"] for c in config["contexts"] if c["name"] == context)
    cluster: Object = dict(next(c["cluster"] for c in config["clusters"] if c["name"] == name))
    if "certificate-authority" in cluster:
        cluster["certificate-authority"] = str(kubeconfig.parent / cluster["certificate-authority"])
    return cluster


class Audit:
    """The API server's audit log from now on."""

    def __init__(self, api: Api, log: Path) -> None:
        self._api, self._log = api, log
        self._start = log.stat().st_size

    def __call__(self, user: str) -> list[Request]:
        """What the user asked for since this audit began, in the order in which it was answered."""
        mark = f"/api/v1/namespaces/mark-{secrets.token_hex(8)}"
        self._api.find(mark)  # the log is written one after the other: what came before this stands before it
        events: list[Any] = until("the audit log has come this far", lambda: self._read(mark), 10)
        return [_request(e) for e in events if e["user"]["username"] == user and e["stage"] == "ResponseComplete"]

    def _read(self, mark: str) -> list[Any] | None:
        with self._log.open("rb") as file:
            file.seek(self._start)
            text = file.read().decode()
        if mark not in text or not text.endswith("\n"):
            return None
        return [json.loads(line) for line in text.splitlines()]


def _request(event: Any) -> Request:
    body = event.get("requestObject")
    options = body.get("deleteOptions") or body if isinstance(body, dict) else {}  # of an Eviction, or themselves
    dry = bool(options.get("dryRun")) or bool(re.search(r"[?&]dryRun=All", event["requestURI"]))
    return Request(event["user"]["username"], event["verb"], event["requestURI"], int(event["responseStatus"]["code"]), body, dry)


def stamp() -> str:
    """A name that no other run has."""
    return f"{int(time.time()) % 10**6:06d}{secrets.token_hex(2)}"
