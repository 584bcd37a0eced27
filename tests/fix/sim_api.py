"""The API side of the simulated cluster: paths, preconditions, dry runs, RBAC, LiteFS's answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubectl_litefs.kube.session import right_for

from ..harness import NS, stamp

if TYPE_CHECKING:
    from .sim import Sent, Sim

Reply = tuple[int, dict[str, str], bytes]
CLUSTER_SCOPED = {"persistentvolumes", "nodes", "storageclasses", "namespaces"}


def answer(sim: Sim, sent: Sent) -> Reply:
    if sent.path == "/version":
        return ok({"gitVersion": "v1.34.4"})
    if sent.path.endswith("/selfsubjectaccessreviews"):
        spec = (sent.body or {})["spec"]["resourceAttributes"]
        resource = spec["resource"] + (f"/{spec['subresource']}" if "subresource" in spec else "")
        return ok({"status": {"allowed": sim.allowed(spec["verb"], spec.get("group", ""), resource, spec.get("name", ""))}}, 201)
    plural, name, sub = split(sent.path)
    verb, resource = right_for(sent.path, sent.method)
    group = sent.path.split("/")[2] if sent.path.startswith("/apis/") else ""
    asked = plural + (f"/{sub.split('/')[0]}" if sub else "")
    if not sim.allowed(verb, group, asked, name or ""):
        return error(403, "Forbidden", f'{resource} "{name or ""}" is forbidden: User "tool" cannot {verb} resource "{asked}"')
    if sub.startswith("proxy"):
        return litefs(sim, str(name).split(":")[0], sub.removeprefix("proxy/"), sent.query)
    if sub == "log":
        return log(sim, str(name))
    if sub == "eviction":
        return evict(sim, str(name), sent)
    return {"GET": read, "DELETE": delete, "POST": create, "PUT": update, "PATCH": patch}[sent.method](sim, sent, plural, name)


def split(path: str) -> tuple[str, str | None, str]:
    """(plural, name, what follows it)."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0] == "namespaces" and len(parts) > 2:
        assert parts[1] == NS, f"another namespace: {path}"
        parts = parts[2:]
    return parts[0], parts[1] if len(parts) > 1 else None, "/".join(parts[2:])


def ok(document: Any, status: int = 200) -> Reply:
    return status, {}, json.dumps(document).encode()


def error(status: int, reason: str, message: str, **headers: str) -> Reply:
    return status, headers, json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": status}).encode()


def read(sim: Sim, sent: Sent, plural: str, name: str | None) -> Reply:
    if plural == "events":
        field = dict(p.split("=") for p in sent.query.get("fieldSelector", "").split(",") if p)
        wanted = field.get("involvedObject.name")
        return ok({"kind": "EventList", "items": [e for e in sim.events if wanted in (None, e["involvedObject"]["name"])]})
    if name is not None:
        found = sim.objects.get((plural, name))
        return ok(found) if found else not_found(plural, name)
    return ok({"kind": "List", "metadata": {}, "items": [o for (p, _), o in sorted(sim.objects.items()) if p == plural]})


def not_found(plural: str, name: str | None) -> Reply:
    return error(404, "NotFound", f'{plural} "{name}" not found')


def conflict(plural: str, name: str | None, what: str) -> Reply:
    return error(409, "Conflict", f'Operation cannot be fulfilled on {plural} "{name}": {what}')


