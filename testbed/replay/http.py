"""The little of HTTP that the replay server speaks."""

import asyncio
import http
import json
import time
from contextlib import suppress

from testbed.api import Json
from testbed.replay.faults import Request

JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request; IncompleteReadError at the client's end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(time.monotonic(), method, target, headers, body)


class Out:
    """Writes one answer and notes its status in the request."""

    def __init__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self._request = request
        self._writer = writer

    async def whole(
        self, status: int, body: bytes, kind: str = JSON, headers: tuple[str, ...] = ()
    ) -> None:
        """An answer of known length."""
        self._head(status, kind, f"Content-Length: {len(body)}", *headers)
        self._writer.write(body)
        await self._writer.drain()

    async def document(self, document: Json, status: int = 200, *headers: str) -> None:
        """An answer in JSON."""
        await self.whole(status, json.dumps(document).encode(), headers=headers)

    async def refusal(self, status: int, message: str, retry_after: int = 0) -> None:
        """A Status object, as an API server says no."""
        body = {"kind": "Status", "apiVersion": "v1", "code": status, "message": message}
        headers = (f"Retry-After: {retry_after}",) if retry_after else ()
        await self.document({**body, "status": "Failure"}, status, *headers)

    def stream(self) -> None:
        """An answer whose length nobody knows begins."""
        kind = f"{PROTOBUF};stream=watch" if self._request.protobuf else JSON
        self._head(200, kind, "Transfer-Encoding: chunked")

    async def say(self, data: bytes) -> None:
        """A piece of it; waits while the client is behind."""
        if data:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await self._writer.drain()

    async def end(self) -> None:
        """It is whole."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def left(self) -> None:
        """Returns when the connection has ended."""
        with suppress(OSError):
            await self._writer.wait_closed()

    def _head(self, status: int, kind: str, *headers: str) -> None:
        self._request.status = status
        lines = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}",
            f"Content-Type: {kind}",
            *headers,
            "",
            "",
        )
        self._writer.write("\r\n".join(lines).encode())
