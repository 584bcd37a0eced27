"""LFS704 port-conflict: two listeners want one port."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ConfigFile
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, own_config, place
from ..model.logs import LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

WHAT = {"http.addr": "LiteFS's API", "proxy.addr": "LiteFS's proxy", "proxy.target": "the application behind the proxy"}
ANYWHERE = ("", "0.0.0.0", "[::]", "::")
LOCAL = ("localhost", "127.0.0.1", "[::1]", "::1")


def check(cluster: Cluster) -> Iterator[Finding]:
    in_file = [s for pod in cluster.pods for s in _in_file(pod)]
    ports = {s.fault for s in in_file}
    logged = list(lines_seen(cluster, "port-in-use", fault=_port, over=_listens))
    for fault in faults(cluster, [*in_file, *logged]):
        yield _finding(cluster, fault, fault.fault in ports)


def _listens(run: LogRun) -> bool:
    return run.hit("port-in-use") is None and run.hit("connected") is not None


def _port(text: str) -> str:
    """The port in LiteFS's message: `... listen tcp :8080: bind: address already in use`."""
    return text.split("listen tcp ", 1)[-1].split(": bind", 1)[0].rsplit(":", 1)[-1]


def _in_file(pod: Pod) -> Iterator[Sighting]:
    """Two settings of one file that name one port. What is behind the proxy counts where it is in the same pod."""
    config = own_config(pod)
    if config is None or not config.known("proxy.target"):
        return
    keys = ("http.addr", "proxy.addr", "proxy.target")
    for i, first in enumerate(keys):
        for second in keys[i + 1 :]:
            one, two = _address(config, first), _address(config, second)
            if one is None or two is None or one[1] != two[1] or not _meet(one[0], two[0]):
                continue
            values = [config.values[first], config.values[second]]
            told = " and ".join(f"{v.key} ({WHAT[v.key]})" for v in values)
            given = [v.evidence for v in values if v.given]
            where = place(config, given[-1]) if given else config.name
            yield Sighting(pod, one[1], f"{told} both want port {one[1]} ({where})", tuple(given))


def _address(config: ConfigFile, key: str) -> tuple[str, str] | None:
    value = config.known(key)
    if not isinstance(value, str) or "://" in value:
        return None
    host, colon, port = value.rpartition(":")
    return (host, port) if colon and port.isdigit() and port != "0" else None


def _meet(one: str, two: str) -> bool:
    return one == two or (one in ANYWHERE + LOCAL and two in ANYWHERE + LOCAL)


def _finding(cluster: Cluster, fault: Fault, in_file: bool) -> Finding:
    if in_file:
        told = next(s.text for s in fault.seen if s.line is None)
    else:
        owner = "LiteFS's proxy" if fault.line and "proxy" in fault.line.text else "LiteFS's API"
        told = f"port {fault.fault}, which {owner} wants, is in use by another process of the pod"
    return RULE.finding(
        fault.subject,
        f"{told[0].upper() if not in_file else told[0]}{told[1:]}.",
        *fault.evidence,
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS704",
    name="port-conflict",
    title="Two listeners in one pod want the same port",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`bind: address already in use`, exit code 1; or the application cannot open its port.",
    impact="Either LiteFS or the application does not start.",
    cause="LiteFS's API (http.addr), its proxy (proxy.addr) and the application (proxy.target) share the pod's network, "
    "with each other and with the pod's other containers.",
    fix=(
        "Give each listener a port of its own: 20202 for the API, 8080 for the proxy, 3000 for the application, say.",
        "Correct it where the file comes from, commit, let the pipeline build if the application's port changed, apply, "
        "and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
)
