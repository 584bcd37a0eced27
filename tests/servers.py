"""Loopback servers that are really gone when they are closed."""

from __future__ import annotations

import socketserver
import threading


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def serving(handler: type[socketserver.BaseRequestHandler]) -> Server:
    """A server on a free port. End it with `shutdown` and `server_close`, in this order.

    A thread that waits in `accept` on a socket that is merely closed can wake up on the next socket of that number,
    and take a connection that was meant for another test's server.
    """
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
