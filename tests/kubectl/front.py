"""The web process as `manage.py run` starts it, by HTTPS, and a client that says any bytes."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httptools
import uvicorn

from mcm import web
from mcm.embedded import certificates
from tests.clusters.sockets import in_database


@dataclass
class Reply:
    """An answer as far as it has come; `whole` once its regular end was there."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Of an object of the kind Status: its code, reason and message."""
        assert self.json["kind"] == "Status"
        assert self.json["code"] == self.status
        return self.status, self.json["reason"], self.json["message"]


class Call:
    """A request under way."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reply = Reply()
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reply.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        self.reply.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.reply.body += body

    def on_message_complete(self) -> None:
        self.reply.whole = True

    async def until(self, text: bytes) -> None:
        """Until the body holds the text."""
        while text not in self.reply.body:
            assert await self._more(), self.reply

    async def end(self) -> Reply:
        """The answer, when it or the connection has ended."""
        while not self.reply.whole and await self._more():
            continue
        return self.reply

    async def _more(self) -> bool:
        async with asyncio.timeout(20):
            data = await self._reader.read(65536)
        if data:
            self._parser.feed_data(data)
        return bool(data)


class Front:
    """MCM on a port of 127.0.0.1."""

    def __init__(self, port: int, home: Path) -> None:
        self.port = port
        self.authority = certificates.files(home).authority
        self.url = f"https://127.0.0.1:{port}"
        self.tls = ssl.create_default_context(cafile=self.authority)

    @asynccontextmanager
    async def call(
        self, method: str, path: str, token: str = "", body: bytes = b"", **headers: Any
    ) -> AsyncIterator[Call]:
        """A request; in the names of headers _ stands for -, and __ for _."""
        lines = [f"{method} {path} HTTP/1.1", "host: mcm", f"content-length: {len(body)}"]
        lines += [f"authorization: Bearer {token}"] if token else []
        for name, value in headers.items():
            written = "_".join(part.replace("_", "-") for part in name.split("__"))
            lines.append(f"{written}: {value}")
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            yield Call(reader)
        finally:
            writer.transport.abort()

    async def ask(
        self, method: str, path: str, token: str = "", body: bytes = b"", **headers: Any
    ) -> Reply:
        async with self.call(method, path, token, body, **headers) as call:
            return await call.end()


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[Front]:
    certificates.ensure(home)
    server = web.Beside(web.configured(0, certificates.files(home)))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    try:
        yield Front(port_of(server), home)
    finally:
        server.should_exit = True
        await task


def port_of(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])


__all__ = ["Call", "Front", "Reply", "in_database", "serving"]
