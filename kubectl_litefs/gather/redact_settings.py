"""Take secrets out of settings: what a person's own files hold is read as it is. Idempotent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..model.effective import Effective, Setting, Used
from . import redact

SHORTEST = 4
"""Characters of a value that is looked for in other values; a shorter one stands in every second word."""


def plain(one: Effective) -> Effective:
    """Without secrets, also where a variable brought one into a value."""
    secrets = sorted({v.value for v in one.pod.env.values() if v.value and len(v.value) >= SHORTEST and _is_secret(v.name)}, key=len, reverse=True)

    def text(value: str) -> str:
        for secret in secrets:
            value = value.replace(secret, redact.MARK)
        return redact.text(value)

    file = replace(one.file, text=text(one.file.text), expanded=text(one.file.expanded)) if one.file else None
    settings = {key: _setting(s, text) for key, s in one.settings.items()}
    return replace(one, file=file, unseen=text(one.unseen), refused=text(one.refused), settings=settings)


def _is_secret(name: str) -> bool:
    return redact.SECRET_NAME.search(name) is not None


def _setting(setting: Setting, text: Callable[[str], str]) -> Setting:
    hide = _is_secret(setting.key)
    evidence = replace(setting.evidence, excerpt=text(setting.evidence.excerpt)) if setting.evidence else None
    return replace(
        setting,
        value=redact.MARK if hide and isinstance(setting.value, str) and setting.value else _walk(setting.value, text),
        evidence=evidence,
        written=redact.MARK if hide and setting.written and "$" not in setting.written else text(setting.written),
        variables=tuple(_used(u, text) for u in setting.variables),
        note=text(setting.note),
    )


def _used(used: Used, text: Callable[[str], str]) -> Used:
    value = used.value and (redact.MARK if _is_secret(used.name) else text(used.value))
    return replace(used, value=value, where=text(used.where))


def _walk(value: Any, text: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {k: _walk(v, text) for k, v in value.items()}
    return [_walk(v, text) for v in value] if isinstance(value, list) else value
