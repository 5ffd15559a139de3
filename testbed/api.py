"""A small HTTPS client for the testbed's own use: JSON in, JSON out, one connection a thread."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]

MANAGER = "testbed"


class ApiError(Exception):
    """The API server refused; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Let a refusal pass that says: there is no such object."""
    try:
        yield
    except ApiError as error:
        if error.status != http.HTTPStatus.NOT_FOUND:
            raise


class Api:
    """One API server, seen with one client certificate."""

    def __init__(
        self, port: int, *, ca: Path, certificate: Path, key: Path, timeout: float = 30
    ) -> None:
        self._port = port
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=str(ca))
        self._tls.load_cert_chain(certificate, key)
        self._local = threading.local()
        self._opened: list[http.client.HTTPSConnection] = []

    def __del__(self) -> None:
        for connection in getattr(self, "_opened", ()):
            connection.close()

    def get(self, path: str, **query: str | int) -> Json:
        """The answer to a GET."""
        return self.request("GET", path, query=query)

    def raw(self, path: str, accept: str) -> bytes:
        """The body of the answer to a GET in any encoding; raises ApiError."""
        status, reply = self._send("GET", path, None, {"Accept": accept})
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(status, reply.decode(errors="replace")[:2000])
        return reply

    def post(self, path: str, body: Json) -> Json:
        """Create an object; returns it as stored."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        """A merge patch; returns the object as stored."""
        return self.request("PATCH", path, body, content_type="application/merge-patch+json")

    def delete(self, path: str, body: Json | None = None, **query: str | int) -> Json:
        """Delete an object or a collection."""
        return self.request("DELETE", path, body, query=query)

    def apply(self, manifest: Json) -> Json:
        """Server-side apply; a second time with the same manifest changes nothing."""
        content = "application/apply-patch+yaml"
        query: dict[str, str | int] = {"fieldManager": MANAGER, "force": "true"}
        return self.request("PATCH", path_of(manifest), manifest, query=query, content_type=content)

    def create_missing(self, manifest: Json) -> None:
        """Create an object unless one of this name is there."""
        try:
            self.post(path_of(manifest).rpartition("/")[0], manifest)
        except ApiError as error:
            if error.status != http.HTTPStatus.CONFLICT:
                raise

    def items(self, path: str, **query: str | int) -> Iterable[Json]:
        """All objects of a list, page after page."""
        page: Mapping[str, str | int] = {"limit": 500, **query}
        while True:
            reply = self.get(path, **page)
            yield from reply["items"]
            token = reply["metadata"].get("continue")
            if not token:
                return
            page = {**page, "continue": token}

    def answers(self, path: str) -> bool:
        """Whether a GET of `path` is answered by 200 just now; never raises."""
        try:
            return self._send("GET", path, None, {})[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def request(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Any call; raises ApiError when the server refuses, OSError when it cannot be reached."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        address = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        status, reply = self._send(method, address, content, headers)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(status, reply.decode(errors="replace")[:2000])
        return dict(json.loads(reply))

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return self._exchange(kept, method, path, body, headers)
            except (ConnectionError, http.client.RemoteDisconnected, ssl.SSLError):
                # The server closed a connection that was idle, or was started again.
                kept.close()
                self._local.connection = None
        fresh = http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=self._timeout, context=self._tls
        )
        self._local.connection = fresh
        self._opened.append(fresh)
        return self._exchange(fresh, method, path, body, headers)

    def _exchange(
        self,
        connection: http.client.HTTPSConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes]:
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        except BaseException:
            # Half an exchange must never be read as the answer to the next one.
            connection.close()
            self._local.connection = None
            raise


PLURALS = {
    "Namespace": ("namespaces", False),
    "Node": ("nodes", False),
    "APIService": ("apiservices", False),
    "ClusterRole": ("clusterroles", False),
    "ClusterRoleBinding": ("clusterrolebindings", False),
    "PriorityClass": ("priorityclasses", False),
}


def path_of(manifest: Json) -> str:
    """The address of an object on the server."""
    version, kind, meta = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    plural, namespaced = PLURALS.get(kind, (f"{kind.lower()}s", True))
    inside = f"/namespaces/{meta['namespace']}" if namespaced else ""
    return f"{root}{inside}/{plural}/{meta['name']}"
