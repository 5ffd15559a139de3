"""One GET over one TLS connection in asyncio, its body read as it comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, NamedTuple

import httptools

from clusters.kube import address, errors, tls
from clusters.kube.decode import refusal, retry_after_seconds, status_message
from clusters.kube.exchange import ENOUGH, Exchange
from clusters.kube.headers import authorization
from clusters.kube.inflate import DAMAGED, Inflater
from clusters.kube.types import Connection, Identity

LARGEST_REFUSAL = 64 * 1024
# For the words of a refusal, whose head is there.
REFUSAL_SECONDS = 10.0


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


class Response:
    """A 2xx answer whose body is still coming."""

    def __init__(self, protocol: Exchange) -> None:
        self._protocol = protocol
        coding = protocol.headers.get("content-encoding", "identity")
        self._inflater = Inflater() if coding == "gzip" else None

    async def read(self, wait: float | None) -> bytes:
        """The next bytes, decompressed; b"" at the regular end, KubeError for any other end.

        TimedOut after `wait` seconds without one; None waits for ever.
        """
        try:
            return await self._read(wait)
        except (OSError, DAMAGED, httptools.HttpParserError) as error:
            raise tls.explain(error) from error

    async def _read(self, wait: float | None) -> bytes:
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


class Pending:
    """A request that was sent, and not answered yet."""

    def __init__(self, protocol: Exchange) -> None:
        self._protocol = protocol

    async def heard(self, wait: float) -> bool:
        """Whether the head of the answer is there after at most so many seconds."""
        done, _open = await asyncio.wait([self._protocol.head], timeout=wait)
        return bool(done)

    async def answer(self, wait: float | None) -> Response:
        """The answer; TimedOut when its head is later (None: waits for ever), KubeError when it is
        no 2xx.
        """
        try:
            async with asyncio.timeout(wait):
                await self._protocol.head
        except (OSError, httptools.HttpParserError) as error:
            raise tls.explain(error) from error
        response = Response(self._protocol)
        if not 200 <= self._protocol.status < 300:
            raise await _refusal(self._protocol, response, REFUSAL_SECONDS)
        return response


@asynccontextmanager
async def ask(
    to: Link, target: str, accept: str, *, deadline: float, enough: int = ENOUGH
) -> AsyncIterator[Pending]:
    """Sends `GET target`; KubeError when there is no connection after `deadline` seconds.

    The connection ends with the block. Of the body so much is read ahead as is `enough`.
    """
    request = (
        f"GET {to.endpoint.path}{target} HTTP/1.1\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\n"
    )
    protocol = Exchange(request.encode("ascii") + to.headers + b"\r\n", enough)
    try:
        async with asyncio.timeout(deadline):
            await connect(to, protocol)
        yield Pending(protocol)
    except (OSError, httptools.HttpParserError) as error:
        raise tls.explain(error) from error
    finally:
        protocol.abort()


@asynccontextmanager
async def get(to: Link, target: str, accept: str, *, deadline: float) -> AsyncIterator[Response]:
    """The answer to `GET target`; KubeError when it is no 2xx or its head is late.

    `deadline` in seconds, from the name look-up to the last header. The connection ends with the
    block.
    """
    now = asyncio.get_running_loop().time
    until = now() + deadline
    async with ask(to, target, accept, deadline=deadline) as pending:
        yield await pending.answer(until - now())


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