def delete(sim: Sim, sent: Sent, plural: str, name: str | None) -> Reply:
    """With a body the query string is ignored, as the API server does it."""
    found = sim.objects.get((plural, str(name)))
    if found is None:
        return not_found(plural, name)
    body = sent.body or {}
    wanted = body.get("preconditions") or {}
    metadata = found["metadata"]
    if "uid" in wanted and wanted["uid"] != metadata["uid"]:
        return conflict(plural, name, f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {metadata['uid']}")
    if "resourceVersion" in wanted and wanted["resourceVersion"] != metadata["resourceVersion"]:
        return conflict(plural, name, f"Precondition failed: ResourceVersion in precondition: {wanted['resourceVersion']}, ResourceVersion in object meta: {metadata['resourceVersion']}")
    dry = body.get("dryRun") if sent.body is not None else sent.query.get("dryRun")
    if dry:
        return ok(found)
    if plural == "pods":
        sim._terminate(found)
    elif metadata.get("finalizers"):
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = stamp(sim.clock.now())
            sim.put(plural, found)
    else:
        del sim.objects[plural, str(name)]
    return ok(found)


def evict(sim: Sim, name: str, sent: Sent) -> Reply:
    options = (sent.body or {}).get("deleteOptions") or {}
    found = sim.objects.get(("pods", name))
    if found is None:
        return not_found("pods", name)
    wanted = (options.get("preconditions") or {}).get("uid")
    if wanted not in (None, found["metadata"]["uid"]):
        return conflict("pods", name, f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found['metadata']['uid']}")
    if (options.get("dryRun") or None) != ([sent.query["dryRun"]] if "dryRun" in sent.query else None):
        return error(400, "BadRequest", "Non-equivalent dryRun options in request URL and body")
    if not options.get("dryRun"):
        sim._terminate(found)
    return ok({"kind": "Status", "status": "Success"}, 201)


def create(sim: Sim, sent: Sent, plural: str, name: str | None) -> Reply:
    assert sent.body is not None
    body = json.loads(json.dumps(sent.body))
    key = (plural, body["metadata"]["name"])
    if key in sim.objects:
        return error(409, "AlreadyExists", f'{plural} "{key[1]}" already exists')
    if plural == "volumesnapshots":
        body["status"] = {"readyToUse": False}
    return ok(sim.put(plural, body), 201)


def update(sim: Sim, sent: Sent, plural: str, name: str | None) -> Reply:
    found = sim.objects.get((plural, str(name)))
    if found is None:
        return not_found(plural, name)
    body = json.loads(json.dumps(sent.body))
    if body["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
        return conflict(plural, name, "the object has been modified; please apply your changes to the latest version and try again")
    body["metadata"]["uid"] = found["metadata"]["uid"]
    return ok(sim.put(plural, body))


def patch(sim: Sim, sent: Sent, plural: str, name: str | None) -> Reply:
    """A JSON merge patch; `/scale` is the object's replicas."""
    found = sim.objects.get((plural, str(name)))
    if found is None:
        return not_found(plural, name)
    if sent.query.get("dryRun"):
        return ok(found)

    def merge(base: dict[str, Any], change: Mapping[str, Any]) -> None:
        for key, value in change.items():
            if value is None:
                base.pop(key, None)
            elif isinstance(value, Mapping):
                merge(base.setdefault(key, {}), value)
            else:
                base[key] = value

    before = json.dumps(found.get("spec"), sort_keys=True)
    merge(found, sent.body or {})
    if json.dumps(found.get("spec"), sort_keys=True) != before and plural == "statefulsets":
        found["metadata"]["generation"] += 1
        found["status"]["observedGeneration"] = found["metadata"]["generation"]
    return ok(sim.put(plural, found))


def log(sim: Sim, pod: str) -> Reply:
    found = sim.objects.get(("pods", pod))
    if found is None:
        return not_found("pods", pod)
    lines = sim.logs.get(found["metadata"]["uid"])
    if lines is None:
        return error(400, "BadRequest", f'container "app" in pod "{pod}" is waiting to start: ContainerCreating')
    return 200, {}, ("\n".join(lines) + "\n").encode()


def litefs(sim: Sim, pod: str, path: str, query: Mapping[str, str]) -> Reply:
    found = sim.objects.get(("pods", pod))
    if found is None:
        return not_found("pods", pod)
    if found["status"]["phase"] != "Running":
        return error(400, "BadRequest", "address not allowed")
    if pod in sim.infos and callable(sim.infos[pod]):
        said = sim.infos[pod](path)
        if said is not None:
            return said if isinstance(said, tuple) else (200, {}, said)
    volume = sim.volume_of(pod)
    lead = pod == sim.primary or (sim.fresh_leads and volume.cluster_id == "LFSC00000000000000C3")
    if path == "info":
        document: dict[str, Any] = {"clusterID": volume.cluster_id, "isPrimary": lead, "candidate": pod == sim.primary, "path": "/var/lib/litefs", "primary": {"hostname": ""}}
        if volume.cluster_id is None:
            del document["clusterID"]
        status, headers, body = ok(document)
        return status, headers | {"litefs-cluster-id": sim.headers.get(pod, volume.cluster_id or "")}, body
    if path == "debug/vars":
        dbs = {n: {"name": n, "txid": f"{d.txid:016x}", "checksum": d.checksum, "locks": {}} for n, d in volume.databases.items()}
        return ok({"cmdline": ["litefs"], "store": {"isPrimary": lead, "dbs": dbs}})
    if path == "metrics":
        return 200, {}, f"litefs_is_primary {int(lead)}\nlitefs_subscriber_count {len(sim.connected()) if lead else 0}\n".encode()
    if path == "export":
        held = volume.databases.get(query.get("name", ""))
        if held is None:
            return error(404, "NotFound", "database not found")
        return 200, {}, sim.exports(pod, query["name"], held.data)
    return error(404, "NotFound", "404 page not found")
