"""One request over one connection in asyncio, and its answer as it comes.

Our own protocol on httptools: half the cost of the general clients for each watch event.
"""

import asyncio
from asyncio import sslproto
from collections import deque

import httptools

from clusters.kube import address
from clusters.kube.inflate import PIECE

ENOUGH = 1024 * 1024
LARGEST_HEAD = 64 * 1024

# asyncio keeps a buffer of 256 KB for each TLS connection; 64 KB is as fast. Not an official
# attribute: where it is missing, connections only take more memory.
if getattr(sslproto.SSLProtocol, "max_size", 0) > 65536:
    sslproto.SSLProtocol.max_size = 65536


class Exchange(asyncio.Protocol):
    """Collects one answer; stops reading while the consumer is `enough` bytes behind."""

    def __init__(self, request: bytes, enough: int = ENOUGH) -> None:
        loop = asyncio.get_running_loop()
        self.head: asyncio.Future[None] = loop.create_future()
        self.status = 0
        self.headers: dict[str, str] = {}
        self._loop = loop
        self._request = request
        self._enough = enough
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
        if self._size > self._enough and self._transport is not None:
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
        if transport is not None and self._size <= self._enough and not transport.is_closing():
            transport.resume_reading()
        return data
