"""Where the project is at home, as the metadata of the installed package says: pyproject.toml's [project.urls]."""

from __future__ import annotations

PLACEHOLDER = "/OWNER/"
"""In an address: it is nobody's yet, and is told to nobody."""


def addresses() -> dict[str, str]:
    """Name -> address; empty where the package is not installed or has no home yet."""
    from importlib import metadata

    try:
        lines = metadata.metadata("kubectl-litefs").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return {}
    pairs = dict(line.split(", ", 1) for line in lines if ", " in line)
    return {name: url for name, url in pairs.items() if PLACEHOLDER not in url}
