"""Suppressions as they are written: on the command line, in an annotation, in .kubectl-litefs.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from ..model.cluster import Cluster, Facts
from ..model.objects import Obj
from ..model.suppression import Suppression
from .objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER
from .schema import nearest
from .strict_yaml import Problem, Strict
from .yaml_tree import Node

ANNOTATION = "kubectl-litefs/ignore"
KINDS = {name: kind for plural, kind in (NAMESPACED | CLUSTER | OPTIONAL_CLUSTER).items() for name in (plural, kind.lower())}
KINDS |= {"sts": "StatefulSet", "deploy": "Deployment", "ds": "DaemonSet", "po": "Pod", "svc": "Service", "pvc": "PersistentVolumeClaim",
          "pv": "PersistentVolume", "cm": "ConfigMap", "netpol": "NetworkPolicy", "pdb": "PodDisruptionBudget", "sc": "StorageClass",
          "hpa": "HorizontalPodAutoscaler", "ing": "Ingress", "no": "Node", "ns": "Namespace"}  # fmt: skip
"""What a kind may be called, in small letters -> the kind. `File` stands for what is no object of a cluster."""

_ENTRY = re.compile(
    r"(?P<ids>[^=:;]+?)\s*(?:=\s*(?P<subject>[^:;\s]+)\s*)?(?::\s*(?P<reason>.*?)\s*)?(?:;\s*until:?\s+(?P<until>[^;\s]+)\s*)?",
    re.DOTALL,
)
FORM = "ID[=KIND/NAMESPACE/NAME][: REASON][; until YYYY-MM-DD]"


class Malformed(ValueError):
    """What is wrong with one entry, in words."""


def read_entry(text: str, by: str, *, standing: bool = False) -> list[Suppression]:
    """`LFS203=StatefulSet/abaci/abaci-app: one region; until 2027-01-31`; several ids with commas. Raises Malformed."""
    found = _ENTRY.fullmatch(text.strip())
    ids = [i.strip() for i in found["ids"].split(",")] if found else []
    if found is None or not all(re.fullmatch(r"[\w-]+", i) for i in ids):
        raise Malformed(f"{text.strip()[:80]!r} is not of the form {FORM}")
    kind, namespace, name = read_subject(found["subject"] or "")
    until = read_date(found["until"]) if found["until"] else None
    return [Suppression(rule_id(i), by, kind, namespace, name, found["reason"] or "", until, standing) for i in ids]


def rule_id(text: str) -> str:
    """The id as it is written in the table, small letters or not."""
    return text.upper()


def read_subject(text: str) -> tuple[str, str, str]:
    """`StatefulSet/abaci/abaci-app`, or without the namespace: kind, namespace, name; nothing for nothing."""
    if not text:
        return "", "", ""
    kind, *rest = text.split("/")
    if len(rest) not in (1, 2) or not all((kind, *rest)):
        raise Malformed(f"{text!r} names no object: it wants KIND/NAMESPACE/NAME, or KIND/NAME for every namespace")
    if kind.lower() != "file" and kind.lower() not in KINDS:
        raise Malformed(f"there is no kind {kind!r}; {nearest(kind, sorted(set(KINDS.values())))}")
    return KINDS.get(kind.lower(), "File"), rest[0] if len(rest) == 2 else "", rest[-1]


def read_date(text: str) -> date:
    """A day, as 2027-01-31."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the day does not exist: said below like any other
    raise Malformed(f"{text!r} is no day: write 2027-01-31")


# --- annotations


def from_annotations(facts: Facts) -> tuple[tuple[Suppression, ...], tuple[str, ...]]:
    """Suppressions that stand on gathered objects, and what is wrong with others."""
    found: dict[Suppression, None] = {}
    problems: dict[str, None] = {}
    for cluster in facts.clusters:
        for obj, path, whole in _annotated(cluster):
            annotations = obj.mapping(path)
            text = annotations.get(ANNOTATION)
            where = "template of " if path.startswith("spec.") else ""
            for entry in str(text or "").splitlines():
                by = f"annotation on {where}{obj.ref}"
                try:
                    read = _own(entry, by) if entry.strip() else []
                except Malformed as error:
                    problems[f"{by}: {error}"] = None
                    continue
                found.update(dict.fromkeys(_scoped(s, obj, whole) for s in read))
    return tuple(found), tuple(problems)


def _annotated(cluster: Cluster) -> Iterator[tuple[Obj, str, bool]]:
    """(object, path of its annotations, whether they hold for everything in the namespace).

    A pod that only repeats its template's word is passed over: the template's holds for it.
    """
    owners = {o.ref: o for o in cluster.owners()}
    for owner in owners.values():
        yield owner, "metadata.annotations", False
        yield owner, "spec.template.metadata.annotations", False
    templates = {ref: o.mapping("spec.template.metadata.annotations").get(ANNOTATION) for ref, o in owners.items()}
    for pod in cluster.pods:
        own = pod.obj.mapping("metadata.annotations").get(ANNOTATION)
        if pod.workload not in templates or own != templates[pod.workload]:
            yield pod.obj, "metadata.annotations", False
    for plural, objects in cluster.objects.items():
        if plural not in ("pods", "statefulsets", "deployments", "daemonsets", "namespaces"):
            for obj in objects:
                yield obj, "metadata.annotations", False
    namespace = cluster.find("namespaces", cluster.namespace, "")
    if namespace is not None:
        yield namespace, "metadata.annotations", True


def _own(entry: str, by: str) -> list[Suppression]:
    read = read_entry(entry, by)
    if any(s.subject for s in read):
        raise Malformed(f"{entry.strip()[:80]!r} names an object: an annotation holds for the object that it stands on")
    return read


def _scoped(entry: Suppression, obj: Obj, whole: bool) -> Suppression:
    kind, namespace, name = ("", obj.ref.name, "") if whole else (obj.ref.kind, obj.ref.namespace, obj.ref.name)
    return Suppression(entry.rule, entry.by, kind, namespace, name, entry.reason, entry.until)


# --- the file


def read_file(data: bytes, name: str) -> tuple[tuple[Suppression, ...], tuple[Problem, ...]]:
    """`ignore:` with a list of entries: one line as on the command line, or a mapping of rule, subject, reason, until."""
    strict = Strict(name)
    root = strict.document(data)
    found: list[Suppression] = []
    if root is not None:
        parts = strict.mapping(root, ("ignore",), what="the file")
        for node in strict.each(parts.get("ignore"), "ignore"):
            found += _entry(strict, node, f"{name}:{node.line}")
    return tuple(found), tuple(strict.problems)


def _line(node: Node) -> str:
    """`- LFS203: one region` is a mapping to YAML, and one line to whoever wrote it."""
    if node.kind == "map" and len(node.items) == 2 and re.search(r"\d", node.items[0].value) and node.items[1].kind == "scalar":
        return f"{node.items[0].value}: {node.items[1].value}"
    return ""


def _entry(strict: Strict, node: Node, by: str) -> Sequence[Suppression]:
    try:
        line = _line(node)
        if line or node.kind == "scalar":
            return read_entry(line or strict.text(node, "an entry"), by, standing=True)
        parts = strict.mapping(node, ("rule", "subject", "reason", "until"), ("rule",), "an entry")
        rule, subject, reason, until = (strict.text(parts.get(k), k) for k in ("rule", "subject", "reason", "until"))
        day = read_date(until) if until else None
        return [Suppression(rule_id(rule), by, *read_subject(subject), reason, day, standing=True)] if rule else []
    except Malformed as error:
        strict.wrong(node, str(error))
        return []
