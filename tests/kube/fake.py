"""A small TLS server that says what no real API server would."""

import asyncio
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from clusters.kube.types import Connection
from tests.kube import objects
from tests.kube.certificates import Authority, Pair

TOKEN = "planted-token"
FIRST = (
    objects.event("ADDED", objects.pod("a", 1))
    + objects.event("ADDED", objects.pod("b", 2))
    + objects.bookmark(10, initial_end=True)
)
"""The first state of a WatchList: pods a and b at version 10."""


class Request(NamedTuple):
    """What came in; `at` is monotonic."""

    at: float
    target: str
    head: str

    @property
    def is_watch(self) -> bool:
        """Whether it asks for a stream."""
        return "watch=1" in self.target

    @property
    def is_watch_list(self) -> bool:
        """Whether it asks for the first state, too."""
        return "sendInitialEvents" in self.target


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class Fake:
    """The server: its address and everything it was asked."""

    def __init__(self, port: int, ca: str) -> None:
        self.connection = Connection(server=f"https://127.0.0.1:{port}", ca=ca, token=TOKEN)
        self.requests: list[Request] = []


@asynccontextmanager
async def serve(
    handler: Handler, *, pair: Pair | None = None, authority: Authority | None = None
) -> AsyncIterator[Fake]:
    """A server on a free port of 127.0.0.1 that lets `handler` answer each request."""
    signer = authority or Authority()
    context = server_context(pair or signer.sign("127.0.0.1"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            request = Request(time.monotonic(), head.split(" ")[1], head)
            fake.requests.append(request)
            await handler(request, writer)
            await writer.drain()
        writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    fake = Fake(server.sockets[0].getsockname()[1], signer.pem)
    try:
        yield fake
    finally:
        server.close()


def server_context(pair: Pair) -> ssl.SSLContext:
    """A server's TLS context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        Path(file.name).write_text(pair.certificate + pair.key)
        context.load_cert_chain(file.name)
    return context


def head(
    status: str = "200 OK", *, length: int | None = None, headers: tuple[str, ...] = ()
) -> bytes:
    """The head of an answer; without a length its body is chunked."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = (f"HTTP/1.1 {status}", size, *headers, "", "")
    return "\r\n".join(lines).encode()


def whole(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    return head(status, length=len(body), headers=headers) + body


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body; an empty one ends it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def first_state(writer: asyncio.StreamWriter, *more: bytes) -> None:
    """Answers a WatchList with two pods and further frames; the stream stays open."""
    writer.write(head() + chunk(FIRST) + b"".join(map(chunk, more)))
    await writer.drain()


async def forever() -> None:
    """As long as any test runs."""
    await asyncio.sleep(60)
