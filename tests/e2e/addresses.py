"""Addresses for played nodes and pods.

The API server proxies to no loopback address, so the pods need others: a range that is routed to this machine itself."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Iterator

DEFAULT = "198.18.0.0/16"  # kept for tests of network devices, so nobody lives there
NODES = 256
"""The first addresses of the range are for nodes, those from here on for pods."""


def ours(network: ipaddress.IPv4Network) -> bool:
    """Whether this machine can listen on the range's addresses: the first node's, the first pod's and the last pod's."""
    for index in (1, NODES, network.num_addresses - 2):
        with contextlib.closing(socket.socket()) as listener:
            try:
                listener.bind((str(network[index]), 0))
            except OSError:
                return False
    return True


@contextlib.contextmanager
def local_range(cidr: str) -> Iterator[str]:
    """While open, this machine has every address of the range. Gives why not, or nothing."""
    network = ipaddress.IPv4Network(cidr)
    if ours(network):
        yield ""
        return
    ip = shutil.which("ip")
    if ip is None:
        yield f"not every address of {cidr} is this machine's, and there is no ip command to make one"
        return
    route = ["route", "add", "local", cidr, "dev", "lo"]
    done = subprocess.run([ip, *route], capture_output=True, text=True, check=False)
    try:
        yield "" if ours(network) else f"not every address of {cidr} is this machine's: ip {' '.join(route)}: {done.stderr.strip()}"
    finally:
        if done.returncode == 0:
            subprocess.run([ip, "route", "del", "local", cidr, "dev", "lo"], check=True)
