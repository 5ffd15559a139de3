"""One GET over one TLS connection in asyncio, its body read as it comes.

Our own protocol on httptools: half the cost of the general clients for each watch event.
"""

import asyncio
from asyncio import sslproto
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, NamedTuple

import httptools

from clusters.kube import address, errors, tls
from clusters.kube.decode import refusal, retry_after_seconds, status_message
from clusters.kube.headers import authorization
from clusters.kube.inflate import DAMAGED, PIECE, Inflater
from clusters.kube.types import Connection, Identity

ENOUGH = 1024 * 1024
LARGEST_REFUSAL = 64 * 1024
LARGEST_HEAD = 64 * 1024

# asyncio keeps a buffer of 256 KB for each TLS connection; 64 KB is as fast. Not an official
# attribute: where it is missing, connections only take more memory.
if getattr(sslproto.SSLProtocol, "max_size", 0) > 65536:
    sslproto.SSLProtocol.max_size = 65536


class Link(NamedTuple):
    """Everything about a cluster that each of its requests needs."""

    endpoint: address.Endpoint
    context: SSLContext
    headers: bytes


def link(connection: Connection, identity: Identity) -> Link:
    """BadCertificate when the connection's own certificates cannot be used."""
    at = address.endpoint(connection)
    pairs = [("Host", at.authority), *authorization(connection, identity)]
    headers = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return Link(at, tls.context(connection), headers.encode("ascii"))


class Exchange(asyncio.Protocol):
    """Collects one answer; stops reading while the consumer is behind."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.head: asyncio.Future[None] = loop.create_future()
        self.status = 0
        self.headers: dict[str, str] = {}
        self._loop = loop
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._head_size = 0
        self._complete = False
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if (made := transport.get_extra_info("socket")) is not None:
            address.keep_alive(made)
        if self._transport is not None:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._complete or self._failure is not None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(error)
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > LARGEST_HEAD:
            raise ValueError("the head of the answer is too large")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        # Given again, as warnings are: one list of them.
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if not self.head.done():
            self.head.set_result(None)

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._size += len(body)
        if self._size > ENOUGH and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        self._complete = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._complete:
            self._end(exc or ConnectionResetError("closed inside the answer"))

    def _end(self, failure: BaseException) -> None:
        self._failure = self._failure or failure
        if not self.head.done():
            self.head.set_exception(failure)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def abort(self) -> None:
        """Ends the connection at once; a farewell to a dead server would take half a minute."""
        if self._transport is not None:
            self._transport.abort()
        # Nobody waits for it any more: how the connection ends now is no news.
        if not self.head.cancel() and not self.head.cancelled():
            self.head.exception()

    async def read(self, wait: float | None) -> bytes:
        """At most a PIECE of what has come in, waiting for it at most `wait` seconds (None: ever).

        b"" at the regular end. Others have their turn before each piece.
        """
        if self._chunks or self._complete or self._failure:
            await asyncio.sleep(0)
        else:
            self._waiter = self._loop.create_future()
            async with asyncio.timeout(wait):
                await self._waiter
        if self._chunks:
            return self._take()
        if self._failure is not None:
            raise self._failure
        return b""

    def _take(self) -> bytes:
        taken = [self._chunks.popleft()]
        size = len(taken[0])
        while self._chunks and size < PIECE:
            taken.append(self._chunks.popleft())
            size += len(taken[-1])
        data = b"".join(taken) if len(taken) > 1 else taken[0]
        if size > PIECE:
            self._chunks.appendleft(data[PIECE:])
            data = data[:PIECE]
        self._size -= len(data)
        transport = self._transport
        if transport is not None and self._size <= ENOUGH and not transport.is_closing():
            transport.resume_reading()
        return data


class Response:
    """A 2xx answer whose body is still coming."""

    def __init__(self, protocol: Exchange) -> None:
        self._protocol = protocol
        coding = protocol.headers.get("content-encoding", "identity")
        self._inflater = Inflater() if coding == "gzip" else None

    async def read(self, wait: float) -> bytes:
        """The next bytes, decompressed; b"" at the regular end, KubeError for any other end.

        TimedOut after `wait` seconds without one.
        """
        try:
            return await self._read(wait)
        except (OSError, DAMAGED, httptools.HttpParserError) as error:
            raise tls.explain(error) from error

    async def _read(self, wait: float) -> bytes:
        inflater = self._inflater
        if inflater is None:
            return await self._protocol.read(wait)
        # A thousandth of what it becomes may have come over the network.
        await asyncio.sleep(0)
        while not (piece := inflater.take()):
            data = await self._protocol.read(wait)
            if not data:
                if inflater.incomplete:
                    raise errors.BadAnswer("The answer was cut off.")
                return b""
            inflater.feed(data)
        return piece

    async def all(self, largest: int, wait: float) -> bytes:
        """The whole body; BadAnswer above `largest` bytes, TimedOut after `wait` seconds in all."""
        until = asyncio.get_running_loop().time() + wait
        body = bytearray()
        while data := await self.read(until - asyncio.get_running_loop().time()):
            body += data
            if len(body) > largest:
                raise errors.BadAnswer(f"The answer is larger than {largest // 1024} KiB.")
        return bytes(body)


@asynccontextmanager
async def get(to: Link, target: str, accept: str, *, deadline: float) -> AsyncIterator[Response]:
    """The answer to `GET target`; KubeError when it is no 2xx or its head is late.

    `deadline` in seconds, from the name look-up to the last header. The connection ends with the
    block.
    """
    request = (
        f"GET {to.endpoint.path}{target} HTTP/1.1\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\n"
    )
    protocol = Exchange(request.encode("ascii") + to.headers + b"\r\n")
    try:
        async with asyncio.timeout(deadline):
            await connect(to, protocol)
            await protocol.head
        response = Response(protocol)
        if not 200 <= protocol.status < 300:
            raise await _refusal(protocol, response, deadline)
        yield response
    except (OSError, httptools.HttpParserError) as error:
        raise tls.explain(error) from error
    finally:
        protocol.abort()


async def _refusal(protocol: Exchange, response: Response, wait: float) -> errors.KubeError:
    try:
        message = status_message(await response.all(LARGEST_REFUSAL, wait))
    except errors.KubeError:
        message = ""
    retry_after = retry_after_seconds(protocol.headers.get("retry-after"))
    return refusal(protocol.status, message, retry_after)


async def connect(to: Link, protocol: Exchange) -> None:
    """Connects to the first of the checked addresses that answers, and sends the request."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for host in await resolve(to.endpoint):
        try:
            await loop.create_connection(
                lambda: protocol,
                host,
                to.endpoint.port,
                ssl=to.context,
                server_hostname=to.endpoint.server_name,
            )
        except OSError as error:
            failure = error
        else:
            return
    raise failure or OSError("no address")


async def resolve(at: address.Endpoint) -> list[str]:
    """The checked addresses of an endpoint."""
    if address.is_literal(at.host):
        return address.checked([at.host], at.port)
    try:
        found: list[Any] = await asyncio.get_running_loop().getaddrinfo(at.host, at.port)
    except UnicodeError as error:
        raise errors.Unreachable("The host name of the cluster is not known.") from error
    return address.checked([str(each[4][0]) for each in found], at.port)
