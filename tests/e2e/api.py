"""A small client of the API server for the tests' own use: JSON in, JSON out, and lists that stay up to date."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kubernetes import client, config
from urllib3 import Timeout
from urllib3.exceptions import HTTPError

Object = dict[str, Any]


class ApiError(Exception):
    """The API server refused. `reason` is its own word for why."""

    def __init__(self, method: str, path: str, code: int, body: str) -> None:
        try:
            status = json.loads(body)
        except ValueError:
            status = {}
        self.code, self.body = code, body
        self.reason: str = status.get("reason", "")
        super().__init__(f"{method} {path}: {code} {status.get('message', body)}")


class Api:
    """One context of one kubeconfig."""

    def __init__(self, kubeconfig: Path, context: str) -> None:
        self._settings = client.Configuration()
        config.load_kube_config(config_file=str(kubeconfig), context=context, client_configuration=self._settings)
        self._settings.connection_pool_maxsize = 32
        self.server: str = self._settings.host.rstrip("/")
        self._pool = client.ApiClient(self._settings).rest_client.pool_manager

    def close(self) -> None:
        self._pool.clear()

    def text(self, method: str, path: str, body: Object | None = None, *, query: Object | None = None, timeout: float = 20) -> str:
        with self._open(method, path, body, query or {}, timeout) as answer:
            return str(answer.read().decode())

    def call(self, method: str, path: str, body: Object | None = None, *, query: Object | None = None) -> Object:
        answer: Object = json.loads(self.text(method, path, body, query=query))
        return answer

    def get(self, path: str, **query: str) -> Object:
        return self.call("GET", path, query=query)

    def find(self, path: str) -> Object | None:
        """The object, or None where there is none."""
        try:
            return self.get(path)
        except ApiError as e:
            if e.code == 404:
                return None
            raise

    def create(self, path: str, body: Object) -> Object:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        return self.call("PATCH", path, body)

    def delete(self, path: str, *, uid: str | None = None, grace: int | None = None, missing_ok: bool = False) -> None:
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self.call("DELETE", path, options)
        except ApiError as e:
            if not (missing_ok and e.code == 404):
                raise

    @contextlib.contextmanager
    def _open(self, method: str, path: str, body: Object | None, query: Object, timeout: float | Timeout) -> Iterator[Any]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Accept": "application/json, */*", "Content-Type": kind, "User-Agent": "kubectl-litefs-e2e"}
        for key in self._settings.auth_settings().values():  # asked for each time: a token may have been renewed
            headers[key["key"]] = key["value"]
        url = self.server + path + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        answer = self._pool.request(method, url, body=data, headers=headers, timeout=timeout, retries=False, preload_content=False)
        try:
            if answer.status >= 400:
                raise ApiError(method, path, answer.status, answer.read().decode(errors="replace"))
            yield answer
            answer.drain_conn()
        finally:
            answer.close()

    def watch(self, path: str, version: str, **query: str) -> Iterator[tuple[str, Object]]:
        """(ADDED, MODIFIED, DELETED or BOOKMARK, object), until the server ends the watch."""
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": "30"}
        with self._open("GET", path, None, asked, Timeout(connect=5, read=40)) as answer:
            rest = b""
            for piece in answer.stream(amt=None, decode_content=False):
                *lines, rest = (rest + piece).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return  # the version is too old: list anew
                    yield event["type"], event["object"]


class Mirror:
    """What a list would answer now. `changed` is called after every change."""

    def __init__(self, api: Api, path: str, changed: Callable[[], None], **query: str) -> None:
        self._api, self._path, self._query, self._changed = api, path, query, changed
        self._objects: dict[str, Object] = {}
        self._lock, self._ended = threading.Lock(), threading.Event()
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"mirror of {path}", daemon=True)
        self._list()
        self._thread.start()

    def all(self) -> list[Object]:
        with self._lock:
            return list(self._objects.values())

    def end(self) -> None:
        """No more changes are wanted. The thread goes with its watch."""
        self._ended.set()

    def _list(self) -> None:
        listed = self._api.get(self._path, **self._query)
        with self._lock:
            self._objects = {o["metadata"]["uid"]: o for o in listed["items"]}
        self._version = listed["metadata"]["resourceVersion"]

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                for kind, item in self._api.watch(self._path, self._version, **self._query):
                    if self._ended.is_set():
                        return
                    self._version = item["metadata"]["resourceVersion"]
                    if kind == "BOOKMARK":
                        continue
                    with self._lock:
                        if kind == "DELETED":
                            self._objects.pop(item["metadata"]["uid"], None)
                        else:
                            self._objects[item["metadata"]["uid"]] = item
                    self._changed()
                self._list()
                self._changed()
            except (ApiError, HTTPError, OSError, ValueError) as e:
                self.trouble = str(e)
                self._ended.wait(0.5)


def until(what: str, check: Callable[[], Any], seconds: float = 30) -> Any:
    """Whatever `check` answers once it is not empty; fails after `seconds`, naming `what`."""
    limit = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
