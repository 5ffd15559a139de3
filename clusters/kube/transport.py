"""Requests with a hard end: the official client's engine on a pool of our own.

The official client gives `ApiClient`, nothing else: its pool reads proxies from the environment,
follows redirects, repeats requests and leaves key files behind. Ours does none of it.
"""

import math
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, cast

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from clusters.kube import errors, tls
from clusters.kube.address import Endpoint, connect, endpoint
from clusters.kube.decode import refusal, retry_after_seconds, status_causes, status_message
from clusters.kube.headers import authorization
from clusters.kube.types import Connection, Identity

CHUNK = 64 * 1024
LARGEST_REFUSAL = 64 * 1024


@cache
def _official() -> Any:
    """The official client, loaded when it is first needed: half a second of each process' start."""
    from kubernetes import client

    return client


class Answer(NamedTuple):
    """A successful answer: its whole body, decompressed, and its content type."""

    body: bytes
    content_type: str


class _Clock:
    until = 0.0
    # What the server of the newest connection showed in its handshake, verified.
    certificate: Mapping[str, Any] | None = None


class _Connection(HTTPSConnection):
    """Connects to the checked address and gives the socket the end of the request under way."""

    clock = _Clock()

    def _new_conn(self) -> Any:
        return connect(self.host, self.port or 443, self.clock.until)

    def connect(self) -> None:
        super().connect()
        self.arm()
        if isinstance(self.sock, tls.DeadlineSocket):
            self.clock.certificate = self.sock.getpeercert()

    def request(self, *args: Any, **kwargs: Any) -> None:
        # A connection that was kept carries the end of the request before this one.
        self.arm()
        super().request(*args, **kwargs)

    def arm(self) -> None:
        if isinstance(self.sock, tls.DeadlineSocket):
            self.sock.until = self.clock.until


class _Pool(urllib3.HTTPSConnectionPool):
    """One connection to one cluster; stands in for the official client's pool manager."""

    ConnectionCls = _Connection

    def __init__(self, connection: Connection, at: Endpoint, clock: _Clock) -> None:
        super().__init__(
            at.host,
            at.port,
            maxsize=1,
            ssl_context=tls.context(connection),
            server_hostname=at.server_name,
        )
        self.clock = clock

    def _new_conn(self) -> Any:
        made = super()._new_conn()
        if isinstance(made, _Connection):
            made.clock = self.clock
        return made

    def urlopen(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        kwargs.update(retries=False, redirect=False)
        return super().urlopen(method, url, *args, **kwargs)


class Transport:
    """Sends requests of one identity to one cluster. Not for several threads at once."""

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        deadline: float,
        budget: float | None = None,
    ) -> None:
        """`deadline` in seconds holds for each request from the name look-up to the last byte,
        `budget` for all of them together, from now on (None: without end).
        """
        at = endpoint(connection)
        self._headers = urllib3.HTTPHeaderDict()
        for name, value in authorization(connection, identity):
            self._headers.add(name, value)
        self._prefix = at.path
        self._deadline = deadline
        self._clock = _Clock()
        # proxy="": with None the client would take one from the environment.
        settings = _official().Configuration(host=connection.server, proxy="", no_proxy="")
        self._api = _official().ApiClient(settings)
        self._pool = _Pool(connection, at, self._clock)
        self._api.rest_client.pool_manager = cast("urllib3.PoolManager", self._pool)
        # Last: a process' first client takes as long as the official one takes to load.
        self._ends = math.inf if budget is None else time.monotonic() + budget

    @property
    def certificate_expires(self) -> datetime | None:
        """Until when the server's own certificate is good; None before the first answer."""
        found = self._clock.certificate
        if not found:
            return None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)

    def close(self) -> None:
        """Closes the connection."""
        self._pool.close()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Requests made inside end within this time from now, if their own deadline is later."""
        before = self._ends
        self._ends = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._ends = before

    def send(
        self,
        method: str,
        path: str,
        *,
        accept: str = "application/json",
        body: Any = None,
        content_type: str = "application/json",
        largest: int = 1024 * 1024,
    ) -> Answer:
        """The answer to one request; `path` begins with / and may hold a query.

        `body` is sent as JSON under `content_type` (patches have their own). KubeError for
        everything but a 2xx answer of at most `largest` bytes, decompressed.
        """
        headers = self._headers.copy()
        headers["Accept"] = accept
        headers["Accept-Encoding"] = "gzip"
        if body is not None:
            headers["Content-Type"] = content_type
        self._clock.until = min(time.monotonic() + self._deadline, self._ends)
        try:
            response = self._api.call_api(
                method, self._prefix + path, headers, body, None, self._deadline
            ).response
            return self._finish(response, largest)
        except (HTTPError, _official().ApiException, OSError, ValueError) as error:
            raise tls.explain(error) from error

    def _finish(self, response: Any, largest: int) -> Answer:
        whole = False
        try:
            status = int(response.status)
            body = _read(response, largest if status < 300 else LARGEST_REFUSAL, status)
            whole = True
        finally:
            # A connection with an unread rest must not carry the next request.
            if whole:
                response.release_conn()
            else:
                response.close()
        if 200 <= status < 300:
            return Answer(body, response.headers.get("Content-Type", ""))
        wait = retry_after_seconds(response.headers.get("Retry-After"))
        error = refusal(status, status_message(body), wait)
        if isinstance(error, errors.Refused):
            error.causes = status_causes(body)
        raise error


def _read(response: Any, largest: int, status: int) -> bytes:
    parts = bytearray()
    while chunk := response.read(CHUNK, decode_content=True):
        parts += chunk
        if len(parts) > largest:
            if status >= 300:
                return b""
            raise errors.BadAnswer(f"The answer is larger than {largest // 1024} KiB.")
    return bytes(parts)
