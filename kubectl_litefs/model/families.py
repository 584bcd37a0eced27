"""Rules that belong together as causes, and words that several rules share."""

from __future__ import annotations

from collections.abc import Iterable

from .litefs import Database
from .pod import Pod

_CONFIG_REFUSED = ("LFS501", "LFS506", "LFS502", "LFS503", "LFS505", "LFS210", "LFS410", "LFS712", "LFS504", "LFS510")
"""LiteFS does not start with this file."""

_START_FAILED = ("LFS605", "LFS601", "LFS602", "LFS603", "LFS604", "LFS609", "LFS411", "LFS107", "LFS704", "LFS402", "LFS607", "LFS404", "LFS803", "LFS810")
"""LiteFS does not start, or ends, in this container."""

_COMMAND_ENDED = ("LFS709", "LFS710", "LFS511", "LFS701", "LFS702", "LFS707")
"""LiteFS ends because a command of its own ended."""

NOT_RUNNING = (*_CONFIG_REFUSED, *_START_FAILED, *_COMMAND_ENDED)
"""Every known reason for a node that is not there, the likeliest first."""

IMAGE_WORKFLOW = "Commit and push the Dockerfile, let the pipeline build the image, apply, then look at the pods' logs."


def names(pods: Iterable[Pod], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    listed = [p.name for p in pods]
    if len(listed) > most:
        return f"{', '.join(listed[: most - 1])} and {len(listed) - most + 1} more"
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def position(database: Database) -> str:
    """`db at txid 7`, in the hexadecimal digits that LiteFS shows."""
    return f"{database.name} at txid {database.txid:x}"


def positions(pod: Pod) -> str:
    """`db at txid 7, other at txid 1f`; `no data` where nothing is above txid 0; `databases unseen`."""
    if pod.databases is None:
        return "databases unseen"
    return ", ".join(position(d) for d in pod.with_data[:5]) + (" and more" if len(pod.with_data) > 5 else "") or "no data"


def proxy_url(pod: Pod, path: str) -> str:
    """LiteFS's HTTP API through the API server, for `kubectl get --raw`."""
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{pod.http_port}/proxy/{path}"
