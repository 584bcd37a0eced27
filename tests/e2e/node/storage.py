"""Volumes for the pods of a real node on this machine."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from urllib3.exceptions import HTTPError

from ..api import Api, ApiError, Mirror
from ..volumes import Volumes


@contextmanager
def provisioner(api: Api, root: Path, labels: dict[str, str]) -> Iterator[Volumes]:
    """While open, claims of the played storage classes get a directory each. The node must see `root` as we do."""
    wake, ended, trouble = threading.Event(), threading.Event(), list[str]()
    claims, there = Mirror(api, "/api/v1/persistentvolumeclaims", wake.set), Mirror(api, "/api/v1/persistentvolumes", wake.set)
    volumes = Volumes(api, root, labels, claims, there)

    def run() -> None:
        while not ended.is_set():
            wake.wait(1)
            wake.clear()
            try:
                volumes.look()
            except ApiError as e:
                if e.code not in (404, 409):  # somebody else was faster: the next look sees how it is now
                    trouble.append(traceback.format_exc())
            except (HTTPError, OSError):
                ended.wait(0.5)  # the API server is away

    thread = threading.Thread(target=run, name="provisioner", daemon=True)
    thread.start()
    try:
        yield volumes
    finally:
        ended.set()
        wake.set()
        thread.join()
        for mirror in (claims, there):
            mirror.end()
    assert not trouble, "\n".join(trouble)
