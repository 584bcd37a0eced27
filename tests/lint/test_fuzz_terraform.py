"""Damaged plans, sources and old files: nothing raises, places lie inside the file, and a migration is never a half one."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_litefs.model.objects import Obj
from kubectl_litefs.parse.files.hcl import NoParser, objects_in_sources
from kubectl_litefs.parse.files.hcl_places import HclPlaces
from kubectl_litefs.parse.files.migrations import fix_file
from kubectl_litefs.parse.files.terraform_plan import objects_in_plan

from .terraform import plan, resources
from .test_fix import CONFIGMAP, PROXY, STATIC, inside
from .test_terraform_functions import ENCODED, MANIFEST
from .test_terraform_sources import SOURCE

PIECES = ["{", "}", "[", "]", '"', "\n", "=", ":", "<<-EOT\n", "EOT\n", "${", "$${", "%{", "#", "//", "/*", "\\", "  ", "\t", "null", "true", "1", "[]", "{}", "- ",
          "\r\n", "\x00", "\ue000", "mount-dir: x\n", "static:\n", "consul: {}\n", "---\n", "|", "&a ", "*a", "resource ", "dynamic ", 'file("litefs.yml")', "yamlencode("]  # fmt: skip
QUICK = settings(suppress_health_check=[HealthCheck.too_slow])


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 5)):
        at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        how = chance.randrange(4)
        if how == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif how == 1:
            text = text[:at] + text[min(to, at + 30) :]
        elif how == 2:
            text = text[:at] + text[at : min(to, at + 200)] * 2 + text[at:]
        else:
            rows = text.split("\n")
            chance.shuffle(rows[: max(2, len(rows) // 3)])
            text = "\n".join(rows)
    return text


def inside_file(obj: Obj, text: str) -> None:
    lines = text.split("\n")
    for keys in ((), ("spec",), ("metadata", "name"), ("data", "litefs.yml"), ("spec", "template", "spec", "containers", "0", "image")):
        place = obj.written.place(keys) if obj.written else None
        assert place is not None
        assert 1 <= place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1


@given(st.randoms(use_true_random=False))
@QUICK
def test_a_damaged_plan(chance: random.Random) -> None:
    unknown = {"kubernetes_stateful_set.app": {"spec": [{"template": [{"spec": [{"container": [{"image": True, "env": [{"value": True}]}]}]}]}]}}
    text = damaged(plan(resources(), unknown=unknown, expressions={}), chance)
    for one in objects_in_plan("p.json", text):
        if isinstance(one, Obj):
            inside_file(one, text)


ENCODES = SOURCE[: SOURCE.index("<<-EOT")] + ENCODED + SOURCE[SOURCE.index("    EOT\n") + len("    EOT") :]


@given(st.randoms(use_true_random=False), st.sampled_from([SOURCE, ENCODES, MANIFEST]))
@QUICK
def test_damaged_sources(chance: random.Random, source: str) -> None:
    text = damaged(source, chance)
    HclPlaces("m.tf", text)
    try:
        for _, one in objects_in_sources({"m.tf": text}, {"litefs.yml": STATIC}):
            if isinstance(one, Obj):
                inside_file(one, text)
    except NoParser:
        return  # without the extra only places are read


@given(st.randoms(use_true_random=False), st.sampled_from([STATIC, PROXY, CONFIGMAP + inside(STATIC), f"#!/bin/sh\ncat > /etc/litefs.yml <<EOF\n{STATIC}EOF\nlitefs mount\n"]))
@QUICK
def test_a_damaged_old_file(chance: random.Random, text: str) -> None:
    data = damaged(text, chance).encode()
    fix = fix_file("litefs.yml", data)
    if fix is None or not fix.changed:
        return
    again = fix_file("litefs.yml", fix.after)
    assert again is None or not again.changed, "a second run finds nothing to do"
