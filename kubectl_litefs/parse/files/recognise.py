"""What a file is, told from what stands in it. A name only helps where the content alone would leave it open."""

from __future__ import annotations

import re
from enum import Enum

from ...model.old_fields import OLD_FIELDS
from ..schema import SECTIONS


class Kind(str, Enum):
    """What can be judged; the value is what people call it."""

    LITEFS_YML = "litefs.yml"
    KUBERNETES = "Kubernetes objects"
    DOCKERFILE = "Dockerfile"
    SCRIPT = "script"
    TERRAFORM_PLAN = "Terraform plan"
    TERRAFORM = "Terraform sources"
    COMPOSE = "compose file"
    FLY = "fly.toml"


_YAML_LIKE = re.compile(r"""["']?[\w$.{][\w./$ {}-]*["']?[ \t]*:(?:[ \t\n]|\Z)|-[ \t]|[\[{]|\{\{""")
_OBJECT = tuple(re.compile(rf"""(?:^[ \t-]*|[{{,]\s*)["']?{key}["']?[ \t]*:""", re.MULTILINE) for key in ("kind", "apiVersion"))
_TOP_KEY = re.compile(r"""^["']?([A-Za-z][\w-]*)["']?[ \t]*:""", re.MULTILINE)
_SETTINGS = frozenset(SECTIONS) | {k for k in OLD_FIELDS if "." not in k} | {"exec", "exit-on-error", "skip-sync", "strict-verify"}
"""What stands at the left edge of a litefs.yml of any version."""
_TELLING = frozenset({"fuse", "lease", "mount-dir", "data-dir", "static", "consul", "exit-on-error", "skip-sync"})
_FOREIGN = frozenset({"apiVersion", "kind", "services", "jobs", "on", "version", "stages", "scrape_configs"})
"""Keys that only other formats have: compose files, pipelines."""
NAMES = re.compile(r"(?:.*/)?litefs[^/]*\.ya?ml\Z", re.IGNORECASE)
YAML_NAME = re.compile(r".*\.(?:ya?ml|json|tpl)\Z", re.IGNORECASE)


def recognise(path: str, text: str) -> Kind | None:
    """None for a file that is none of ours."""
    return next((kind for kind, looks_like in KINDS if looks_like(path, text)), None)


def is_litefs_yml(path: str, text: str) -> bool:
    """Two settings of LiteFS at the left edge, one of which nobody else has; one is enough under LiteFS's own name."""
    keys = set(_TOP_KEY.findall(text))
    if keys & _FOREIGN or not (_is_yaml(text) or not text.strip()):
        return False
    if keys & _TELLING and len(keys & _SETTINGS) > 1:
        return True
    return NAMES.match(path) is not None


_FROM = re.compile(r"(?:[ \t]*(?:#[^\n]*|ARG[ \t][^\n]*)?\n)*[ \t]*FROM[ \t]+\S", re.IGNORECASE)
_SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da|a|k)?sh\b")
_COMMAND = re.compile(r"^[^#\n]*\blitefs\b", re.MULTILINE)


def is_dockerfile(path: str, text: str) -> bool:
    """Its first instruction is FROM, with nothing but ARG before it."""
    return _FROM.match(text) is not None


def is_script(path: str, text: str) -> bool:
    """A shell's first line, or a shell's name, and LiteFS in a command."""
    return (_SHEBANG.match(text) is not None or path.endswith(".sh")) and _COMMAND.search(text) is not None


def is_kubernetes(path: str, text: str) -> bool:
    """`kind` and `apiVersion` in a file that begins like YAML or JSON."""
    return _is_yaml(text) and all(pattern.search(text) for pattern in _OBJECT)


def is_terraform_plan(path: str, text: str) -> bool:
    """What `terraform show -json` prints."""
    return text.lstrip()[:1] == "{" and '"planned_values"' in text and '"format_version"' in text


_RESOURCE = re.compile(r'^[ \t]*resource[ \t]+"(?:kubernetes_|kubectl_|helm_release)', re.MULTILINE)
_LOCALS = re.compile(r"^[ \t]*locals[ \t]*\{", re.MULTILINE)


def is_terraform(path: str, text: str) -> bool:
    """Resources of Kubernetes in Terraform's own language; beside them, by its name, what they may refer to."""
    return _RESOURCE.search(text) is not None or (path.endswith(".tf") and _LOCALS.search(text) is not None)


_SERVICE = re.compile(r"^[ \t]+[\"']?(?:image|build|extends|container_name|command|entrypoint|environment|volumes|privileged|devices|cap_add|ports)[\"']?[ \t]*:", re.MULTILINE)


def is_compose(path: str, text: str) -> bool:
    """Services at the left edge that have an image, a command, or what a file beside it may add."""
    keys = set(_TOP_KEY.findall(text)) if "services" in text else set()
    return "services" in keys and not keys & {"apiVersion", "kind"} and _is_yaml(text) and _SERVICE.search(text) is not None


_FLY = re.compile(r"^[ \t]*(?:\[\[?[ \t]*(http_service|services|mounts|processes|env|build|vm|deploy)\b|(app|primary_region|internal_port)[ \t]*=)", re.MULTILINE)
_ONLY_FLY = frozenset({"http_service", "mounts", "primary_region", "internal_port"})


_FLY_JSON = re.compile(r'"(?:primary_region|http_service)"\s*:')
_FLY_JSON_MORE = re.compile(r'"(app|primary_region|http_service|services|mounts|processes|env|build|vm|deploy)"\s*:')
_TOML = re.compile(r"""(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*(?:\[\[?[\w \t."'-]+\]|[\w."'-]+[ \t]*=)""")


def is_fly(path: str, text: str) -> bool:
    """It begins as TOML does, with two tables or keys of fly.toml, one of which nobody else has; or the same in JSON."""
    if text.lstrip()[:1] == "{":
        return _FLY_JSON.search(text) is not None and len(set(_FLY_JSON_MORE.findall(text))) > 1
    if _TOML.match(text) is None:
        return False
    found = {m[1] or m[2] for m in _FLY.finditer(text)}
    return len(found) > 1 and bool(found & _ONLY_FLY)


def _is_yaml(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith(("#", "---", "%"))), "")
    return _YAML_LIKE.match(first) is not None


KINDS = (
    (Kind.TERRAFORM_PLAN, is_terraform_plan),
    (Kind.TERRAFORM, is_terraform),
    (Kind.DOCKERFILE, is_dockerfile),
    (Kind.SCRIPT, is_script),
    (Kind.LITEFS_YML, is_litefs_yml),
    (Kind.KUBERNETES, is_kubernetes),
    (Kind.COMPOSE, is_compose),
    (Kind.FLY, is_fly),
)
"""Kind -> whether a file is that, the most particular first. `read.READERS` says how each is read."""
