"""Messages of 32 MB, and a client of websockets that says any bytes.

By hand, since no library sends what its own limits refuse.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import cache

LARGE = 32 * 1024 * 1024
PIECE = 256 * 1024
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, COMPRESSED, MASKED = 0x80, 0x40, 0x80


def frame(kind: int, data: bytes, size: int = 0) -> bytes:
    """A client's frame, of which the head may promise more; a mask of zeros changes nothing."""
    return bytes([kind, MASKED | 127]) + (size or len(data)).to_bytes(8) + bytes(4) + data


def whole(kind: int) -> Iterator[bytes]:
    """One frame."""
    yield frame(FIN | kind, b"", LARGE)
    for _ in range(LARGE // PIECE):
        yield b"x" * PIECE


def fragments(kind: int) -> Iterator[bytes]:
    """Many frames of one message."""
    yield frame(kind, b"x" * PIECE)
    for _ in range(LARGE // PIECE - 1):
        yield frame(CONTINUED, b"x" * PIECE)


def deflated(kind: int) -> Iterator[bytes]:
    """One frame, small until it is unpacked."""
    yield frame(FIN | COMPRESSED | kind, _packed())


@cache
def _packed() -> bytes:
    packer = zlib.compressobj(wbits=-12)
    data = packer.compress(b"x" * LARGE) + packer.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff")


Message = Callable[[int], Iterator[bytes]]
MESSAGES: list[Message] = [whole, fragments, deflated]


class Raw:
    """A client's end of an open websocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, pieces: Iterator[bytes]) -> int:
        """Sends a message until the server closes the socket: with which code it does.

        A ping behind each piece says when that was taken, so that the code is not lost with a
        connection that is reset.
        """
        for piece in pieces:
            self._writer.write(piece + bytes([FIN | PING, MASKED]) + bytes(4))
            if code := await self._until(PONG):
                return code
        return await self._until(CLOSE)

    async def push(self, pieces: Iterator[bytes]) -> None:
        """Sends all of a message, whatever the server says, until nothing is taken any more."""
        with suppress(OSError):
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
            await self._reader.read()

    async def _until(self, kind: int) -> int:
        """Reads frames until one of the kind; the code where the socket is closed."""
        while True:
            got, size = await self._reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
            data = await self._reader.readexactly(size)
            if got & 0x0F == CLOSE:
                return int.from_bytes(data[:2])
            if got & 0x0F == kind:
                return 0


@asynccontextmanager
async def opened(
    port: int, path: str, *lines: str, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Raw]:
    """A websocket of 127.0.0.1 that may be compressed, as browsers ask for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    head = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12", *lines,
    ]  # fmt: skip
    writer.write("\r\n".join([*head, "", ""]).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in answer.split(b"\r\n")[0], answer
    assert b"permessage-deflate" in answer
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()
