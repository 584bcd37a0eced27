"""Scaffold a rule that works, with its three cases, ready to be changed into what is wanted.

    python -m tools.new_rule LFS716 what-is-wrong
    python -m tools.new_rule --list               (only write kubectl_litefs/rules/__init__.py anew)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

RULE = '''\
"""{id} {name}."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    """This example finds `data.compress: false`."""
    for pod in cluster.pods:
        value = pod.config.get("data.compress") if pod.config else None
        if value is not None and value.given and value.known and value.value is False:
            yield RULE.finding(pod.ref, f"{{pod.name}} keeps its transaction files uncompressed.", value.evidence)


RULE = Rule(
    id="{id}",
    name="{name}",
    title="Say in at most 72 characters what is wrong",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="What a person notices.",
    impact="What it does to data or service.",
    cause="How it comes about.",
    fix=("What to do, one step each.",),
    reads=("config",),
    check=check,
)
'''

CASES = """\
rule: {id}

compression-is-off:
  show: true
  litefs.yml: |
    fuse: {{dir: /litefs}}
    data: {{dir: /var/lib/litefs, compress: false}}
    exec: [{{cmd: node dist/db/migrate.js, if-candidate: true}}, {{cmd: node server.js}}]
    lease:
      type: static
      hostname: abaci-app-0
      advertise-url: http://abaci-app-0.abaci-app-headless.abaci.svc.cluster.local:20202
      candidate: ${{HOSTNAME == 'abaci-app-0'}}
  expect:
  - {{subject: Pod/abaci/abaci-app-0, severity: warning, message: uncompressed}}
  - {{subject: Pod/abaci/abaci-app-1}}
  - {{subject: Pod/abaci/abaci-app-2}}

compression-is-on:
  expect: []

the-configmap-may-not-be-read:
  gaps:
  - {{what: objects/abaci/configmaps.json, why: FORBIDDEN, detail: 'Error from server (Forbidden): configmaps is forbidden'}}
  expect: skipped
"""


def table(rules: Path) -> str:
    """`rules/__init__.py` for the rule files of a folder."""
    modules = sorted(p.stem for p in rules.glob("lfs[0-9][0-9][0-9]_*.py"))
    imports = "".join(f"    {m},\n" for m in modules)
    rows = "".join(f"    {m}.RULE,\n" for m in modules)
    return (
        '"""The rule table: one file a rule, in the order of their ids. `make new-rule` keeps the list."""\n\n'
        "from __future__ import annotations\n\n"
        f"from ..model.rule import Rule\nfrom . import (\n{imports})\n\nALL: tuple[Rule, ...] = (\n{rows})\n"
    )


def scaffold(rule_id: str, name: str, root: Path) -> list[Path]:
    """The files made. SystemExit with one line where the id or name will not do."""
    if not re.fullmatch(r"LFS[1-9]\d\d", rule_id):
        raise SystemExit(f"{rule_id!r} is no rule id: LFS and three digits, the first 1 to 9")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise SystemExit(f"{name!r} is no rule name: lower-case words joined by hyphens that say the fault")
    rules, cases = root / "kubectl_litefs" / "rules", root / "tests" / "cases" / f"{rule_id}.yaml"
    taken = [*rules.glob(f"{rule_id.lower()}_*.py"), *([cases] if cases.exists() else [])]
    if taken:
        raise SystemExit(f"{rule_id} exists: {taken[0].relative_to(root)}")
    rule = rules / f"{rule_id.lower()}_{name.replace('-', '_')}.py"
    rule.write_text(RULE.format(id=rule_id, name=name), "utf8")
    cases.write_text(CASES.format(id=rule_id), "utf8")
    (rules / "__init__.py").write_text(table(rules), "utf8")
    return [rule, cases, rules / "__init__.py"]


def main(args: Sequence[str]) -> int:
    if list(args) == ["--list"]:
        rules = ROOT / "kubectl_litefs" / "rules"
        (rules / "__init__.py").write_text(table(rules), "utf8")
        return 0
    if len(args) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for path in scaffold(args[0], args[1], ROOT):
        print(path.relative_to(ROOT))
    print("Now change the check and the texts, then: make docs test")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
